//! The two backends, and the hook through which a controlled run is steered.
//!
//! What it is not: it decides nothing. The hook's owner does; without a hook on this thread the
//! controlled backend behaves like the native one, except that it must not have to wait.

use super::{CpuId, Ordering};
use crate::event::Event;
use core::cell::Cell;

/// What an access does. Printed as the second half of a site's name, `refcount.dec#1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A plain atomic load.
    Load,
    /// A plain atomic store.
    Store,
    /// An exchange.
    Swap,
    /// An addition.
    Inc,
    /// A subtraction.
    Dec,
    /// An addition that is refused if the value is zero (`atomic_add_unless(.., 0)`).
    IncNotZero,
    /// Bits set.
    Set,
    /// Bits cleared.
    Clear,
    /// A strong compare-and-exchange.
    Cas,
    /// A compare-and-exchange that a decision of the schedule may fail.
    CasWeak,
    /// A lock is about to be taken, waiting if need be.
    Lock,
    /// A lock is taken if it is free.
    TryLock,
    /// A lock is released. Recorded, but no point: the next access is one.
    Unlock,
    /// A task is about to queue itself on a word and sleep.
    Wait,
    /// The sleepers of a word are woken.
    Wake,
    /// A place where a decision of the schedule may make an operation fail.
    Fail,
}

impl Kind {
    /// All kinds, in the order of their discriminants.
    pub const ALL: [Self; 16] = [
        Self::Load,
        Self::Store,
        Self::Swap,
        Self::Inc,
        Self::Dec,
        Self::IncNotZero,
        Self::Set,
        Self::Clear,
        Self::Cas,
        Self::CasWeak,
        Self::Lock,
        Self::TryLock,
        Self::Unlock,
        Self::Wait,
        Self::Wake,
        Self::Fail,
    ];

    /// The name used in sites.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Store => "store",
            Self::Swap => "swap",
            Self::Inc => "inc",
            Self::Dec => "dec",
            Self::IncNotZero => "inc_not_zero",
            Self::Set => "set",
            Self::Clear => "clear",
            Self::Cas => "cas",
            Self::CasWeak => "cas_weak",
            Self::Lock => "lock",
            Self::TryLock => "trylock",
            Self::Unlock => "unlock",
            Self::Wait => "wait",
            Self::Wake => "wake",
            Self::Fail => "may_fail",
        }
    }

    /// Whether the schedule may switch just before it.
    #[must_use]
    pub const fn is_point(self) -> bool {
        !matches!(self, Self::Unlock)
    }

    /// Whether it never changes the object.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Load | Self::Fail)
    }

    /// Whether a `fail` decision means anything here.
    #[must_use]
    pub const fn can_fail(self) -> bool {
        matches!(self, Self::Fail | Self::CasWeak)
    }
}

/// A shared-memory operation that a task is about to perform.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Where the object lies. Never leaves the run: the hook's owner turns it into a name.
    pub addr: usize,
    /// What is done.
    pub kind: Kind,
    /// The memory order asked for.
    pub order: Ordering,
}

/// Why a task cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// For the release of a spin lock.
    Lock,
    /// For [`super::wake`] on a word. It sleeps: not allowed in atomic context.
    Sleep,
    /// For RCU readers to leave their sections. It sleeps too.
    Grace,
    /// In a retry loop, for one of the watched objects to change.
    Change,
}

/// Who steers a controlled run. One per OS thread; see [`Controlled::install`].
///
/// Methods take `&self`: while a call switches away, other tasks call into the same hook.
/// Any method may leave by unwinding when the run is being cut.
pub trait Hook {
    /// The running task is about to make `access`. Other tasks may run before this returns.
    fn before(&self, access: Access);
    /// The access was made; its object held `old` and holds `new`.
    fn after(&self, old: u64, new: u64);
    /// Whether the schedule fails the access announced last.
    fn fails(&self) -> bool;
    /// The running task cannot go on until [`Hook::wake`] names one of `addrs`, or, if it waits for
    /// a change, an access changes one of them.
    fn wait(&self, addrs: &[usize], waiting: Waiting);
    /// The tasks waiting on `addr` can go on.
    fn wake(&self, addr: usize);
    /// Something the subject reports, belonging to the access before it.
    fn event(&self, event: Event);
    /// Something worth counting happened: a position in the subject's list of outcomes.
    fn outcome(&self, outcome: usize);
    /// The CPU that is running.
    fn cpu(&self) -> CpuId;
}

