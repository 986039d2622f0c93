//! Tracepoints: what the code under test says about itself, in Linux's words.
//!
//! An event belongs to the access made just before it by the same task; nothing else can have
//! happened in between. Native builds compile them away.
//!
//! What it is not: a verdict. `bug_on` and `bad_page` are what the kernel would have printed; whether
//! that is a finding is for the oracles.

use crate::sync::CpuId;
use core::fmt;

/// A physical frame, counted from the start of the zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FrameNumber(pub u32);

impl FrameNumber {
    /// As an index into the frame table.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The frame `n` further on.
    #[must_use]
    pub const fn offset(self, n: usize) -> Self {
        Self(self.0 + n as u32)
    }

    /// The buddy of the block of `order` that starts here (`pfn ^ (1 << order)`).
    #[must_use]
    pub const fn buddy(self, order: Order) -> Self {
        Self(self.0 ^ (1 << order.0))
    }
}

impl fmt::Display for FrameNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{}", self.0)
    }
}

/// The size of a buddy block: 2^order frames.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Order(pub u8);

impl Order {
    /// How many frames a block of this order has.
    #[must_use]
    pub const fn frames(self) -> usize {
        1 << self.0
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Who holds a typed reference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Holder {
    /// Whoever allocated the block.
    Owner,
    /// A slot of a page cache.
    Cache,
    /// A lookup in a page cache.
    Lookup,
    /// A caller that already had a reference and took another (`get_page`).
    Get,
    /// A walker over frame numbers.
    Scan,
    /// The allocator of a run of pages that are to become one block, while they are single pages.
    Contig,
    /// Private data that a filesystem keeps with a cached page.
    Private,
    /// A network device or another caller that was handed memory without a right to its pages.
    Net,
    /// Who keeps a page out of use because its memory is broken.
    Poison,
    /// A speculative reference that a search puts in, of nobody in the program.
    Spec,
}

impl Holder {
    /// All holders, in the order of their discriminants.
    pub const ALL: [Self; 10] = [
        Self::Owner,
        Self::Cache,
        Self::Lookup,
        Self::Get,
        Self::Scan,
        Self::Contig,
        Self::Private,
        Self::Net,
        Self::Poison,
        Self::Spec,
    ];

    /// Its name in reports and signatures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Cache => "cache",
            Self::Lookup => "lookup",
            Self::Get => "get",
            Self::Scan => "scan",
            Self::Contig => "contig",
            Self::Private => "private",
            Self::Net => "net",
            Self::Poison => "poison",
            Self::Spec => "spec",
        }
    }
}

/// How a reference count changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum RefChange {
    /// Set to one by the allocator (`set_page_refcounted`).
    Set,
    /// One more, by a holder that has a right to the page.
    Get,
    /// One more unless zero: a speculative reference.
    TryGet,
    /// One less.
    Put,
    /// The expected count replaced by zero; the named holders' references are claimed.
    Freeze,
    /// A frozen count given back.
    Unfreeze,
    /// Stored over whatever there was; the storer claims that all references are its own.
    Store,
}

/// A section in which a task must not sleep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Context {
    /// Interrupts off.
    Irq,
    /// Preemption off.
    Preempt,
}

/// Where free frames are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreeList {
    /// The buddy lists.
    Buddy,
    /// A CPU's list.
    PerCpu(CpuId),
}

