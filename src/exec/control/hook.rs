//! What the code under test calls: records what it does, and lets the run decide who goes on.
//!
//! What it is not: a decision of its own; those are [`Control`]'s.

use super::Control;
use crate::exec::cpus::CpuState;
use crate::exec::engine;
use crate::exec::sites::Pending;
use crate::exec::trace::{Ending, Phase, SwitchReason, What, is_fatal};
use pagerace_core::event::Event;
use pagerace_core::sync::{Access, CpuId, Hook, MAX_CPUS, MAX_WATCHED, Waiting};

impl Hook for Control {
    fn before(&self, access: Access) {
        if self.is_over() {
            return self.leave();
        }
        let me = self.cpu.get();
        self.sites.announce(me, access, &self.names.borrow());
        self.failing.set(false);
        if access.kind.is_point() {
            self.point(me);
        }
    }

    fn after(&self, old: u64, new: u64) {
        if self.is_over() {
            return;
        }
        let me = self.cpu.get();
        let Pending { object, kind, nth, order, .. } = self.sites.pending(me);
        self.push(What::Access { object, kind, nth, order, old, new });
        self.idle.set(false);
        if self.follows.get() || self.cpus.anyone_waiting() {
            self.made(me, old != new);
        }
    }

    fn fails(&self) -> bool {
        self.failing.replace(false)
    }

    fn wait(&self, addrs: &[usize], waiting: Waiting) {
        if self.is_over() {
            return self.leave();
        }
        let me = self.cpu.get();
        let mut all = [addrs[0]; MAX_WATCHED];
        all[..addrs.len()].copy_from_slice(addrs);
        self.cpus.set(me, CpuState::Waiting { addrs: all, waiting });
        if self.phase.get() != Phase::Programs {
            // Nobody else is there to end the wait.
            self.deadlock();
            self.cpus.set(me, CpuState::Ended);
            self.unwind();
        }
        let object = self.names.borrow().get(addrs[0]);
        let Some(next) = self.cpus.next_in_order() else {
            self.deadlock();
            self.unwind();
        };
        self.idle.set(false);
        let why = SwitchReason::Waits { object, waiting };
        self.push(What::Switch { to: CpuId::new(next), why });
        engine::block_current();
        let was = engine::set_in_subject(false);
        engine::hand_over(self.woken(next));
        engine::set_in_subject(was);
        self.took_over(me);
        if self.cut.get() {
            self.unwind();
        }
    }

    fn wake(&self, addr: usize) {
        if self.cpus.anyone_waiting() {
            self.wake_those(addr, |waiting| waiting != Waiting::Change);
        }
    }

    fn event(&self, event: Event) {
        if self.is_over() {
            return;
        }
        let fatal = is_fatal(&event);
        {
            let names = self.names.borrow();
            self.push(What::Event(event.map_objects(|addr| names.get(addr))));
        }
        if fatal {
            self.cut_with(Ending::Fatal);
            if !std::thread::panicking() {
                self.unwind();
            }
        }
    }

    fn outcome(&self, outcome: usize) {
        if !self.is_over() {
            self.outcomes.borrow_mut()[outcome] += 1;
        }
    }

    fn cpu(&self) -> CpuId {
        CpuId::new(self.cpu.get())
    }
}

impl Control {
    /// Tells those who want to know that an access was made, and whether it changed something.
    #[inline(never)]
    fn made(&self, me: usize, changed: bool) {
        if self.follows.get() {
            self.policy.borrow_mut().performed(me, self.cpus.enabled());
        }
        if changed && self.cpus.anyone_waiting() {
            let addr = self.sites.pending(me).addr;
            self.wake_those(addr, |waiting| waiting == Waiting::Change);
        }
    }

    #[inline(never)]
    fn wake_those(&self, addr: usize, which: impl Fn(Waiting) -> bool) {
        for cpu in 0..MAX_CPUS {
            if let CpuState::Waiting { addrs, waiting } = self.cpus.state(cpu)
                && addrs.contains(&addr)
                && which(waiting)
            {
                self.cpus.set(cpu, CpuState::Ready);
                self.woken(cpu);
            }
        }
    }
}
