//! Finds the schedules under which a closure goes wrong: any closure written against [`sync`] and [`thread`].
//!
//! ```
//! use pagerace::explore;
//! use pagerace::sync::atomic::{AtomicUsize, Ordering};
//! use pagerace::sync::Arc;
//! use pagerace::thread;
//!
//! let report = explore::Explorer::new().seed(1).executions(1_000).run(|| {
//!     let count = Arc::new(AtomicUsize::new(0));
//!     let other = Arc::clone(&count);
//!     let adds = thread::spawn(move || {
//!         let seen = other.load(Ordering::SeqCst);
//!         other.store(seen + 1, Ordering::SeqCst);
//!     });
//!     let seen = count.load(Ordering::SeqCst);
//!     count.store(seen + 1, Ordering::SeqCst);
//!     adds.join().unwrap();
//!     assert_eq!(count.load(Ordering::SeqCst), 2, "an addition is lost");
//! });
//! let finding = report.finding.expect("there is such a schedule");
//! assert_eq!(finding.schedule.decisions.len(), 1);
//! ```
//!
//! A closure is run again and again, each time from the beginning, under schedules that a
//! [`Policy`] makes. The first finding ends the search: its schedule is made
//! small ([`Schedule`]), replayed, and can be saved and replayed later ([`replay`]).
//!
//! One seed gives one result: nothing depends on time but a limit on it. For that the closure must do the
//! same under the same schedule.
//!
//! A policy of one's own takes part as those of [`crate::exec::policy`] do. This one lets the task that
//! was started last go first:
//!
//! ```
//! use pagerace::exec::policy::{Policy, Start, View};
//! use pagerace::explore::Explorer;
//! use pagerace::thread;
//!
//! /// The newest first, but in every second run the oldest.
//! #[derive(Default)]
//! struct Newest {
//!     runs: usize,
//! }
//!
//! impl Policy for Newest {
//!     fn begin(&mut self, _: &Start<'_>) {
//!         self.runs += 1;
//!     }
//!
//!     fn choose(&mut self, view: &View<'_>) -> usize {
//!         let newest = view.enabled.iter().last();
//!         let oldest = view.enabled.first();
//!         let choice = if self.runs % 2 == 1 { newest } else { oldest };
//!         choice.expect("somebody could go on")
//!     }
//! }
//!
//! let report = Explorer::new().policy(Newest::default()).executions(10).run(|| {
//!     let (sender, receiver) = pagerace::sync::mpsc::channel();
//!     for number in 1..=2 {
//!         let sender = sender.clone();
//!         thread::spawn(move || sender.send(number));
//!     }
//!     assert_eq!(receiver.recv(), Ok(1), "the first to be started sends first");
//! });
//! assert_eq!(report.finding.expect("the newest sends first").execution, 2);
//! ```
//!
//! What it is not: a proof. It runs schedules, as many as it is told to, on a sequentially consistent memory.

mod attempt;
mod finding;
pub mod hint;
mod minimize;
mod profile;
mod replay;
mod run;
pub mod schedule;
mod story;
pub mod sync;
pub mod text;
pub mod thread;
mod world;

pub use finding::{Finding, Kind, Wait};
pub use replay::{ReplayError, replay, replay_text};
pub use text::Schedule;

use crate::corpus::entry::is_name;
use crate::exec::policy::Policy;
use crate::exec::policy::walk::Walk;
use crate::exec::{STACK, STACK_UNOPTIMIZED};
use crate::program::rng::Rng;
use attempt::{Outcome, Runner};
use minimize::Minimizer;
use profile::Profile;
use run::Chooser;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use world::{Opened, World};

/// Executions of one shuttle execution: it keeps a list of all its steps, which must not grow for ever.
const WARM: u64 = 1_024;
/// How often a schedule that was made small is replayed.
const REPLAYS: u64 = 3;

/// How a closure is explored.
pub struct Explorer {
    seed: u64,
    executions: u64,
    time: Option<Duration>,
    max_points: u64,
    stack: usize,
    name: String,
    policy: Box<dyn Policy>,
}

impl std::fmt::Debug for Explorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Explorer").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl Default for Explorer {
    fn default() -> Self {
        Self::new()
    }
}

/// What an exploration did.
#[derive(Debug)]
pub struct Report {
    /// How often the closure was run to search, first runs that only count included.
    pub executions: u64,
    /// Points of all these together.
    pub points: u64,
    /// How many different interleavings there were among them.
    pub distinct: usize,
    /// What was found.
    pub finding: Option<Finding>,
}

impl Explorer {
    /// An exploration of 10,000 executions by a random walk, with seed 0.
    #[must_use]
    pub fn new() -> Self {
        let small = cfg!(not(any(debug_assertions, feature = "asan")));
        Self {
            seed: 0,
            executions: 10_000,
            time: None,
            max_points: 100_000,
            stack: if small { STACK } else { STACK_UNOPTIMIZED },
            name: String::new(),
            policy: Box::new(Walk::new(0)),
        }
    }

    /// Seeds all draws.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The most executions of the search.
    #[must_use]
    pub fn executions(mut self, executions: u64) -> Self {
        self.executions = executions;
        self
    }

    /// The longest that the search may take, looked at between executions. What one seed finds then
    /// depends on the machine.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// The most points of an execution; one that has more is a livelock.
    #[must_use]
    pub fn max_points(mut self, points: u64) -> Self {
        self.max_points = points;
        self
    }

