//! Whether an entry keeps its promise, in both directions.
//!
//! As it is stored, strictly: every operation runs, every decision is taken, and the run shows exactly
//! the signature and the kind that are promised. On the default profile, which has no bug known: the
//! same programs show nothing, under every schedule of up to one switch more than the entry has,
//! since a fix may only have moved the window.
//!
//! An entry that promises to pass is held to the second on its own history as well.
//!
//! What it is not: a search. It finds out about one entry.

use super::entry::{Entry, promise};
use crate::examine::Examiner;
use crate::exec::{Executor, Run, Session, enumerate};
use crate::oracle::Finding;
use crate::program::{Case, Expect, Key, OpId, Place};
use crate::subject::{Spec, Subject};
use std::fmt;
use std::ops::ControlFlow;

/// The most steps of a replay, both searches together: about a minute's worth. A reduced entry takes far
/// fewer, and an entry from elsewhere must not keep its reader busy for ever. A run takes one for each
/// line of its trace, one for each unit of its set-up fields, which are what it resets and counts, and
/// `STEPS_OF_A_RUN`.
pub const MAX_STEPS: u64 = 1_000_000_000;
/// What a run takes that does nothing.
const STEPS_OF_A_RUN: u64 = 100;
/// The most switches of an entry whose schedules are run. A search goes as deep as a schedule has
/// switches, on a stack that is small.
pub const MAX_SWITCHES: usize = 32;

/// What is left of the steps.
pub(super) struct Budget(pub(super) u64);

impl Budget {
    /// Whether there was enough for this run.
    fn takes(&mut self, case: &Case, run: &Run) -> bool {
        let sizes: u64 = case.fields.iter().map(|&field| u64::from(field)).sum();
        let steps = run.trace.len() as u64 + sizes + STEPS_OF_A_RUN;
        let left = self.0.checked_sub(steps);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// How one part of a promise is broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Broken {
    /// The run as stored shows nothing.
    ShowsNothing,
    /// The run as stored shows something else.
    Shows {
        /// What.
        found: String,
    },
    /// An operation was skipped, or the run ended before it.
    NotRun {
        /// Which.
        op: OpId,
        /// Whether it began.
        skipped: bool,
    },
    /// Decisions were not taken: their accesses were not reached, or could not fail, or the CPU to run
    /// could not.
    NotTaken {
        /// How many.
        count: usize,
        /// Where the first of them stands.
        first: Key,
    },
    /// Some schedule of the same programs shows something where all should pass.
    Fails {
        /// Whether on the default profile; otherwise on the entry's own history.
        default: bool,
        /// What.
        found: String,
        /// With which schedule.
        schedule: Box<Case>,
    },
    /// Whether all pass is not known: it takes too many steps, or has more than [`MAX_SWITCHES`].
    TooLarge {
        /// Schedules of up to so many switches were asked for.
        switches: usize,
        /// How many steps there were.
        steps: u64,
    },
}

/// The outcome of a replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// What was not as promised; nothing if the promise is kept.
    pub broken: Vec<Broken>,
    /// The hash of the run as stored.
    pub hash: u64,
    /// How many schedules were run to see that they pass.
    pub schedules: u64,
}

