//! Every allocation must survive one more reference: taken at any instant, dropped at any later one.
//!
//! A *sweep* takes a case that passes and runs it again with one injected reference: for every instant
//! `i`, every frame `F` that somebody has a reference on at `i`, and every later instant `j`, the
//! reference is taken on `F` at `i` and dropped at `j`. Whatever the oracles then say is a finding that
//! somebody's speculative reference could have caused: conservation, ownership, counts and all else
//! must hold as without it. Operations may fail on account of the reference; they may lose nothing.
//!
//! The reference is taken by one more CPU than the case has, an ordinary task whose program is
//! `hold frame=F` and what drops it. It is handed control at `i` and at `j` and gives it back to whom
//! it took it from, so that the others run as they did.
//!
//! Instants that nothing tells apart are tried once, unless [`Limits::all`]: the place of the reference's
//! own accesses is only moved past an access to an object that they touch as well, one of the two not
//! being a read. Which objects dropping touches is read off the run, every time.
//!
//! What it is not: complete. One reference at a time, no other schedule than the case's own, and a
//! reference that is never dropped is dropped in the drain. What it says of Linux is as much as its
//! frames can be reached by a walker over frame numbers or by a stale lookup: [`concrete`] looks for one.

mod concrete;
mod place;
#[cfg(test)]
mod tests;

pub use concrete::{Concrete, concrete};

use crate::examine::Examiner;
use crate::exec::{Options, Point, Run, Session, What};
use crate::oracle::Finding;
use crate::program::case::MAX_OPS;
use crate::program::{Action, Case, Decision, Key, OpInstance, Place};
use crate::subject::{MAX_OPERANDS, Spec, Subject};
use core::fmt;
use pagerace_core::sync::MAX_CPUS;

/// The most CPUs of a case that can be swept: one more takes the reference.
pub const MOST_CPUS: u8 = MAX_CPUS as u8 - 1;
/// The operations that a sweep may add: one takes the reference, one drops it, one keeps the place of
/// what is handed back.
const ADDED_OPS: usize = 3;

/// How far a sweep goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Try every instant, also those that nothing tells apart.
    pub all: bool,
    /// The most runs for one case.
    pub runs: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { all: false, runs: 20_000 }
    }
}

/// Why a case is not swept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// It shows a finding by itself.
    Shows(Box<Finding>),
    /// It leaves no CPU, or not enough operations.
    TooLarge,
    /// It has an injected reference already.
    Injected,
    /// The subject has no operation that takes a reference out of nowhere.
    Unknown,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shows(finding) => {
                write!(f, "without any injected reference the case shows `{}`", finding.signature)
            }
            Self::TooLarge => write!(
                f,
                "a case that is swept has at most {MOST_CPUS} CPUs and {} operations",
                MAX_OPS - ADDED_OPS
            ),
            Self::Injected => f.write_str("the case has an injected reference already"),
            Self::Unknown => f.write_str("the subject has no reference to inject"),
        }
    }
}

/// What showed itself with an injected reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// What.
    pub finding: Finding,
    /// A case that shows it, in normal form. None if no list of decisions says what happened: the CPU
    /// that takes the reference hands back in ways that ordinary cases cannot.
    pub case: Option<Case>,
    /// In how many runs.
    pub count: u64,
}

/// Where a reference is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Instant {
    /// Before which point of the case's own run.
    point: usize,
    /// On which frame.
    frame: u32,
}

/// The sweep of one case.
///
/// Places are tried one a [`Sweep::step`], in an order that depends on the case alone: who comes back
/// to a sweep passes over those that were tried.
#[derive(Debug)]
pub struct Sweep {
    spec: &'static Spec,
    limits: Limits,
    /// The case in normal form, with one CPU more.
    base: Case,
    /// The points of its run.
    points: Vec<Point>,
    places: Vec<Instant>,
    /// Places on frames that no operand can name.
    unnamed: usize,
    next: usize,
    runs: u64,
    cut: bool,
    hits: Vec<Hit>,
    later: place::Later,
}

