//! Makes a schedule small while it shows the same finding.
//!
//! Fewer decisions first; then each is moved to where the run is shorter, or earlier, which may make others
//! superfluous. What a candidate run decided is what is kept, so the result is in normal form.
//!
//! What it is not: a proof that nothing smaller would do. It is bounded, and goes by single steps.

use super::attempt::{Outcome, Runner};
use super::schedule::{Decision, Place};
use super::world::Opened;

/// The most runs.
const MOST_RUNS: u64 = 3_000;
/// The most points of all runs together: for runs that are long.
const MOST_POINTS: u64 = 30_000_000;
/// How far a decision is moved at a time: earlier first.
const MOVES: [i64; 8] = [-64, -16, -4, -2, -1, 1, 2, 4];

/// Makes a schedule small.
pub(super) struct Minimizer<'a> {
    pub runner: Runner<'a>,
    pub opened: &'a Opened,
    pub signature: String,
    /// Runs made so far.
    pub runs: u64,
    points: u64,
}

/// A schedule that shows the finding, and the length of its run.
#[derive(Clone)]
struct Shown {
    decisions: Vec<Decision>,
    points: u64,
}

impl Shown {
    /// By this the smaller of two is found.
    fn size(&self) -> (usize, u64, u64) {
        let place = |decision: &Decision| match decision.at {
            Place::Point(nth) | Place::Wait(nth) => u64::from(nth),
            Place::End => 0,
        };
        (self.decisions.len(), self.points, self.decisions.iter().map(place).sum())
    }
}

impl<'a> Minimizer<'a> {
    pub fn new(runner: Runner<'a>, opened: &'a Opened, signature: String) -> Self {
        Self { runner, opened, signature, runs: 0, points: 0 }
    }

    /// The run of this schedule, if it shows the finding.
    fn shows(&mut self, decisions: &[Decision]) -> Option<Shown> {
        if self.is_spent() {
            return None;
        }
        let outcome = self.runner.replay(self.opened, decisions);
        self.runs += 1;
        self.points += outcome.points;
        let Outcome { failure, decisions, points, .. } = outcome;
        failure.filter(|failure| failure.signature == self.signature)?;
        Some(Shown { decisions, points })
    }

    fn is_spent(&self) -> bool {
        self.runs >= MOST_RUNS || self.points >= MOST_POINTS
    }

    /// The smallest schedule found. `found` shows the finding, in a run of so many points.
    pub fn minimize(&mut self, found: Vec<Decision>, points: u64) -> Vec<Decision> {
        let mut best = Shown { decisions: found, points };
        loop {
            let before = best.size();
            self.remove(&mut best);
            self.move_each(&mut best);
            if best.size() == before || self.is_spent() {
                return best.decisions;
            }
        }
    }

    /// Takes decisions out: many at once while that is possible, then one by one.
    fn remove(&mut self, best: &mut Shown) {
        let mut size = best.decisions.len();
        while size > 0 {
            let mut at = 0;
            while at < best.decisions.len() {
                let end = (at + size).min(best.decisions.len());
                let mut fewer = best.decisions.clone();
                fewer.drain(at..end);
                match self.shows(&fewer) {
                    Some(shown) if shown.decisions.len() < best.decisions.len() => *best = shown,
                    _ => at += size,
                }
            }
            size /= 2;
        }
    }

    /// Moves each decision to other places of its task.
    fn move_each(&mut self, best: &mut Shown) {
        for at in 0..best.decisions.len() {
            for by in MOVES {
                let Some(decision) = best.decisions.get(at) else { return };
                let Some(place) = moved(decision.at, by) else { continue };
                let mut other = best.decisions.clone();
                other[at].at = place;
                if let Some(shown) = self.shows(&other)
                    && shown.size() < best.size()
                {
                    *best = shown;
                }
            }
        }
    }
}

fn moved(place: Place, by: i64) -> Option<Place> {
    let nth = |nth: u32| u32::try_from(i64::from(nth) + by).ok().filter(|&nth| nth > 0);
    match place {
        Place::Point(at) => nth(at).map(Place::Point),
        Place::Wait(at) => nth(at).map(Place::Wait),
        Place::End => None,
    }
}
