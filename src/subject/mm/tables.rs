//! The tables of the subject `mm`: operations, rights, fields, switches, profiles.
//!
//! What it is not: behaviour. Order matters where bytes count (operations and fields: append only);
//! names matter where text is kept.

use super::points;
use crate::subject::{
    ClassSpec, FieldSpec, InjectedSpec, OpSpec, OperandSpec, OutcomeSpec, ProfileSpec, RaceSpec,
    RetiredSwitch, RightKind, RightSet, Spec, SwitchSpec, VariantSpec,
};
use pagerace_core::mm::history::{
    AllocResult, Collapse, FreePages, GiganticPrep, History, HwpoisonInc, Mechanism, MultiHolder,
    Offline, Pcp, PcpDrain, PrivateRef, RACES as ON_RECORD, Race, SetCount, TableSharing,
    TagSample, TailGet,
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
    pub const TABLE: RightKind = 5;
    pub const FRAG: RightKind = 6;
    pub const POISONED: RightKind = 7;
    pub const SHARED: RightKind = 8;
    pub const TAILED: RightKind = 9;
    /// Their names, in this order.
    pub const NAMES: &[&str] = &[
        "block", "compound", "page", "pair", "exact", "table", "frag", "poisoned", "shared",
        "tailed",
    ];
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
    GiganticPrep,
    TableSharing,
    PrivateRef,
    Collapse,
    TailGet,
    PcpDrain,
    Offline,
    TagSample,
    SetCount,
    HwpoisonInc,
    MultiHolder,
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
const TABLE_NO: OperandSpec =
    OperandSpec { name: "table", limit: limits::MAX_TABLES as u32, field: None };
const TAIL: OperandSpec =
    OperandSpec { name: "tail", limit: limits::MAX_ORDER.frames() as u32, field: None };

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
            points: points::of(Op::$op as usize),
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
    AllocGigantic "alloc_gigantic" (ORDER, FRAME) [] -> Some(kind::COMPOUND), setup true,
        simpler [AllocCompound],
        "Takes a run of free frames around a frame and makes one compound block of it.";
    TableMap "table_map" (TABLE_NO) [] -> Some(kind::TABLE), setup true, simpler [],
        "Makes a page table, or shares one that is there.";
    TableUnmap "table_unmap" () [TABLE] -> None, setup false, simpler [],
        "Gives up a share of a page table; the last one takes it apart.";
    SetPrivate "set_private" (MAPPING, INDEX) [] -> None, setup true, simpler [Lookup, LookupLock],
        "Gives a cached page private data.";
    Migrate "migrate" (MAPPING, INDEX) [] -> None, setup false, simpler [Reclaim],
        "Moves a cached page to another frame, if nobody else uses it.";
    Collapse "collapse" (MAPPING, INDEX) [] -> None, setup false, simpler [Add, Lookup, Reclaim],
        "Puts a new page in the place of a cached one or of none, if nobody else uses that.";
    TailGet "tail_get" (TAIL) [BLOCK] -> Some(kind::TAILED), setup true, simpler [],
        "Takes a reference on a page of a block that is not compound.";
    FreeShared "free_shared" () [SHARED] -> Some(kind::BLOCK), setup false, simpler [],
        "The second user of a block is done with it, which leaves it to its owner.";
    Offline "offline" (FRAME) [] -> None, setup false, simpler [DrainAll],
        "Isolates the frames around a frame and waits until all are free, then undoes it.";
    FragAlloc "frag_alloc" () [] -> Some(kind::FRAG), setup true, simpler [],
        "Allocates a page for fragments, with a reference for each.";
    FragFree "frag_free" () [FRAG] -> Some(kind::FRAG), setup false, simpler [],
        "Frees a fragment of a page; the last one frees the page.";
    Poison "poison" (FRAME) [] -> Some(kind::POISONED), setup false, simpler [Scan],
        "Takes a free frame off the buddy lists and keeps it out of use.";
    Unpoison "unpoison" () [POISONED] -> None, setup false, simpler [],
        "Gives a poisoned frame back.";
    ShareBlock "share_block" () [BLOCK] -> Some(kind::SHARED), setup true, simpler [],
        "A second user takes a reference on a block that is not compound.";
    TailPut "tail_put" () [TAILED] -> Some(kind::BLOCK), setup false, simpler [],
        "Drops the reference on a page of a block, if one was got.";
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
    switch!(GiganticPrep),
    switch!(TableSharing),
    switch!(PrivateRef),
    switch!(Collapse),
    switch!(TailGet),
    switch!(PcpDrain),
    switch!(Offline),
    switch!(TagSample),
    switch!(SetCount),
    switch!(HwpoisonInc),
    switch!(MultiHolder),
    #[cfg(feature = "faults")]
    SwitchSpec { name: "fault", variants: &FAULTS },
];

