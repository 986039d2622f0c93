//! What a fuzz target does with one input: run it, judge it, and crash if something was found.
//!
//! The engine brings a case, this module sets the history that the target is about. A finding is
//! told apart (race or sequential). If the engine searches ([`Mode`]) and the store has nothing of its
//! signature yet, it is kept as it was found, reduced, and kept again (`keep`). Then it becomes a
//! crash with a name ([`crash`]).
//!
//! What it is not: glue to an engine (that is `fuzz/`), or a campaign of its own. It keeps nothing
//! from input to input but an open execution, buffers and a count.

pub mod crash;
mod keep;
mod mode;
mod mutate;
#[cfg(test)]
mod tests;

pub use mode::Mode;

use crate::corpus;
use crate::examine::{Examiner, SameFinding};
use crate::exec::{Executor, Resident};
use crate::minimize::{Budget, reduce};
use crate::oracle::{Finding, Kind};
use crate::program::{Case, OpId};
use crate::report::Report;
use crate::subject::{OpSpec, ProfileSpec, Spec, Subject};
use core::fmt;
use keep::{Keeper, Place};
use mutate::Mutator;
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
    /// The history it runs on, unless [`PROFILE_VARIABLE`] names another; none if each input brings its own
    /// ([`WithHistory`](crate::program::input::WithHistory)).
    pub profile: Option<&'static str>,
    /// Operands: its cases have no operation that takes one of them.
    pub without: &'static [&'static str],
    /// Whether it is there to find races. Then what does not count as one is passed over
    /// ([`Finding::counts`]), or it would end every search; else every finding is a crash.
    pub canary: bool,
}

