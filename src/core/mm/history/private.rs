//! Whether private data of a cached page holds a reference.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What a filesystem does when it sets and clears the private bit of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PrivateRef {
    /// No reference is taken for the data. Racy: `private-no-ref`. The whole is in its
    /// [`Race::doc`].
    Uncounted,
    /// The data holds a reference from the setting of the bit to its clearing (3b67db8a6ca8).
    Counted,
}

impl Mechanism for PrivateRef {
    const NAME: &'static str = "private_ref";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (
            Self::Uncounted,
            "uncounted",
            true,
            "private data holds no reference, though migration counts on one",
        ),
        (Self::Counted, "counted", false, "private data holds a reference of its own"),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "private-no-ref",
    switch: PrivateRef::NAME,
    variant: "uncounted",
    introduced: "1e51764a3c2a",
    fixed: "3b67db8a6ca8",
    versions: "2.6.27 to 5.17",
    cve: "CVE-2021-47635",
    sequential: false,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
A filesystem attaches private data to a cached page without a reference for it,
though migration counts on one.

CPU1 (walker)                            CPU2
1 takes a reference on P0: 2->3
                                         2 migrates P0: expects 3, its own, the cache's and
                                           that of the data; freezes 3->0
3 puts P0, which nobody has any more

Symptom: Migration moves a page that somebody else still uses.
Oracle: The ledger of references: a freeze of references that are not those it
  names (`refcount`). A reference that is held all the time does as well: `add`,
  `lookup`, `set_private` and `migrate`, one after the other on one CPU, show
  the same, and take no schedule.
Introduced: 1e51764a3c2a (2.6.27, with ubifs)
Fix: 3b67db8a6ca8 (5.18): the data holds a reference from the setting of the
  bit to its clearing.
";
