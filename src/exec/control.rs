//! The hook of a controlled run: it records, decides, waits and cuts.
//!
//! Before each access it names the object, counts the site, and at a point asks the case's decisions
//! and then its policy who runs next. After each access it records the values. A run is cut by
//! unwinding: once [`Control::cut`] is set, every task unwinds from its next hook call to its root,
//! and while a task unwinds its hooks do nothing.
//!
//! Invariants: no borrow is held across a switch; exactly one task runs; `cpu` names it whenever code
//! under test runs; nothing allocates once the buffers have grown.

use super::cpus::{CpuState, Cpus};
use super::decisions::Decisions;
use super::engine::{self, Scheduling, TaskName};
use super::policy::{At, PolicyState};
use super::session::Options;
use super::sites::{NO_OP, Pending, Sites};
use super::trace::{Ending, Entry, OpEnd, Phase, Point, Run, SwitchReason, Waiter, What, is_fatal};
use crate::program::{Action, Case, Decision, OpId, Policy};
use crate::subject::{Names, Spec};
use pagerace_core::event::Event;
use pagerace_core::sync::{Access, CpuId, Hook, MAX_CPUS, Waiting};
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
    spec: &'static Spec,
    pub names: RefCell<Names>,
    trace: RefCell<Vec<Entry>>,
    executed: RefCell<Vec<Decision>>,
    outcomes: RefCell<Vec<u64>>,
    ending: RefCell<Ending>,
    hash: Cell<u64>,
    pub stop: Cell<bool>,
    points: Cell<Points>,
    phase: Cell<Phase>,
    cut: Cell<bool>,
    cpu: Cell<usize>,
    steps: Cell<usize>,
    bound: Cell<usize>,
    failing: Cell<bool>,
    /// The CPU that gave way at a point, until someone else has taken over.
    gave_way: Cell<Option<usize>>,
    cpus: Cpus,
    sites: Sites,
    decisions: Decisions,
    policy: RefCell<PolicyState>,
    /// Whether the policy is to stay, and need not be asked.
    stays: Cell<bool>,
    /// The points of the programs in the order they were announced, if wanted.
    announced: RefCell<Vec<Point>>,
    announce: Cell<bool>,
    /// Whether no access was made since the last CPU was chosen.
    idle: Cell<bool>,
}

impl Control {
    pub(super) fn new(spec: &'static Spec, scheduling: &Scheduling) -> Self {
        Self {
            spec,
            names: RefCell::default(),
            trace: RefCell::default(),
            executed: RefCell::default(),
            outcomes: RefCell::new(vec![0; spec.outcomes.len()]),
            ending: RefCell::new(Ending::Quiescent),
            hash: Cell::new(0),
            stop: Cell::new(false),
            points: Cell::new(match scheduling {
                Scheduling::Case => Points::Case,
                Scheduling::CaseEveryPoint => Points::EveryPoint,
                Scheduling::Shuttle(_) => Points::Shuttle,
            }),
            phase: Cell::new(Phase::Setup),
            cut: Cell::new(false),
            cpu: Cell::new(0),
            steps: Cell::new(0),
            bound: Cell::new(0),
            failing: Cell::new(false),
            gave_way: Cell::new(None),
            cpus: Cpus::new(),
            sites: Sites::new(spec.classes.len()),
            decisions: Decisions::default(),
            policy: RefCell::new(PolicyState::new()),
            stays: Cell::new(true),
            announced: RefCell::default(),
            announce: Cell::new(false),
            idle: Cell::new(true),
        }
    }

    /// Forgets the last run.
    pub(super) fn begin(&self, case: &Case, options: Options, bound: usize) {
        let with_switches = options.sequential.is_none();
        let policy = if with_switches { case.policy } else { Policy::Stay };
        self.announce.set(options.announce);
        self.idle.set(true);
        self.announced.borrow_mut().clear();
        self.trace.borrow_mut().clear();
        self.executed.borrow_mut().clear();
        self.outcomes.borrow_mut().fill(0);
        *self.ending.borrow_mut() = Ending::Quiescent;
        self.hash.set(0);
        self.cut.set(false);
        self.steps.set(0);
        self.bound.set(bound);
        self.failing.set(false);
        self.gave_way.set(None);
        self.cpus.clear();
        self.sites.clear();
        self.stays.set(policy == Policy::Stay);
        self.policy.borrow_mut().begin(policy);
        self.decisions.load(case, with_switches);
    }

    /// Hands the buffers of the finished run over, taking the ones of the run before in exchange.
    pub(super) fn publish(&self, run: &mut Run) {
        std::mem::swap(&mut *self.trace.borrow_mut(), &mut run.trace);
        std::mem::swap(&mut *self.executed.borrow_mut(), &mut run.executed);
        std::mem::swap(&mut *self.announced.borrow_mut(), &mut run.announced);
        std::mem::swap(&mut *self.outcomes.borrow_mut(), &mut run.outcomes);
        std::mem::swap(&mut *self.ending.borrow_mut(), &mut run.ending);
        run.hash = self.hash.get();
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
        self.push(What::OpEnd(end));
    }

