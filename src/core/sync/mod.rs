//! The one door to shared memory: atomics, locks, waiting, RCU, contexts.
//!
//! Everything is generic over a [`Backend`]. [`Native`] adds nothing to `core`'s atomics.
//! [`Controlled`] calls the thread's [`Hook`] before each access, which may run other tasks first:
//! the place just before an access is a *point*. All tasks of a controlled run share one OS thread,
//! so between two points nothing else happens.
//!
//! What it is not: a scheduler (that is whoever implements [`Hook`]), a memory model (a controlled
//! run is sequentially consistent whatever [`Ordering`] is asked for; the order is recorded), or a
//! mirror of `std::sync`: it has what page allocators and page caches use.
//!
//! | mechanism | file | waits by |
//! |---|---|---|
//! | atomics | `atomic` | never; retry loops call [`relax`] |
//! | spin locks, `Guarded` fields | `lock` | disabled until the release |
//! | fields written under a lock and read without | `published` | never; retry loops call [`relax`] |
//! | fields of an owner, sums | `quiet` | never |
//! | wait queues on a word | `wait` | disabled until [`wake`] |
//! | RCU readers and grace periods | `rcu` | disabled until the readers left |
//! | irq and preemption sections | `context` | never; waiting inside one is reported |
//! | per-CPU slots | `percpu` | never |

mod atomic;
mod backend;
mod context;
mod lock;
mod percpu;
mod published;
mod quiet;
mod rcu;
mod wait;
mod word;

pub use atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16,
    AtomicU32, AtomicU64, AtomicUsize, Word,
};
pub use backend::{Access, Backend, Controlled, Hook, HookGuard, Kind, Native, Waiting};
pub use context::{Irq, IrqGuard, Preempt, PreemptGuard};
pub use core::sync::atomic::Ordering;
pub use lock::{Guarded, SpinGuard, SpinLock};
pub use percpu::PerCpu;
pub use published::Published;
pub use quiet::{Owned, Tally};
pub use rcu::{Rcu, RcuGuard};
pub use wait::{MAX_WATCHED, Watch, relax, wait_on, wake};

/// The most CPUs a case may have.
pub const MAX_CPUS: usize = 4;

/// One of the CPUs of a case, counted from zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct CpuId(u8);

impl CpuId {
    /// The CPU with this number.
    ///
    /// # Panics
    /// If `index` is not below [`MAX_CPUS`].
    #[must_use]
    #[inline]
    pub const fn new(index: usize) -> Self {
        assert!(index < MAX_CPUS, "a case has at most MAX_CPUS CPUs");
        Self(index as u8)
    }

    /// Its number.
    #[must_use]
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
