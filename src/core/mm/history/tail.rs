//! How a caller that was handed memory takes references on its pages.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What a user of memory that somebody else allocated does to keep a page of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TailGet {
    /// It takes a plain reference, also on a page that is not the first of a block that is not
    /// compound. Racy, also alone: `nc-tail-get`. The whole is in its [`Race::doc`].
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
    sequential: true,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
A user of memory that somebody else allocated takes a plain reference on a page
of it, also on one that is not the first of a block that is not compound.

CPU1 (network, KVM)                      CPU2 (owner of P0..P3)
1 get_page(P2): 0->1
2 put_page(P2): 1->0, frees P2
                                         3 free_pages(P0, 2): frees P0..P3

Symptom: A page in the middle of a live block is free; freeing the block frees
  it a second time.
Oracle: The ledger of references: a reference is taken on a count of zero
  (`refcount`). It takes no schedule.
Fix: The count is looked at first, and what is not counted is copied or
  refused. Callers that had to learn it: sound mmap (2.6.15, compound pages),
  sendpage (c381b07941ad, 5.10), KVM (f8be156be163, 5.13, CVE-2021-22543).
";