    /// Ends the run with a finding of the executor's own; every task unwinds from here on.
    pub(super) fn cut_with(&self, ending: Ending) {
        if !self.cut.replace(true) {
            *self.ending.borrow_mut() = ending;
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
            if with >> cpu & 1 == 1 {
                self.cpus.set(cpu, CpuState::Fresh);
                engine::unblock(TaskName::Cpu(cpu));
            }
        }
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

    /// The running CPU's program has ended. Returns who goes on.
    pub(super) fn program_ended(&self) -> TaskName {
        let me = self.cpu.get();
        self.cpus.set(me, CpuState::Ended);
        self.sites.settle(me);
        if self.cut.get() {
            return self.next_to_unwind();
        }
        match self.cpus.next_in_order() {
            Some(next) => {
                let why = SwitchReason::Ended;
                self.push(What::Switch { to: CpuId::new(next), why });
                TaskName::Cpu(next)
            }
            None if self.cpus.anyone_waiting() => {
                self.deadlock();
                self.next_to_unwind()
            }
            None => TaskName::Driver,
        }
    }

    /// In a run being cut: the next task that has a stack to unwind, or the driver.
    pub(super) fn next_to_unwind(&self) -> TaskName {
        for cpu in 0..MAX_CPUS {
            match self.cpus.state(cpu) {
                CpuState::Ended => {}
                // It never ran: there is nothing to unwind.
                CpuState::Fresh => self.cpus.set(cpu, CpuState::Ended),
                CpuState::Ready | CpuState::Waiting { .. } => {
                    engine::unblock(TaskName::Cpu(cpu));
                    return TaskName::Cpu(cpu);
                }
            }
        }
        TaskName::Driver
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

    /// Decides at the point that the running CPU has just announced, and lets others run.
    fn point(&self, me: usize, at: &Pending) {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > self.bound.get() {
            self.cut_with(Ending::Bound { cpu: CpuId::new(me), op: at.op() });
            self.unwind();
        }
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
            self.announced.borrow_mut().push(Point { at: at.key(), cpu: me as u8, enabled, idle });
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
        let place = At { cpu: me, op: at.op, point: at.point };
        let stays = self.stays.get();
        let chosen = if stays { me } else { self.policy.borrow_mut().choose(place, enabled) };
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
        engine::hand_over(TaskName::Cpu(to.unwrap_or(me)));
        engine::set_in_subject(was);
        self.took_over(me);
        self.failing.set(failing);
        if self.cut.get() {
            self.unwind();
        }
    }
}

impl Hook for Control {
    fn before(&self, access: Access) {
        if self.cut.get() {
            if std::thread::panicking() {
                return;
            }
            self.unwind();
        }
        if engine::panicked() {
            // The subject has panicked and its guards are being dropped.
            return;
        }
        let me = self.cpu.get();
        let object = self.names.borrow().get(access.addr);
        let pending = self.sites.announce(me, access, object);
        self.failing.set(false);
        if access.kind.is_point() {
            self.point(me, &pending);
        }
    }

    fn after(&self, old: u64, new: u64) {
        if self.cut.get() || engine::panicked() {
            return;
        }
        let me = self.cpu.get();
        let p = self.sites.pending(me);
        let id = p.object.map_or(u64::MAX, |o| u64::from(o.class) << 16 | u64::from(o.instance));
        let who = (me as u64) << 56 | u64::from(p.op) << 48 | (p.kind as u64) << 40;
        let mut hash = self.hash.get();
        for word in [who | u64::from(p.nth) << 32 | id & 0xffff_ffff, old, new] {
            // FxHash's step: order matters, speed too.
            hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        self.hash.set(hash);
        let (kind, nth, order, object) = (p.kind, p.nth, p.order, p.object);
        self.push(What::Access { object, kind, nth, order, old, new });
        if !self.stays.get() {
            self.policy.borrow_mut().performed(me, &self.sites);
        }
        self.sites.settle(me);
        self.idle.set(false);
        if old != new {
            self.wake_those(p.addr, |waiting| waiting == Waiting::Change);
        }
    }

    fn fails(&self) -> bool {
        self.failing.replace(false)
    }

    fn wait(&self, addrs: &[usize], waiting: Waiting) {
        if self.cut.get() {
            if std::thread::panicking() {
                return;
            }
            self.unwind();
        }
        let me = self.cpu.get();
        let addrs = [addrs[0], addrs.get(1).copied().unwrap_or(addrs[0])];
        self.cpus.set(me, CpuState::Waiting { addrs, waiting });
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
        engine::hand_over(TaskName::Cpu(next));
        engine::set_in_subject(was);
        self.took_over(me);
        if self.cut.get() {
            self.unwind();
        }
    }

    fn wake(&self, addr: usize) {
        self.wake_those(addr, |waiting| waiting != Waiting::Change);
    }

    fn event(&self, event: Event) {
        if self.cut.get() || engine::panicked() {
            return;
        }
        if let Event::Outcome(name) = event {
            if let Some(at) = self.spec.outcomes.iter().position(|o| *o == name) {
                self.outcomes.borrow_mut()[at] += 1;
            }
            return;
        }
        let event = {
            let names = self.names.borrow();
            event.map_objects(|addr| names.get(addr))
        };
        self.push(What::Event(event));
        if is_fatal(&event) {
            self.cut_with(Ending::Fatal);
            if !std::thread::panicking() {
                self.unwind();
            }
        }
    }

    fn cpu(&self) -> CpuId {
        CpuId::new(self.cpu.get())
    }
}

impl Control {
    fn wake_those(&self, addr: usize, which: impl Fn(Waiting) -> bool) {
        if !self.cpus.anyone_waiting() {
            return;
        }
        for cpu in 0..MAX_CPUS {
            if let CpuState::Waiting { addrs, waiting } = self.cpus.state(cpu)
                && addrs.contains(&addr)
                && which(waiting)
            {
                self.cpus.set(cpu, CpuState::Ready);
                engine::unblock(TaskName::Cpu(cpu));
            }
        }
    }
}