/// One tracepoint. `O` is how it speaks of objects: the code under test by address, a trace by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event<O = usize> {
    /// A block leaves the free lists for its allocator, uninitialised and with no references.
    PageAlloc {
        /// First frame.
        frame: FrameNumber,
        /// Size.
        order: Order,
        /// Whether one refcount, the head's, stands for the whole block.
        compound: bool,
        /// Where it was taken from.
        from: FreeList,
    },
    /// A block is given to the free lists. Its holder must have been entitled to all of it.
    PageFree {
        /// First frame.
        frame: FrameNumber,
        /// Size.
        order: Order,
        /// Where it goes.
        to: FreeList,
    },
    /// A block passes between a per-CPU list and the buddy lists.
    PageMove {
        /// First frame.
        frame: FrameNumber,
        /// Size.
        order: Order,
        /// Where it goes.
        to: FreeList,
    },
    /// Two free buddies became one block; says nothing about ownership.
    PageMerge {
        /// First frame of the new block.
        frame: FrameNumber,
        /// Size of the new block.
        order: Order,
    },
    /// A refcount changed.
    PageRef {
        /// Whose count.
        frame: FrameNumber,
        /// How.
        change: RefChange,
        /// By how much; for `Freeze` and `Unfreeze` the count claimed or restored.
        count: i32,
        /// Whose reference.
        holder: Holder,
        /// Whether it took place (a `TryGet` or `Freeze` may be refused).
        done: bool,
    },
    /// A non-compound block became that many separately counted frames (`split_page`).
    PageSplit {
        /// First frame.
        frame: FrameNumber,
        /// Size before.
        order: Order,
    },
    /// Single pages of one owner became a compound block of this order; says nothing about their
    /// counts. The way back is a `PageSplit`.
    PageCompound {
        /// First frame.
        frame: FrameNumber,
        /// Size of the new block.
        order: Order,
    },
    /// A drain of a CPU's list: it has looked at the list, or is through with it. What was on the list
    /// at the look must be off it at the end.
    ListDrain {
        /// Whose list.
        list: CpuId,
        /// Through, or only at the look.
        done: bool,
    },
    /// A page became visible to lookups.
    CacheAdd {
        /// Which mapping.
        mapping: u32,
        /// At which index.
        index: u32,
        /// The page.
        frame: FrameNumber,
    },
    /// A page is no longer visible to lookups.
    CacheDelete {
        /// Which mapping.
        mapping: u32,
        /// At which index.
        index: u32,
        /// The page.
        frame: FrameNumber,
    },
    /// A lookup begins.
    LookupStart {
        /// Which mapping.
        mapping: u32,
        /// At which index.
        index: u32,
    },
    /// A lookup returns: with a page (and a reference, and the page lock if `locked`) or nothing.
    LookupEnd {
        /// Which mapping.
        mapping: u32,
        /// At which index.
        index: u32,
        /// What was found.
        frame: Option<FrameNumber>,
        /// Whether the page is returned locked.
        locked: bool,
    },
    /// The reload after a speculative reference found another entry; the reference is put.
    LookupRetry {
        /// The page that was taken in vain.
        frame: FrameNumber,
    },
    /// A page lock was taken or released.
    PageLock {
        /// The page.
        frame: FrameNumber,
        /// Taken, or released.
        locked: bool,
    },
    /// An object protected by RCU was freed for reuse.
    RcuFree {
        /// The object's first word.
        object: O,
    },
    /// An RCU reader section begins or ends on this CPU.
    RcuRead {
        /// Begins.
        inside: bool,
    },
    /// A section of this CPU begins or ends.
    Section {
        /// Which kind.
        context: Context,
        /// Begins.
        entered: bool,
    },
    /// A guarded field was touched without its lock.
    Unlocked {
        /// The field.
        field: O,
        /// The lock it belongs to.
        lock: O,
    },
    /// The kernel's checks refuse a page; it is quarantined and stays lost.
    BadPage {
        /// First frame of the refused block.
        frame: FrameNumber,
        /// Size of the refused block.
        order: Order,
        /// Which check (a name, not a sentence).
        check: &'static str,
    },
    /// An assertion of the kernel fails (`VM_BUG_ON_PAGE`).
    BugOn {
        /// The page.
        frame: FrameNumber,
        /// Which check (a name, not a sentence).
        check: &'static str,
    },
}

impl<O> Event<O> {
    /// The same event, speaking of objects as `name` says.
    pub fn map_objects<P>(self, name: impl Fn(O) -> P) -> Event<P> {
        match self {
            Self::RcuFree { object } => Event::RcuFree { object: name(object) },
            Self::Unlocked { field, lock } => {
                Event::Unlocked { field: name(field), lock: name(lock) }
            }
            Self::PageAlloc { frame, order, compound, from } => {
                Event::PageAlloc { frame, order, compound, from }
            }
            Self::PageFree { frame, order, to } => Event::PageFree { frame, order, to },
            Self::PageMove { frame, order, to } => Event::PageMove { frame, order, to },
            Self::PageMerge { frame, order } => Event::PageMerge { frame, order },
            Self::PageRef { frame, change, count, holder, done } => {
                Event::PageRef { frame, change, count, holder, done }
            }
            Self::PageSplit { frame, order } => Event::PageSplit { frame, order },
            Self::PageCompound { frame, order } => Event::PageCompound { frame, order },
            Self::ListDrain { list, done } => Event::ListDrain { list, done },
            Self::CacheAdd { mapping, index, frame } => Event::CacheAdd { mapping, index, frame },
            Self::CacheDelete { mapping, index, frame } => {
                Event::CacheDelete { mapping, index, frame }
            }
            Self::LookupStart { mapping, index } => Event::LookupStart { mapping, index },
            Self::LookupEnd { mapping, index, frame, locked } => {
                Event::LookupEnd { mapping, index, frame, locked }
            }
            Self::LookupRetry { frame } => Event::LookupRetry { frame },
            Self::PageLock { frame, locked } => Event::PageLock { frame, locked },
            Self::RcuRead { inside } => Event::RcuRead { inside },
            Self::Section { context, entered } => Event::Section { context, entered },
            Self::BadPage { frame, order, check } => Event::BadPage { frame, order, check },
            Self::BugOn { frame, check } => Event::BugOn { frame, check },
        }
    }
}
