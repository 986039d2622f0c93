//! A case as a fuzzing engine hands it over and shows it.
//!
//! What it is not: a second codec. Bytes that begin with the header of the text form are read as
//! text, so that entries serve as seeds; all others, and damaged text, are read by [`wire`].

use super::case::Case;
use super::text::{self, Text};
use super::wire;
use crate::subject::Subject;
use arbitrary::{Arbitrary, Unstructured};
use core::fmt;
use core::marker::PhantomData;

/// A case for the subject `S`. Its `Debug` is the text form, so that engines print a readable case
/// for every crash.
pub struct Input<S> {
    /// The case. From bytes, its history is the default profile's.
    pub case: Case,
    subject: PhantomData<fn() -> S>,
}

impl<S: Subject> Input<S> {
    /// What these bytes mean; every byte string means something.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let text = text::is_text(bytes).then(|| text::parse(S::spec(), bytes).ok()).flatten();
        let case = text.map_or_else(|| wire::decode(S::spec(), bytes), |document| document.case);
        Self { case, subject: PhantomData }
    }
}

impl<'a, S: Subject> Arbitrary<'a> for Input<S> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::from_bytes(bytes.bytes(bytes.len())?))
    }

    fn arbitrary_take_rest(bytes: Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::from_bytes(bytes.take_rest()))
    }
}

impl<S: Subject> fmt::Debug for Input<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Text { spec: S::spec(), case: &self.case }, f)
    }
}

/// How many bytes of a [`WithHistory`] are about history. There is room for more switches; a subject with
/// more than this is refused, as they would never be varied.
pub const HISTORY: usize = 16;

/// A case that brings its history with it: byte k of the first [`HISTORY`] chooses the variant of switch
/// k, modulo their number; the rest is the case. Text states its history, and has no such bytes.
pub struct WithHistory<S>(Input<S>);

impl<S: Subject> WithHistory<S> {
    /// What these bytes mean; every byte string means something.
    ///
    /// # Panics
    /// If the subject has more than [`HISTORY`] switches.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let switches = S::spec().switches;
        assert!(switches.len() <= HISTORY, "{} switches, {HISTORY} bytes", switches.len());
        if text::is_text(bytes) && text::parse(S::spec(), bytes).is_ok() {
            return Self(Input::from_bytes(bytes));
        }
        let (history, rest) = bytes.split_at(bytes.len().min(HISTORY));
        let case = wire::decode(S::spec(), rest);
        let mut input = Self(Input { case, subject: PhantomData });
        for (at, switch) in switches.iter().enumerate() {
            let byte = history.get(at).copied().unwrap_or(0);
            input.0.case.history[at] = byte % switch.variants.len() as u8;
        }
        input
    }

    /// The case.
    #[must_use]
    pub const fn input(&self) -> &Input<S> {
        &self.0
    }
}

impl<'a, S: Subject> Arbitrary<'a> for WithHistory<S> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::from_bytes(bytes.bytes(bytes.len())?))
    }

    fn arbitrary_take_rest(bytes: Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::from_bytes(bytes.take_rest()))
    }
}

impl<S: Subject> fmt::Debug for WithHistory<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::rng::Rng;
    use crate::program::toy::{SPEC, Toy, any_case};

    #[test]
    fn bytes_and_text_of_a_case_are_the_same_input() {
        let mut rng = Rng::new(1);
        for _ in 0..500 {
            let case = any_case(&mut rng);
            let bytes = wire::encode(&SPEC, &case);
            let text = Text { spec: &SPEC, case: &case }.to_string();
            let mut unstructured = Unstructured::new(&bytes);
            assert_eq!(Input::<Toy>::arbitrary(&mut unstructured).unwrap().case, case);
            let from_text = Input::<Toy>::arbitrary_take_rest(Unstructured::new(text.as_bytes()));
            let from_text = from_text.unwrap();
            assert_eq!(from_text.case, case);
            assert_eq!(format!("{from_text:?}"), text);
        }
    }

    #[test]
    fn a_leading_record_chooses_the_variant_of_each_switch() {
        let mut rng = Rng::new(2);
        for _ in 0..500 {
            let case = any_case(&mut rng);
            let record: [u8; HISTORY] = core::array::from_fn(|_| rng.below(256) as u8);
            let bytes = [&record[..], &wire::encode(&SPEC, &case)].concat();
            let input = WithHistory::<Toy>::arbitrary_take_rest(Unstructured::new(&bytes)).unwrap();
            let got = &input.input().case;
            assert_eq!((&got.ops, &got.decisions), (&case.ops, &case.decisions));
            for (at, switch) in SPEC.switches.iter().enumerate() {
                assert_eq!(
                    usize::from(got.history[at]),
                    usize::from(record[at]) % switch.variants.len()
                );
            }
        }
        let empty = WithHistory::<Toy>::from_bytes(&[]);
        assert!(empty.input().case.ops.is_empty());
    }

    #[test]
    fn every_switch_has_a_byte() {
        let spec = crate::subject::mm::MmSubject::spec();
        assert!(spec.switches.len() <= HISTORY, "make HISTORY larger, and say so in the README");
        // Each switch is reached, the last one too.
        for (at, switch) in spec.switches.iter().enumerate() {
            let mut record = [0; HISTORY];
            record[at] = 1;
            let input = WithHistory::<crate::subject::mm::MmSubject>::from_bytes(&record);
            assert_eq!(usize::from(input.input().case.history[at]), 1 % switch.variants.len());
        }
    }

    #[test]
    fn text_brings_the_history_that_it_states() {
        let mut rng = Rng::new(3);
        let case = any_case(&mut rng);
        let text = Text { spec: &SPEC, case: &case }.to_string();
        assert_eq!(WithHistory::<Toy>::from_bytes(text.as_bytes()).input().case, case);
    }

    #[test]
    fn damaged_text_is_read_as_bytes() {
        let text = b"pagerace case v1\nsubject mm\n";
        assert_eq!(Input::<Toy>::from_bytes(text).case, wire::decode(&SPEC, text));
    }
}
