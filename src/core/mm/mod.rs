//! A page cache on a buddy allocator, step for step like Linux's where its races live.
//!
//! [`Memory`] is all of it: no global state, sizes from [`limits`], old behaviour from [`history`].
//! `docs/fidelity.md` maps every operation to the kernel functions it stands for.
//!
//! What it is not: fast, NUMA-aware or complete (no zones, LRU, reverse mappings), and it
//! does not know that it is tested: it reports what it does ([`crate::event`]) and what Linux's own
//! checks would refuse.
//!
//! # Synchronization
//! Freeing does not wait for RCU: RCU keeps tree nodes alive for lookups, never pages.
//!
//! | pair | ordered by |
//! |---|---|
//! | allocation, freeing, merging | the zone lock |
//! | the same through a per-CPU list | its lock, which comes before the zone lock |
//! | draining a list, its CPU | the list's lock |
//! | changing the type of a pageblock, freeing to its lists | the zone lock |
//! | taking memory offline, freeing to a per-CPU list | the list's lock: it is drained under it after it was switched off |
//! | put, `free_pages`, `try_get`, freeze of one page | its `refcount` word; whoever makes it zero owns the frame |
//! | lookup, delete, reclaim | slot, then count, then slot again, against slot, then count |
//! | add, delete, reclaim of one mapping | its tree lock, which comes before the node lock |
//! | add, delete, reclaim, truncate, writeback of one page | the page lock, which sleeps and so comes before all spin locks |
//! | making dirty, reclaim or migration of one page | dirty, then put, against freeze, then dirty |
//! | private data of one page, migration | the page lock |
//! | lookup, reuse of a tree node | an RCU grace period |
//! | sharing a page table, taking it apart | the table lock, which comes before the allocator's |
//! | scan, everything | the count, then `compound_head` again |

/// Whether a planted fault is active; never in builds without them.
macro_rules! planted {
    ($memory:expr, $fault:ident) => {{
        #[cfg(feature = "faults")]
        {
            $memory.fault == Some(crate::mm::Fault::$fault)
        }
        #[cfg(not(feature = "faults"))]
        {
            false
        }
    }};
}

mod alloc;
mod buddy;
mod cache;
mod carve;
mod census;
mod collapse;
#[cfg(feature = "faults")]
mod fault;
mod frag;
mod frame;
mod free;
mod gigantic;
pub mod history;
pub mod limits;
mod machine;
mod migrate;
mod offline;
pub mod outcome;
mod outside;
mod page_lock;
mod pageblock;
mod pcp;
mod poison;
mod private;
mod reclaim;
mod refs;
mod scan;
mod tables;
mod tag;
mod tree;
mod writeback;

pub use census::{Namer, Object, Report};
#[cfg(feature = "faults")]
pub use fault::Fault;
pub use history::History;
pub use limits::Sizes;
pub use machine::Machine;

use crate::event::{FrameNumber, Order};
use crate::sync::{AtomicU32, Backend, PerCpu, Published, Rcu, SpinLock, Tally};
use buddy::Zone;
use frame::Frame;
use pcp::PcpList;
use tables::Tables;
use tag::Tag;
use tree::{Mapping, Nodes};

/// The memory of one machine.
#[derive(Debug)]
pub struct Memory<B: Backend> {
    sizes: Sizes,
    max_order: Order,
    history: History,
    #[cfg(feature = "faults")]
    fault: Option<Fault>,
    /// What an allocation that may fail is announced by; nothing is ever stored here.
    may_fail: AtomicU32<B>,
    zone: Zone<B>,
    pcp: PerCpu<PcpList<B>>,
    frames: Box<[Frame<B>]>,
    /// The type of each pageblock ([`pageblock`]).
    pageblocks: Box<[Published<B, u32>]>,
    /// Held by who takes memory offline; only tried.
    hotplug: SpinLock<B>,
    mappings: Box<[Mapping<B>]>,
    nodes: Nodes<B>,
    tables: Tables<B>,
    /// For each CPU 0, or one more than the page left from its last collapse ([`collapse`]).
    kept: PerCpu<AtomicU32<B>>,
    rcu: Rcu<B>,
    /// Pages by allocation tag ([`tag`]).
    tags: [Tally; Tag::COUNT],
}

impl<B: Backend> Memory<B> {
    /// All frames free, all mappings empty.
    ///
    /// # Panics
    /// If `sizes` are out of the range of [`limits`].
    #[must_use]
    pub fn new(sizes: Sizes, history: History) -> Self {
        let mut memory = Self {
            sizes,
            max_order: sizes.max_order(),
            history,
            #[cfg(feature = "faults")]
            fault: None,
            may_fail: AtomicU32::new(0),
            zone: Zone::default(),
            pcp: PerCpu::default(),
            frames: Box::default(),
            pageblocks: Box::default(),
            hotplug: SpinLock::new(),
            mappings: Box::default(),
            nodes: Nodes::default(),
            tables: Tables::default(),
            kept: PerCpu::from_fn(|_| AtomicU32::new(0)),
            rcu: Rcu::default(),
            tags: Default::default(),
        };
        memory.reset(sizes, history);
        memory
    }

    /// Makes the state that [`Memory::new`] makes, in place. Allocates only if it has to grow;
    /// returns whether objects moved in memory because it did.
    ///
    /// # Panics
    /// If `sizes` are out of the range of [`limits`].
    pub fn reset(&mut self, sizes: Sizes, history: History) -> bool {
        sizes.check();
        let moved = grow(&mut self.frames, sizes.frames, Frame::default)
            | grow(&mut self.pageblocks, sizes.pageblocks(), || Published::new(pageblock::MOVABLE))
            | grow(&mut self.mappings, sizes.mappings, Mapping::default)
            | self.nodes.grow(sizes.nodes());
        self.sizes = sizes;
        self.max_order = sizes.max_order();
        self.history = history;
        #[cfg(feature = "faults")]
        {
            self.fault = None;
        }
        self.zone.reset();
        for list in self.pcp.iter_mut() {
            list.reset(&sizes);
        }
        for frame in &mut self.frames[..sizes.frames] {
            frame.reset();
        }
        for pageblock in &mut self.pageblocks[..sizes.pageblocks()] {
            pageblock.reset(pageblock::MOVABLE);
        }
        self.hotplug.reset();
        for mapping in &mut self.mappings[..sizes.mappings] {
            mapping.reset();
        }
        self.nodes.reset(sizes.nodes());
        self.tables.reset();
        for kept in self.kept.iter_mut() {
            kept.reset(0);
        }
        self.rcu.reset();
        self.tags.iter_mut().for_each(Tally::reset);
        self.fill();
        moved
    }

    /// Plants a fault, until the next reset.
    #[cfg(feature = "faults")]
    pub fn plant(&mut self, fault: Option<Fault>) {
        self.fault = fault;
    }

    /// The sizes.
    #[must_use]
    pub const fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The largest order of a block.
    #[must_use]
    pub const fn max_order(&self) -> Order {
        self.max_order
    }

    #[inline]
    fn frame(&self, frame: FrameNumber) -> &Frame<B> {
        &self.frames[frame.index()]
    }
}

/// Makes `items` at least `len` long; returns whether they moved.
fn grow<T>(items: &mut Box<[T]>, len: usize, make: impl Fn() -> T) -> bool {
    let grows = items.len() < len;
    if grows {
        *items = (0..len).map(|_| make()).collect();
    }
    grows
}