/// What the primitives of this module call around their accesses.
///
/// All functions of [`Native`] are empty and inlined; those of [`Controlled`] forward to the
/// thread's [`Hook`].
pub trait Backend: Copy + Default + Send + Sync + 'static {
    /// Whether accesses are steered and events recorded.
    const CONTROLLED: bool;
    /// See [`Hook::before`].
    fn before(addr: usize, kind: Kind, order: Ordering);
    /// See [`Hook::after`].
    fn after(old: u64, new: u64);
    /// See [`Hook::fails`].
    fn fails() -> bool;
    /// See [`Hook::wait`]. Native: gives the processor to another thread once.
    fn wait(addrs: &[usize], waiting: Waiting);
    /// See [`Hook::wake`].
    fn wake(addr: usize);
    /// See [`Hook::event`]. Native: the closure is not called.
    fn event(event: impl FnOnce() -> Event);
    /// See [`Hook::outcome`].
    fn outcome(outcome: usize);
    /// See [`Hook::cpu`]. Native: CPU 0, since nothing native depends on it.
    fn cpu() -> CpuId;
}

/// Real threads, `core`'s atomics, nothing added.
#[derive(Clone, Copy, Default, Debug)]
pub struct Native;

impl Backend for Native {
    const CONTROLLED: bool = false;
    #[inline(always)]
    fn before(_: usize, _: Kind, _: Ordering) {}
    #[inline(always)]
    fn after(_: u64, _: u64) {}
    #[inline(always)]
    fn fails() -> bool {
        false
    }
    #[inline(always)]
    fn wait(_: &[usize], _: Waiting) {
        std::thread::yield_now();
    }
    #[inline(always)]
    fn wake(_: usize) {}
    #[inline(always)]
    fn event(_: impl FnOnce() -> Event) {}
    #[inline(always)]
    fn outcome(_: usize) {}
    #[inline(always)]
    fn cpu() -> CpuId {
        CpuId::new(0)
    }
}

/// All tasks on one OS thread, each access announced to the [`Hook`] installed there.
#[derive(Clone, Copy, Default, Debug)]
pub struct Controlled;

/// What is installed where nobody is: whatever need not wait may happen, and nothing is kept.
struct Nobody;

impl Hook for Nobody {
    fn before(&self, _: Access) {}
    fn after(&self, _: u64, _: u64) {}
    fn fails(&self) -> bool {
        false
    }
    fn wait(&self, _: &[usize], _: Waiting) {
        panic!("a task that has to wait runs under a hook");
    }
    fn wake(&self, _: usize) {}
    fn event(&self, _: Event) {}
    fn outcome(&self, _: usize) {}
    fn cpu(&self) -> CpuId {
        CpuId::new(0)
    }
}

thread_local! {
    // There is always one, so that an access has no branch for it: that would be an edge of its own at
    // every access, for engines that count edges.
    static HOOK: Cell<&'static dyn Hook> = const { Cell::new(&Nobody) };
}

/// Keeps a hook installed; dropping it puts the one before back.
#[must_use = "the hook is removed when this is dropped"]
pub struct HookGuard(&'static dyn Hook);

impl Drop for HookGuard {
    fn drop(&mut self) {
        HOOK.set(self.0);
    }
}

impl Controlled {
    /// Makes `hook` the one that this OS thread's controlled accesses call, until the guard goes.
    pub fn install(hook: &'static dyn Hook) -> HookGuard {
        HookGuard(HOOK.replace(hook))
    }
}

impl Backend for Controlled {
    const CONTROLLED: bool = true;
    #[inline]
    fn before(addr: usize, kind: Kind, order: Ordering) {
        HOOK.get().before(Access { addr, kind, order });
    }
    #[inline]
    fn after(old: u64, new: u64) {
        HOOK.get().after(old, new);
    }
    #[inline]
    fn fails() -> bool {
        HOOK.get().fails()
    }
    #[inline]
    fn wait(addrs: &[usize], waiting: Waiting) {
        HOOK.get().wait(addrs, waiting);
    }
    #[inline]
    fn wake(addr: usize) {
        HOOK.get().wake(addr);
    }
    #[inline]
    fn event(event: impl FnOnce() -> Event) {
        HOOK.get().event(event());
    }
    #[inline]
    fn outcome(outcome: usize) {
        HOOK.get().outcome(outcome);
    }
    #[inline]
    fn cpu() -> CpuId {
        HOOK.get().cpu()
    }
}
