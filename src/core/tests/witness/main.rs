//! Operations of `mm` run from start to end, one of them interrupted by others at a chosen access.
//!
//! What it is not: a search. What needs more than an interruption is for the scheduler.

mod plain;
mod races;

use pagerace_core::event::Event;
use pagerace_core::mm::{History, Memory, Report, Sizes};
use pagerace_core::sync::{Access, Backend, Controlled, CpuId, Hook, Kind, Waiting};
use std::cell::{Cell, RefCell};

const SIZES: Sizes = Sizes { cpus: 2, frames: 8, pcp_batch: 0, mappings: 1, indices: 1 };
const PROFILES: [History; 4] =
    [History::LINUX_5_9, History::LINUX_5_10, History::LINUX_6_2, History::CURRENT];

fn cpu(n: usize) -> CpuId {
    CpuId::new(n)
}

/// How many frames are on the free lists, counted by block.
fn free_frames<B: Backend>(memory: &Memory<B>) -> usize {
    let mut free = 0;
    memory.walk_all(|report| {
        if let Report::Free(_, order, _) = report {
            free += order.frames();
        }
    });
    free
}

/// What runs before the n-th access of a kind.
type Step = (Kind, usize, Box<dyn Fn()>);

/// Interrupts operations: before the n-th access from now of a kind, runs a step.
#[derive(Default)]
struct Interrupts {
    steps: RefCell<Vec<Step>>,
    seen: Cell<usize>,
    nested: Cell<bool>,
    events: RefCell<Vec<Event>>,
    outcomes: RefCell<Vec<usize>>,
}

impl Interrupts {
    fn install() -> &'static Self {
        // One per test, kept for the thread's lifetime as a hook must be.
        let hook: &'static Self = Box::leak(Box::default());
        std::mem::forget(Controlled::install(hook));
        hook
    }

    /// Before the `nth` access of `kind` from the step before, runs `step`.
    fn at(&self, kind: Kind, nth: usize, step: impl Fn() + 'static) {
        self.steps.borrow_mut().push((kind, nth, Box::new(step)));
    }

    fn saw(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.borrow().iter().filter(|event| wanted(event)).count()
    }
}

impl Hook for Interrupts {
    fn before(&self, access: Access) {
        if self.nested.get() {
            return;
        }
        let due = match self.steps.borrow().first() {
            Some(&(kind, nth, _)) if kind == access.kind => {
                self.seen.set(self.seen.get() + 1);
                self.seen.get() == nth
            }
            _ => false,
        };
        if due {
            let (_, _, step) = self.steps.borrow_mut().remove(0);
            self.seen.set(0);
            self.nested.set(true);
            step();
            self.nested.set(false);
        }
    }

    fn after(&self, _: u64, _: u64) {}

    fn fails(&self) -> bool {
        false
    }

    fn wait(&self, _: &[usize], waiting: Waiting) {
        panic!("an interrupting step may not have to wait: {waiting:?}");
    }

    fn wake(&self, _: usize) {}

    fn event(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    fn outcome(&self, outcome: usize) {
        self.outcomes.borrow_mut().push(outcome);
    }

    fn cpu(&self) -> CpuId {
        cpu(usize::from(self.nested.get()))
    }
}

fn memory(history: History) -> &'static Memory<Controlled> {
    Box::leak(Box::new(Memory::new(SIZES, history)))
}
