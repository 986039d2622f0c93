//! Cases: what one input means, in memory, as bytes and as text.
//!
//! * [`case`]: the type.
//! * [`wire`]: bytes to cases and back; every byte string is a case.
//! * [`text`]: the canonical text form that is kept in files.
//! * [`input`]: a case as a fuzzing engine hands it over and shows it.
//! * [`edit`]: removing and inserting without changing the meaning of the rest.
//! * [`generate`], [`mutate`]: random cases and random edits, over the operation table only.
//! * [`rng`]: their random numbers.
//!
//! What it is not: it runs nothing and knows no subject; everything it knows of operations stands in
//! a [`crate::subject::Spec`].

pub mod case;
pub mod edit;
pub mod generate;
pub mod input;
pub mod mutate;
pub mod rng;
pub mod text;
#[cfg(test)]
mod toy;
pub mod wire;

pub use case::{Action, Case, Decision, Expect, Key, OpId, OpInstance, Place, PolicyGene, Site};
