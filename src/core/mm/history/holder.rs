//! Who frees a block that two users hold.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What the second of two holders of a block that is not compound does with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MultiHolder {
    /// It calls `free_pages`, as the owner does. Racy, also alone: `multi-holder-free`. The whole
    /// is in its [`Race::doc`].
    BothFree,
    /// It puts its reference; only the owner calls `free_pages`.
    OneFrees,
}

impl Mechanism for MultiHolder {
    const NAME: &'static str = "multi_holder";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (Self::BothFree, "both_free", true, "two holders of one block both call free_pages"),
        (
            Self::OneFrees,
            "one_frees",
            false,
            "only the owner calls free_pages; the other one puts its reference",
        ),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "multi-holder-free",
    switch: MultiHolder::NAME,
    variant: "both_free",
    introduced: "e320d3012d25",
    fixed: "-",
    versions: "5.10 to 7.1",
    cve: "-",
    sequential: true,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
The second of two holders of a block that is not compound calls `free_pages`,
as its owner does. The block is of order 2, and each has a reference on P0.

CPU1 (second user)                       CPU2 (owner)
1 free_pages(P0, 2): puts 2->1, frees
  P2..P3 and P1
                                         2 free_pages(P0, 2): puts 1->0, frees
                                           P0..P3

Symptom: All pages of the block but the first are freed twice.
Oracle: Ownership: a page is freed that its owner has given up (`double-free`).
  It takes no schedule. Where P1 has a new owner by then, its count is refused
  (`bad-page`), or it has two owners or is on two lists (`overlap`).
Fix: None: a consequence of e320d3012d25 (5.10), and a question of contract. Up
  to 5.9 (`free_pages=v5_9`) two holders may both call `free_pages`; since then
  only the owner may.
";
