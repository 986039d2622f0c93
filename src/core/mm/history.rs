//! How single mechanisms were when a documented race was still open.
//!
//! One enum per mechanism, independent of each other. A variant differs from its neighbours only in
//! the order or the presence of the steps of its own function; none of them touches a list or a
//! count to make a bug. *Racy* variants have a race of their own; *neutral* ones have none, and say
//! which races they open or close together with others.
//!
//! A *profile* states the core of the allocator of its release: [`FreePages`], [`AllocResult`] and
//! [`Pcp`]. All other mechanisms stand in every profile as they are in the current one, and are switched
//! singly; which releases had a race is in [`RACES`].
//!
//! What it is not: the code. Each variant's steps stand where the mechanism is. Mechanisms other than the
//! allocator's core have a file each below this one.

mod collapse;
mod count;
mod drain;
mod free;
mod gigantic;
mod holder;
mod offline;
mod poison;
mod private;
mod table;
mod tag;
mod tail;

pub use collapse::Collapse;
pub use count::SetCount;
pub use drain::PcpDrain;
pub use gigantic::GiganticPrep;
pub use holder::MultiHolder;
pub use offline::Offline;
pub use poison::HwpoisonInc;
pub use private::PrivateRef;
pub use table::TableSharing;
pub use tag::TagSample;
pub use tail::TailGet;

/// A mechanism with variants.
pub trait Mechanism: Copy + Sized + 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its variants, oldest first: name, whether racy, and what it was in one sentence.
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)];

    /// The variant at this position of [`Mechanism::VARIANTS`].
    ///
    /// # Panics
    /// If there is none: variant numbers come from the table.
    #[must_use]
    fn at(index: u8) -> Self {
        Self::VARIANTS[usize::from(index)].0
    }
}

/// What `__free_pages` does if its put was not the last.
///
/// In all variants the put comes first that can free the whole block, of the order that the caller
/// names. They differ in what they do about the tails of a non-compound block if it did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreePages {
    /// Nothing. Racy: `nc-free-leak`. The whole is in its [`Race::doc`].
    V5_9,
    /// Frees the tails itself unless the page is the head of a compound block, which it tests after
    /// its put. Racy: `racy-pagehead`. The whole is in its [`Race::doc`].
    V5_10,
    /// As 5.10, but tests the head flag before its put, while its own reference keeps the block what
    /// it is.
    V6_2,
}

impl Mechanism for FreePages {
    const NAME: &'static str = "free_pages";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (
            Self::V5_9,
            "v5_9",
            true,
            "only drops its reference; nobody frees the tails if another is left",
        ),
        (
            Self::V5_10,
            "v5_10",
            true,
            "frees the tails itself, by the head flag as it is after the put",
        ),
        (
            Self::V6_2,
            "v6_2",
            false,
            "frees the tails itself, by the head flag as it was before the put",
        ),
    ];
}

/// When an allocated block gets its reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AllocResult {
    /// The count is set to one first, then the block is made compound (up to 6.13).
    ///
    /// Neutral: between the two a speculative reference can see a counted page that is not compound
    /// yet, but whoever drops the last reference drops it after the owner, who made it compound.
    RefcountedThenCompound,
    /// The block is complete before its count leaves zero (8fd10a892a8d, 520128a1d1f0, 6.14). Neutral.
    Frozen,
}

impl Mechanism for AllocResult {
    const NAME: &'static str = "alloc_result";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (
            Self::RefcountedThenCompound,
            "refcounted_then_compound",
            false,
            "counted first, then made compound",
        ),
        (Self::Frozen, "frozen", false, "made compound while the count is zero, then counted"),
    ];
}

/// The design of the per-CPU page lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pcp {
    /// Single pages, interrupts off, only their own CPU touches them (up to 5.13 in this form).
    ///
    /// Neutral: a page parked here merges only when its own CPU gives it back, which makes the races
    /// that need a merge rarer.
    V5_9,
    /// Orders up to 3, a lock taken by trylock with the buddy lists as fallback, drained by any CPU
    /// (4b23a68f9536, 6.0, and 574907741599, 6.2). Neutral.
    V6_2,
}

impl Mechanism for Pcp {
    const NAME: &'static str = "pcp";
    const VARIANTS: &'static [(Self, &'static str, bool, &'static str)] = &[
        (Self::V5_9, "v5_9", false, "order 0, interrupts off, own CPU only"),
        (
            Self::V6_2,
            "v6_2",
            false,
            "orders up to 3, a lock, buddy lists as fallback, remote drain",
        ),
    ];
}

