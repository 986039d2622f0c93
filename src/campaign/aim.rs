//! Schedules that are aimed at a meeting: of two accesses of a run, the later is made right before the
//! earlier.
//!
//! The run says what could meet: two accesses of two CPUs to one object, one of them changing it. It goes again up to the
//! earlier, gives way there to the other CPU until that has made its own, and then mostly comes back.
//! Which two is a matter of how often the pair of their places in the code was aimed at before: of some
//! drawn by chance the least. So no pair is worn out while others wait (the idea of reads-from obligations:
//! Wolff et al., ASPLOS 2024, where these are drawn anew for every schedule).
//!
//! What it is not: a promise. What the other CPU does before its access may differ in the new run, or wait
//! for the one that gave way.

use super::pool::Kept;
use crate::exec::contended::Contended;
use crate::program::rng::Rng;
use crate::program::{Action, Case, Decision};

/// How many pairs of places are told apart.
const PAIRS: usize = 1 << 16;
/// Of how many pairs the least aimed at is taken.
const DRAWN: usize = 8;
/// In 256: only accesses behind what is seldom seen of the case, so that it is seen again.
const BEHIND: u16 = 128;
/// In 256: the first CPU goes on as soon as the other has made its access.
const BACK_AT_ONCE: u16 = 128;
/// In 256 of the others: it goes on at a later contended access of the other; else when that ends or
/// waits.
const BACK_LATER: u16 = 64;

/// How often each pair of places was aimed at.
#[derive(Debug)]
pub(super) struct Aims(Vec<u32>);

impl Aims {
    pub(super) fn new() -> Self {
        Self(vec![0; PAIRS])
    }

    /// Gives `case`, which is the kept one, a schedule aimed at one of its meetings. Returns whether
    /// there was one to aim at.
    pub(super) fn aim(&mut self, rng: &mut Rng, kept: &Kept, case: &mut Case) -> bool {
        let all = &kept.contended;
        let from = if rng.chance(BEHIND) && kept.behind < all.len() { kept.behind } else { 0 };
        let Some((first, second)) = self.least(rng, all, from) else { return false };
        let (gives_way, meets) = (&all[first], &all[second]);
        case.decisions.clear();
        let before = kept.decided.iter().filter(|(_, line)| *line < gives_way.line);
        case.decisions.extend(before.map(|(decision, _)| *decision));
        let to = Action::Run(meets.cpu);
        case.decisions.push(Decision { at: gives_way.at, action: to });
        let back = if rng.chance(BACK_AT_ONCE) {
            meets.next
        } else if rng.chance(BACK_LATER) {
            let mut later = all[second + 1..].iter().filter(|other| other.cpu == meets.cpu);
            let n = later.clone().count();
            later.nth(rng.below(n.max(1))).map(|other| other.at)
        } else {
            None
        };
        if let Some(at) = back {
            case.decisions.push(Decision { at, action: Action::Run(gives_way.cpu) });
        }
        case.normalize();
        true
    }

    /// Of some pairs from `from` on the one that was aimed at least, which is one more time now.
    fn least(&mut self, rng: &mut Rng, all: &[Contended], from: usize) -> Option<(usize, usize)> {
        let mut best: Option<(usize, usize, usize)> = None;
        for _ in 0..DRAWN {
            let first = from + rng.below((all.len() - from).max(1));
            let Some(earlier) = all.get(first) else { break };
            let later = || (first + 1..all.len()).filter(|&at| earlier.conflicts(&all[at]));
            let n = later().count();
            let Some(second) = later().nth(rng.below(n.max(1))) else { continue };
            let pair = u64::from(all[second].site) << 32 | u64::from(earlier.site);
            let pair = (pair.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as usize;
            if best.is_none_or(|(least, ..)| self.0[pair] < self.0[least]) {
                best = Some((pair, first, second));
            }
        }
        let (pair, first, second) = best?;
        self.0[pair] = self.0[pair].saturating_add(1);
        Some((first, second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::pool::Pool;
    use crate::exec::contended::Contention;
    use crate::exec::{Executor, Run};
    use crate::program::text::parse;
    use crate::subject::Subject;
    use crate::subject::mm::MmSubject;
    use std::collections::BTreeMap;

    /// The program of an entry without its schedule, run and kept.
    fn kept(run: impl FnOnce(&Case) -> Kept) -> Kept {
        let spec = MmSubject::spec();
        let entry = include_bytes!("../../corpus/seed_race/nc-free-leak.case");
        let mut case = parse(spec, entry).expect("it is a case").case;
        case.set_profile(spec.profiles.last().expect("there is one"));
        case.decisions.clear();
        run(&case)
    }

    /// Whether in this run the two accesses, which are those of `all`, follow each other at their object.
    fn meet(case: &Case, run: &Run, first: &Contended, second: &Contended) -> bool {
        let mut list = Vec::new();
        Contention::default().list(case, run, &mut list);
        let same = |a: &Contended, b: &Contended| (a.cpu, a.at) == (b.cpu, b.at);
        let at_object = list.iter().filter(|one| one.object == first.object);
        let others = at_object.clone().skip(1);
        at_object.zip(others).any(|(before, after)| same(before, second) && same(after, first))
    }

    #[test]
    fn most_aims_hit_and_no_pair_is_aimed_at_much_more_than_another() {
        let mut executor = Executor::<MmSubject>::new();
        let kept = kept(|case| {
            let mut pool = Pool::new(MmSubject::spec(), 1);
            pool.consider(1, case, executor.run(case), &[7], &[0]);
            loop {
                if let Some(kept) = pool.draw() {
                    break kept.clone();
                }
            }
        });
        let (mut aims, mut rng) = (Aims::new(), Rng::new(1));
        let mut case = kept.case.clone();
        let (mut hits, mut counts) = (0, BTreeMap::new());
        let mut left = 1_000;
        while left > 0 {
            case.clone_from(&kept.case);
            let before = aims.0.clone();
            if !aims.aim(&mut rng, &kept, &mut case) {
                assert_eq!(aims.0, before, "nothing is counted that was not aimed at");
                continue;
            }
            left -= 1;
            let pair = (0..PAIRS).find(|&at| aims.0[at] != before[at]).expect("one is counted");
            *counts.entry(pair).or_insert(0) += 1;
            let run = executor.run(&case);
            assert!(run.executed.len() <= kept.decided.len() + 2);
            let all = &kept.contended;
            let mut pairs = (0..all.len()).flat_map(|a| (a + 1..all.len()).map(move |b| (a, b)));
            hits += u32::from(pairs.any(|(a, b)| meet(&case, run, &all[a], &all[b])));
        }
        assert!(
            hits > 800,
            "{hits} of 1000 brought about a meeting of two that were the other way round"
        );
        // Drawn by chance alone some pairs would get several times as many as others.
        let most = counts.values().max().expect("there are pairs");
        assert!(counts.len() > 4 && counts.values().all(|n| 3 * n > 2 * most), "{counts:?}");
    }
}
