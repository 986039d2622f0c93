//! How a run of pages becomes one gigantic block.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What stands between the single pages that the contiguous allocator takes and the compound block made of
/// them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GiganticPrep {
    /// The count of each tail is stored to zero, whatever it is. Racy: `gigantic-set-zero`. The
    /// whole is in its [`Race::doc`].
    Store0,
    /// Each tail's count is replaced by zero only if it is one; otherwise the block is taken apart again
    /// (7118fc2906e2, 5.14).
    Freeze1,
    /// The pages come with counts of zero, and only the complete block is counted.
    FrozenAlloc,
}

impl Mechanism for GiganticPrep {
    const NAME: &'static str = "gigantic_prep";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (
            Self::Store0,
            "store0",
            true,
            "the tails' counts are stored to zero, whoever holds a reference",
        ),
        (
            Self::Freeze1,
            "freeze1",
            false,
            "each tail is frozen from one to zero; if one cannot be, all is undone",
        ),
        (
            Self::FrozenAlloc,
            "frozen_alloc",
            false,
            "the pages are never counted before the block is complete",
        ),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "gigantic-set-zero",
    switch: GiganticPrep::NAME,
    variant: "store0",
    introduced: "58a84aa92723",
    fixed: "7118fc2906e2",
    versions: "3.2 to 5.13",
    cve: "-",
    sequential: false,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
When the single pages of a contiguous range become one gigantic block, the
count of each tail is stored to zero, whatever it is.

CPU1 (walker)                            CPU2
                                         1 takes P0 and P1, each counted once
2 takes a reference on P1: 1->2
                                         3 stores 0 over the count of P1
                                         4 links P1 to its head
5 puts P1, which is P0 now

Symptom: A reference is forgotten. Its put takes one that is somebody else's.
Oracle: The ledger of references: a count is stored over that says less than
  what is held (`refcount`).
Introduced: 58a84aa92723 (3.2)
Fix: 7118fc2906e2 (5.14) freezes each tail from one to zero and undoes all if
  one cannot be frozen; 416d85ed3e08 (5.15) simplifies that. Since the
  contiguous allocator hands out pages that are not counted at all, it cannot
  happen.
";
