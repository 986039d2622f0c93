//! RCU: reader sections that cost no shared access, and grace periods.
//!
//! A reader section is no access and no point, as on a kernel without preemptible RCU, where it is
//! a preemption section. What was unlinked may be freed after a grace period: [`Rcu::synchronize`]
//! sleeps until every reader that was inside has left. [`Rcu::quiet`] says whether one is inside
//! now, for deferred work that must not wait.
//!
//! What it is not: `call_rcu` (the caller keeps its own list of what to free), nor scalable.

use super::{Backend, CpuId, MAX_CPUS, Ordering, Waiting};
use crate::event::Event;
use core::marker::PhantomData;
use core::sync::atomic::AtomicU32;

/// One domain of readers.
#[derive(Debug)]
pub struct Rcu<B: Backend> {
    /// Sections entered and left, by CPU: odd means inside.
    turns: [AtomicU32; MAX_CPUS],
    backend: PhantomData<B>,
}

impl<B: Backend> Default for Rcu<B> {
    fn default() -> Self {
        Self { turns: [const { AtomicU32::new(0) }; MAX_CPUS], backend: PhantomData }
    }
}

impl<B: Backend> Rcu<B> {
    /// Its address, by which a run names it.
    #[must_use]
    pub fn addr(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Empties it between two runs.
    pub fn reset(&mut self) {
        for turn in &mut self.turns {
            *turn.get_mut() = 0;
        }
    }

    /// Enters a reader section on `cpu`. Sections of one CPU do not nest.
    pub fn read(&self, cpu: CpuId) -> RcuGuard<'_, B> {
        // The fence pairs with that of `synchronize`: either the section is seen, or the reader sees
        // what was unlinked before.
        self.turns[cpu.index()].fetch_add(1, Ordering::SeqCst);
        B::event(|| Event::RcuRead { inside: true });
        RcuGuard { rcu: self, cpu }
    }

    fn inside(&self, cpu: usize) -> Option<u32> {
        let turn = self.turns[cpu].load(Ordering::SeqCst);
        (turn % 2 == 1).then_some(turn)
    }

    /// Whether no reader is inside now, so that what was unlinked before may be freed.
    pub fn quiet(&self) -> bool {
        (0..MAX_CPUS).all(|cpu| self.inside(cpu).is_none())
    }

    /// Sleeps until every reader section that had begun has ended.
    pub fn synchronize(&self) {
        let begun: [Option<u32>; MAX_CPUS] = core::array::from_fn(|cpu| self.inside(cpu));
        for (cpu, turn) in begun.into_iter().enumerate() {
            while turn.is_some() && self.inside(cpu) == turn {
                B::wait(&[self.addr()], Waiting::Grace);
            }
        }
    }
}

/// An RCU reader section; dropping it leaves the section.
#[must_use = "the section ends when this is dropped"]
#[derive(Debug)]
pub struct RcuGuard<'a, B: Backend> {
    rcu: &'a Rcu<B>,
    cpu: CpuId,
}

impl<B: Backend> Drop for RcuGuard<'_, B> {
    fn drop(&mut self) {
        self.rcu.turns[self.cpu.index()].fetch_add(1, Ordering::SeqCst);
        B::event(|| Event::RcuRead { inside: false });
        B::wake(self.rcu.addr());
    }
}
