//! The tables of the subject `mm`: operations, rights, fields, switches, profiles.
//!
//! What it is not: behaviour. Order matters where bytes count (operations and fields: append only);
//! names matter where text is kept.

use crate::subject::{
    ClassSpec, FieldSpec, InjectedSpec, OpSpec, OperandSpec, ProfileSpec, RaceSpec, RightKind,
    RightSet, Spec, SwitchSpec, VariantSpec,
};
use pagerace_core::mm::history::{
    AllocResult, FreePages, History, Mechanism, Misuse, Pcp, RACES as ON_RECORD, Race,
};
use pagerace_core::mm::{Object, limits, outcome};

/// The kinds of right.
pub(super) mod kind {
    use super::RightKind;
    pub const BLOCK: RightKind = 0;
    pub const COMPOUND: RightKind = 1;
    pub const PAGE: RightKind = 2;
    pub const PAIR: RightKind = 3;
    pub const EXACT: RightKind = 4;
    /// Their names, in this order.
    pub const NAMES: &[&str] = &["block", "compound", "page", "pair", "exact"];
}

/// The set-up fields, by position.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Frames,
    PcpBatch,
    Mappings,
    Indices,
}

/// The switches, by position.
#[derive(Clone, Copy)]
pub(super) enum Switch {
    FreePages,
    AllocResult,
    Pcp,
    Misuse,
    #[cfg(feature = "faults")]
    Fault,
}

const ORDER: OperandSpec =
    OperandSpec { name: "order", limit: limits::MAX_ORDER.0 as u32 + 1, field: None };
const PAGES: OperandSpec =
    OperandSpec { name: "pages", limit: limits::MAX_ORDER.frames() as u32, field: None };
const MAPPING: OperandSpec = OperandSpec {
    name: "mapping",
    limit: limits::MAX_MAPPINGS as u32,
    field: Some(Field::Mappings as usize),
};
const INDEX: OperandSpec = OperandSpec {
    name: "index",
    limit: limits::NODE_SLOTS as u32,
    field: Some(Field::Indices as usize),
};
const FRAME: OperandSpec =
    OperandSpec { name: "frame", limit: 256, field: Some(Field::Frames as usize) };

/// One row per operation: its variant, name, operands, kinds taken, kind given, whether useful in the
/// set-up, simpler operations, and what it does.
macro_rules! ops {
    ($($op:ident $name:literal ($($operand:ident),*) [$($takes:ident),*] -> $gives:expr,
       setup $setup:literal, simpler [$($simpler:ident),*], $doc:literal;)*) => {
        /// The operations, in the order of the table.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Op { $($op),* }

        impl Op {
            pub const ALL: &'static [Self] = &[$(Self::$op),*];
        }

        const OPS: &[OpSpec] = &[$(OpSpec {
            name: $name,
            doc: $doc,
            operands: &[$($operand),*],
            takes: RightSet::of(&[$(kind::$takes),*]),
            gives: $gives,
            setup: $setup,
            simpler: &[$(Op::$simpler as usize),*],
        }),*];
    };
}

