//! Cases worth another look: those that showed something seldom seen.
//!
//! Each signal (see [`crate::exec::coverage`]) is counted over all cases of a job. A case is worth what
//! its rarest signal is: the fewer cases showed that, and the fewer times the case was edited already,
//! the better. Of two kept cases drawn by chance the better is edited, and the worse is replaced by a new
//! one that is no worse. So what is seldom seen *now* gets most of the attention, and what does not lead
//! anywhere loses it.
//!
//! Every case derived from a kept one has the same *root*, the fresh case that its line began with; a line
//! that came to a finding is dropped whole, so findings of one campaign are independent.
//!
//! What it is not: a corpus. It lives and dies with a job, and knows no profile, switch or entry.

use crate::exec::Run;
use crate::exec::contended::{Contended, Contention};
use crate::exec::coverage::SIGNALS;
use crate::program::rng::Rng;
use crate::program::{Case, Decision, PolicyGene};
use crate::subject::Spec;

/// How many cases are kept.
const KEPT: usize = 256;
/// How many cases that show its rarest signal an edit of a kept case weighs.
const EDIT: u32 = 8;

/// A kept case.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The fresh case that its line began with.
    pub root: Option<u64>,
    /// The case.
    pub case: Case,
    /// Its accesses to what two CPUs touched, and how many of these stand before its rarest signal:
    /// a switch at one of them would make another case of it.
    pub contended: Vec<Contended>,
    pub behind: usize,
    /// Its decisions in the order in which they were taken, each with its line.
    pub decided: Vec<(Decision, usize)>,
    /// Its rarest signal when it was kept.
    rarest: u16,
    edits: u32,
}

/// The kept cases of one job.
#[derive(Debug)]
pub(super) struct Pool {
    seen: Vec<u32>,
    kept: Vec<Kept>,
    contention: Contention,
    rng: Rng,
}

impl Pool {
    pub(super) fn new(spec: &Spec, seed: u64) -> Self {
        let nothing = |_| Kept {
            root: None,
            case: Case::empty(spec),
            contended: Vec::new(),
            behind: 0,
            decided: Vec::new(),
            rarest: 0,
            edits: 0,
        };
        let kept = (0..KEPT).map(nothing).collect();
        Self {
            seen: vec![0; SIGNALS],
            kept,
            contention: Contention::default(),
            rng: Rng::new(seed),
        }
    }

    /// What speaks against editing a kept case; nothing against replacing an empty place.
    fn weariness(&self, at: usize) -> u32 {
        let kept = &self.kept[at];
        match kept.root {
            Some(_) => {
                self.seen[usize::from(kept.rarest)].saturating_add(kept.edits.saturating_mul(EDIT))
            }
            None => u32::MAX,
        }
    }

    /// Two kept cases by chance: the better, then the worse.
    fn two(&mut self) -> (usize, usize) {
        let (a, b) = (self.rng.below(KEPT), self.rng.below(KEPT));
        if self.weariness(a) <= self.weariness(b) { (a, b) } else { (b, a) }
    }

    /// Counts the signals of a case and keeps it if it is no worse than one of two that are kept.
    ///
    /// Its schedule is kept as it was executed, without the decisions that were not reached.
    pub(super) fn consider(
        &mut self,
        root: u64,
        case: &Case,
        run: &Run,
        signals: &[u16],
        lines: &[usize],
    ) {
        for &signal in signals {
            let seen = &mut self.seen[usize::from(signal)];
            *seen = seen.saturating_add(1);
        }
        let all = signals.iter().zip(lines);
        let Some((&rarest, &line)) = all.min_by_key(|(s, _)| self.seen[usize::from(**s)]) else {
            return;
        };
        let (_, worse) = self.two();
        if self.seen[usize::from(rarest)] <= self.weariness(worse) {
            let place = &mut self.kept[worse];
            place.root = Some(root);
            place.case.clone_from(case);
            place.case.policy = PolicyGene::Stay;
            place.case.decisions.clone_from(&run.executed);
            place.case.normalize();
            self.contention.list(case, run, &mut place.contended);
            place.behind = place.contended.partition_point(|access| access.line <= line);
            place.decided.clear();
            place.decided.extend(run.decided());
            (place.rarest, place.edits) = (rarest, 0);
        }
    }

    /// A kept case, to be edited; `None` if the places drawn are empty.
    pub(super) fn draw(&mut self) -> Option<&Kept> {
        let (better, _) = self.two();
        let kept = &mut self.kept[better];
        kept.edits += 1;
        Some(&*kept).filter(|kept| kept.root.is_some())
    }

    /// Forgets a line.
    pub(super) fn drop_line(&mut self, root: u64) {
        for place in &mut self.kept {
            if place.root == Some(root) {
                place.root = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Executor;
    use crate::subject::Subject;
    use crate::subject::mm::MmSubject;

    #[test]
    fn what_is_seldom_seen_is_edited_until_that_leads_nowhere_and_a_line_goes_whole() {
        let spec = MmSubject::spec();
        let mut pool = Pool::new(spec, 1);
        let case = Case::empty(spec);
        let mut executor = Executor::<MmSubject>::new();
        let run = executor.run(&case);
        assert!(pool.draw().is_none());
        // One case in ten shows signal 8 beside 7.
        for root in 0..5_000 {
            let signals: &[u16] = if root % 10 == 0 { &[7, 8] } else { &[7] };
            pool.consider(root, &case, run, signals, &[0, 0]);
        }
        let is_rare = |pool: &mut Pool| {
            let root = pool.draw().expect("all places are taken").root.expect("it is kept");
            root.is_multiple_of(10)
        };
        let rare = (0..1_000).filter(|_| is_rare(&mut pool)).count();
        assert!(rare > 900, "{rare}");
        // One case has the only rare signal: edits weary it until it gets no more than the others.
        for (at, kept) in pool.kept.iter_mut().enumerate() {
            (kept.rarest, kept.edits) = (if at == 0 { 9 } else { 7 }, 0);
        }
        (pool.seen[7], pool.seen[9]) = (1_000, 1);
        for draws in [2_000, 400_000] {
            for _ in 0..draws {
                assert!(pool.draw().is_some());
            }
            let even = draws / KEPT;
            let edits = pool.kept[0].edits as usize;
            let expected = if draws == 2_000 { 3 * even / 2..3 * even } else { even..even * 5 / 4 };
            assert!(expected.contains(&edits), "{edits} of {draws}");
        }
        let root = pool.kept[0].root.expect("it is kept");
        pool.drop_line(root);
        assert!(pool.kept.iter().all(|kept| kept.root != Some(root)));
    }
}
