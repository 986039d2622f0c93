//! Cases worth another look: those that showed something seldom seen.
//!
//! A case is kept if one of its meetings (see [`crate::exec::coverage`]) has been seen fewer than
//! [`RARE`] times. The pool is small and the oldest go first, so what is seldom seen *now* is what is
//! edited. Every case derived from a kept one has the same *root*, the fresh case that its line began
//! with; a line that came to a finding is dropped whole, so findings of one campaign are independent.
//!
//! What it is not: a corpus. It lives and dies with a job, and knows no profile, switch or entry.

use crate::exec::coverage::MEETINGS;
use crate::program::Case;
use crate::program::rng::Rng;
use crate::subject::Spec;

/// How often a meeting is rare.
const RARE: u32 = 6;
/// How many cases are kept.
const KEPT: usize = 192;

/// The kept cases of one job.
#[derive(Debug)]
pub(super) struct Pool {
    seen: Vec<u32>,
    kept: Vec<(u64, Case)>,
    /// Which of `kept` the next case replaces once the pool is full.
    oldest: usize,
}

impl Pool {
    pub(super) fn new(spec: &Spec) -> Self {
        let nothing = || (u64::MAX, Case::empty(spec));
        Self { seen: vec![0; MEETINGS], kept: (0..KEPT).map(|_| nothing()).collect(), oldest: 0 }
    }

    /// Counts the meetings of a case and keeps it if one of them is rare.
    pub(super) fn consider(&mut self, root: u64, case: &Case, meetings: &[u16]) {
        let mut rare = false;
        for &meeting in meetings {
            let seen = &mut self.seen[usize::from(meeting)];
            rare |= *seen < RARE;
            *seen = seen.saturating_add(1);
        }
        if rare {
            let place = &mut self.kept[self.oldest];
            place.0 = root;
            place.1.clone_from(case);
            self.oldest = (self.oldest + 1) % KEPT;
        }
    }

    /// Copies a kept case into `case` and says its root; `None` if the place drawn is empty.
    pub(super) fn draw(&self, rng: &mut Rng, case: &mut Case) -> Option<u64> {
        let (root, kept) = &self.kept[rng.below(KEPT)];
        if *root == u64::MAX {
            return None;
        }
        case.clone_from(kept);
        Some(*root)
    }

    /// Forgets a line.
    pub(super) fn drop_line(&mut self, root: u64) {
        for place in &mut self.kept {
            if place.0 == root {
                place.0 = u64::MAX;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Subject;
    use crate::subject::mm::MmSubject;

    #[test]
    fn what_is_common_is_not_kept_and_a_line_goes_whole() {
        let spec = MmSubject::spec();
        let (mut pool, mut rng) = (Pool::new(spec), Rng::new(1));
        let (mut case, mut drawn) = (Case::empty(spec), Case::empty(spec));
        let mut roots = |pool: &Pool| -> Vec<u64> {
            let mut roots: Vec<u64> =
                (0..20 * KEPT).filter_map(|_| pool.draw(&mut rng, &mut drawn)).collect();
            roots.sort_unstable();
            roots.dedup();
            roots
        };
        assert!(roots(&pool).is_empty());
        for root in 0..u64::from(RARE) + 5 {
            case.first = (root % 2) as u8;
            pool.consider(root, &case, &[7]);
        }
        assert_eq!(roots(&pool), (0..u64::from(RARE)).collect::<Vec<_>>());
        pool.consider(100, &case, &[7, 8]);
        pool.drop_line(2);
        assert_eq!(roots(&pool), [0, 1, 3, 4, 5, 100]);
    }
}