/// Why a target cannot start.
#[derive(Debug)]
pub enum Error {
    /// There is no such profile.
    Profile {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// A profile is asked for of a target whose inputs bring their own history.
    OwnHistory {
        /// The target.
        target: &'static str,
        /// What was asked for.
        asked: String,
    },
    /// The plan leaves out an operand that no operation has.
    Operand(&'static str),
    /// The store that the environment names cannot be used.
    Store(corpus::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile { asked, known } => {
                let known = known.join(", ");
                write!(f, "there is no profile {asked:?}; {PROFILE_VARIABLE} can be one of {known}")
            }
            Self::OwnHistory { target, asked } => write!(
                f,
                "{PROFILE_VARIABLE}={asked} says nothing to the target {target}: each of its inputs \
                 brings a history of its own; unset it"
            ),
            Self::Operand(name) => {
                write!(f, "no operation has an operand {name:?} to leave it out for")
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// What a target has to say about an input that shows something.
#[derive(Clone, Debug)]
pub struct Found {
    /// The case, in normal form; reduced, if the engine searches and the finding is new.
    pub case: Case,
    /// What it shows. Belongs to the executor's last run.
    pub finding: Finding,
    /// Whether it takes a schedule to see it.
    pub kind: Kind,
    /// Where it is kept.
    place: Place,
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

/// A target at work: a resident and an examiner, and the history that every input gets.
pub struct Target<S: Subject> {
    /// Warm from input to input; a finding is looked into in sessions of its executor.
    resident: Resident<S>,
    examiner: Examiner,
    mutator: Mutator<S>,
    /// None where inputs bring their own history.
    profile: Option<&'static ProfileSpec>,
    without: Vec<u8>,
    canary: bool,
    /// Only where the engine searches.
    keeper: Option<Keeper>,
    /// How many findings do not count for a canary.
    passed_over: u64,
    case: Case,
}

impl<S: Subject> fmt::Debug for Target<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("profile", &self.label()).finish_non_exhaustive()
    }
}

impl<S: Subject> Target<S> {
    /// Starts what `plan` says, with the profile and the store that the environment names, if it
    /// does. Takes over the panic hook: a panic of the code under test is a finding, any other one
    /// goes to the hook that was there.
    ///
    /// # Errors
    /// If a name in the environment or in the plan means nothing to the subject, or the store cannot
    /// be used.
    pub fn new(plan: &Plan) -> Result<Self, Error> {
        let asked = std::env::var_os(PROFILE_VARIABLE);
        let asked = asked.as_ref().map(|name| name.to_string_lossy());
        let store = match Mode::of_process() {
            Mode::Search => Some(corpus::Store::find(plan.name).map_err(Error::Store)?),
            Mode::Given => None,
        };
        Self::with(plan, asked.as_deref(), store)
    }

    /// Starts `plan`, on the profile that was asked for if one was. Without a store to look into, nothing is
    /// reduced.
    fn with(plan: &Plan, asked: Option<&str>, store: Option<corpus::Found>) -> Result<Self, Error> {
        let spec = S::spec();
        let profile = match (plan.profile, asked) {
            (Some(own), asked) => Some(find_profile(spec, asked.unwrap_or(own))?),
            (None, None) => None,
            (None, Some(asked)) => {
                return Err(Error::OwnHistory { target: plan.name, asked: asked.to_owned() });
            }
        };
        let mut without = Vec::new();
        for &name in plan.without {
            let has = |row: &OpSpec| row.operands.iter().any(|operand| operand.name == name);
            let those = (0u8..).zip(spec.ops).filter(|(_, row)| has(row)).map(|(op, _)| op);
            let before = without.len();
            without.extend(those);
            if without.len() == before {
                return Err(Error::Operand(name));
            }
        }
        let mut resident = Resident::new();
        // The first execution takes over the panic hook.
        resident.run(&Case::empty(spec));
        Ok(Self {
            resident,
            examiner: Examiner::new(spec),
            mutator: Mutator::new(profile.is_none()),
            profile,
            without,
            canary: plan.canary,
            keeper: store.map(|store| Keeper::new(store, plan.name, label(profile))),
            passed_over: 0,
            case: Case::empty(spec),
        })
    }

    /// What a user wants to know before the first input: what runs, and where findings go.
    #[must_use]
    pub fn header(&self) -> String {
        let profile = self.label();
        match &self.keeper {
            Some(keeper) => format!("pagerace: on {profile}; store {keeper}"),
            None => format!("pagerace: on {profile}; given inputs only, so nothing is kept"),
        }
    }

    fn label(&self) -> &'static str {
        label(self.profile)
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
        if let Some(profile) = self.profile {
            self.case.set_profile(profile);
        }
        self.leave_out();
        let run = self.resident.run(&self.case);
        let finding = self.examiner.judge(run, &self.case)?;
        if self.canary && finding.is_scanners() {
            self.passed_over += 1;
            return None;
        }
        let (kind, case) = self.tell_apart();
        if self.canary && !finding.counts(kind) {
            self.passed_over += 1;
            return None;
        }
        Some(self.found(finding, kind, case))
    }

    /// What met in the last input, as numbers below
    /// [`SIGNALS`](crate::exec::coverage::SIGNALS); for engines that take such for coverage.
    /// To be called once after each input, as mutations depend on it.
    pub fn signals(&mut self) -> &[u16] {
        self.mutator.consider(&self.case, self.resident.last())
    }

    /// Changes the first `size` bytes of `data`; the result, at most `max_size` bytes, stands there
    /// instead, and its size is returned. `engine` is the engine's own way.
    pub fn mutate(
        &mut self,
        data: &mut [u8],
        size: usize,
        max_size: usize,
        seed: u32,
        engine: impl FnOnce(&mut [u8], usize, usize) -> usize,
    ) -> usize {
        self.mutator.mutate(data, size, max_size, seed, engine)
    }

    fn leave_out(&mut self) {
        for at in (0..self.case.ops.len()).rev() {
            if self.without.contains(&self.case.ops[at].op) {
                self.case.remove_op(OpId(at as u8));
            }
        }
    }

    /// The kind of what the last run shows, and the normal form of its case.
    fn tell_apart(&mut self) -> (Kind, Case) {
        let case = self.resident.last().normal_form(&self.case);
        let examiner = &mut self.examiner;
        let kind = self.resident.executor().session(|session| examiner.kind(session, &case).0);
        (kind, case)
    }

    fn found(&mut self, finding: Finding, kind: Kind, case: Case) -> Found {
        let mut found = Found { case, finding, kind, place: Place::default() };
        if let Some(keeper) = &self.keeper {
            let spec = S::spec();
            found.place = keeper.keep(spec, &found);
            if found.place.wants_reduced()
                && let Some(case) = reduced(self.resident.executor(), &mut self.examiner, &found)
            {
                found.case = case;
                keeper.improve(spec, &mut found);
            }
        }
        // For the report, which is about the case that is kept.
        let run = self.resident.run(&found.case);
        if let Some(finding) = self.examiner.judge(run, &found.case) {
            found.finding = finding;
        }
        found
    }

    fn describe(&self, found: &Found) -> String {
        let Found { case, finding, kind, place, .. } = found;
        let command =
            place.path().map(|path| format!("pagerace replay {}", corpus::shown_word(path)));
        let report = Report {
            spec: S::spec(),
            case,
            run: self.resident.last(),
            finding,
            kind: *kind,
            replay_command: command.as_deref(),
        };
        let mut text = format!("\n{report}\n{place}\n");
        if self.passed_over > 0 {
            let n = self.passed_over;
            text.push_str(&format!("findings passed over before, scanners' or sequential: {n}\n"));
        }
        text
    }
}

/// What a target runs on.
fn label(profile: Option<&'static ProfileSpec>) -> &'static str {
    profile.map_or("the history of each input", |profile| profile.name)
}

/// The smallest case that shows the same within [`BUDGET`].
fn reduced<S: Subject>(
    executor: &mut Executor<S>,
    examiner: &mut Examiner,
    found: &Found,
) -> Option<Case> {
    let mut same = SameFinding::new(examiner, &found.finding, found.kind);
    let reduced = executor.session(|session| reduce(session, &found.case, &mut same, BUDGET));
    reduced.map(|reduced| reduced.case)
}

fn find_profile(spec: &Spec, asked: &str) -> Result<&'static ProfileSpec, Error> {
    spec.profiles.iter().find(|profile| profile.name == asked).ok_or_else(|| Error::Profile {
        asked: asked.to_owned(),
        known: spec.profiles.iter().map(|profile| profile.name).collect(),
    })
}
