//! Walkers over frame numbers: they take a reference on whatever is there.
//!
//! What it is not: one walker. Compaction, page idle tracking, memory failure and others differ in
//! what they check first and do then; what they share is a speculative reference on a frame that they
//! know nothing about.

use super::Memory;
use super::frame::head_of;
use crate::event::{FrameNumber, Holder};
use crate::sync::{Backend, CpuId, Ordering};

impl<B: Backend> Memory<B> {
    /// Takes a reference on the page that a frame belongs to, looks at it, and puts it; false if the
    /// frame is free or was changing (`get_any_page`, `damon_get_folio`).
    pub fn scan(&self, cpu: CpuId, frame: FrameNumber) -> bool {
        let link = || self.frame(frame).compound_head.load(Ordering::Acquire);
        let head = head_of(frame, link());
        if !self.try_get(head, Holder::Scan) {
            return false;
        }
        // The frame may have left its block, or the block may be another, before the reference.
        let same = head_of(frame, link()) == head;
        self.put_page(cpu, head, Holder::Scan);
        if planted!(self, ScanPutsTwice) {
            self.put_page(cpu, head, Holder::Scan);
        }
        same
    }
}
