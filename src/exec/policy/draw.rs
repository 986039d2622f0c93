//! Draws that are keyed by place: editing one operation of a case, or one task of a program, leaves those
//! of the others alone.
//!
//! What it is not: a sequence. Two draws at one place with one salt are equal.

use crate::program::rng::Rng;

/// The numbers of one place in a run of this seed. `salt` tells apart what is drawn there.
pub(super) fn at(seed: u64, key: u64, salt: u64) -> Rng {
    Rng::nth(seed ^ salt.rotate_left(48), key)
}

/// One of `among`, by weight; the first if none has any.
pub(super) fn weighted(
    rng: &mut Rng,
    among: impl Iterator<Item = usize> + Clone,
    weight: impl Fn(usize) -> u64,
) -> Option<usize> {
    let total: u64 = among.clone().map(&weight).sum();
    if total == 0 {
        return among.into_iter().next();
    }
    // The bias is below the total in 2^64.
    let mut at = ((u128::from(rng.bits()) * u128::from(total)) >> 64) as u64;
    among.into_iter().find(|&one| {
        let here = at < weight(one);
        at = at.saturating_sub(weight(one));
        here
    })
}
