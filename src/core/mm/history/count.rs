//! How a fragment allocator gives its page many references at once.
//!
//! What it is not: the code.

use super::{Mechanism, Race};

/// What raises the count of a page that was just allocated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetCount {
    /// A store. Racy: `set-count-nonzero`. The whole is in its [`Race::doc`].
    Store,
    /// An addition (35b7a1915aa3).
    Add,
}

impl Mechanism for SetCount {
    const NAME: &'static str = "set_count";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (Self::Store, "store", true, "stores the count"),
        (Self::Add, "add", false, "adds to the count"),
    ];
}

/// What is on record about its race.
pub(super) const RACE: Race = Race {
    name: "set-count-nonzero",
    switch: SetCount::NAME,
    variant: "store",
    introduced: "-",
    fixed: "35b7a1915aa3",
    versions: "to 3.17",
    cve: "-",
    sequential: false,
    doc: DOC,
};

/// What it is, for people.
const DOC: &str = "\
A fragment allocator gives its page many references at once by storing the
count.

CPU1 (walker)                            CPU2
                                         1 allocates P0: counted once
2 takes a reference on P0: 1->2
                                         3 stores the count of P0
4 puts P0: one of the references that were
  stored

Symptom: A page is freed one reference too early.
Oracle: The ledger of references: a count is stored over that says less than
  what is held (`refcount`).
Introduced: not established
Fix: 35b7a1915aa3 (3.18), which adds to the count.
";
