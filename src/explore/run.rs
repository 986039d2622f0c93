//! The state of one run: who could go on, who does, and what of it is recorded.
//!
//! It is told of each access before and after it is made, of waits and of ends, and says who runs next. The
//! chooser is asked at each of these places: a policy, a schedule, or nobody, and what it chose is recorded
//! where the run by itself would have gone on otherwise.
//!
//! What it is not: it switches nothing and runs nothing; [`super::world`] does. No code under test runs
//! while it is borrowed.

mod chooser;
mod ends;
mod names;
mod object;
mod task;
mod trace;

pub(super) use chooser::{Chooser, Plan};
pub(super) use ends::{Ending, end_of};
pub(super) use object::{Class, Name, task_object};
pub(super) use task::{Panicked, State, Waits};
pub(super) use trace::{Announced, Did, Line};

use super::schedule::{Decision, Place, TaskName};
use crate::exec::engine;
use crate::exec::policy::{Expected, MAX_TASKS, Pending, Start, TaskSet, View};
use crate::subject::ObjectId;
use pagerace_core::sync::{Access, Kind};
use std::collections::BTreeMap;
use task::Task;
use trace::Hash;

/// The first task of a run.
pub(super) const MAIN: usize = 0;

/// After so many accesses in a row that change nothing, a task gives way: it may be waiting for something
/// that only another task can do. Part of what a schedule means.
const PATIENCE: u32 = 64;

/// What the running task does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It goes on.
    Stay,
    /// This one runs.
    Switch(usize),
    /// It unwinds: the run is being cut.
    Leave,
}

/// A decision as it was taken.
#[derive(Clone, Copy, Debug)]
struct Taken {
    task: usize,
    at: Place,
    run: usize,
}

/// The state of a run.
pub(super) struct Run {
    pub chooser: Chooser,
    /// The most points the run may have.
    bound: u64,
    /// The task that runs.
    pub me: usize,
    tasks: Vec<Task>,
    pending: Vec<Option<Pending>>,
    enabled: TaskSet,
    waiting: usize,
    /// Nothing was done since a task was chosen that could change the choice: no access was made and no
    /// task started.
    idle: bool,
    points: u64,
    taken: Vec<Taken>,
    hash: Hash,
    names: object::Counter,
    /// Nothing that happens from here on belongs to the run: its tasks unwind.
    cut: bool,
    ending: Option<Ending>,
    panics: Vec<Panicked>,
    /// The policy is being asked. It has panicked if this is still so when a task has unwound.
    asking: bool,
    /// Kept if wanted.
    pub lines: Option<Vec<Line>>,
    /// Who holds which lock; kept with the lines.
    held: Vec<(ObjectId, usize)>,
    /// Points by task and object, if wanted.
    pub counts: Option<BTreeMap<(usize, ObjectId), u32>>,
}

impl Run {
    pub fn new() -> Self {
        Self {
            chooser: Chooser::Nobody,
            bound: 0,
            me: MAIN,
            tasks: Vec::new(),
            pending: Vec::new(),
            enabled: TaskSet::EMPTY,
            waiting: 0,
            idle: false,
            points: 0,
            taken: Vec::new(),
            hash: Hash::default(),
            names: object::Counter::new(),
            cut: false,
            ending: None,
            panics: Vec::new(),
            asking: false,
            lines: None,
            held: Vec::new(),
            counts: None,
        }
    }

    /// Forgets the last run; the first task of the next one runs.
    pub fn begin(&mut self, seed: u64, expected: &[Expected], bound: u64) {
        self.bound = bound;
        self.me = MAIN;
        self.tasks.clear();
        self.pending.clear();
        self.enabled = TaskSet::EMPTY;
        self.waiting = 0;
        self.idle = false;
        self.points = 0;
        self.taken.clear();
        self.hash = Hash::default();
        self.names.next_run();
        self.cut = false;
        self.ending = None;
        self.panics.clear();
        self.held.clear();
        self.asking = false;
        self.chooser.begin(&Start { seed, expected });
        self.add(Task::main());
        self.set(MAIN, State::Ready);
    }

    fn add(&mut self, mut task: Task) {
        let index = self.tasks.len();
        self.chooser.plan_for(&mut task, |task| self.name_of_new(task));
        self.tasks.push(task);
        self.pending.push(None);
        self.enabled.insert(index);
    }

