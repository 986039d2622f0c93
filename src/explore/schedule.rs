//! The schedule of a run in normal form: where it was not as it would have been by itself.
//!
//! By itself, a task goes on until it ends or waits; then the lowest goes on that can, in the order in
//! which the tasks were started. A task that gives way (`yield_now`, or many accesses in a row that change
//! nothing) is followed by the next in that order, the first coming after the last. A [`Decision`] names
//! a place and another task.
//!
//! Tasks are named by who started them, and places by counting what their task did: so what one task does
//! differently moves no decision of another.
//!
//! What it is not: complete without the program. The same decisions mean something else in another one.

use std::fmt;
use std::str::FromStr;

/// A task, by the way to it: the how-manieth each one is that its parent started, from 1. The way to
/// the first task, `main`, is empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct TaskName(Vec<u32>);

/// How the first task is called.
const MAIN: &str = "main";

impl TaskName {
    /// The first task.
    #[must_use]
    pub const fn main() -> Self {
        Self(Vec::new())
    }

    /// The `nth` task that this one starts, from 1.
    #[must_use]
    pub fn child(&self, nth: u32) -> Self {
        let mut way = self.0.clone();
        way.push(nth);
        Self(way)
    }

    /// Who started it, and as the how-manieth.
    #[must_use]
    pub fn parent(&self) -> Option<(Self, u32)> {
        let (&nth, way) = self.0.split_last()?;
        Some((Self(way.to_vec()), nth))
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MAIN)?;
        self.0.iter().try_for_each(|nth| write!(f, "/{nth}"))
    }
}

impl FromStr for TaskName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('/');
        if parts.next() != Some(MAIN) {
            return Err(());
        }
        let nth = |part: &str| part.parse().ok().filter(|&nth: &u32| nth > 0).ok_or(());
        parts.map(nth).collect::<Result<_, ()>>().map(Self)
    }
}

/// Where in a task's own course something is decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// Before its n-th access that is a point, from 1.
    Point(u32),
    /// Where it has to wait or gives way, for the n-th time, from 1.
    Wait(u32),
    /// Where it ends.
    End,
}

impl Place {
    /// One number for this place of the task of that number, unlike those of all others.
    pub(super) fn key(self, task: usize) -> u64 {
        let (kind, nth) = match self {
            Self::Point(nth) => (0, nth),
            Self::Wait(nth) => (1, nth),
            Self::End => (2, 0),
        };
        kind << 48 | (task as u64) << 32 | u64::from(nth)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(nth) => write!(f, "point {nth}"),
            Self::Wait(nth) => write!(f, "wait {nth}"),
            Self::End => f.write_str("end"),
        }
    }
}

/// At this place of this task, another goes on than would by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Decision {
    /// Whose place it is.
    pub task: TaskName,
    /// Where in its course.
    pub at: Place,
    /// Who goes on.
    pub run: TaskName,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {} {}: run {}", self.task, self.at, self.run)
    }
}
