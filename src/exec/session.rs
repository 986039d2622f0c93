//! Executors and sessions: many cases in one warm context.

use super::control::{Control, Cut};
use super::engine::{self, DRIVER, Scheduling, TaskNumber};
use super::trace::{Ending, OpEnd, Phase, Run};
use super::{STACK, STACK_UNOPTIMIZED};
use crate::program::case::MAX_OPS;
use crate::program::{Case, OpId, Place};
use crate::subject::{Call, Done, Subject};
use pagerace_core::sync::{Controlled, CpuId, MAX_CPUS};
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;

/// How a case is run, where it is not as the case says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Run the programs one after the other in this order of CPUs, without any switch; `fail`
    /// decisions still hold. A CPU that has to wait gives way.
    pub sequential: Option<[u8; MAX_CPUS]>,
    /// Keep the list of points in [`Run::announced`].
    pub announce: bool,
    /// When the program of the first of these CPUs ends, the second goes on, if it can.
    pub resume: Option<(u8, u8)>,
}

/// The order in which CPUs go on when one ends or waits.
const ASCENDING: [u8; MAX_CPUS] = [0, 1, 2, 3];

/// The most points a run may have before it counts as a livelock: far above what the operations of
/// a case need even when each runs over all its objects.
fn bound(case: &Case) -> usize {
    let sizes: usize = case.fields.iter().map(|&f| f as usize).sum();
    2_000 + 200 * case.ops.len() + 40 * sizes
}

/// What the tasks of an execution share.
pub(super) struct Shared<S: Subject> {
    pub(super) control: &'static Control,
    subject: RefCell<S>,
    rights: RefCell<Rights<S::Right>>,
    case: RefCell<Case>,
}

/// The results of a run's operations.
struct Rights<R> {
    by_op: [Option<R>; MAX_OPS],
    /// In order of production.
    produced: Vec<OpId>,
}

/// Runs cases on one subject. Owns the subject's state and the buffers of the last run.
pub struct Executor<S: Subject> {
    pub(super) shared: Rc<Shared<S>>,
    scheduling: Scheduling,
    pub(super) stack: usize,
    pub(super) run: Run,
}

impl<S: Subject> std::fmt::Debug for Executor<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("subject", &S::spec().name).finish_non_exhaustive()
    }
}

impl<S: Subject> Default for Executor<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Subject> Executor<S> {
    /// An executor whose cases decide their schedules.
    #[must_use]
    pub fn new() -> Self {
        Self::with_scheduling(Scheduling::Case)
    }

    /// An executor with another way of deciding. Its hook is leaked: make few.
    #[must_use]
    pub fn with_scheduling(scheduling: Scheduling) -> Self {
        let spec = S::spec();
        let case = Case::empty(spec);
        let control: &'static Control = Box::leak(Box::new(Control::new(spec, &scheduling)));
        let subject = S::new(&case.setup());
        let small = cfg!(not(any(debug_assertions, feature = "asan")));
        let rights = Rights { by_op: [None; MAX_OPS], produced: Vec::with_capacity(MAX_OPS) };
        let shared = Rc::new(Shared {
            control,
            subject: RefCell::new(subject),
            rights: RefCell::new(rights),
            case: RefCell::new(case),
        });
        // Only here does the state stay where it is.
        shared.subject.borrow().name(&mut control.names.borrow_mut());
        Self {
            shared,
            scheduling,
            stack: spec.stack.max(if small { STACK } else { STACK_UNOPTIMIZED }),
            run: Run::empty(spec.outcomes.len()),
        }
    }

