//! What a fuzz target does with one input: run it, judge it, and crash if something was found.
//!
//! The engine brings a case, this module sets the history that the target is about. A finding is
//! told apart (race or sequential), reduced if the engine searches ([`Mode`]), and becomes a crash
//! with a name ([`crash`]).
//!
//! What it is not: glue to an engine (that is `fuzz/`), or a campaign of its own. It keeps nothing
//! from input to input but buffers.

pub mod crash;
mod mode;
mod mutate;

pub use mode::Mode;
pub use mutate::Mutator;

use crate::examine::{Examiner, SameFinding};
use crate::exec::Executor;
use crate::minimize::{Budget, reduce};
use crate::oracle::{Finding, Kind};
use crate::program::{Case, OpId};
use crate::subject::{ProfileSpec, Spec, Subject};
use core::fmt;
use std::time::Duration;

/// The environment variable that names another profile than the plan's.
pub const PROFILE_VARIABLE: &str = "PAGERACE_PROFILE";

/// What a reduction inside a target may cost: engines count the time as one slow input.
const BUDGET: Budget = Budget { executions: 20_000, time: Some(Duration::from_secs(2)) };

/// What one target is about.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The target's name, and its folder's in the corpus.
    pub name: &'static str,
    /// The history it runs on, unless [`PROFILE_VARIABLE`] names another.
    pub profile: &'static str,
    /// Operations that its cases do not have.
    pub without: &'static [&'static str],
}

/// Why a target cannot start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// There is no such profile.
    Profile {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// The plan leaves out an operation that there is not.
    Operation(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile { asked, known } => {
                let known = known.join(", ");
                write!(f, "there is no profile {asked:?}; {PROFILE_VARIABLE} can be one of {known}")
            }
            Self::Operation(name) => write!(f, "there is no operation {name:?} to leave out"),
        }
    }
}

impl std::error::Error for Error {}

/// What a target has to say about an input that shows something.
#[derive(Clone, Debug)]
pub struct Found {
    /// The case, in normal form; reduced, if the engine searches.
    pub case: Case,
    /// What it shows. Belongs to the executor's last run.
    pub finding: Finding,
    /// Whether it takes a schedule to see it.
    pub kind: Kind,
}

impl Found {
    /// The name that tools sort by: the signature, and apart from it what needs no schedule.
    #[must_use]
    pub fn bucket(&self) -> String {
        match self.kind {
            Kind::Race => self.finding.signature.to_string(),
            Kind::Sequential => format!("{}/{}", self.kind, self.finding.signature),
        }
    }
}

/// A target at work: an executor and an examiner, and the history that every input gets.
pub struct Target<S: Subject> {
    executor: Executor<S>,
    examiner: Examiner,
    profile: &'static ProfileSpec,
    without: Vec<u8>,
    mode: Mode,
    case: Case,
}

impl<S: Subject> fmt::Debug for Target<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("profile", &self.profile.name).finish_non_exhaustive()
    }
}

impl<S: Subject> Target<S> {
    /// Starts what `plan` says, with the profile that the environment names, if it does. Takes over
    /// the panic hook: a panic of the code under test is a finding, any other one goes to the hook
    /// that was there.
    ///
    /// # Errors
    /// If a name in the environment or in the plan means nothing to the subject.
    pub fn new(plan: &Plan) -> Result<Self, Error> {
        let asked = std::env::var_os(PROFILE_VARIABLE);
        let asked = asked.as_ref().map(|name| name.to_string_lossy());
        Self::with(plan, asked.as_deref().unwrap_or(plan.profile), Mode::of_process())
    }

    fn with(plan: &Plan, profile: &str, mode: Mode) -> Result<Self, Error> {
        let spec = S::spec();
        let profile = find_profile(spec, profile)?;
        let mut without = Vec::new();
        for &name in plan.without {
            without.push(spec.op(name).ok_or(Error::Operation(name))? as u8);
        }
        let mut executor = Executor::new();
        // The first execution takes over the panic hook.
        executor.run(&Case::empty(spec));
        let case = Case::empty(spec);
        Ok(Self { executor, examiner: Examiner::new(spec), profile, without, mode, case })
    }

    /// Runs one input. Returns only if nothing was found.
    pub fn run(&mut self, input: &Case) {
        if let Some(found) = self.examine(input) {
            crash::crash(found.finding.class, &found.bucket(), &self.describe(&found));
        }
    }

    /// Runs one input; says what it shows.
    pub fn examine(&mut self, input: &Case) -> Option<Found> {
        self.case.clone_from(input);
        self.case.set_profile(self.profile);
        self.leave_out();
        let run = self.executor.run(&self.case);
        let finding = self.examiner.judge(run, &self.case)?;
        Some(self.found(finding))
    }

    fn leave_out(&mut self) {
        for at in (0..self.case.ops.len()).rev() {
            if self.without.contains(&self.case.ops[at].op) {
                self.case.remove_op(OpId(at as u8));
            }
        }
    }

    /// Called right after the run that shows `finding`.
    fn found(&mut self, finding: Finding) -> Found {
        let case = self.executor.last().normal_form(&self.case);
        let (examiner, mode) = (&mut self.examiner, self.mode);
        let (kind, case) = self.executor.session(|session| {
            let (kind, _) = examiner.kind(session, &case);
            let reduced = (mode == Mode::Search).then(|| {
                let mut same = SameFinding::new(examiner, &finding, kind);
                reduce(session, &case, &mut same, BUDGET)
            });
            (kind, reduced.flatten().map_or(case, |reduced| reduced.case))
        });
        let run = self.executor.run(&case);
        let finding = self.examiner.judge(run, &case).unwrap_or(finding);
        Found { case, finding, kind }
    }

    fn describe(&self, found: &Found) -> String {
        let Found { finding, kind, .. } = found;
        let (profile, why) = (self.profile.name, finding.facts.why);
        format!("pagerace: {kind} on {profile}: {}: {why}\n", finding.signature)
    }
}

fn find_profile(spec: &Spec, asked: &str) -> Result<&'static ProfileSpec, Error> {
    spec.profiles.iter().find(|profile| profile.name == asked).ok_or_else(|| Error::Profile {
        asked: asked.to_owned(),
        known: spec.profiles.iter().map(|profile| profile.name).collect(),
    })
}
