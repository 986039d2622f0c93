//! What a policy is: who goes on, at each point.
//!
//! A [`Policy`] is asked at every point, that is before each access, and where the task that ran has ended
//! or waits. It sees which tasks could go on and what each is about to do, since tasks announce their
//! accesses before they make them. It is told of every access that was made.
//!
//! The same policies serve the cases of a campaign (tasks are CPUs) and closures under
//! exploration, with up to [`MAX_TASKS`] tasks.
//!
//! What it is not: a schedule. What a policy chose is recorded by whoever asks it, and can be run again
//! without it.

use crate::subject::ObjectId;
use pagerace_core::sync::Kind;

/// The most tasks a policy is asked about.
pub const MAX_TASKS: usize = 256;

/// Some of the tasks of a run.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TaskSet([u64; MAX_TASKS / 64]);

impl TaskSet {
    /// No task.
    pub const EMPTY: Self = Self([0; MAX_TASKS / 64]);

    /// The tasks whose bits are set, of the first 64.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        let mut words = [0; MAX_TASKS / 64];
        words[0] = bits;
        Self(words)
    }

    /// Whether `task` is among them.
    #[inline]
    #[must_use]
    pub const fn has(&self, task: usize) -> bool {
        self.0[task / 64] >> (task % 64) & 1 == 1
    }

    /// Adds a task.
    #[inline]
    pub const fn insert(&mut self, task: usize) {
        self.0[task / 64] |= 1 << (task % 64);
    }

    /// Takes a task out.
    #[inline]
    pub const fn remove(&mut self, task: usize) {
        self.0[task / 64] &= !(1 << (task % 64));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// In ascending order.
    #[must_use]
    pub const fn iter(&self) -> Tasks {
        Tasks { left: self.0, word: 0 }
    }

    /// The first of them.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        self.iter().next()
    }
}

/// The tasks of a set, in ascending order.
#[derive(Clone, Debug)]
pub struct Tasks {
    left: [u64; MAX_TASKS / 64],
    word: usize,
}

impl Iterator for Tasks {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while *self.left.get(self.word)? == 0 {
            self.word += 1;
        }
        let left = &mut self.left[self.word];
        let bit = left.trailing_zeros() as usize;
        *left &= *left - 1;
        Some(self.word * 64 + bit)
    }
}

impl FromIterator<usize> for TaskSet {
    fn from_iter<T: IntoIterator<Item = usize>>(tasks: T) -> Self {
        let mut set = Self::EMPTY;
        tasks.into_iter().for_each(|task| set.insert(task));
        set
    }
}

/// An access that a task has announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
    /// To which object; none where it has no name.
    pub object: Option<ObjectId>,
    /// What is done.
    pub kind: Kind,
    /// Where in the program, whoever runs it: equal for the same line of code in every run.
    pub site: u32,
    /// Which access of the run this is, by task and place: unlike any other's, and the same in a run in
    /// which other tasks do something else. What draws are keyed by.
    pub key: u64,
}

impl Pending {
    /// Whether the order of the two matters: the same object, and one of them may change it.
    #[must_use]
    pub fn conflicts(&self, other: &Self) -> bool {
        self.object.is_some()
            && self.object == other.object
            && !(self.kind.is_read() && other.kind.is_read())
    }
}

/// What is expected of a task, from earlier runs or from a table.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Expected {
    /// The task that starts it, if one does.
    pub parent: Option<usize>,
    /// How many points it has, its children's not counted.
    pub points: u32,
    /// How many of these are accesses to each object. Objects that are not listed have none.
    pub objects: Vec<(ObjectId, u32)>,
}

impl Expected {
    /// How many accesses to `object` are expected.
    #[must_use]
    pub fn of(&self, object: ObjectId) -> u32 {
        self.objects.iter().find(|(other, _)| *other == object).map_or(0, |&(_, n)| n)
    }
}

/// What is known when a run begins.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Seeds all draws of the run.
    pub seed: u64,
    /// What is expected of each task; of those beyond the end nothing is known.
    pub expected: &'a [Expected],
}

/// What a policy sees when it is asked.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The task that ran last. It may have ended, or wait.
    pub last: usize,
    /// Where in its program that task is: what a draw is keyed by. The key of what it is about to make, or
    /// one of its own for each time it waits, gives way or ends.
    pub place: u64,
    /// Whether none was made since a task was chosen last. The one that was then only came to where it
    /// announces: a policy that counts accesses lets its choice stand.
    pub idle: bool,
    /// The tasks that could go on: at least one.
    pub enabled: &'a TaskSet,
    /// What each task has announced and not made; one that waits keeps what it has announced. None for a
    /// task that has not begun, or has ended.
    pub pending: &'a [Option<Pending>],
}

impl View<'_> {
    /// The task that was chosen last, if it could go on and has not made an access since.
    #[must_use]
    pub fn standing(&self) -> Option<usize> {
        (self.idle && self.enabled.has(self.last)).then_some(self.last)
    }

    /// What `task` has announced and not made.
    #[must_use]
    pub fn pending(&self, task: usize) -> Option<&Pending> {
        self.pending.get(task)?.as_ref()
    }
}

/// Decides who goes on.
pub trait Policy {
    /// A run begins. Nothing of the one before is kept, but what the policy means to learn from it.
    fn begin(&mut self, start: &Start<'_>);

    /// `task` exists from here on, started by `parent`. The tasks there are from the beginning are not
    /// reported.
    fn spawned(&mut self, task: usize, parent: usize) {
        let _ = (task, parent);
    }

    /// `task` is known to have so many points left, its children's not counted: what was expected of it
    /// is corrected.
    fn correct(&mut self, task: usize, left: u32) {
        let _ = (task, left);
    }

    /// The task that goes on: one of [`View::enabled`].
    fn choose(&mut self, view: &View<'_>) -> usize;

    /// `by` has made this access. What it announced is no longer in the view.
    fn made(&mut self, by: usize, access: &Pending, view: &View<'_>) {
        let _ = (by, access, view);
    }
}
