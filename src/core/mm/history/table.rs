//! How a page table that several mappings share knows how many they are.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What says whether the last user of a shared table gives it up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableSharing {
    /// The reference count of the table's page. Racy: `pt-share-count`. The whole is in its
    /// [`Race::doc`].
    Refcount,
    /// A count of its own, which no walker touches (59d9094df3d7).
    ShareCount,
}

impl Mechanism for TableSharing {
    const NAME: &'static str = "table_sharing";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (
            Self::Refcount,
            "refcount",
            true,
            "the page's reference count says how many share the table",
        ),
        (
            Self::ShareCount,
            "share_count",
            false,
            "a count of its own says how many share the table",
        ),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "pt-share-count",
    switch: TableSharing::NAME,
    variant: "refcount",
    introduced: "39dde65c9940",
    fixed: "59d9094df3d7",
    versions: "2.6.20 to 6.12",
    cve: "CVE-2024-57883",
    sequential: false,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
Whether others share a page table is read from the reference count of its page,
on which walkers take references too.

CPU1 (walker)                            CPU2
1 takes a reference on the table: 1->2
                                         2 unmaps the last use: the count is 2, so others
                                           share it; puts 2->1
3 puts 1->0: frees a table that was never
  taken apart

Symptom: A page is freed that is still a table (\"nonzero mapcount\"), and what
  it maps is lost. The model sees the first; the loss would come after it.
Oracle: The check of a page that is freed (`bad-page`).
Introduced: 39dde65c9940 (2.6.20)
Fix: 59d9094df3d7 (6.13; 6.12.9, 6.6.72, 6.1.142), which counts the sharers
  apart from the references; ca1a47cd3f5f (6.19) follows up.
";
