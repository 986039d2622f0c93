//! Users of memory that somebody else allocated, with less right to it than they need.
//!
//! What it is not: part of the allocator. Each is a caller that really existed, and stays within the
//! contract where its switch says so ([`TailGet`], [`MultiHolder`]).

use super::history::{MultiHolder, TailGet};
use super::{Memory, outcome};
use crate::event::{FrameNumber, Holder, Order};
use crate::sync::{Backend, CpuId};

impl<B: Backend> Memory<B> {
    /// Takes a reference on a page of a block that is not compound, uses it, and puts it (`sendpage`,
    /// `kvm_get_pfn`). If it gets none it copies what is there, and needs none.
    ///
    /// The caller keeps the block allocated meanwhile.
    pub fn tail_get(&self, cpu: CpuId, page: FrameNumber) {
        let taken = match self.history.tail_get {
            TailGet::Plain => {
                self.get_page(page, Holder::Net);
                true
            }
            TailGet::Checked => self.try_get(page, Holder::Net),
        };
        if taken {
            B::outcome(outcome::TAIL_GET_TAKEN);
            self.put_page(cpu, page, Holder::Net);
        } else {
            B::outcome(outcome::TAIL_GET_REFUSED);
        }
    }

    /// A second user takes a reference on a block that is not compound; both are done with it.
    pub fn free_shared(&self, cpu: CpuId, block: FrameNumber, order: Order) {
        self.get_page(block, Holder::Owner);
        B::outcome(outcome::SHARED_FREED);
        match self.history.multi_holder {
            MultiHolder::BothFree => self.free_pages(cpu, block, order),
            // Not the last: the owner's is still there.
            MultiHolder::OneFrees => self.put_page(cpu, block, Holder::Owner),
        }
        self.free_pages(cpu, block, order);
    }
}
