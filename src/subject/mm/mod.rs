//! `pagerace_core::mm` as a subject: the page cache and the buddy allocator under their operations.
//!
//! Rights and what they entitle to:
//!
//! | kind | stands for | given back by |
//! |---|---|---|
//! | `block` | a block that is not compound, and its one reference | `free_pages`; `put_page` if it is one page |
//! | `compound` | a compound block and its owner's reference | `free_pages` or `put_page` |
//! | `page` | one reference on a cached page, a single page or a compound block | `put_page` |
//! | `pair` | two references on such a page: the one that was given, and one by `get_page` | one reference at a time |
//! | `exact` | single pages in a row, each with its reference | `free_exact` |
//! | `table` | a share of a page table | `table_unmap` |
//! | `frag` | fragments of one page, and a reference for each | `frag_free` |
//! | `poisoned` | a frame that is kept out of use, and its reference | `unpoison` |
//! | `shared` | a block that is not compound, its owner's reference, and a second user's | the second user's put, then as `block` |
//! | `tailed` | a block that is not compound, and a reference on a page of it if one was got | `tail_put`, then as `block` |
//!
//! No right holds the page lock or keeps a page under writeback: an operation that takes or starts
//! one ends it, as the CPUs that wait for it could otherwise wait for a program that has ended.
//!
//! What it is not: logic of the subject; that is in the core crate, as are the names of outcomes,
//! mechanisms and objects.

#[cfg(test)]
mod golden;
mod ops;
mod points;
mod tables;
#[cfg(test)]
mod tests;

pub use ops::{execute, give_back};
pub use tables::SPEC;

use super::{Call, Census, Done, FreeBlock, Names, RightKind, Setup, Spec, Subject};
use pagerace_core::event::{FrameNumber, Holder, Order};
use pagerace_core::mm::history::Mechanism;
use pagerace_core::mm::{History, Machine, Memory, Object, Report, Sizes};
use pagerace_core::sync::{Backend, Controlled, CpuId};
use tables::{Field, Switch, kind};

/// The memory of one case.
pub type MmSubject = Memory<Controlled>;

/// A result of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Right {
    /// A block that is not compound.
    Block(FrameNumber, Order),
    /// A compound block.
    Compound(FrameNumber, Order),
    /// A reference of this holder.
    Page(FrameNumber, Holder),
    /// Two references: this holder's, and one by `get_page`. The order is that of the owner's block.
    Pair(FrameNumber, Order, Holder),
    /// This many single pages in a row.
    Exact(FrameNumber, usize),
    /// A share of this page table.
    Table(usize),
    /// This many fragments of a page, each with its reference.
    Frag(FrameNumber, u8),
    /// A frame that is kept out of use.
    Poisoned(FrameNumber),
    /// A block that is not compound, with a second user.
    Shared(FrameNumber, Order),
    /// A block that is not compound, and the page of it on which somebody has a reference.
    Tailed(FrameNumber, Order, Option<FrameNumber>),
}

fn sizes(setup: &Setup<'_>) -> Sizes {
    let field = |field: Field| setup.fields[field as usize] as usize;
    Sizes {
        cpus: setup.cpus,
        frames: field(Field::Frames),
        pcp_batch: field(Field::PcpBatch),
        mappings: field(Field::Mappings),
        indices: field(Field::Indices),
    }
}

fn history(setup: &Setup<'_>) -> History {
    fn at<M: Mechanism>(setup: &Setup<'_>, switch: Switch) -> M {
        M::at(setup.history[switch as usize])
    }
    History {
        free_pages: at(setup, Switch::FreePages),
        alloc_result: at(setup, Switch::AllocResult),
        pcp: at(setup, Switch::Pcp),
        gigantic_prep: at(setup, Switch::GiganticPrep),
        table_sharing: at(setup, Switch::TableSharing),
        private_ref: at(setup, Switch::PrivateRef),
        collapse: at(setup, Switch::Collapse),
        tail_get: at(setup, Switch::TailGet),
        pcp_drain: at(setup, Switch::PcpDrain),
        offline: at(setup, Switch::Offline),
        tag_sample: at(setup, Switch::TagSample),
        set_count: at(setup, Switch::SetCount),
        hwpoison_inc: at(setup, Switch::HwpoisonInc),
        multi_holder: at(setup, Switch::MultiHolder),
    }
}

/// The fault that a case plants: variant 0 of its switch is none.
#[cfg(feature = "faults")]
fn fault(setup: &Setup<'_>) -> Option<pagerace_core::mm::Fault> {
    let variant = usize::from(setup.history[Switch::Fault as usize]);
    variant.checked_sub(1).map(|at| pagerace_core::mm::Fault::ALL[at].0)
}

/// Counts by walking; the same on both backends.
pub fn census<B: Backend>(memory: &Memory<B>, census: &mut Census) {
    census.clear();
    census.frames = memory.sizes().frames;
    census.max_order = memory.max_order();
    memory.walk_all(|report| match report {
        Report::Free(frame, order, list) => census.free.push(FreeBlock { frame, order, list }),
        Report::Refcount(count) => census.refcounts.push(count),
        Report::Cached(frame) => census.cached.push(frame),
        Report::Quarantined(frame) => census.quarantined.push(frame),
        Report::Broken(rule) => census.broken.push(rule),
        Report::Miscounted(sum) => census.miscounted.push(sum),
    });
}

impl pagerace_core::mm::Namer for Names {
    fn region<T: ?Sized>(&mut self, whole: &T) {
        Self::region(self, whole);
    }

    fn name(&mut self, addr: usize, object: Object, instance: usize) {
        self.add(addr, object as usize, instance);
    }
}

impl Subject for MmSubject {
    type Right = Right;

    fn spec() -> &'static Spec {
        &SPEC
    }

    fn new(setup: &Setup<'_>) -> Self {
        Self::new(sizes(setup), history(setup))
    }

    fn reset(&mut self, setup: &Setup<'_>) -> bool {
        let moved = self.reset(sizes(setup), history(setup));
        #[cfg(feature = "faults")]
        self.plant(fault(setup));
        moved
    }

    fn name(&self, names: &mut Names) {
        self.name(names);
    }

    fn kind(right: &Right) -> RightKind {
        match right {
            Right::Block(..) => kind::BLOCK,
            Right::Compound(..) => kind::COMPOUND,
            Right::Page(..) => kind::PAGE,
            Right::Pair(..) => kind::PAIR,
            Right::Exact(..) => kind::EXACT,
            Right::Table(..) => kind::TABLE,
            Right::Frag(..) => kind::FRAG,
            Right::Poisoned(..) => kind::POISONED,
            Right::Shared(..) => kind::SHARED,
            Right::Tailed(..) => kind::TAILED,
        }
    }

    fn execute(&self, cpu: CpuId, call: Call<Right>) -> Done<Right> {
        execute(self, cpu, call)
    }

    fn give_back(&self, cpu: CpuId, right: Right) {
        give_back(self, cpu, right);
    }

    fn drain(&self, cpu: CpuId) {
        Machine::drain(self, cpu);
    }

    fn census(&self, into: &mut Census) {
        census(self, into);
    }
}
