//! The state of a controlled run: it decides who goes on, and cuts.
//!
//! An access is named and counted when it is announced. At a point the case's decisions and then its policy
//! are asked who runs next, where either may have an answer. After the access it is recorded with its values.
//! A run is cut by unwinding: once [`Control::cut`] is set, every task unwinds from its next hook call to its
//! root, and while a task unwinds its hooks do nothing.
//!
//! Invariants: no borrow is held across a switch; exactly one task runs; `cpu` names it whenever code
//! under test runs; nothing allocates once the buffers have grown.

mod hook;

use super::cpus::{CpuState, Cpus};
use super::decisions::Decisions;
use super::engine::{self, DRIVER, Scheduling, TaskNumber};
use super::policy::PolicyState;
use super::session::Options;
use super::sites::{NO_OP, Pending, Sites};
use super::trace::{
    Ending, Entry, OpEnd, Phase, Point, Run, StepIndex, SwitchReason, Waiter, What,
};
use crate::program::{Action, Case, Decision, OpId, PolicyGene};
use crate::subject::{Names, Spec};
use pagerace_core::sync::{CpuId, MAX_CPUS};
use std::cell::{Cell, RefCell};
use std::panic;

/// The payload that cuts a run.
pub(super) struct Cut;

/// How points are decided in this run, besides the case's own schedule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Points {
    /// By the case.
    Case,
    /// By the case, entering shuttle at every point.
    EveryPoint,
    /// By shuttle.
    Shuttle,
}

/// The hook and the whole state of one run.
pub(super) struct Control {
    pub names: RefCell<Names>,
    trace: RefCell<Vec<Entry>>,
    executed: RefCell<Vec<Decision>>,
    outcomes: RefCell<Vec<u64>>,
    ending: RefCell<Ending>,
    ops: Cell<usize>,
    skipped: Cell<usize>,
    pub stop: Cell<bool>,
    points: Cell<Points>,
    phase: Cell<Phase>,
    cut: Cell<bool>,
    cpu: Cell<usize>,
    /// How many more points the run may have.
    left: Cell<usize>,
    failing: Cell<bool>,
    /// The CPU that gave way at a point, until someone else has taken over.
    gave_way: Cell<Option<usize>>,
    cpus: Cpus,
    /// The task on whose stack each CPU's program runs: its own, or that of one that has ended.
    tasks: [Cell<TaskNumber>; MAX_CPUS],
    sites: Sites,
    decisions: Decisions,
    policy: RefCell<PolicyState>,
    /// Whether the policy is to stay, and need not be asked.
    stays: Cell<bool>,
    /// Whether the policy follows which accesses were made.
    follows: Cell<bool>,
    /// Whether nothing happens at a point for which the case has no decision.
    silent: Cell<bool>,
    /// The points of the programs in the order they were announced, if wanted.
    announced: RefCell<Vec<Point>>,
    announce: Cell<bool>,
    /// Whether no access was made since the last CPU was chosen.
    idle: Cell<bool>,
    /// See [`Options::resume`].
    resume: Cell<Option<(u8, u8)>>,
}

impl Control {
    pub(super) fn new(spec: &'static Spec, scheduling: &Scheduling) -> Self {
        Self {
            names: RefCell::default(),
            trace: RefCell::default(),
            executed: RefCell::default(),
            outcomes: RefCell::new(vec![0; spec.outcomes.len()]),
            ending: RefCell::new(Ending::Quiescent),
            ops: Cell::new(0),
            skipped: Cell::new(0),
            stop: Cell::new(false),
            points: Cell::new(match scheduling {
                Scheduling::Case => Points::Case,
                Scheduling::CaseEveryPoint => Points::EveryPoint,
                Scheduling::Shuttle(_) => Points::Shuttle,
            }),
            phase: Cell::new(Phase::Setup),
            cut: Cell::new(false),
            cpu: Cell::new(0),
            left: Cell::new(0),
            failing: Cell::new(false),
            gave_way: Cell::new(None),
            cpus: Cpus::new(),
            tasks: [const { Cell::new(DRIVER) }; MAX_CPUS],
            sites: Sites::new(spec.classes.len()),
            decisions: Decisions::default(),
            policy: RefCell::new(PolicyState::new(spec)),
            stays: Cell::new(true),
            follows: Cell::new(false),
            silent: Cell::new(false),
            announced: RefCell::default(),
            announce: Cell::new(false),
            idle: Cell::new(true),
            resume: Cell::new(None),
        }
    }

    /// Forgets the last run.
    pub(super) fn begin(&self, case: &Case, options: Options, bound: usize) {
        let with_switches = options.sequential.is_none();
        let policy = if with_switches { case.policy } else { PolicyGene::Stay };
        self.announce.set(options.announce);
        self.resume.set(options.resume);
        self.idle.set(true);
        self.announced.borrow_mut().clear();
        self.trace.borrow_mut().clear();
        self.executed.borrow_mut().clear();
        self.outcomes.borrow_mut().fill(0);
        *self.ending.borrow_mut() = Ending::Quiescent;
        self.ops.set(0);
        self.skipped.set(0);
        self.cut.set(false);
        self.left.set(bound);
        self.failing.set(false);
        self.gave_way.set(None);
        self.cpus.clear();
        self.sites.clear();
        self.stays.set(policy == PolicyGene::Stay);
        self.follows.set(policy != PolicyGene::Stay);
        let decided_here = self.points.get() == Points::Case && !options.announce;
        self.silent.set(decided_here && policy == PolicyGene::Stay);
        self.policy.borrow_mut().begin(policy, case);
        self.decisions.load(case, with_switches);
    }

