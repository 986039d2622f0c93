//! Runs a closure under a schedule that was kept, to see whether it still shows what it should.
//!
//! A decision that is not reached is an error: the closure has changed, and what the schedule says of it
//! is no longer meant.
//!
//! What it is not: a search. One schedule is run.

use super::attempt::Runner;
use super::finding::{Finding, Kind};
use super::schedule::Decision;
use super::text::Schedule;
use super::world::Opened;
use super::{Explorer, REPLAYS, story};
use crate::corpus::Error;
use crate::program::text::ParseError;
use std::fmt;
use std::path::Path;

/// Why a replay does not show what it should.
#[derive(Debug)]
pub enum ReplayError {
    /// The file cannot be read or holds no schedule.
    File(Error),
    /// The text is no schedule.
    Text(ParseError),
    /// The run never came to where this is decided, or who was to go on could not.
    NotReached(Decision),
    /// Nothing went wrong.
    Silent {
        /// What should have.
        expected: String,
    },
    /// Something else went wrong.
    Differs {
        /// What should have.
        expected: String,
        /// What did.
        found: Box<Finding>,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = "if the closure was changed on purpose, explore it anew";
        match self {
            Self::File(error) => error.fmt(f),
            Self::Text(error) => f.write_str(&error.in_file("schedule")),
            Self::NotReached(decision) => write!(
                f,
                "`{decision}` was not reached: the closure does not do what it did when this was kept\n  \
                 next: {again}"
            ),
            Self::Silent { expected } => {
                write!(f, "nothing went wrong; `{expected}` was expected\n  next: {again}")
            }
            Self::Differs { expected, found } => {
                write!(f, "`{expected}` was expected; found instead:\n{found}")
            }
        }
    }
}

impl std::error::Error for ReplayError {}

/// Replays the schedule in a file, and returns the finding that it promises.
///
/// # Errors
/// If the file is no schedule, or the closure does not show that finding under it, with every decision
/// taken.
pub fn replay(path: impl AsRef<Path>, closure: impl Fn()) -> Result<Finding, ReplayError> {
    let schedule = Schedule::load(path).map_err(ReplayError::File)?;
    Explorer::new().replay(&schedule, closure)
}

/// The same for a schedule in a string.
///
/// # Errors
/// As for [`replay`].
pub fn replay_text(text: &str, closure: impl Fn()) -> Result<Finding, ReplayError> {
    let schedule = Schedule::parse(text).map_err(ReplayError::Text)?;
    Explorer::new().replay(&schedule, closure)
}

/// Replays a schedule in an execution that is open.
pub(super) fn in_execution(
    runner: Runner<'_>,
    opened: &Opened,
    schedule: &Schedule,
) -> Result<Finding, ReplayError> {
    let outcome = runner.replay(opened, &schedule.decisions);
    let expected = || schedule.expect.clone();
    let unreached = outcome.unreached.map(|at| schedule.decisions[at].clone());
    match (outcome.failure, unreached) {
        (Some(failure), None) if failure.signature == schedule.expect => {
            Ok(record(runner, opened, schedule, failure.kind))
        }
        (Some(failure), _) if failure.signature != schedule.expect => {
            let shown = Schedule { expect: failure.signature, ..schedule.clone() };
            let found = Box::new(record(runner, opened, &shown, failure.kind));
            Err(ReplayError::Differs { expected: expected(), found })
        }
        (_, Some(decision)) => Err(ReplayError::NotReached(decision)),
        (_, None) => Err(ReplayError::Silent { expected: expected() }),
    }
}

/// Runs a schedule [`REPLAYS`] times, of which the last is told, and makes a finding of it. `kind` is what
/// it showed before.
pub(super) fn record(
    runner: Runner<'_>,
    opened: &Opened,
    schedule: &Schedule,
    kind: Kind,
) -> Finding {
    let first = runner.replay(opened, &schedule.decisions);
    let mut replays = true;
    let mut last = (kind, String::new());
    for _ in 1..REPLAYS {
        let outcome = runner.record(opened, &schedule.decisions);
        let lines = runner.lines();
        let signature = outcome.failure.as_ref().map(|failure| failure.signature.as_str());
        replays &= outcome.hash == first.hash && signature == Some(schedule.expect.as_str());
        let story = story::tell(&runner.world.run.borrow(), &lines);
        // Only a run that was recorded knows who held which lock.
        last = (outcome.failure.map_or(last.0, |failure| failure.kind), story);
    }
    let (kind, story) = last;
    Finding {
        kind,
        signature: schedule.expect.clone(),
        schedule: schedule.clone(),
        execution: 0,
        decisions_found: schedule.decisions.len(),
        executions_reducing: 0,
        replays,
        story,
    }
}
