//! The in-process campaign: random cases, many in one warm execution, from an empty corpus.
//!
//! Each job is an OS thread with an executor, a judge and a generator of its own. *Fresh* cases are
//! those of the seed's one sequence, in which the jobs take turns: they are the same whatever the
//! profile. Between them, cases whose references met what they seldom meet are edited and run again
//! (`pool`); which those are depends on what was executed, and on nothing else. A finding is told apart
//! into race or sequential, and the first of each signature is reduced and shown to the [`Sink`]. One case
//! in a hundred is run twice, and must run alike. Locks are put in order over all cases of a job
//! (`orders`).
//!
//! What it is not: guided by edges (that is libFuzzer's part, on the same cases), or a store.

mod aim;
mod orders;
mod pool;
pub(crate) mod source;
mod summary;
mod worker;

pub use summary::{Discovery, Row, Summary};

use crate::oracle::{Class, Kind};
use crate::program::generate::Fixed;
use crate::subject::Subject;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What to run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The variant of each switch, in every case.
    pub history: Vec<u8>,
    /// Seeds the generators.
    pub seed: u64,
    /// How many OS threads.
    pub jobs: usize,
    /// Ends the campaign after this many cases, all jobs together.
    pub executions: Option<u64>,
    /// Ends the campaign after this time.
    pub time: Option<Duration>,
    /// Go on after the first race.
    pub keep_going: bool,
    /// Reduce what is found.
    pub reduce: bool,
    /// Classes whose oracles are switched off: none, but to show what an oracle is worth.
    pub without: Vec<Class>,
    /// What every generated case has in common.
    pub fixed: Fixed,
    /// When the process started: times are counted from here.
    pub started: Instant,
}

/// What a campaign shares with whoever watches it.
#[derive(Debug, Default)]
pub struct Progress {
    executions: AtomicU64,
    races: AtomicU64,
    sequential: AtomicU64,
    stop: AtomicBool,
}

impl Progress {
    /// How many cases have been run.
    #[must_use]
    pub fn executions(&self) -> u64 {
        self.executions.load(Ordering::Relaxed)
    }

    /// How many cases showed a race, and how many a sequential finding.
    #[must_use]
    pub fn findings(&self) -> (u64, u64) {
        (self.races.load(Ordering::Relaxed), self.sequential.load(Ordering::Relaxed))
    }

    /// Counts what was run by someone else than a campaign.
    pub fn advance(&self, executions: u64) {
        self.executions.fetch_add(executions, Ordering::Relaxed);
    }

    /// Counts one that showed something.
    pub fn show(&self, kind: Kind) {
        let counter = match kind {
            Kind::Race => &self.races,
            Kind::Sequential => &self.sequential,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes every job end after the case it is running.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it is to stop.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Why a [`Sink`] ends a campaign.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Who is told of what is found. Called from the jobs, one at a time.
pub trait Sink: Sync {
    /// A signature that this campaign has not seen yet, with the case as it was found, and then once
    /// more with [`Discovery::reduced`] set. Says under which name the finding is kept, if it is.
    ///
    /// # Errors
    /// A reason to end the campaign (a store that cannot be written).
    fn found(&self, discovery: &Discovery) -> Result<Option<String>, SinkError>;
}

/// Runs a campaign to its end.
///
/// # Errors
/// What a [`Sink`] refused.
pub fn run<S: Subject>(
    config: &Config,
    progress: &Progress,
    sink: &dyn Sink,
) -> Result<Summary, SinkError> {
    let shared = worker::Shared::new(config, progress, sink, S::spec());
    std::thread::scope(|scope| {
        for job in 0..config.jobs {
            let shared = &shared;
            std::thread::Builder::new()
                .name(format!("job{job}"))
                .spawn_scoped(scope, move || worker::run::<S>(shared, job))
                .expect("the system gives a thread for each job");
        }
    });
    shared.finish()
}