    /// Hands the buffers of the finished run over, taking the ones of the run before in exchange.
    pub(super) fn publish(&self, run: &mut Run) {
        std::mem::swap(&mut *self.trace.borrow_mut(), &mut run.trace);
        std::mem::swap(&mut *self.executed.borrow_mut(), &mut run.executed);
        std::mem::swap(&mut *self.announced.borrow_mut(), &mut run.announced);
        std::mem::swap(&mut *self.outcomes.borrow_mut(), &mut run.outcomes);
        std::mem::swap(&mut *self.ending.borrow_mut(), &mut run.ending);
        run.ops = self.ops.get();
        run.skipped = self.skipped.get();
        run.unreached = self.decisions.unreached();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.get()
    }

    #[inline]
    pub(super) fn push(&self, what: What) {
        let cpu = self.cpu.get();
        let entry = Entry { cpu: CpuId::new(cpu), op: self.sites.op(cpu), what };
        self.trace.borrow_mut().push(entry);
    }

    /// Starts a phase that runs on the driver as CPU 0, or the programs.
    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.cpu.set(0);
        self.sites.start_op(0, NO_OP);
        self.push(What::Phase(phase));
    }

    pub(super) fn op_started(&self, op: OpId) {
        self.sites.start_op(self.cpu.get(), op.0);
        self.push(What::OpStart);
    }

    pub(super) fn op_ended(&self, end: OpEnd) {
        self.ops.set(self.ops.get() + 1);
        self.skipped.set(self.skipped.get() + usize::from(end == OpEnd::Skipped));
        self.push(What::OpEnd(end));
    }

    /// Ends the run with a finding of the executor's own; every task unwinds from here on.
    pub(super) fn cut_with(&self, ending: Ending) {
        if !self.cut.replace(true) {
            *self.ending.borrow_mut() = ending;
        }
    }

    /// Whether nothing that happens from here on belongs to the run: it is being cut, or the subject
    /// has panicked and its guards are being dropped.
    #[inline]
    fn is_over(&self) -> bool {
        self.cut.get() || engine::panicked()
    }

    /// In a run that is over: takes the running task to its root, unless it is on its way already.
    #[cold]
    fn leave(&self) {
        if self.cut.get() && !std::thread::panicking() {
            self.unwind();
        }
    }

    fn unwind(&self) -> ! {
        panic::resume_unwind(Box::new(Cut))
    }

    /// Gives CPUs their programs: those of `with`, as bits. In `order` they go on when one ends or
    /// waits.
    pub(super) fn arm(&self, with: u8, order: [u8; MAX_CPUS]) {
        self.cpus.set_order(order);
        for cpu in 0..MAX_CPUS {
            self.tasks[cpu].set(TaskNumber(cpu));
            if with >> cpu & 1 == 1 {
                self.cpus.set(cpu, CpuState::Fresh);
                if self.points.get() == Points::Shuttle {
                    engine::unblock(TaskNumber(cpu));
                }
            }
        }
    }

    /// Whether a CPU's program has been neither started nor given up.
    pub(super) fn is_fresh(&self, cpu: usize) -> bool {
        self.cpus.state(cpu) == CpuState::Fresh
    }

    /// Whether shuttle decides who runs.
    pub(super) fn shuttle_decides(&self) -> bool {
        self.points.get() == Points::Shuttle
    }

    /// The task on whose stack a CPU's program runs.
    pub(super) fn task_of(&self, cpu: usize) -> TaskNumber {
        self.tasks[cpu].get()
    }

    /// Wakes the task of a CPU's program for shuttle, and says which it is.
    pub(super) fn woken(&self, cpu: usize) -> TaskNumber {
        let task = self.tasks[cpu].get();
        engine::unblock(task);
        task
    }

    /// The CPU that a program's first access belongs to is running on this task from here on.
    pub(super) fn took_over(&self, cpu: usize) {
        if let Some(from) = self.gave_way.take()
            && from != cpu
            && !self.cut.get()
        {
            // Recorded by the one who took over: only now is it certain who that is.
            let at = self.sites.pending(from).key();
            self.executed.borrow_mut().push(Decision { at, action: Action::Run(cpu as u8) });
            self.push(What::Switch { to: CpuId::new(cpu), why: SwitchReason::Chosen });
            self.idle.set(true);
        }
        self.cpu.set(cpu);
        if self.cpus.state(cpu) == CpuState::Fresh {
            self.cpus.set(cpu, CpuState::Ready);
        }
    }

    /// The running CPU's program has ended. Returns whose goes on; `None` if all have ended.
    ///
    /// A program that has not begun goes on on the stack of the one that has ended, which saves a switch
    /// of stacks; not where shuttle is to be entered at every point, so that runs with and without this
    /// are compared.
    pub(super) fn program_ended(&self) -> Option<usize> {
        let me = self.cpu.get();
        self.cpus.set(me, CpuState::Ended);
        if self.cut.get() {
            return self.next_to_unwind();
        }
        let next = self.resumed_after(me).or_else(|| self.cpus.next_in_order());
        if let Some(next) = next {
            let why = SwitchReason::Ended;
            self.push(What::Switch { to: CpuId::new(next), why });
            if self.points.get() == Points::Case && self.is_fresh(next) {
                self.tasks[next].set(self.tasks[me].get());
            }
        } else if self.cpus.anyone_waiting() {
            self.deadlock();
            return self.next_to_unwind();
        }
        next
    }

    /// Who was to go on when this CPU ends, if it can.
    fn resumed_after(&self, ended: usize) -> Option<usize> {
        let (after, next) = self.resume.get()?;
        let can = usize::from(after) == ended && self.cpus.enabled() >> next & 1 == 1;
        can.then_some(usize::from(next))
    }

    /// In a run being cut: the next CPU that has a stack to unwind.
    fn next_to_unwind(&self) -> Option<usize> {
        for cpu in 0..MAX_CPUS {
            match self.cpus.state(cpu) {
                CpuState::Ended => {}
                // It never ran: there is nothing to unwind.
                CpuState::Fresh => self.cpus.set(cpu, CpuState::Ended),
                CpuState::Ready | CpuState::Waiting { .. } => return Some(cpu),
            }
        }
        None
    }

    fn deadlock(&self) {
        let names = self.names.borrow();
        let waiters = (0..MAX_CPUS)
            .filter_map(|cpu| match self.cpus.state(cpu) {
                CpuState::Waiting { addrs, waiting } => Some(Waiter {
                    cpu: CpuId::new(cpu),
                    op: self.sites.op(cpu),
                    object: names.get(addrs[0]),
                    waiting,
                }),
                _ => None,
            })
            .collect();
        self.cut_with(Ending::Deadlock(waiters));
    }

    /// Decides at the point that the running CPU has just announced, and lets others run. Most points
    /// have nothing to decide.
    #[inline]
    fn point(&self, me: usize) {
        let left = self.left.get();
        self.left.set(left.wrapping_sub(1));
        if left == 0 {
            self.bound_reached(me);
        }
        let (op, point) = self.sites.at(me);
        if !self.silent.get() || self.decisions.may_be_at(op, point) {
            self.decide(me);
        }
    }

    #[cold]
    fn bound_reached(&self, me: usize) -> ! {
        self.cut_with(Ending::Bound { cpu: CpuId::new(me), op: self.sites.op(me) });
        self.unwind()
    }

    #[inline(never)]
    fn decide(&self, me: usize) {
        let at = &self.sites.pending(me);
        let decided = self.decisions.at(at);
        if let Some((index, Action::Fail)) = decided
            && at.kind.can_fail()
        {
            self.decisions.taken(index);
            self.failing.set(true);
            self.executed.borrow_mut().push(Decision { at: at.key(), action: Action::Fail });
        }
        if self.phase.get() != Phase::Programs {
            return;
        }
        if self.announce.get() {
            let enabled = self.cpus.enabled();
            let idle = self.idle.get();
            let step = StepIndex(self.trace.borrow().len());
            let point = Point { at: at.key(), cpu: me as u8, enabled, idle, step };
            self.announced.borrow_mut().push(point);
        }
        match self.points.get() {
            Points::Shuttle => self.switch_away(me, None),
            mode => {
                let next = self.choose(me, at, decided);
                if next != me {
                    self.switch_away(me, Some(next));
                } else if mode == Points::EveryPoint {
                    self.switch_away(me, Some(me));
                }
            }
        }
    }

    fn choose(&self, me: usize, at: &Pending, decided: Option<(usize, Action)>) -> usize {
        let enabled = self.cpus.enabled();
        // The policy is asked in any case: its draws follow the pending accesses.
        let chosen = if self.stays.get() {
            me
        } else {
            self.policy.borrow_mut().choose(me, enabled, at.for_policy(me))
        };
        match decided {
            Some((index, Action::Run(to))) if enabled >> to & 1 == 1 => {
                self.decisions.taken(index);
                usize::from(to)
            }
            // One decision a point: what fails here does not also switch, which no normal form could say.
            Some((_, Action::Fail)) if at.kind.can_fail() => me,
            _ => chosen,
        }
    }

    /// Enters shuttle. `to` is known unless shuttle decides.
    fn switch_away(&self, me: usize, to: Option<usize>) {
        self.gave_way.set(Some(me));
        // An allocation failure is decided before others run and belongs to this access.
        let failing = self.failing.get();
        let was = engine::set_in_subject(false);
        engine::hand_over(self.woken(to.unwrap_or(me)));
        engine::set_in_subject(was);
        self.took_over(me);
        self.failing.set(failing);
        if self.cut.get() {
            self.unwind();
        }
    }
}