ops! {
    Alloc "alloc" (ORDER) [] -> Some(kind::BLOCK), setup true, simpler [],
        "Allocates a block of 2^order frames that is not compound.";
    AllocCompound "alloc_compound" (ORDER) [] -> Some(kind::COMPOUND), setup true, simpler [Alloc],
        "Allocates a compound block of 2^order frames.";
    AllocExact "alloc_exact" (PAGES) [] -> Some(kind::EXACT), setup true, simpler [Alloc],
        "Allocates pages + 1 single pages in a row.";
    SplitPage "split_page" () [BLOCK] -> Some(kind::EXACT), setup true, simpler [],
        "Splits a block that is not compound into single pages.";
    FreePages "free_pages" () [BLOCK, COMPOUND, PAIR] -> Some(kind::PAGE), setup false, simpler [],
        "Frees a block by its order; of a pair, the owner's reference, leaving a page.";
    FreeExact "free_exact" () [EXACT] -> None, setup false, simpler [],
        "Frees single pages, one by one.";
    GetPage "get_page" () [BLOCK, COMPOUND, PAGE] -> Some(kind::PAIR), setup true, simpler [],
        "Takes another reference on a single page, a compound block or a cached page.";
    PutPage "put_page" () [BLOCK, COMPOUND, PAGE, PAIR] -> Some(kind::PAGE), setup false,
        simpler [FreePages],
        "Drops a reference on a single page, a compound block or a cached page.";
    Add "add" (MAPPING, INDEX) [] -> None, setup true, simpler [],
        "Allocates a page and puts it into the cache, unless the index has one.";
    Delete "delete" (MAPPING, INDEX) [] -> None, setup false, simpler [Lookup],
        "Deletes a page from the cache.";
    Lookup "lookup" (MAPPING, INDEX) [] -> Some(kind::PAGE), setup true, simpler [],
        "Finds a page in the cache and takes a reference.";
    LookupLock "lookup_lock" (MAPPING, INDEX) [] -> Some(kind::PAGE), setup true, simpler [Lookup],
        "Finds a page in the cache, reads it under its lock, and keeps a reference.";
    Truncate "truncate" (MAPPING) [] -> None, setup false, simpler [Delete],
        "Deletes all pages of a mapping.";
    Reclaim "reclaim" (MAPPING, INDEX) [] -> None, setup false, simpler [Lookup, Delete],
        "Takes a page out of the cache and frees it, if nobody else uses it.";
    Writeback "writeback" (MAPPING, INDEX) [] -> None, setup false, simpler [Lookup, LookupLock],
        "Changes a cached page and writes it out.";
    Scan "scan" (FRAME) [] -> None, setup false, simpler [],
        "Takes a reference on whatever page a frame belongs to, and drops it.";
    DrainLocal "drain_local" () [] -> None, setup true, simpler [],
        "Gives this CPU's list of free pages back to the buddy lists.";
    DrainAll "drain_all" () [] -> None, setup true, simpler [DrainLocal],
        "Gives all CPUs' lists of free pages back to the buddy lists.";
    SynchronizeRcu "synchronize_rcu" () [] -> None, setup false, simpler [],
        "Waits for a grace period and frees the tree nodes that waited for it.";
}

const FIELDS: &[FieldSpec] = &[
    FieldSpec {
        name: "frames",
        doc: "frames of memory",
        values: &[4, 8, 16, 64, 256, 1024, 4096],
        drawn: 2,
    },
    FieldSpec {
        name: "pcp_batch",
        doc: "pages that a per-CPU list exchanges at once; 0: no such lists",
        values: &[0, 1, 2],
        drawn: 3,
    },
    FieldSpec { name: "mappings", doc: "mappings of the page cache", values: &[1, 2], drawn: 1 },
    FieldSpec { name: "indices", doc: "indices of each mapping", values: &[1, 2, 4], drawn: 2 },
];

/// A mechanism's row.
const fn variants<M: Mechanism, const N: usize>() -> [VariantSpec; N] {
    let mut rows = [VariantSpec { name: "", racy: false, doc: "" }; N];
    let mut at = 0;
    while at < N {
        let (_, name, racy, doc) = &M::VARIANTS[at];
        rows[at] = VariantSpec { name, racy: *racy, doc };
        at += 1;
    }
    rows
}

macro_rules! switch {
    ($mechanism:ty) => {
        SwitchSpec {
            name: <$mechanism>::NAME,
            variants: &const { variants::<$mechanism, { <$mechanism>::VARIANTS.len() }>() },
        }
    };
}

