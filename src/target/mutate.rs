//! The mutations of a fuzz target: edits of operations and decisions in place of edits of bytes.
//!
//! What it is not: directed at a bug; it knows what the operation table says, and nothing of the
//! profile. Invariant: the same bytes and seed give the same result, as engines demand.

use crate::program::generate::{Fixed, Generator};
use crate::program::input::Input;
use crate::program::mutate::{Mutation, Mutator as Edits, trim};
use crate::program::rng::Rng;
use crate::program::{Case, text, wire};
use crate::subject::Subject;
use core::fmt;
use core::marker::PhantomData;

/// One in this many is left to the engine, which knows its dictionary and its corpus.
const ENGINES: u32 = 64;
/// In 256, a new case: the way out of a corpus that leads nowhere.
const NEW: u16 = 64;
/// In 256 of the others, one edit of the schedule alone: what an input is worth keeping for is
/// mostly that its operations met, and the next thing to try with them is another switch.
const SCHEDULES: u16 = 128;
/// The edits that touch the schedule alone, as often as they shall be tried.
const SCHEDULE_EDITS: [Mutation; 6] = [
    Mutation::Decide,
    Mutation::Decide,
    Mutation::Decide,
    Mutation::Shift,
    Mutation::Shift,
    Mutation::Undecide,
];

/// Mutates inputs of one subject. Its buffers are reused.
pub struct Mutator<S> {
    generator: Generator<'static>,
    case: Case,
    bytes: Vec<u8>,
    subject: PhantomData<fn() -> S>,
}

impl<S> fmt::Debug for Mutator<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutator").finish_non_exhaustive()
    }
}

impl<S: Subject> Default for Mutator<S> {
    fn default() -> Self {
        Self {
            generator: Generator::new(S::spec(), 0, Fixed::default()),
            case: Case::empty(S::spec()),
            bytes: Vec::new(),
            subject: PhantomData,
        }
    }
}

impl<S: Subject> Mutator<S> {
    /// Changes the first `size` bytes of `data` as `seed` says; the result, at most `max_size` bytes,
    /// stands there instead, and its size is returned. `engine` is the engine's own way.
    pub fn mutate(
        &mut self,
        data: &mut [u8],
        size: usize,
        max_size: usize,
        seed: u32,
        engine: impl FnOnce(&mut [u8], usize, usize) -> usize,
    ) -> usize {
        if seed.is_multiple_of(ENGINES) {
            return engine(data, size, max_size);
        }
        let mut rng = Rng::new(!u64::from(seed));
        if rng.chance(NEW) {
            self.generator.seek(u64::from(seed));
            self.generator.fill(&mut self.case);
        } else {
            self.read(&data[..size]);
            let mut edits = Edits::new(S::spec(), u64::from(seed));
            if !(rng.chance(SCHEDULES) && edits.apply(rng.pick(&SCHEDULE_EDITS), &mut self.case)) {
                edits.mutate(&mut self.case);
            }
            trim(&mut self.case, &mut rng);
        }
        wire::encode_into(S::spec(), &self.case, &mut self.bytes);
        // Cut bytes are a case as well: one with fewer operations.
        let size = self.bytes.len().min(max_size);
        data[..size].copy_from_slice(&self.bytes[..size]);
        size
    }

    fn read(&mut self, bytes: &[u8]) {
        if text::is_text(bytes) {
            self.case.clone_from(&Input::<S>::from_bytes(bytes).case);
        } else {
            wire::decode_into(S::spec(), bytes, &mut self.case);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::mm::{MmSubject, SPEC};
    use std::collections::BTreeSet;

    fn mutated(bytes: &[u8], max_size: usize, seed: u32) -> Vec<u8> {
        let mut data = bytes.to_vec();
        data.resize(max_size.max(bytes.len()), 0xaa);
        let size = Mutator::<MmSubject>::default().mutate(
            &mut data,
            bytes.len(),
            max_size,
            seed,
            |_, size, max| size.min(max),
        );
        data.truncate(size);
        data
    }

    #[test]
    fn the_seed_decides_and_results_decode_to_what_was_meant() {
        let mut bytes = Vec::new();
        let mut seen = BTreeSet::new();
        for seed in 1..2_000 {
            let next = mutated(&bytes, 4096, seed);
            assert_eq!(next, mutated(&bytes, 4096, seed));
            let case = wire::decode(&SPEC, &next);
            if !seed.is_multiple_of(ENGINES) {
                assert_eq!(wire::encode(&SPEC, &case), next);
            }
            seen.insert(next.clone());
            bytes = next;
        }
        assert!(seen.len() > 1_500, "only {} different inputs", seen.len());
    }

    #[test]
    fn results_fit_what_the_engine_allows() {
        for seed in 1..200 {
            for max_size in [0, 1, 5, 40] {
                assert!(mutated(&[7; 64], max_size, seed).len() <= max_size);
            }
        }
    }
}
