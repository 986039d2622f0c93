//! One place of a sweep: a reference taken at one instant on one frame, dropped at each later one.
//!
//! First the reference is dropped when all programs have ended. That run lists the instants before.
//!
//! What it is not: the choice of places ([`super::places`]).

use super::{Hit, Instant, Sweep, action_at, decide};
use crate::examine::Examiner;
use crate::exec::{Entry, Options, Point, Run, Session, What};
use crate::program::{Action, Case, Decision, Key, OpId, Site};
use crate::subject::{ObjectId, Subject};

/// An access, as far as it matters what it may be exchanged with.
#[derive(Clone, Copy, Debug)]
struct Touch {
    step: usize,
    object: Option<ObjectId>,
    read: bool,
}

impl Touch {
    fn conflicts(&self, other: &Self) -> bool {
        self.object == other.object && !(self.read && other.read)
    }
}

/// The run in which the reference is dropped when all programs have ended, from where it was taken. Buffers are reused.
#[derive(Debug, Default)]
pub(super) struct Later {
    points: Vec<Point>,
    touches: Vec<Touch>,
    executed: Vec<Decision>,
    /// What dropping the reference touched, where it was dropped last.
    drop: Vec<Touch>,
    /// Whether that was done in one go.
    at_once: bool,
}

/// The accesses on those lines of a trace that are `wanted`.
fn touches(run: &Run, wanted: impl Fn(&Entry) -> bool) -> impl Iterator<Item = Touch> {
    let lines = run.trace.iter().enumerate().filter(move |(_, entry)| wanted(entry));
    lines.filter_map(|(step, entry)| match entry.what {
        What::Access { object, kind, .. } => Some(Touch { step, object, read: kind.is_read() }),
        _ => None,
    })
}

impl Later {
    /// Takes in the run whose operation `hold` takes the reference.
    fn read(&mut self, run: &Run, hold: OpId, ghost: u8) {
        self.points.clear();
        self.touches.clear();
        self.executed.clone_from(&run.executed);
        self.executed.sort_by_key(|d| d.at);
        let is_end = |what: &What| matches!(what, What::OpEnd(_));
        let end = run.trace.iter().position(|e| e.op == Some(hold) && is_end(&e.what));
        let Some(end) = end else { return };
        let after = run.announced.iter().filter(|point| point.step.0 > end);
        self.points.extend(after.filter(|point| point.cpu != ghost));
        let others = |entry: &Entry| entry.cpu.index() != usize::from(ghost);
        self.touches.extend(touches(run, others).filter(|touch| touch.step > end));
    }

    /// Takes in what the operation `drop` did.
    fn dropped(&mut self, run: &Run, drop: OpId) {
        self.drop.clear();
        self.drop.extend(touches(run, |entry| entry.op == Some(drop)));
        let span = match (self.drop.first(), self.drop.last()) {
            (Some(first), Some(last)) => &run.trace[first.step..=last.step],
            _ => &[],
        };
        self.at_once = !span.is_empty() && span.iter().all(|entry| entry.op == Some(drop));
    }

    /// The first point after `at` at which dropping the reference is not what it was there.
    fn next(&self, at: usize) -> usize {
        if !self.at_once {
            return at + 1;
        }
        let from = self.points[at].step.0;
        let mut ahead = self.touches.iter().filter(|touch| touch.step >= from);
        let conflict =
            ahead.find(|touch| self.drop.iter().any(|dropping| dropping.conflicts(touch)));
        match conflict {
            Some(touch) => self.points.partition_point(|point| point.step.0 <= touch.step),
            None => self.points.len(),
        }
    }
}

impl Sweep {
    /// Tries the next place; false if there is none left, or no run.
    pub fn step<S: Subject>(
        &mut self,
        session: &mut Session<'_, S>,
        examiner: &mut Examiner,
    ) -> bool {
        let Some(&place) = self.places.get(self.next) else { return false };
        if self.over_limit() {
            return false;
        }
        let mut later = core::mem::take(&mut self.later);
        let complete = self.dropped_in_time(session, examiner, place, &mut later)
            && self.dropped_in_the_drain(session, examiner, place);
        self.later = later;
        self.next += usize::from(complete);
        complete
    }