const fn profile(history: History) -> [u8; SWITCHES.len()] {
    let mut row = [0; SWITCHES.len()];
    // Positions in the mechanisms' tables, which list the variants in the order of their enums.
    row[Switch::FreePages as usize] = history.free_pages as u8;
    row[Switch::AllocResult as usize] = history.alloc_result as u8;
    row[Switch::Pcp as usize] = history.pcp as u8;
    row[Switch::GiganticPrep as usize] = history.gigantic_prep as u8;
    row[Switch::TableSharing as usize] = history.table_sharing as u8;
    row[Switch::PrivateRef as usize] = history.private_ref as u8;
    row[Switch::Collapse as usize] = history.collapse as u8;
    row[Switch::TailGet as usize] = history.tail_get as u8;
    row[Switch::PcpDrain as usize] = history.pcp_drain as u8;
    row[Switch::Offline as usize] = history.offline as u8;
    row[Switch::TagSample as usize] = history.tag_sample as u8;
    row[Switch::SetCount as usize] = history.set_count as u8;
    row[Switch::HwpoisonInc as usize] = history.hwpoison_inc as u8;
    row[Switch::MultiHolder as usize] = history.multi_holder as u8;
    row
}

/// Switches that there were.
const RETIRED: &[RetiredSwitch] = &[RetiredSwitch {
    name: "misuse",
    neutral: "off",
    instead: "state `tail_get=plain` or `multi_holder=both_free`, with an operation of that name",
}];

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

const OUTCOMES: [OutcomeSpec; outcome::ALL.len()] = {
    let mut rows = [OutcomeSpec::new(""); outcome::ALL.len()];
    let mut at = 0;
    while at < rows.len() {
        let (name, only) = outcome::ALL[at];
        rows[at] = OutcomeSpec { name, only };
        at += 1;
    }
    rows
};

/// What the core has on record, with the entries that show it.
const RACES: [RaceSpec; ON_RECORD.len()] = {
    let mut rows = [race(&ON_RECORD[0], &SHOWN[0]); ON_RECORD.len()];
    let mut at = 0;
    while at < rows.len() {
        rows[at] = race(&ON_RECORD[at], &SHOWN[at]);
        at += 1;
    }
    rows
};

/// How a race shows itself: its entry, its signature, and what it shows itself by with other partners.
type Shown = (&'static str, &'static str, &'static [&'static str]);

/// How each race on record shows itself.
const SHOWN: [Shown; ON_RECORD.len()] = [
    ("seed_race/nc-free-leak.case", "leak/block/lookup", &["leak/block/scan"]),
    (
        "seed_race/racy-pagehead.case",
        "double-free/compound/lookup",
        &["double-free/compound/scan", "bad-page/refcount-at-free", "overlap/*"],
    ),
    ("history/gigantic-set-zero.case", "refcount/store-live/contig", &[]),
    ("history/pt-share-count.case", "bad-page/table-at-free", &["refcount/get-zero/owner"]),
    ("history/private-no-ref.case", "refcount/freeze-not-held/lookup", &[]),
    ("history/hpage-revoke-reuse.case", "bad-page/index-of-cached-page", &[]),
    ("history/nc-tail-get.case", "refcount/get-zero/net", &[]),
    ("history/pcp-count-race.case", "not-drained/pcp", &["deadlock/isolated.change"]),
    ("history/offline-drain-once.case", "deadlock/isolated.change", &[]),
    ("history/read-after-failed-put.case", "accounting/alloc-tag", &[]),
    ("history/set-count-nonzero.case", "refcount/store-live/owner", &[]),
    ("history/hwpoison-inc-buddy.case", "refcount/get-zero/poison", &[]),
    (
        "history/multi-holder-free.case",
        "double-free/block/owner",
        &["bad-page/refcount-at-free", "overlap/*"],
    ),
];

const fn race(on_record: &Race, shown: &Shown) -> RaceSpec {
    let Race { name, switch, variant, introduced, fixed, versions, cve, sequential, doc } =
        *on_record;
    let (entry, signature, also) = *shown;
    RaceSpec {
        name,
        switch,
        variant,
        introduced,
        fixed,
        versions,
        cve,
        entry,
        signature,
        also,
        sequential,
        doc,
    }
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
    retired: RETIRED,
    profiles: PROFILES,
    races: &RACES,
    classes: &CLASSES,
    outcomes: &OUTCOMES,
    stack: 64 << 10,
};