    /// Opens a warm execution and runs `work` in it, on a stack of [`STACK`] bytes: keep what needs
    /// more (files, formatting) outside.
    pub fn session<T>(&mut self, work: impl FnOnce(&mut Session<'_, S>) -> T) -> T {
        self.session_of(MAX_CPUS, work)
    }

    /// A session for cases of at most `cpus` CPUs: each task of an execution costs its spawning.
    fn session_of<T>(&mut self, cpus: usize, work: impl FnOnce(&mut Session<'_, S>) -> T) -> T {
        let shared = Rc::clone(&self.shared);
        let control = shared.control;
        control.stop.set(false);
        let guard = Controlled::install(control);
        let mut result = None;
        let mut work = Some(work);
        let scheduling = self.scheduling.clone();
        let stack = self.stack;
        engine::execute(
            &scheduling,
            cpus,
            stack,
            || {
                let work = work.take().expect("the driver runs once");
                result = Some(work(&mut Session { executor: self }));
            },
            || control.stop.set(true),
            move |task| shared.main(task),
        );
        drop(guard);
        result.expect("the driver has run, or its panic was raised")
    }

    /// Runs one case in an execution of its own.
    pub fn run(&mut self, case: &Case) -> &Run {
        self.session_of(usize::from(case.cpus), |session| {
            session.run(case);
        });
        &self.run
    }

    /// The last run.
    #[must_use]
    pub fn last(&self) -> &Run {
        &self.run
    }
}

/// A warm execution.
#[derive(Debug)]
pub struct Session<'a, S: Subject> {
    executor: &'a mut Executor<S>,
}

impl<S: Subject> Session<'_, S> {
    /// The last run.
    #[must_use]
    pub fn last(&self) -> &Run {
        &self.executor.run
    }

    /// Runs a case as it says.
    pub fn run(&mut self, case: &Case) -> &Run {
        self.run_with(case, Options::default())
    }

    /// Runs a case.
    pub fn run_with(&mut self, case: &Case, options: Options) -> &Run {
        let shared = Rc::clone(&self.executor.shared);
        shared.prepare(case, options);
        shared.perform(case, options);
        let run = &mut self.executor.run;
        shared.publish(run);
        run
    }
}

impl<S: Subject> Shared<S> {
    /// Takes the case, and resets the subject and the state of the run.
    pub(super) fn prepare(&self, case: &Case, options: Options) {
        self.case.borrow_mut().clone_from(case);
        let mut subject = self.subject.borrow_mut();
        if subject.reset(&case.setup()) {
            let mut names = self.control.names.borrow_mut();
            names.clear();
            subject.name(&mut names);
        }
        let mut rights = self.rights.borrow_mut();
        rights.by_op[..case.ops.len()].fill(None);
        rights.produced.clear();
        self.control.begin(case, options, bound(case));
    }

    /// Runs the case that was prepared, on the driver.
    fn perform(&self, case: &Case, options: Options) {
        if self.phase(Phase::Setup, |s| s.program(Place::Setup)) {
            self.run_programs(case, options);
        }
        if !self.control.is_cut() {
            self.phase(Phase::Drain, Self::give_back);
        }
    }

    /// The same, with the case that [`Shared::prepare`] has kept.
    pub(super) fn perform_prepared(&self) {
        self.perform(&self.case.borrow(), Options::default());
    }

    /// Takes the census and hands over what was recorded.
    pub(super) fn publish(&self, run: &mut Run) {
        run.census.clear();
        if !self.control.is_cut() {
            self.subject.borrow().census(&mut run.census);
        }
        self.control.publish(run);
    }

    /// Runs `work` on this task as CPU 0; false if the run was cut.
    fn phase(&self, phase: Phase, work: impl FnOnce(&Self)) -> bool {
        self.control.enter(phase);
        self.caught(|| work(self));
        !self.control.is_cut()
    }

    /// Runs code under test; its unwinding ends here.
    fn caught(&self, work: impl FnOnce()) {
        let was = engine::set_in_subject(true);
        let result = panic::catch_unwind(AssertUnwindSafe(work));
        engine::set_in_subject(was);
        if let Err(payload) = result
            && !payload.is::<Cut>()
        {
            self.control.cut_with(Ending::Panic(engine::take_panic()));
        }
    }

