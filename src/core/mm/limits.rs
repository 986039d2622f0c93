//! The sizes of a [`super::Memory`] and how far they go.
//!
//! What it is not: a tuning guide. Small is the point: a race needs two CPUs and four frames.

use crate::event::Order;
use crate::sync::MAX_CPUS;

/// The largest order of a block, whatever the number of frames.
pub const MAX_ORDER: Order = Order(3);
/// The types of pageblocks, each with its own free lists.
pub const PAGEBLOCK_TYPES: usize = 2;
/// Page tables that can be shared.
pub const MAX_TABLES: usize = 2;
/// Fragments of a page, and so references that it gets at once.
pub const FRAG_BIAS: i32 = 2;
/// The most frames.
pub const MAX_FRAMES: usize = 4096;
/// The most pages a per-CPU list takes from or gives to the buddy lists at once.
pub const MAX_PCP_BATCH: usize = 2;
/// A per-CPU list that reaches this many batches gives one back.
pub const PCP_HIGH_BATCHES: usize = 2;
/// The largest order kept on per-CPU lists by the design of 6.2 (`PAGE_ALLOC_COSTLY_ORDER`).
pub const PCP_MAX_ORDER: Order = Order(3);
/// The most mappings.
pub const MAX_MAPPINGS: usize = 4;
/// The slots of a tree node, hence the most indices of a mapping.
pub const NODE_SLOTS: usize = 4;
/// Tree nodes beyond one for each mapping: what may wait for a grace period without an add failing.
pub const SPARE_NODES: usize = 1;

/// The sizes of one [`super::Memory`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// CPUs that have a per-CPU list.
    pub cpus: usize,
    /// Frames of the zone: a power of two.
    pub frames: usize,
    /// Pages that a per-CPU list exchanges with the buddy lists at once; 0 switches the lists off.
    pub pcp_batch: usize,
    /// Mappings.
    pub mappings: usize,
    /// Indices of each mapping.
    pub indices: usize,
}

impl Sizes {
    /// The largest order of a block: [`MAX_ORDER`], or the whole zone if that is smaller.
    #[must_use]
    pub fn max_order(&self) -> Order {
        Order(MAX_ORDER.0.min(self.frames.ilog2() as u8))
    }

    /// The size of a pageblock, the unit in which frames have a type: half the largest block, as in
    /// Linux, so that even small memories have two.
    #[must_use]
    pub fn pageblock_order(&self) -> Order {
        Order(self.max_order().0.saturating_sub(1))
    }

    /// Pageblocks of the zone.
    #[must_use]
    pub fn pageblocks(&self) -> usize {
        self.frames >> self.pageblock_order().0
    }

    /// Tree nodes in the pool.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.mappings + SPARE_NODES
    }

    /// Stops on sizes that the structures cannot have.
    ///
    /// # Panics
    /// If a size is out of range: an error of the caller, who promised values of the spec.
    pub fn check(&self) {
        assert!((1..=MAX_CPUS).contains(&self.cpus), "cpus");
        assert!(self.frames.is_power_of_two() && self.frames <= MAX_FRAMES, "frames");
        assert!(self.pcp_batch <= MAX_PCP_BATCH, "pcp_batch");
        assert!((1..=MAX_MAPPINGS).contains(&self.mappings), "mappings");
        assert!((1..=NODE_SLOTS).contains(&self.indices), "indices");
    }
}