    /// The bytes of stack that each task has.
    #[must_use]
    pub fn stack(mut self, bytes: usize) -> Self {
        self.stack = bytes;
        self
    }

    /// Names the schedule of a finding: letters, digits, and `.`, `_` and `-` within.
    ///
    /// # Panics
    /// If it is something else.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        assert!(
            is_name(name),
            "`{name}` is no name of a schedule: lower-case letters, digits, dashes"
        );
        name.clone_into(&mut self.name);
        self
    }

    /// Who decides what is run.
    #[must_use]
    pub fn policy(mut self, policy: impl Policy + 'static) -> Self {
        self.policy = Box::new(policy);
        self
    }

    /// Runs the closure until something is found or the budget is spent.
    ///
    /// # Panics
    /// If the policy panics or names a task that cannot go on, or the closure is explored already.
    pub fn run(self, closure: impl Fn()) -> Report {
        let world = World::of_this_thread();
        let runner = Runner { world, body: &closure, bound: self.max_points };
        let started = Instant::now();
        let Self { seed, executions, time, stack, name, policy, .. } = self;
        let mut search = Search::new(runner, seed, policy);
        let is_over = |search: &Search<'_>| {
            search.found.is_some()
                || search.executions >= executions
                || time.is_some_and(|time| started.elapsed() >= time)
        };
        while !is_over(&search) {
            world.execute(stack, |opened| {
                for _ in 0..WARM {
                    if is_over(&search) {
                        break;
                    }
                    search.step(opened);
                }
            });
        }
        let found = search.found.take();
        // The policy goes with what it refers to.
        runner.choose(Chooser::Nobody);
        let finding = found.map(|found| {
            world.execute(stack, |opened| reduce(runner, opened, found, search.executions, name))
        });
        let Search { executions, points, distinct, .. } = search;
        Report { executions, points, distinct: distinct.len(), finding }
    }

    /// Runs the closure, and fails as a test does if something is found.
    ///
    /// # Panics
    /// With the finding.
    #[track_caller]
    pub fn check(self, closure: impl Fn()) {
        if let Some(finding) = self.run(closure).finding {
            panic!("{finding}");
        }
    }

    /// Replays a schedule, with the bounds that are set here.
    ///
    /// # Errors
    /// If it does not show what it should.
    pub fn replay(self, schedule: &Schedule, closure: impl Fn()) -> Result<Finding, ReplayError> {
        let world = World::of_this_thread();
        let runner = Runner { world, body: &closure, bound: self.max_points };
        let result =
            world.execute(self.stack, |opened| replay::in_execution(runner, opened, schedule));
        runner.choose(Chooser::Nobody);
        result
    }
}

/// Explores a closure, and fails as a test does if something is found.
///
/// # Panics
/// With the finding.
#[track_caller]
pub fn check(closure: impl Fn()) {
    Explorer::new().check(closure);
}

/// A search as far as it has got.
struct Search<'a> {
    runner: Runner<'a>,
    seed: u64,
    /// Until it takes over from nobody.
    policy: Option<Box<dyn Policy>>,
    profile: Profile,
    expected: Vec<crate::exec::policy::Expected>,
    executions: u64,
    points: u64,
    distinct: BTreeSet<u64>,
    found: Option<Outcome>,
}

impl<'a> Search<'a> {
    fn new(runner: Runner<'a>, seed: u64, policy: Box<dyn Policy>) -> Self {
        // The first run goes by itself.
        runner.choose(Chooser::Nobody);
        Self {
            runner,
            seed,
            policy: Some(policy),
            profile: Profile::default(),
            expected: Vec::new(),
            executions: 0,
            points: 0,
            distinct: BTreeSet::new(),
            found: None,
        }
    }

    fn step(&mut self, opened: &Opened) {
        if self.executions > 0
            && let Some(policy) = self.policy.take()
        {
            self.runner.choose(Chooser::Policy(policy));
        }
        let counts = self.executions < profile::RUNS;
        self.runner.world.run.borrow_mut().counts = counts.then(Default::default);
        let seed = Rng::nth(self.seed, self.executions).bits();
        let outcome = self.runner.run(opened, seed, &self.expected);
        if counts {
            let mut run = self.runner.world.run.borrow_mut();
            self.profile.add(&run);
            run.counts = None;
            self.expected = self.profile.expected();
        }
        self.executions += 1;
        self.points += outcome.points;
        self.distinct.insert(outcome.hash);
        if outcome.failure.is_some() {
            self.found = Some(outcome);
        }
    }
}

/// Makes a finding of the outcome of this execution: small, and replayed.
fn reduce(
    runner: Runner<'_>,
    opened: &Opened,
    found: Outcome,
    execution: u64,
    name: String,
) -> Finding {
    let decisions_found = found.decisions.len();
    let failure = found.failure.expect("only what failed is reduced");
    let mut minimizer = Minimizer::new(runner, opened, failure.signature.clone());
    let decisions = minimizer.minimize(found.decisions, found.points);
    let runs = minimizer.runs;
    let schedule = Schedule { name, expect: failure.signature, decisions };
    let mut finding = replay::record(runner, opened, &schedule, failure.kind);
    finding.execution = execution;
    finding.decisions_found = decisions_found;
    finding.executions_reducing = runs + REPLAYS;
    finding
}
