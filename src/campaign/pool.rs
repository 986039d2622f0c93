//! Cases worth another look: those that showed something seldom seen.
//!
//! A case is kept if one of its meetings (see [`crate::exec::coverage`]) has been seen fewer than
//! [`RARE`] times. The pool is small and the oldest go first, so what is seldom seen *now* is what is
//! edited. Every case derived from a kept one has the same *root*, the fresh case that its line began
//! with; a line that came to a finding is dropped whole, so findings of one campaign are independent.
//!
//! What it is not: a corpus. It lives and dies with a job, and knows no profile, switch or entry.

use crate::exec::Run;
use crate::exec::coverage::{MEETINGS, contended};
use crate::program::rng::Rng;
use crate::program::{Case, Key};
use crate::subject::Spec;

/// How often a meeting is rare.
const RARE: u32 = 6;
/// How many cases are kept.
const KEPT: usize = 64;

/// A kept case.
#[derive(Debug)]
pub(super) struct Kept {
    /// The fresh case that its line began with.
    pub root: Option<u64>,
    /// The case.
    pub case: Case,
    /// Its points at objects that two CPUs touched.
    pub contended: Vec<Key>,
}

/// The kept cases of one job.
#[derive(Debug)]
pub(super) struct Pool {
    seen: Vec<u32>,
    kept: Vec<Kept>,
    /// Which of `kept` the next case replaces once the pool is full.
    oldest: usize,
}

impl Pool {
    pub(super) fn new(spec: &Spec) -> Self {
        let nothing = |_| Kept { root: None, case: Case::empty(spec), contended: Vec::new() };
        Self { seen: vec![0; MEETINGS], kept: (0..KEPT).map(nothing).collect(), oldest: 0 }
    }

    /// Counts the meetings of a case and keeps it if one of them is rare.
    pub(super) fn consider(&mut self, root: u64, case: &Case, run: &Run, meetings: &[u16]) {
        let mut rare = false;
        for &meeting in meetings {
            let seen = &mut self.seen[usize::from(meeting)];
            rare |= *seen < RARE;
            *seen = seen.saturating_add(1);
        }
        if rare {
            let place = &mut self.kept[self.oldest];
            place.root = Some(root);
            place.case.clone_from(case);
            contended(run, &mut place.contended);
            self.oldest = (self.oldest + 1) % KEPT;
        }
    }

    /// A kept case; `None` if the place drawn is empty.
    pub(super) fn draw(&self, rng: &mut Rng) -> Option<&Kept> {
        Some(&self.kept[rng.below(KEPT)]).filter(|kept| kept.root.is_some())
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
    fn what_is_common_is_not_kept_and_a_line_goes_whole() {
        let spec = MmSubject::spec();
        let (mut pool, mut rng) = (Pool::new(spec), Rng::new(1));
        let mut case = Case::empty(spec);
        let mut executor = Executor::<MmSubject>::new();
        let run = executor.run(&case);
        let mut roots = |pool: &Pool| -> Vec<u64> {
            let mut roots: Vec<u64> =
                (0..20 * KEPT).filter_map(|_| pool.draw(&mut rng)?.root).collect();
            roots.sort_unstable();
            roots.dedup();
            roots
        };
        assert!(roots(&pool).is_empty());
        for root in 0..u64::from(RARE) + 5 {
            case.first = (root % 2) as u8;
            pool.consider(root, &case, run, &[7]);
        }
        assert_eq!(roots(&pool), (0..u64::from(RARE)).collect::<Vec<_>>());
        pool.consider(100, &case, run, &[7, 8]);
        pool.drop_line(2);
        assert_eq!(roots(&pool), [0, 1, 3, 4, 5, 100]);
    }
}
