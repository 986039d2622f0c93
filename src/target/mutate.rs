//! The mutations of a fuzz target: edits of operations and decisions in place of edits of bytes.
//!
//! What it is not: directed at a bug; it knows what the operation table says and which accesses met,
//! and nothing of the profile. Invariant: the same sequence of inputs, runs and seeds gives the same
//! results.

use crate::campaign::source::Source;
use crate::exec::Run;
use crate::program::generate::Fixed;
use crate::program::input::{HISTORY, Input};
use crate::program::mutate::{Mutator as Edits, trim};
use crate::program::rng::Rng;
use crate::program::{Case, text, wire};
use crate::subject::Subject;
use core::marker::PhantomData;

/// One in this many is left to the engine, which knows its dictionary and its corpus.
const ENGINES: u32 = 64;
/// In 256 of the others: an edit of what the engine drew from its corpus. The rest is drawn from a
/// source as campaigns have one, which knows what is rare now, where the engine knows what was new.
const CORPUS: u16 = 64;

/// Mutates inputs of one subject. Its buffers are reused.
pub(super) struct Mutator<S> {
    source: Source,
    /// Whether the source has the seed of this process.
    seeded: bool,
    /// Whether inputs begin with a record of their history. An edit keeps it: what a case is worth it is worth
    /// under its history. An input too short to have one gets any.
    recorded: bool,
    case: Case,
    bytes: Vec<u8>,
    subject: PhantomData<fn() -> S>,
}

impl<S: Subject> Mutator<S> {
    /// A mutator of inputs that bring their history, or of such that do not.
    pub(super) fn new(recorded: bool) -> Self {
        Self {
            source: source::<S>(0),
            seeded: false,
            recorded,
            case: Case::empty(S::spec()),
            bytes: Vec::new(),
            subject: PhantomData,
        }
    }

    /// Takes in the run of an input, and says what met in it.
    pub(super) fn consider(&mut self, case: &Case, run: &Run) -> &[u16] {
        self.source.case.clone_from(case);
        self.source.consider(run)
    }

    /// See [`super::Target::mutate`].
    pub(super) fn mutate(
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
        let record = self.recorded.then(|| self.record(&data[..size], &mut rng));
        if rng.chance(CORPUS) {
            self.read(&data[..size]);
            Edits::new(S::spec(), u64::from(seed)).mutate(&mut self.case);
            trim(&mut self.case, &mut rng);
            wire::encode_into(S::spec(), &self.case, &mut self.bytes);
        } else {
            if !self.seeded {
                // The first seed that the engine gives: processes shall differ.
                self.source = source::<S>(u64::from(seed));
                self.seeded = true;
            }
            self.source.next();
            wire::encode_into(S::spec(), &self.source.case, &mut self.bytes);
        }
        if let Some(record) = record {
            self.bytes.splice(..0, record);
        }
        // Cut bytes are a case as well: one with fewer operations.
        let size = self.bytes.len().min(max_size);
        data[..size].copy_from_slice(&self.bytes[..size]);
        size
    }

    /// The record of the history of these bytes.
    fn record(&self, bytes: &[u8], rng: &mut Rng) -> [u8; HISTORY] {
        if text::is_text(bytes) {
            let history = Input::<S>::from_bytes(bytes).case.history;
            return core::array::from_fn(|at| history.get(at).copied().unwrap_or(0));
        }
        let own = bytes.first_chunk().copied();
        own.unwrap_or_else(|| core::array::from_fn(|_| rng.below(256) as u8))
    }

    fn read(&mut self, bytes: &[u8]) {
        if text::is_text(bytes) {
            self.case.clone_from(&Input::<S>::from_bytes(bytes).case);
        } else {
            let bytes = if self.recorded { bytes.get(HISTORY..).unwrap_or(&[]) } else { bytes };
            wire::decode_into(S::spec(), bytes, &mut self.case);
        }
    }
}

fn source<S: Subject>(seed: u64) -> Source {
    Source::new(S::spec(), seed, Fixed::default(), (0, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::mm::{MmSubject, SPEC};
    use std::collections::BTreeSet;

    fn mutated(mutator: &mut Mutator<MmSubject>, bytes: &[u8], max: usize, seed: u32) -> Vec<u8> {
        let mut data = bytes.to_vec();
        data.resize(max.max(bytes.len()), 0xaa);
        let own = |_: &mut [u8], size: usize, max: usize| size.min(max);
        let size = mutator.mutate(&mut data, bytes.len(), max, seed, own);
        data.truncate(size);
        data
    }

    #[test]
    fn the_seeds_decide_and_results_decode_to_what_was_meant() {
        let (mut mutator, mut again) = (Mutator::new(false), Mutator::new(false));
        let mut bytes = Vec::new();
        let mut seen = BTreeSet::new();
        for seed in 1..2_000 {
            let next = mutated(&mut mutator, &bytes, 4096, seed);
            assert_eq!(next, mutated(&mut again, &bytes, 4096, seed));
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
    fn a_record_of_history_is_kept_and_the_rest_edited() {
        let mut mutator = Mutator::new(true);
        let record: [u8; HISTORY] = core::array::from_fn(|at| at as u8 + 100);
        let mut bytes = record.to_vec();
        let mut seen = BTreeSet::new();
        for seed in (1..2_000).filter(|seed: &u32| !seed.is_multiple_of(ENGINES)) {
            bytes = mutated(&mut mutator, &bytes, 4096, seed);
            assert_eq!(bytes[..HISTORY], record);
            let case = wire::decode(&SPEC, &bytes[HISTORY..]);
            assert_eq!(wire::encode(&SPEC, &case), bytes[HISTORY..]);
            seen.insert(bytes.clone());
        }
        assert!(seen.len() > 1_500, "only {} different inputs", seen.len());
    }

    #[test]
    fn inputs_without_a_record_get_different_ones() {
        let record = |seed| mutated(&mut Mutator::new(true), &[], 4096, seed)[..HISTORY].to_vec();
        let records: BTreeSet<_> = (1..ENGINES).map(record).collect();
        assert!(records.len() > 40, "only {} records", records.len());
    }

    #[test]
    fn processes_differ() {
        let inputs = |seed| mutated(&mut Mutator::new(false), &[], 4096, seed);
        let inputs: BTreeSet<_> = (1..ENGINES).map(inputs).collect();
        assert!(inputs.len() > 40, "only {} first inputs", inputs.len());
    }

    #[test]
    fn results_fit_what_the_engine_allows() {
        let mut mutator = Mutator::new(false);
        for seed in 1..200 {
            for max_size in [0, 1, 5, 40] {
                assert!(mutated(&mut mutator, &[7; 64], max_size, seed).len() <= max_size);
            }
        }
    }
}