/// Variant 0 is no fault, variant n the n-th of [`pagerace_core::mm::Fault::ALL`].
#[cfg(feature = "faults")]
const FAULTS: [VariantSpec; pagerace_core::mm::Fault::ALL.len() + 1] = {
    use pagerace_core::mm::Fault;
    let none = VariantSpec { name: "none", racy: false, doc: "nothing is planted" };
    let mut rows = [none; Fault::ALL.len() + 1];
    let mut at = 0;
    while at < Fault::ALL.len() {
        let (_, name, _, doc) = Fault::ALL[at];
        rows[at + 1] = VariantSpec { name, racy: true, doc };
        at += 1;
    }
    rows
};

const SWITCHES: &[SwitchSpec] = &[
    switch!(FreePages),
    switch!(AllocResult),
    switch!(Pcp),
    switch!(Misuse),
    #[cfg(feature = "faults")]
    SwitchSpec { name: "fault", variants: &FAULTS },
];

const fn profile(history: History) -> [u8; SWITCHES.len()] {
    let mut row = [0; SWITCHES.len()];
    // Positions in the mechanisms' tables, which list the variants in the order of their enums.
    row[Switch::FreePages as usize] = history.free_pages as u8;
    row[Switch::AllocResult as usize] = history.alloc_result as u8;
    row[Switch::Pcp as usize] = history.pcp as u8;
    row[Switch::Misuse as usize] = history.misuse as u8;
    row
}

const PROFILES: &[ProfileSpec] = &[
    ProfileSpec { name: "current", history: &profile(History::CURRENT) },
    ProfileSpec { name: "linux-6.2", history: &profile(History::LINUX_6_2) },
    ProfileSpec { name: "linux-5.10", history: &profile(History::LINUX_5_10) },
    ProfileSpec { name: "linux-5.9", history: &profile(History::LINUX_5_9) },
];

const CLASSES: [ClassSpec; Object::CLASSES.len()] = {
    let mut rows = [ClassSpec { name: "", refcount: false }; Object::CLASSES.len()];
    let mut at = 0;
    while at < rows.len() {
        let (name, refcount) = Object::CLASSES[at];
        rows[at] = ClassSpec { name, refcount };
        at += 1;
    }
    rows
};

/// What the core has on record, with the entries that show it.
const RACES: [RaceSpec; ON_RECORD.len()] = {
    let mut rows = [race(&ON_RECORD[0], "-", "-"); ON_RECORD.len()];
    let mut at = 0;
    while at < rows.len() {
        let (entry, signature) = ENTRIES[at];
        rows[at] = race(&ON_RECORD[at], entry, signature);
        at += 1;
    }
    rows
};

/// The entry of each race on record, and the signature that it shows itself by.
const ENTRIES: [(&str, &str); ON_RECORD.len()] = [
    ("seed_race/nc-free-leak.case", "leak/block/lookup"),
    ("seed_race/racy-pagehead.case", "double-free/compound/lookup"),
    ("-", "-"),
    ("-", "-"),
];

const fn race(on_record: &Race, entry: &'static str, signature: &'static str) -> RaceSpec {
    let Race { name, switch, variant, introduced, fixed, versions, cve } = *on_record;
    RaceSpec { name, switch, variant, introduced, fixed, versions, cve, entry, signature }
}

/// The speculative reference of a sweep.
const INJECTED: &[InjectedSpec] = &[InjectedSpec {
    op: OpSpec {
        operands: &[FRAME],
        gives: Some(kind::PAGE),
        ..OpSpec::new("hold", "Takes a reference on a frame, unless its count is zero.")
    },
    drop: Op::PutPage as usize,
}];

/// The subject's tables.
pub static SPEC: Spec = Spec {
    name: "mm",
    ops: OPS,
    injected: INJECTED,
    rights: kind::NAMES,
    fields: FIELDS,
    switches: SWITCHES,
    profiles: PROFILES,
    races: &RACES,
    classes: &CLASSES,
    outcomes: outcome::NAMES,
    stack: 64 << 10,
};
