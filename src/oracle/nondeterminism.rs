//! Nondeterminism: one case runs in one way.
//!
//! Verifies: two runs of one case have the same hash. The campaign decides which cases run twice.
//!
//! Cannot verify: what is not in the hash (events, object addresses).
//!
//! Names no frames: two hashes say that something differs, not what. Its planted faults are in a small
//! subject of the tests (`tests/faults/toy.rs`), not in `mm`, whose primitives keep nothing from run to run
//! and have neither addresses nor hashes to go by.
//!
//! Needs: the hashes of two runs; no events.

use super::finding::{Class, Facts, Finding};
use super::scene::at_the_end;

/// The finding, if the hashes of two runs of one case differ.
#[must_use]
pub fn differ(first: u64, second: u64) -> Option<Finding> {
    if first == second {
        return None;
    }
    let facts = Facts { why: "two runs of one case differ", ..Facts::default() };
    at_the_end(Class::Nondeterminism, &["trace"], facts).map(|finding| *finding)
}
