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
    fn damaged_text_is_read_as_bytes() {
        let text = b"pagerace case v1\nsubject mm\n";
        assert_eq!(Input::<Toy>::from_bytes(text).case, wire::decode(&SPEC, text));
    }
}