    /// The running task starts another. None if there are too many.
    pub fn spawn(&mut self) -> Option<usize> {
        let index = self.tasks.len();
        if index == MAX_TASKS {
            return None;
        }
        let parent = self.me;
        let task = self.tasks[parent].child(parent);
        self.add(task);
        self.idle = false;
        self.chooser.spawned(index, parent);
        self.record(Did::Spawns(index));
        Some(index)
    }

    /// The number that an object has in this run. None where there are too many.
    pub fn object(&mut self, name: &Name) -> Option<ObjectId> {
        self.names.of(name)
    }

    /// Whether the run is being cut.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    pub fn state(&self, task: usize) -> State {
        self.tasks[task].state
    }

    fn set(&mut self, task: usize, state: State) {
        let waited = matches!(self.tasks[task].state, State::Waiting { timed: false, .. });
        let waits = matches!(state, State::Waiting { timed: false, .. });
        self.tasks[task].state = state;
        self.waiting = self.waiting + usize::from(waits) - usize::from(waited);
        if waits || state == State::Ended {
            self.enabled.remove(task);
        } else {
            self.enabled.insert(task);
        }
    }

    /// The running task is about to make an access. `quiet`: it unwinds from a panic of its own, in
    /// which nothing is decided.
    pub fn before(&mut self, what: Announced, access: Access, quiet: bool) -> Step {
        if self.cut {
            return Step::Leave;
        }
        let me = self.me;
        let task = &mut self.tasks[me];
        task.accesses += 1;
        task.announced = what;
        task.addr = access.addr;
        let key = task.key();
        let pending = Pending { object: what.object, kind: access.kind, site: what.site, key };
        self.pending[me] = Some(pending);
        if quiet || !access.kind.is_point() {
            return Step::Stay;
        }
        task.points += 1;
        let at = Place::Point(task.points);
        if let (Some(counts), Some(object)) = (&mut self.counts, what.object) {
            *counts.entry((me, object)).or_default() += 1;
        }
        if self.count_point() == Step::Leave {
            return Step::Leave;
        }
        let others = self.others();
        if self.tasks[me].in_vain >= PATIENCE && !others.is_empty() {
            let next = self.next_after_me(&others);
            return self.decide(at, others, next);
        }
        self.decide(at, self.enabled, me)
    }

    fn count_point(&mut self) -> Step {
        self.points += 1;
        if self.points > self.bound {
            self.cut_with(Ending::Livelock(self.me));
            return Step::Leave;
        }
        Step::Stay
    }

    fn others(&self) -> TaskSet {
        let mut others = self.enabled;
        others.remove(self.me);
        others
    }

    fn next_after_me(&self, others: &TaskSet) -> usize {
        let next = others.iter().find(|&task| task > self.me).or_else(|| others.first());
        next.expect("there are others")
    }

    /// Who of `among` goes on: `default`, unless the chooser says otherwise.
    fn decide(&mut self, at: Place, among: TaskSet, default: usize) -> Step {
        // What spins under an unfair policy must not look as if it would spin for ever.
        let is_fair = self.points > self.bound / 2;
        let me = self.me;
        let chosen = match &mut self.chooser {
            Chooser::Nobody => default,
            Chooser::Policy(_) if is_fair => default,
            Chooser::Policy(policy) => {
                let place = at.key(me);
                let (enabled, pending) = (&among, &self.pending);
                let view = View { last: me, place, idle: self.idle, enabled, pending };
                self.asking = true;
                let was = engine::set_in_subject(false);
                let chosen = policy.choose(&view);
                engine::set_in_subject(was);
                self.asking = false;
                chosen
            }
            Chooser::Plan(_) => {
                let wanted = self.tasks[me].planned(at);
                let task = wanted.as_ref().and_then(|(_, name)| self.find(name));
                match (wanted, task.filter(|&task| among.has(task))) {
                    (Some((index, _)), Some(task)) => {
                        self.chooser.taken(index);
                        task
                    }
                    _ => default,
                }
            }
        };
        if !among.has(chosen) {
            self.cut_with(Ending::Policy(chosen));
            return Step::Leave;
        }
        if chosen != default {
            self.taken.push(Taken { task: me, at, run: chosen });
        }
        if chosen == me {
            return Step::Stay;
        }
        self.idle = true;
        self.record(Did::Switches { at, to: chosen, chosen: chosen != default });
        Step::Switch(chosen)
    }

    /// The running task has made the access that it announced.
    pub fn after(&mut self, old: u64, new: u64) {
        let me = self.me;
        let Some(access) = self.pending[me].take() else { return };
        if self.cut {
            return;
        }
        let changed = old != new;
        let task = &mut self.tasks[me];
        task.in_vain = if changed { 0 } else { task.in_vain + 1 };
        self.hash.add(me, &access, changed);
        self.idle = false;
        self.chooser.made(me, &access, &self.enabled, &self.pending);
        if self.lines.is_some() {
            self.record(Did::Access { kind: access.kind, old, new });
            self.note_holder(&access, changed);
        }
        if changed {
            self.wake_where(self.tasks[me].addr, true);
        }
    }

    fn note_holder(&mut self, access: &Pending, changed: bool) {
        let Some(object) = access.object else { return };
        match access.kind {
            Kind::Lock => self.held.push((object, self.me)),
            Kind::TryLock if changed => self.held.push((object, self.me)),
            Kind::Unlock => {
                let mine = self.held.iter().rposition(|&held| held == (object, self.me));
                if let Some(at) = mine.or_else(|| self.held.iter().position(|h| h.0 == object)) {
                    self.held.remove(at);
                }
            }
            _ => {}
        }
    }

    /// Whoever waits to be told of `addr` could go on.
    pub fn wake(&mut self, addr: usize) {
        self.wake_where(addr, false);
    }

    fn wake_where(&mut self, addr: usize, change: bool) {
        if self.waiting == 0 {
            return;
        }
        for task in 0..self.tasks.len() {
            let waits = matches!(self.tasks[task].state,
                State::Waiting { addr: on, change: for_change, .. } if on == addr && for_change == change);
            if waits {
                self.set(task, State::Ready);
            }
        }
    }

    /// A task that was woken and has not run since has to wait again: what it was woken for went to
    /// another.
    pub fn wait_again(&mut self, task: usize, addr: usize) {
        if self.tasks[task].state == State::Ready && task != self.me {
            self.set(task, State::Waiting { addr, change: false, timed: false });
        }
    }

    /// The running task cannot go on, or, if `timed`, only goes on when nobody else is chosen.
    /// `what` it says of that, if it says anything.
    pub fn wait(&mut self, what: Announced, addr: usize, change: bool, timed: bool) -> Step {
        if self.cut || self.count_point() == Step::Leave {
            return Step::Leave;
        }
        if what.word.is_some() {
            self.tasks[self.me].announced = what;
        }
        self.set(self.me, State::Waiting { addr, change, timed });
        self.record(Did::Waits);
        self.give_way(timed)
    }

    /// The running task lets others go on, if there are any.
    pub fn yield_now(&mut self) -> Step {
        if self.cut || self.count_point() == Step::Leave {
            return Step::Leave;
        }
        self.give_way(true)
    }

    fn give_way(&mut self, in_turn: bool) -> Step {
        let me = self.me;
        self.tasks[me].waits += 1;
        let at = Place::Wait(self.tasks[me].waits);
        let others = self.others();
        let Some(lowest) = others.first() else {
            if self.enabled.has(me) {
                self.set(me, State::Ready);
                return Step::Stay;
            }
            self.stuck();
            return Step::Leave;
        };
        let default = if in_turn { self.next_after_me(&others) } else { lowest };
        self.decide(at, others, default)
    }

    /// This one runs from here on.
    pub fn took_over(&mut self, task: usize) {
        self.me = task;
        self.tasks[task].in_vain = 0;
        self.set(task, State::Ready);
    }

    fn record(&mut self, did: Did) {
        if let Some(lines) = &mut self.lines {
            let what = self.tasks[self.me].announced;
            lines.push(Line { task: self.me, what, did });
        }
    }

    /// The same for the same interleaving.
    pub fn hash(&self) -> u64 {
        self.hash.value()
    }

    /// How many points the run had.
    pub fn points(&self) -> u64 {
        self.points
    }
}
