//! When freeing reads the allocation tag of a block.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// When `__free_pages` reads the tag by which the tails of a block are accounted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TagSample {
    /// After its put, when it knows that it needs it. Racy: `read-after-failed-put`. The whole is
    /// in its [`Race::doc`].
    After,
    /// Before its put, while its own reference keeps the block.
    Before,
}

impl Mechanism for TagSample {
    const NAME: &'static str = "tag_sample";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (Self::After, "after", true, "reads the tag after its put"),
        (Self::Before, "before", false, "reads the tag before its put"),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "read-after-failed-put",
    switch: TagSample::NAME,
    variant: "after",
    introduced: "51ff4d7486f0",
    fixed: "-",
    versions: "2025, between 6.12 and 7.1",
    cve: "-",
    sequential: false,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
Freeing reads the tag by which the tails of a block are accounted after its
put, when it knows that it needs it.

CPU1 (walker)                            CPU2
                                         1 allocates order 1, not compound: P0, P1
2 takes a reference on P0: 1->2
                                         3 free_pages(P0, 1): puts 2->1
4 puts 1->0: frees P0, which clears its tag
                                         5 reads the tag of P0: none; frees P1 without
                                           accounting for it

Symptom: The accounting of a call site is off for good.
Oracle: The sums at rest (`accounting`).
Introduced: 51ff4d7486f0 (2025)
Fix: \"mm/codetag: move tag retrieval back upfront in __free_pages()\"
  (2025, its id is not established): the tag is read before the put. A memory
  cgroup of 2021 is an ancestor.
";
