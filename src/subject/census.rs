//! What a subject counts at quiescence by walking its real structures.

use pagerace_core::event::{FrameNumber, FreeList, Order};

/// A block found on a free list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FreeBlock {
    /// First frame.
    pub frame: FrameNumber,
    /// Size, as the list says.
    pub order: Order,
    /// Which list.
    pub list: FreeList,
}

/// The result of a walk. Its buffers are reused from case to case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Census {
    /// How many frames are managed.
    pub frames: usize,
    /// The largest order of a block.
    pub max_order: Order,
    /// The blocks on the free lists, list by list.
    pub free: Vec<FreeBlock>,
    /// The reference count of each frame; empty if the subject has none.
    pub refcounts: Vec<i32>,
    /// Frames still reachable from a cache, which should be empty by now.
    pub cached: Vec<FrameNumber>,
    /// Frames that the subject's own checks refused and keeps out of circulation.
    pub quarantined: Vec<FrameNumber>,
    /// Structures or counters that contradict each other: names, not sentences.
    pub broken: Vec<&'static str>,
    /// Sums, kept for reports only, that are not what they should be at rest: names, not sentences.
    pub miscounted: Vec<&'static str>,
}

impl Census {
    /// Makes it empty, keeping the buffers.
    pub fn clear(&mut self) {
        let Self { frames, max_order, free, refcounts, cached, quarantined, broken, miscounted } =
            self;
        *frames = 0;
        *max_order = Order(0);
        free.clear();
        refcounts.clear();
        cached.clear();
        quarantined.clear();
        broken.clear();
        miscounted.clear();
    }
}
