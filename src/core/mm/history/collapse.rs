//! What becomes of the new page of a collapse that failed.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What collapsing cached pages into a new one does with a page that is left from the attempt before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collapse {
    /// It is used again at once. Racy: `hpage-revoke-reuse`. The whole is in its [`Race::doc`].
    Reuse,
    /// It is given up if anyone else has a reference (033b5d775511).
    ReleaseIfShared,
}

impl Mechanism for Collapse {
    const NAME: &'static str = "collapse";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (
            Self::Reuse,
            "reuse",
            true,
            "the page of a failed attempt is used again, whoever still looks at it",
        ),
        (
            Self::ReleaseIfShared,
            "release_if_shared",
            false,
            "the page of a failed attempt is used again only if nobody else has a reference",
        ),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "hpage-revoke-reuse",
    switch: Collapse::NAME,
    variant: "reuse",
    introduced: "87c460a0bded",
    fixed: "033b5d775511",
    versions: "4.20 to 5.8",
    cve: "-",
    sequential: false,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
A new page that a failed collapse of cached pages leaves behind is used again
at once, whoever still looks at it.

CPU1 (lookup with lock)                  CPU2
                                         1 collapse of index 0: puts the new page H there
2 finds H, takes a reference, waits for
  its lock
                                         3 finds the old page in use: puts that back, and
                                           unlocks H
                                         4 collapse of index 1: puts H there
5 locks H: cached, at another index

Symptom: A lookup has a page of another index.
Oracle: An assertion of the kernel, which stands in the model too (`bad-page`).
Introduced: 87c460a0bded (4.20)
Fix: 033b5d775511 (5.9; stable from 4.9 on): the page is given up if its count
  says that it is shared.
";
