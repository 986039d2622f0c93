//! Users of memory that somebody else allocated, with less right to it than they need.
//!
//! What it is not: part of the allocator. Each is a caller that really existed, and stays within the
//! contract where its switch says so ([`TailGet`], [`MultiHolder`]).

use super::history::{MultiHolder, TailGet};
use super::{Memory, outcome};
use crate::event::{FrameNumber, Holder, Order};
use crate::sync::{Backend, CpuId};

impl<B: Backend> Memory<B> {
    /// Takes a reference on a page of a block that is not compound (`sendpage`, `kvm_get_pfn`). Returns whether
    /// it has one; without, the caller copies what is there, and needs none.
    ///
    /// The caller keeps the block allocated until [`Memory::tail_put`].
    pub fn tail_get(&self, page: FrameNumber) -> bool {
        let taken = match self.history.tail_get {
            TailGet::Plain => {
                self.get_page(page, Holder::Net);
                true
            }
            TailGet::Checked => self.try_get(page, Holder::Net),
        };
        B::outcome(if taken { outcome::TAIL_GET_TAKEN } else { outcome::TAIL_GET_REFUSED });
        taken
    }

    /// Drops the reference that [`Memory::tail_get`] took.
    pub fn tail_put(&self, cpu: CpuId, page: FrameNumber) {
        B::outcome(outcome::TAIL_PUT);
        self.put_page(cpu, page, Holder::Net);
    }

    /// A second user takes a reference on a block that is not compound.
    pub fn share_block(&self, block: FrameNumber) {
        B::outcome(outcome::BLOCK_SHARED);
        self.get_page(block, Holder::Owner);
    }

    /// The second user is done with a block; the owner still has it.
    pub fn free_shared(&self, cpu: CpuId, block: FrameNumber, order: Order) {
        B::outcome(outcome::SHARED_FREED);
        match self.history.multi_holder {
            MultiHolder::BothFree => self.free_pages(cpu, block, order),
            MultiHolder::OneFrees => self.unshare_block(cpu, block),
        }
    }

    /// The second user puts its reference. Not the last: the owner's is still there.
    pub fn unshare_block(&self, cpu: CpuId, block: FrameNumber) {
        self.put_page(cpu, block, Holder::Owner);
    }
}