    fn run_programs(&self, case: &Case, options: Options) {
        self.control.enter(Phase::Programs);
        let mut with = 0u8;
        for op in &case.ops {
            if let Place::Cpu(cpu) = op.place {
                with |= 1 << cpu;
            }
        }
        if with == 0 {
            return;
        }
        let order = options.sequential.unwrap_or(ASCENDING);
        let preferred = options.sequential.map_or(case.first, |order| order[0]);
        let first = std::iter::once(preferred)
            .chain(order)
            .find(|&cpu| with >> cpu & 1 == 1)
            .expect("some CPU has a program");
        let control = self.control;
        control.arm(with, order);
        if first != 0 || control.shuttle_decides() {
            if with & 1 == 0 {
                engine::block_current();
            }
            engine::hand_over(control.woken(usize::from(first)));
        }
        // Handed control for its own program, if that is not over; else all programs are.
        if control.is_fresh(0) {
            self.programs(DRIVER);
        }
    }

    /// The body of every other task: one program after the other, until the execution ends.
    pub(super) fn main(&self, task: TaskNumber) {
        while !self.control.stop.get() {
            self.programs(task);
        }
    }

    /// Runs the program of this task's CPU, and those that begin when it ends; then hands over, and
    /// returns when this task is handed control again.
    fn programs(&self, task: TaskNumber) {
        let mut cpu = task.0;
        loop {
            self.control.took_over(cpu);
            if !self.control.is_cut() {
                self.caught(|| self.program(Place::Cpu(cpu as u8)));
            }
            let Some(next) = self.control.program_ended() else { break };
            if self.control.task_of(next) != task {
                engine::block_current();
                return engine::hand_over(self.control.woken(next));
            }
            cpu = next;
        }
        if task != DRIVER {
            engine::block_current();
            engine::unblock(DRIVER);
            engine::hand_over(DRIVER);
        }
    }

    /// Runs one program on the running CPU.
    fn program(&self, place: Place) {
        let case = self.case.borrow();
        let cpu = match place {
            Place::Setup => CpuId::new(0),
            Place::Cpu(cpu) => CpuId::new(usize::from(cpu)),
        };
        for (id, op) in case.program(place) {
            self.control.op_started(id);
            let takes = S::spec().row(op.op).takes;
            let right = op.right.and_then(|from| self.take(from, |r| takes.has(S::kind(r))));
            let end = if !takes.is_empty() && right.is_none() {
                OpEnd::Skipped
            } else {
                let call = Call { op: usize::from(op.op), operands: op.operands, right };
                self.finish(id, op.right, self.subject.borrow().execute(cpu, call))
            };
            self.control.op_ended(end);
        }
    }

    fn take(&self, from: OpId, wanted: impl Fn(&S::Right) -> bool) -> Option<S::Right> {
        let mut rights = self.rights.borrow_mut();
        let place = rights.by_op.get_mut(from.index())?;
        if place.as_ref().is_some_and(wanted) { place.take() } else { None }
    }

    /// Stores what an operation gave.
    fn finish(&self, id: OpId, taken_from: Option<OpId>, done: Done<S::Right>) -> OpEnd {
        let mut rights = self.rights.borrow_mut();
        match done {
            Done::Ok(gave) => {
                if let Some(right) = gave {
                    rights.by_op[id.index()] = Some(right);
                    rights.produced.push(id);
                }
                OpEnd::Done { gave: gave.is_some() }
            }
            Done::Failed => OpEnd::Failed,
            Done::Skipped(back) => {
                if let (Some(right), Some(from)) = (back, taken_from) {
                    rights.by_op[from.index()] = Some(right);
                }
                OpEnd::Skipped
            }
        }
    }

    /// Gives back all rights, last produced first, then drains the subject.
    fn give_back(&self) {
        let cpu = CpuId::new(0);
        loop {
            let right = {
                let mut rights = self.rights.borrow_mut();
                let Some(id) = rights.produced.pop() else { break };
                rights.by_op[id.index()].take()
            };
            if let Some(right) = right {
                self.subject.borrow().give_back(cpu, right);
            }
        }
        self.subject.borrow().drain(cpu);
    }
}
