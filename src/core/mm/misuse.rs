//! Callers that really existed and broke the rules of [`super`], behind [`super::history::Misuse`].
//!
//! What it is not: reachable in any profile.

use super::Memory;
use crate::event::{FrameNumber, Holder, Order};
use crate::sync::{Backend, CpuId};

impl<B: Backend> Memory<B> {
    /// Takes a plain reference on any frame, and puts it: [`Misuse::NcTailGet`].
    ///
    /// [`Misuse::NcTailGet`]: super::history::Misuse::NcTailGet
    pub(super) fn careless_get(&self, cpu: CpuId, frame: FrameNumber) {
        self.get_page(frame, Holder::Get);
        self.put_page(cpu, frame, Holder::Get);
    }

    /// A second holder of a block frees it, before its owner does: [`Misuse::MultiHolder`].
    ///
    /// [`Misuse::MultiHolder`]: super::history::Misuse::MultiHolder
    pub(super) fn second_holder_frees(&self, cpu: CpuId, block: FrameNumber, order: Order) {
        self.get_page(block, Holder::Owner);
        self.free_pages_once(cpu, block, order);
    }
}