impl Replayed {
    /// Whether all was as promised.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.broken.is_empty()
    }

    /// Whether it is unknown if the promise is kept.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.broken.iter().any(|broken| matches!(broken, Broken::TooLarge { .. }))
    }

    /// What is broken in words, a line each.
    #[must_use]
    pub fn explain(&self, spec: &'static Spec, entry: &Entry) -> String {
        let line = |broken| Explained { spec, entry, broken }.to_string();
        self.broken.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Replays an entry in both directions.
pub fn replay<S: Subject>(
    executor: &mut Executor<S>,
    examiner: &mut Examiner,
    entry: &Entry,
) -> Replayed {
    replay_within(executor, examiner, entry, MAX_STEPS)
}

/// [`replay()`] with so many steps.
pub fn replay_within<S: Subject>(
    executor: &mut Executor<S>,
    examiner: &mut Examiner,
    entry: &Entry,
    steps: u64,
) -> Replayed {
    executor.session(|session| {
        let (mut broken, hash) = as_stored(session, examiner, entry);
        let mut schedules = 0;
        let mut budget = Budget(steps);
        let mut current = entry.case().clone();
        current.set_profile(&S::spec().profiles[0]);
        let own = *entry.expect() == Expect::Pass && entry.case().history != current.history;
        let own = own.then_some((entry.case(), false));
        for (case, default) in own.into_iter().chain([(&current, true)]) {
            let switches = case.switches() + 1;
            let searched = search(session, examiner, case, switches, &mut budget, |_| true);
            schedules += searched.schedules;
            match searched.hit {
                Some((found, schedule)) => {
                    broken.push(Broken::Fails { default, found, schedule });
                }
                None if !searched.complete => {
                    broken.push(Broken::TooLarge { switches, steps });
                    break;
                }
                None => {}
            }
        }
        Replayed { broken, hash, schedules }
    })
}

/// Replays an entry as it is stored, and nothing else: what is wrong, and the hash of the run.
pub fn as_stored<S: Subject>(
    session: &mut Session<'_, S>,
    examiner: &mut Examiner,
    entry: &Entry,
) -> (Vec<Broken>, u64) {
    let case = entry.case();
    let mut broken = Vec::new();
    let run = session.run(case);
    let hash = run.hash();
    let finding = examiner.judge(run, case);
    strictly(entry, run, &mut broken);
    let found = finding.map(|finding| shown(session, examiner, case, &finding));
    match (entry.expect(), found) {
        (Expect::Pass, None) => {}
        (Expect::Finding(promised), Some(found)) if *promised == found => {}
        (Expect::Finding(_), None) => broken.insert(0, Broken::ShowsNothing),
        (_, Some(found)) => broken.insert(0, Broken::Shows { found }),
    }
    (broken, hash)
}

/// A finding as an `expect` line says it.
fn shown<S: Subject>(
    session: &mut Session<'_, S>,
    examiner: &mut Examiner,
    case: &Case,
    finding: &Finding,
) -> String {
    promise(&finding.signature, examiner.kind(session, case).0)
}

/// Every operation ran and every decision was taken. A case that was kept before it was reduced has
/// operations to no purpose, some of which do not run.
fn strictly(entry: &Entry, run: &Run, broken: &mut Vec<Broken>) {
    let case = entry.case();
    for op in (0..case.ops.len()).map(|at| OpId(at as u8)) {
        if entry.is_reduced() && !run.ran(op) {
            let skipped = run.trace.iter().any(|line| line.op == Some(op));
            broken.push(Broken::NotRun { op, skipped });
        }
    }
    // What was executed names its accesses as the run did, and so does an entry in normal form.
    let mut decisions = case.decisions.iter();
    let missing = decisions.find(|d| !run.executed.contains(d)).or(case.decisions.first());
    if run.unreached > 0
        && let Some(missing) = missing
    {
        broken.push(Broken::NotTaken { count: run.unreached, first: missing.at });
    }
}

/// What a search through schedules found.
pub(super) struct Searched {
    pub(super) hit: Option<(String, Box<Case>)>,
    pub(super) schedules: u64,
    pub(super) complete: bool,
}

/// The first finding that `wanted` accepts, as an `expect` line says it, under the schedules of the
/// programs of `case` with at most `switches` switches.
pub(super) fn search<S: Subject>(
    session: &mut Session<'_, S>,
    examiner: &mut Examiner,
    case: &Case,
    switches: usize,
    budget: &mut Budget,
    mut wanted: impl FnMut(&Finding) -> bool,
) -> Searched {
    let mut hit = None;
    if switches > MAX_SWITCHES + 1 {
        return Searched { hit: None, schedules: 0, complete: false };
    }
    let done = enumerate::schedules(session, case, switches, u64::MAX, |case, run| match examiner
        .judge(run, case)
    {
        Some(finding) if wanted(&finding) => {
            hit = Some((finding, Box::new(run.normal_form(case))));
            ControlFlow::Break(())
        }
        _ if budget.takes(case, run) => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    });
    let hit =
        hit.map(|(finding, schedule)| (shown(session, examiner, &schedule, &finding), schedule));
    Searched { hit, schedules: done.schedules, complete: done.complete }
}

/// What the programs of an entry do under one profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Some schedule shows what the entry promises.
    Fails,
    /// No schedule does, but some shows this.
    Other(String),
    /// All schedules pass.
    Passes,
    /// No schedule was seen to, and there are more of them than are run.
    Unknown,
}

