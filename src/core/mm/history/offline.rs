//! How offlining keeps free pages from hiding on per-CPU lists.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What offlining a range does about the lists before and while it waits for the range to be free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offline {
    /// It isolates the range and drains the lists once. Racy: `offline-drain-once`. The whole is in
    /// its [`Race::doc`].
    DrainOnce,
    /// It drains in each turn of its loop (968318261221, 5.9).
    DrainLoop,
    /// It disables the lists first, so that nothing is parked (ec6e8c7e0314, 5.11).
    PcpDisabled,
}

impl Mechanism for Offline {
    const NAME: &'static str = "offline";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (Self::DrainOnce, "drain_once", true, "drains the lists once, after isolating the range"),
        (Self::DrainLoop, "drain_loop", false, "drains the lists again in each turn of its loop"),
        (
            Self::PcpDisabled,
            "pcp_disabled",
            false,
            "switches the lists off before isolating the range",
        ),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "offline-drain-once",
    switch: Offline::NAME,
    variant: "drain_once",
    introduced: "-",
    fixed: "968318261221",
    versions: "to 5.8",
    cve: "-",
    sequential: false,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
Taking memory offline isolates the range and drains the per-CPU lists once. A
free that has read the type of its block before parks its page after.

CPU1 (free)                              CPU2 (offline)
1 reads the type of the block: movable
                                         2 isolates the block
                                         3 drains all lists
4 parks the page on its list
                                         5 waits for the page to be on the free lists

The page is free and counted nowhere that offlining looks, and nobody is left
who would move it.

Symptom: Taking memory offline never ends.
Oracle: Progress: all CPUs wait, nobody is left to wake them (`deadlock`). It
  takes pages on per-CPU lists.
Fix: 968318261221 (5.9; 5.4.67) drains again in each turn; ec6e8c7e0314 (5.11)
  switches the lists off before isolating.
";
