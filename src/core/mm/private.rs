//! Private data of cached pages: what a filesystem keeps with a page, marked by a bit of its flags.
//!
//! What it is not: the data. Only whether there is some matters, and whether it holds a reference.
//!
//! Invariants: the bit is set and cleared under the page lock, while the page is cached or about to be; a
//! page is not freed with it. Who freezes a page expects a reference for the data of each that has the bit.

use super::frame::flag;
use super::history::PrivateRef;
use super::{Memory, outcome};
use crate::event::{FrameNumber, Holder};
use crate::sync::{Backend, CpuId, Ordering};

impl<B: Backend> Memory<B> {
    /// Gives the cached page at this place private data; false if there is no page, or it has some
    /// (`folio_attach_private`).
    pub fn set_private(&self, cpu: CpuId, mapping: u32, index: u32) -> bool {
        let Some(page) = self.find_lock(cpu, mapping, index) else { return false };
        let sets = self.frame(page).flags.load(Ordering::Acquire) & flag::PRIVATE == 0;
        if sets {
            self.attach_private(page);
            B::outcome(outcome::PRIVATE_SET);
        }
        self.unlock_page(page);
        self.put_page(cpu, page, Holder::Lookup);
        sets
    }

    /// Marks a page that has no private data as having some. The page is locked, and the caller has a
    /// reference.
    ///
    /// What the data holds in each variant, and the race: [`PrivateRef`].
    pub(super) fn attach_private(&self, page: FrameNumber) {
        match self.history.private_ref {
            PrivateRef::Uncounted => {}
            PrivateRef::Counted => self.add_ref(page, Holder::Private),
        }
        self.frame(page).flags.fetch_or(flag::PRIVATE, Ordering::Relaxed);
    }

    /// Takes the private data off a page that has some. The page is locked, and the caller has a
    /// reference (`folio_detach_private`).
    pub(super) fn detach_private(&self, cpu: CpuId, page: FrameNumber) {
        self.frame(page).flags.fetch_and(!flag::PRIVATE, Ordering::Relaxed);
        match self.history.private_ref {
            PrivateRef::Uncounted => {}
            PrivateRef::Counted => self.put_page(cpu, page, Holder::Private),
        }
    }

    /// Gives the private data up of a page that is to leave the cache, if it has some by these flags
    /// (`filemap_release_folio`, `folio_invalidate`). The page is locked.
    pub(super) fn release_private(&self, cpu: CpuId, page: FrameNumber, flags: u32) {
        if flags & flag::PRIVATE != 0 {
            self.detach_private(cpu, page);
            B::outcome(outcome::PRIVATE_RELEASED);
        }
    }
}