/// One row of the matrix of entries and profiles: a cell for each profile of the spec, in its order.
/// All schedules count that have up to one switch more than the entry. Each cell takes at most
/// [`MAX_STEPS`].
pub fn row<S: Subject>(
    executor: &mut Executor<S>,
    examiner: &mut Examiner,
    entry: &Entry,
) -> Vec<Cell> {
    row_within(executor, examiner, entry, MAX_STEPS)
}

/// [`row`] with so many steps for each cell.
pub fn row_within<S: Subject>(
    executor: &mut Executor<S>,
    examiner: &mut Examiner,
    entry: &Entry,
    steps: u64,
) -> Vec<Cell> {
    let promised = match entry.expect() {
        Expect::Pass => None,
        Expect::Finding(promised) => Some(promised),
    };
    executor.session(|session| {
        let mut cell = |profile| {
            let mut case = entry.case().clone();
            case.set_profile(profile);
            // The stored schedule first: it is the likeliest to show it.
            let run = session.run(&case);
            let found = examiner.judge(run, &case);
            let found = found.map(|finding| shown(session, examiner, &case, &finding));
            if found.is_some() && found.as_ref() == promised {
                return Cell::Fails;
            }
            let mut other = found;
            let mut budget = Budget(steps);
            let switches = case.switches() + 1;
            let searched = search(session, examiner, &case, switches, &mut budget, |finding| {
                let is_promised = promised.is_some_and(|p| is_of(p, finding));
                if !is_promised && other.is_none() {
                    other = Some(finding.signature.to_string());
                }
                is_promised
            });
            match (searched.hit, other) {
                (Some((found, _)), _) if Some(&found) == promised => Cell::Fails,
                (Some((found, _)), None) => Cell::Other(found),
                (_, Some(found)) => Cell::Other(found),
                (None, None) if !searched.complete => Cell::Unknown,
                (None, None) => Cell::Passes,
            }
        };
        S::spec().profiles.iter().map(&mut cell).collect()
    })
}

/// Whether a finding has the signature that is promised.
pub(super) fn is_of(promised: &str, finding: &Finding) -> bool {
    let signature = promised.rsplit_once(' ').map_or(promised, |(signature, _)| signature);
    signature == finding.signature.as_str()
}

struct Explained<'a> {
    spec: &'static Spec,
    entry: &'a Entry,
    broken: &'a Broken,
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = self.entry.case();
        let promised = match self.entry.expect() {
            Expect::Pass => "pass",
            Expect::Finding(promised) => promised,
        };
        match self.broken {
            Broken::ShowsNothing => write!(f, "expected `{promised}`, but the run passes"),
            Broken::Shows { found } => write!(f, "expected `{promised}`, but it shows `{found}`"),
            Broken::NotRun { op, skipped } => {
                let name = self.spec.row(case.ops[op.index()].op).name;
                let why = if *skipped { "was skipped" } else { "did not begin" };
                write!(f, "{} ({name}) {why}: an entry has no idle operations", op_name(case, *op))
            }
            Broken::NotTaken { count, first } => {
                let at = op_name(case, first.op);
                write!(f, "{count} decisions were not taken, the first at {at}")
            }
            Broken::Fails { default, found, schedule } => {
                let profile = self.spec.profiles[0].name;
                let on = if *default { profile } else { "its own history" };
                write!(
                    f,
                    "the same programs must pass on {on}, but show `{found}` with {} switches",
                    schedule.switches()
                )?;
                if *default && case.history == self.spec.profiles[0].history {
                    f.write_str(": the entry's history is the default, so its bug is still open")?;
                }
                Ok(())
            }
            Broken::TooLarge { switches, .. } if *switches > MAX_SWITCHES + 1 => write!(
                f,
                "too large to verify: {} switches; an entry has at most {MAX_SWITCHES}",
                switches - 1
            ),
            Broken::TooLarge { switches, steps } => write!(
                f,
                "too large to verify: its schedules of up to {switches} switches take more than \
                 {steps} steps"
            ),
        }
    }
}

/// An operation as the text form counts it: `cpu1 op2` is the second of CPU 1.
fn op_name(case: &Case, id: OpId) -> String {
    let place = case.ops[id.index()].place;
    let nth = 1 + case.program(place).take_while(|(other, _)| *other != id).count();
    match place {
        Place::Setup => format!("setup op{nth}"),
        Place::Cpu(cpu) => format!("cpu{cpu} op{nth}"),
    }
}
