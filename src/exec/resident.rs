//! One execution kept open from case to case, for callers that cannot stay in it.
//!
//! A fuzzing engine calls once per input and wants control back. Opening an execution for each input
//! costs a fifth of all instructions, so here shuttle runs inside an outer coroutine: after a case the driver
//! suspends that, and with it the whole execution, and the next case resumes it where it was.
//!
//! While it is parked, other executions can be opened and ended: they lie within it. It cannot itself
//! begin, go on or end within another one (see [`engine::open`]); where that is asked for, cases run in
//! executions of their own, with the same results. So one resident of a thread is warm at a time.
//!
//! What it is not: a session. All cases run as they say, and what only sessions can do is done with
//! [`Resident::executor`].

#[cfg(all(test, not(feature = "asan")))]
mod tests;

use super::engine::{self, Scheduling};
use super::session::{Executor, Options};
use super::trace::Run;
use crate::program::Case;
use crate::subject::Subject;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use pagerace_core::sync::{Controlled, MAX_CPUS};
use std::mem;
use std::ops::ControlFlow;
use std::rc::Rc;

/// Cases of one execution. Shuttle keeps a list of all its steps, which must not grow for ever; that an
/// execution is opened for every so many does not show in the rate.
const CASES: usize = 1_024;

/// LeakSanitizer does not look for pointers on the stack of a parked execution, and would report what
/// shuttle keeps there as lost.
const PARKS: bool = cfg!(not(feature = "asan"));

/// An executor that keeps its execution between cases, for callers that get them one by one.
pub struct Resident<S: Subject> {
    executor: Executor<S>,
    warm: Option<Warm>,
}

impl<S: Subject> std::fmt::Debug for Resident<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resident").field("executor", &self.executor).finish_non_exhaustive()
    }
}

impl<S: Subject> Default for Resident<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Subject> Resident<S> {
    /// A resident whose execution begins with its first case.
    #[must_use]
    pub fn new() -> Self {
        Self { executor: Executor::new(), warm: None }
    }

    /// Runs one case; the run is the one that [`Executor::run`] gives.
    pub fn run(&mut self, case: &Case) -> &Run {
        let own = usize::from(self.warm.is_some());
        if !PARKS || engine::open() != own {
            return self.executor.run(case);
        }
        if self.warm.as_ref().is_some_and(|warm| warm.left == 0) {
            self.warm = None;
        }
        let shared = &self.executor.shared;
        let hook = Controlled::install(shared.control);
        // Set where an execution of this executor has ended.
        shared.control.stop.set(false);
        shared.prepare(case, Options::default());
        // Taken out, so that nothing stays of it if a panic of the driver's passes through here.
        let mut warm = self.warm.take().unwrap_or_else(|| {
            let shared = Rc::clone(shared);
            Warm::open(&self.executor, move || shared.perform_prepared())
        });
        warm.step();
        self.warm = Some(warm);
        shared.publish(&mut self.executor.run);
        drop(hook);
        &self.executor.run
    }

    /// The last run.
    #[must_use]
    pub fn last(&self) -> &Run {
        self.executor.last()
    }

    /// Lends what can open other executions, and sessions in them. They lie within the parked one.
    pub fn executor(&mut self) -> &mut Executor<S> {
        &mut self.executor
    }
}

/// An execution in a coroutine that is suspended whenever this is looked at from outside. Only one that
/// no other is open around or within is resumed.
struct Warm {
    /// Told whether there is another case. `None` from the end on.
    coroutine: Option<Coroutine<ControlFlow<()>, (), ()>>,
    /// How many cases it will still run.
    left: usize,
}

impl Warm {
    /// Opens an execution; its driver waits, and does `work` for each case.
    fn open<S: Subject>(executor: &Executor<S>, mut work: impl FnMut() + 'static) -> Self {
        let shared = Rc::clone(&executor.shared);
        let stack = executor.stack;
        let coroutine = Coroutine::new(move |outside: &Yielder<ControlFlow<()>, ()>, _| {
            let control = shared.control;
            engine::execute(
                &Scheduling::Case,
                MAX_CPUS,
                stack,
                || {
                    // This suspends the outer coroutine from the driver's stack, so shuttle is not
                    // asked: for it the driver just runs on.
                    while outside.suspend(()).is_continue() {
                        work();
                    }
                },
                || control.stop.set(true),
                move |task| shared.main(task),
            );
        });
        let mut warm = Self { coroutine: Some(coroutine), left: CASES };
        warm.resume(ControlFlow::Continue(()));
        warm
    }

    /// Does the work for one case.
    fn step(&mut self) {
        self.left -= 1;
        self.resume(ControlFlow::Continue(()));
    }

    /// Returns when it is suspended again, or at its end. Raises a panic of the driver's, after which
    /// it has ended.
    fn resume(&mut self, next: ControlFlow<()>) {
        if let Some(mut coroutine) = self.coroutine.take()
            && let CoroutineResult::Yield(()) = coroutine.resume(next)
        {
            self.coroutine = Some(coroutine);
        }
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        if engine::open() == 1 && !std::thread::panicking() {
            self.resume(ControlFlow::Break(()));
        } else {
            // It cannot end here, and is lost with all it holds: the thread's variables point to it.
            mem::forget(self.coroutine.take());
        }
    }
}
