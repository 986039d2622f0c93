//! How a caller that was handed memory takes references on its pages.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What a user of memory that somebody else allocated does to keep a page of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TailGet {
    /// It takes a plain reference, also on a page that is not the first of a block that is not compound. Racy, also
    /// alone: `nc-tail-get`.
    ///
    /// ```text
    /// CPU1 (network, KVM)                      CPU2
    ///                                          1 allocates order 2, not compound: P0..P3
    /// 2 get_page(P2): 0->1
    /// 3 put_page(P2): 1->0, frees P2
    ///                                          4 still uses P2, later frees P0..P3
    /// ```
    /// Symptom: a page in the middle of a live block is free. Seen by the ledger (`refcount`, a get from zero). Real
    /// callers: sound mmap (before 2.6.15), sendpage (before c381b07941ad, 5.10), KVM (before f8be156be163, 5.13,
    /// CVE-2021-22543).
    Plain,
    /// It takes a reference only if the count is not zero, and copies what is there otherwise.
    Checked,
}

impl Mechanism for TailGet {
    const NAME: &'static str = "tail_get";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (Self::Plain, "plain", true, "a plain reference on any page of a block, compound or not"),
        (
            Self::Checked,
            "checked",
            false,
            "a reference only if the page is counted; else the content is copied",
        ),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "nc-tail-get",
    switch: TailGet::NAME,
    variant: "plain",
    introduced: "-",
    fixed: "f8be156be163",
    versions: "to 5.12",
    cve: "CVE-2021-22543",
};
