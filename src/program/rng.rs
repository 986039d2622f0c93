//! The random numbers of generation and mutation: SplitMix64 (Steele, Lea, Flood 2014).
//!
//! Written out because its sequence is part of what a seed means: it must not change with a
//! dependency. What it is not: cryptographic, or seeded from anything but its argument.

/// A generator of random numbers.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The sequence of the `index`-th member of a family that has one seed.
    #[must_use]
    pub const fn nth(seed: u64, index: u64) -> Self {
        // Mixed twice: neighbours in seed or index must not give overlapping sequences.
        let mut of_seed = Self(seed);
        let mut of_index = Self(of_seed.bits() ^ index);
        Self(of_index.bits())
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not zero. The bias is below 2^-32 times `n`.
    pub const fn below(&mut self, n: usize) -> usize {
        (((self.bits() >> 32) * n as u64) >> 32) as usize
    }

    /// True with probability `n` in 256.
    pub const fn chance(&mut self, n: u16) -> bool {
        (self.bits() >> 56) < n as u64
    }

    /// One of `from`, which is not empty.
    pub const fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// How often in a row [`Rng::chance`] of `n` holds, at most `limit` times.
    pub const fn run(&mut self, n: u16, limit: usize) -> usize {
        let mut length = 0;
        while length < limit && self.chance(n) {
            length += 1;
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_sequence_of_a_seed_is_fixed() {
        // The first numbers of the published reference implementation for this seed.
        let mut rng = Rng::new(1_234_567);
        let first: [u64; 3] = core::array::from_fn(|_| rng.bits());
        let known =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(first, known);
    }

    #[test]
    fn draws_stay_below_their_limit_and_reach_all_of_it() {
        let mut rng = Rng::new(7);
        let mut seen = [0u32; 5];
        for _ in 0..1000 {
            seen[rng.below(5)] += 1;
        }
        assert!(seen.iter().all(|&n| n > 150), "{seen:?}");
        assert!((0..1000).all(|_| rng.chance(256)), "256 in 256 is certain");
        assert!((0..1000).all(|_| !rng.chance(0)), "0 in 256 is impossible");
    }

    #[test]
    fn members_of_a_family_differ() {
        assert_ne!(Rng::nth(1, 0).bits(), Rng::nth(1, 1).bits());
        assert_ne!(Rng::nth(1, 0).bits(), Rng::nth(2, 0).bits());
    }
}
