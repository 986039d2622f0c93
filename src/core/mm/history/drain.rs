//! How a drain of another CPU's list of free pages looks at that list.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What draining does before it has the list's lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PcpDrain {
    /// It looks at the count and passes an empty list by. Racy: `pcp-count-race`. The whole is in
    /// its [`Race::doc`].
    UnlockedPeek,
    /// It looks under the lock only (66eca1021a42).
    Locked,
}

impl Mechanism for PcpDrain {
    const NAME: &'static str = "pcp_drain";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (
            Self::UnlockedPeek,
            "unlocked_peek",
            true,
            "looks at the count without the lock, and passes a list by that seems empty",
        ),
        (Self::Locked, "locked", false, "looks at a list only under its lock"),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "pcp-count-race",
    switch: PcpDrain::NAME,
    variant: "unlocked_peek",
    introduced: "4b23a68f9536",
    fixed: "66eca1021a42",
    versions: "6.0 to 6.10",
    cve: "-",
    sequential: false,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
Draining the list of another CPU looks at its count without its lock, and
passes it by if it seems empty.

CPU1 (allocation)                        CPU2 (drain)
1 moves a batch from the buddy lists to
  its list
                                         2 reads that list's count: 0, so done
3 raises the count
4 takes one page, and leaves the others

Freeing to a list has the same window: it links the block, then counts it.

Symptom: A drain leaves pages on a list that were there when it began. Who
  takes memory offline, and has switched the lists off and drained them, waits
  for them forever.
Oracle: The post-condition of a drain (`not-drained`): what it passed by is
  there when the allocation ends. Where that gave it back and left another page
  in its place, offlining waits for that one (`deadlock`). Where a list is its
  own CPU's, with interrupts off (`pcp=v5_9`), nobody is in between, and the
  variant does what the other one does.
Introduced: 4b23a68f9536 (6.0)
Fix: 66eca1021a42 (6.11, 6.10.y): the count is read under the lock of the list.
";