/// A consistent setting of all mechanisms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct History {
    /// See [`FreePages`].
    pub free_pages: FreePages,
    /// See [`AllocResult`].
    pub alloc_result: AllocResult,
    /// See [`Pcp`].
    pub pcp: Pcp,
    /// See [`GiganticPrep`].
    pub gigantic_prep: GiganticPrep,
    /// See [`TableSharing`].
    pub table_sharing: TableSharing,
    /// See [`PrivateRef`].
    pub private_ref: PrivateRef,
    /// See [`Collapse`].
    pub collapse: Collapse,
    /// See [`TailGet`].
    pub tail_get: TailGet,
    /// See [`PcpDrain`].
    pub pcp_drain: PcpDrain,
    /// See [`Offline`].
    pub offline: Offline,
    /// See [`TagSample`].
    pub tag_sample: TagSample,
    /// See [`SetCount`].
    pub set_count: SetCount,
    /// See [`HwpoisonInc`].
    pub hwpoison_inc: HwpoisonInc,
    /// See [`MultiHolder`].
    pub multi_holder: MultiHolder,
}

impl History {
    // What is not stated is as in 7.1, in all of them.
    /// Linux 7.1.
    pub const CURRENT: Self = Self { alloc_result: AllocResult::Frozen, ..Self::LINUX_6_2 };
    /// The allocator of Linux 6.2.
    pub const LINUX_6_2: Self =
        Self { free_pages: FreePages::V6_2, pcp: Pcp::V6_2, ..Self::LINUX_5_10 };
    /// The allocator of Linux 5.10.
    pub const LINUX_5_10: Self = Self { free_pages: FreePages::V5_10, ..Self::LINUX_5_9 };
    /// The allocator of Linux 5.9.
    pub const LINUX_5_9: Self = Self {
        free_pages: FreePages::V5_9,
        alloc_result: AllocResult::RefcountedThenCompound,
        pcp: Pcp::V5_9,
        gigantic_prep: GiganticPrep::FrozenAlloc,
        table_sharing: TableSharing::ShareCount,
        private_ref: PrivateRef::Counted,
        collapse: Collapse::ReleaseIfShared,
        tail_get: TailGet::Checked,
        pcp_drain: PcpDrain::Locked,
        offline: Offline::PcpDisabled,
        tag_sample: TagSample::Before,
        set_count: SetCount::Add,
        hwpoison_inc: HwpoisonInc::TakenOff,
        multi_holder: MultiHolder::OneFrees,
    };
}

/// What is on record about a racy variant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Race {
    /// Its name.
    pub name: &'static str,
    /// The mechanism that has it.
    pub switch: &'static str,
    /// The variant that has it.
    pub variant: &'static str,
    /// The commit that introduced it, 12 digits, or `-`.
    pub introduced: &'static str,
    /// The commit that fixed it, 12 digits, or `-`.
    pub fixed: &'static str,
    /// The first and last mainline releases that have it.
    pub versions: &'static str,
    /// Its CVE, or `-`.
    pub cve: &'static str,
    /// Whether what its entry shows takes no schedule: its programs show it one after the other, too. Of a
    /// race other programs may do so all the same; then its `doc` says which.
    pub sequential: bool,
    /// The whole of it, for people: what the variant does, the interleaving with its steps numbered, the
    /// symptom, the oracle that sees it and the fix.
    pub doc: &'static str,
}

/// The documented races of all variants.
pub const RACES: &[Race] = &[
    Race {
        name: "nc-free-leak",
        switch: FreePages::NAME,
        variant: "v5_9",
        introduced: "e286781d5f2e",
        fixed: "e320d3012d25",
        versions: "2.6.27 to 5.9",
        cve: "-",
        sequential: false,
        doc: free::NC_FREE_LEAK,
    },
    Race {
        name: "racy-pagehead",
        switch: FreePages::NAME,
        variant: "v5_10",
        introduced: "e320d3012d25",
        fixed: "462a8e08e0e6",
        versions: "5.10 to 6.1",
        cve: "CVE-2023-52739",
        sequential: false,
        doc: free::RACY_PAGEHEAD,
    },
    gigantic::RACE,
    table::RACE,
    private::RACE,
    collapse::RACE,
    tail::RACE,
    drain::RACE,
    offline::RACE,
    tag::RACE,
    count::RACE,
    poison::RACE,
    holder::RACE,
];
