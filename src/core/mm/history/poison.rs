//! When a page with broken memory gets the reference that keeps it out of use.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What has to hold for the reference to be taken on a free page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HwpoisonInc {
    /// That the page was seen on the buddy lists, whether it could then be taken off them or not.
    /// Racy: `hwpoison-inc-buddy`. The whole is in its [`Race::doc`].
    Dissolved,
    /// That the page was taken off the buddy lists (8cf360b9d6a8).
    TakenOff,
}

impl Mechanism for HwpoisonInc {
    const NAME: &'static str = "hwpoison_inc";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (Self::Dissolved, "dissolved", true, "the page was seen on the buddy lists"),
        (Self::TakenOff, "taken_off", false, "the page was taken off the buddy lists"),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "hwpoison-inc-buddy",
    switch: HwpoisonInc::NAME,
    variant: "dissolved",
    introduced: "ceaf8fbea79a",
    fixed: "8cf360b9d6a8",
    versions: "6.0 to 6.9",
    cve: "CVE-2024-39298",
    sequential: false,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
A page with broken memory gets the reference that keeps it out of use because
it was seen on the buddy lists, whether it could then be taken off them or not.

CPU1 (allocation)                        CPU2 (poison)
                                         1 sees P1 on the buddy lists
2 takes P1 off them, to its own list
                                         3 cannot take P1 off the buddy lists
                                         4 raises the count of P1: 0->1

Whatever else takes P1 meanwhile and leaves its count at zero does as well:
compaction, a block that has P1 as a tail, another one's poisoning. If P1 is
counted by then, the count that is raised is in balance.

Symptom: A page that is free, on a per-CPU list, has a count.
Oracle: The ledger of references: a reference is taken on a count of zero
  (`refcount`).
Introduced: ceaf8fbea79a (6.0)
Fix: 8cf360b9d6a8 (6.10): the count is raised only if the page was taken off
  the lists.
";