impl Sweep {
    /// Runs a case as it is, and lists the places for a reference.
    ///
    /// # Errors
    /// If the case cannot be swept.
    pub fn new<S: Subject>(
        session: &mut Session<'_, S>,
        examiner: &mut Examiner,
        case: &Case,
        limits: Limits,
    ) -> Result<Self, Unfit> {
        let spec = S::spec();
        if spec.injected.is_empty() {
            return Err(Unfit::Unknown);
        }
        if case.ops.iter().any(|op| spec.is_injected(op.op)) {
            return Err(Unfit::Injected);
        }
        if case.cpus > MOST_CPUS || case.ops.len() + ADDED_OPS > MAX_OPS {
            return Err(Unfit::TooLarge);
        }
        let mut base = case.clone();
        base.cpus += 1;
        base.expect = None;
        let options = Options { announce: true, ..Options::default() };
        let run = session.run_with(&base, options);
        if let Some(finding) = examiner.judge(run, &base) {
            return Err(Unfit::Shows(Box::new(finding)));
        }
        let base = run.normal_form(&base);
        let points = run.announced.clone();
        let (places, unnamed) = places(spec, &base, run, limits.all);
        Ok(Self {
            spec,
            limits,
            base,
            points,
            places,
            unnamed,
            next: 0,
            runs: 1,
            cut: false,
            hits: Vec::new(),
            later: place::Later::default(),
        })
    }

    /// How many places there are: pairs of an instant and a frame, those on frames included that are
    /// too far from the first one to be named in a case, which are never tried.
    #[must_use]
    pub fn places(&self) -> usize {
        self.places.len() + self.unnamed
    }

    /// How many of them have been tried, with every later instant.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.next
    }

    /// How many runs it has taken.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Whether the limit on runs ended it before all places were tried.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Goes on where another sweep of this case was, which had tried `tried` places in `runs` runs.
    pub fn go_on_from(&mut self, tried: usize, runs: u64) {
        self.next = tried.min(self.places.len());
        self.runs = runs;
    }

    /// Takes over what was found since the last call, each signature once.
    pub fn take_hits(&mut self) -> Vec<Hit> {
        core::mem::take(&mut self.hits)
    }

    fn over_limit(&mut self) -> bool {
        self.cut |= self.runs >= self.limits.runs;
        self.cut
    }

    /// The CPU that takes the reference.
    fn ghost(&self) -> u8 {
        self.base.cpus - 1
    }

    /// Who goes on at a point of the case's own run.
    fn goes_on(&self, point: &Point) -> u8 {
        match action_at(&self.base.decisions, point.at) {
            Some(Action::Run(to)) => to,
            _ => point.cpu,
        }
    }

    /// One more operation of the CPU that takes the reference.
    fn push_op(&self, case: &mut Case, op: u8, operand: u32) {
        let mut operands = [0; MAX_OPERANDS];
        operands[0] = operand;
        let place = Place::Cpu(self.ghost());
        case.ops.push(OpInstance { place, op, operands, right: None });
    }
}

/// What a list of decisions, sorted by key, says at a point.
fn action_at(decisions: &[Decision], at: Key) -> Option<Action> {
    let found = decisions.binary_search_by_key(&at, |d| d.at).ok()?;
    Some(decisions[found].action)
}

/// Puts a decision where there may be another one.
fn decide(decisions: &mut Vec<Decision>, decision: Decision) {
    match decisions.binary_search_by_key(&decision.at, |d| d.at) {
        Ok(at) => decisions[at] = decision,
        Err(at) => decisions.insert(at, decision),
    }
}

/// Whether an access of a trace is one to a reference count, of which frame, and its new value.
fn count_of(spec: &Spec, what: &What) -> Option<(usize, u64)> {
    match *what {
        What::Access { object: Some(object), new, .. } => {
            let class = spec.classes.get(usize::from(object.class()))?;
            class.refcount.then_some((usize::from(object.instance()), new))
        }
        _ => None,
    }
}

/// The places of a run: at each point, each frame whose count is above zero; unless `all`, only at the
/// first point after an access to that count, since taking a reference is nothing but one more. Then
/// the number of those on frames that no operand can name.
fn places(spec: &Spec, base: &Case, run: &Run, all: bool) -> (Vec<Instant>, usize) {
    let most = spec.injected[0].op.operands.first().map_or(0, |operand| operand.limit as usize);
    let mut places = Vec::new();
    let mut unnamed = 0;
    let mut counts: Vec<(u64, bool)> = Vec::new();
    let mut read = 0;
    for (point, announced) in run.announced.iter().enumerate() {
        for entry in &run.trace[read..announced.step.0] {
            let Some((frame, count)) = count_of(spec, &entry.what) else { continue };
            if frame >= counts.len() {
                counts.resize(frame + 1, (0, false));
            }
            counts[frame] = (count, true);
        }
        read = announced.step.0;
        if action_at(&base.decisions, announced.at) == Some(Action::Fail) {
            // A point has one decision. The next one will do.
            continue;
        }
        for (frame, (count, fresh)) in counts.iter_mut().enumerate() {
            if *count == 0 || !(all || core::mem::take(fresh)) {
                continue;
            }
            if frame < most {
                places.push(Instant { point, frame: frame as u32 });
            } else {
                unnamed += 1;
            }
        }
    }
    (places, unnamed)
}