    /// The case with a reference that is taken at a place.
    fn taking(&self, place: Instant) -> (Case, OpId) {
        let mut case = self.base.clone();
        let hold = OpId(case.ops.len() as u8);
        self.push_op(&mut case, self.spec.ops.len() as u8, place.frame);
        let at = self.points[place.point].at;
        decide(&mut case.decisions, Decision { at, action: Action::Run(self.ghost()) });
        (case, hold)
    }

    /// First dropped when all programs have ended, then at each instant before that.
    fn dropped_in_time<S: Subject>(
        &mut self,
        session: &mut Session<'_, S>,
        examiner: &mut Examiner,
        place: Instant,
        later: &mut Later,
    ) -> bool {
        let ghost = self.ghost();
        let (mut case, hold) = self.taking(place);
        let drop = OpId(hold.0 + 1);
        self.push_op(&mut case, self.spec.injected[0].drop as u8, 0);
        case.ops[drop.index()].right = Some(hold);
        let back = self.goes_on(&self.points[place.point]);
        let first_of_drop = Key { op: drop, site: Site::Nth(1) };
        decide(&mut case.decisions, Decision { at: first_of_drop, action: Action::Run(back) });
        let options = Options { announce: true, ..Options::default() };
        later.read(session.run_with(&case, options), hold, ghost);
        self.runs += 1;
        self.judge(session, examiner, &case, None);
        let taken = case.decisions.clone();
        let mut at = 0;
        while at < later.points.len() {
            let point = later.points[at];
            let back = match action_at(&later.executed, point.at) {
                Some(Action::Fail) => {
                    at += 1;
                    continue;
                }
                Some(Action::Run(to)) => to,
                None => point.cpu,
            };
            if self.over_limit() {
                return false;
            }
            case.decisions.clone_from(&taken);
            decide(&mut case.decisions, Decision { at: point.at, action: Action::Run(ghost) });
            let resume = Some((ghost, back));
            later.dropped(session.run_with(&case, Options { resume, ..Options::default() }), drop);
            self.runs += 1;
            self.judge(session, examiner, &case, resume);
            at = if self.limits.all { at + 1 } else { later.next(at) };
        }
        true
    }

    /// Dropped among the rights that are still held in the end: after some, before others.
    fn dropped_in_the_drain<S: Subject>(
        &mut self,
        session: &mut Session<'_, S>,
        examiner: &mut Examiner,
        place: Instant,
    ) -> bool {
        if self.over_limit() {
            return false;
        }
        let (case, _) = self.taking(place);
        let resume = Some((self.ghost(), self.goes_on(&self.points[place.point])));
        session.run_with(&case, Options { resume, ..Options::default() });
        self.runs += 1;
        self.judge(session, examiner, &case, resume);
        true
    }

    /// Judges the last run, which was handed back by force as `resume` says, and enters what it shows.
    ///
    /// The first time, looks for a case that shows it by decisions alone. Those runs are few, and are
    /// not counted: they depend on what is known.
    fn judge<S: Subject>(
        &mut self,
        session: &mut Session<'_, S>,
        examiner: &mut Examiner,
        case: &Case,
        resume: Option<(u8, u8)>,
    ) {
        let run = session.last();
        let Some(finding) = examiner.judge(run, case) else { return };
        let executed = run.normal_form(case);
        let of_it = |hit: &Hit| hit.finding.signature == finding.signature;
        let at = self.hits.iter().position(of_it).unwrap_or_else(|| {
            self.hits.push(Hit { finding: finding.clone(), case: None, count: 0 });
            self.hits.len() - 1
        });
        self.hits[at].count += 1;
        if self.hits[at].case.is_some() {
            return;
        }
        let mut candidates = vec![executed];
        if let Some((_, back)) = resume {
            // One more operation, before which the CPU stops instead of ending.
            let mut parked = candidates[0].clone();
            let keeps = OpId(parked.ops.len() as u8);
            self.push_op(&mut parked, self.spec.ops.len() as u8, 0);
            let at = Key { op: keeps, site: Site::Nth(1) };
            decide(&mut parked.decisions, Decision { at, action: Action::Run(back) });
            candidates.push(parked);
        }
        self.hits[at].case = candidates.into_iter().find_map(|candidate| {
            let run = session.run(&candidate);
            let again = examiner.judge(run, &candidate)?;
            (again.signature == finding.signature).then(|| run.normal_form(&candidate))
        });
    }
}
