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
//!
//! No right holds the page lock or keeps a page under writeback: an operation that takes or starts
//! one ends it, as the CPUs that wait for it could otherwise wait for a program that has ended.
//!
//! What it is not: logic of the subject; that is in the core crate, as are the names of outcomes,
//! mechanisms and objects.

#[cfg(test)]
mod golden;
mod tables;
#[cfg(test)]
mod tests;

pub use tables::SPEC;

use super::{Call, Census, Done, FreeBlock, Names, RightKind, Setup, Spec, Subject};
use pagerace_core::event::{FrameNumber, Holder, Order};
use pagerace_core::mm::history::Mechanism;
use pagerace_core::mm::{History, Machine, Memory, Object, Report, Sizes};
use pagerace_core::sync::{Backend, Controlled, CpuId};
use tables::{Field, Op, Switch, kind};

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
        misuse: at(setup, Switch::Misuse),
    }
}

/// The fault that a case plants: variant 0 of its switch is none.
#[cfg(feature = "faults")]
fn fault(setup: &Setup<'_>) -> Option<pagerace_core::mm::Fault> {
    let variant = usize::from(setup.history[Switch::Fault as usize]);
    variant.checked_sub(1).map(|at| pagerace_core::mm::Fault::ALL[at].0)
}

/// Ends an operation that gives `right`, or fails.
fn gave(right: Option<Right>) -> Done<Right> {
    right.map_or(Done::Failed, |right| Done::Ok(Some(right)))
}

/// Ends an operation that gives nothing, and may have found nothing to do.
fn did(done: bool) -> Done<Right> {
    if done { Done::Ok(None) } else { Done::Failed }
}

/// Runs one operation; the same on both backends.
pub fn execute(memory: &impl Machine, cpu: CpuId, call: Call<Right>) -> Done<Right> {
    let [first, second] = call.operands;
    let sizes = memory.sizes();
    let order = Order((first % (u32::from(memory.max_order().0) + 1)) as u8);
    let mapping = first % sizes.mappings as u32;
    let index = second % sizes.indices as u32;
    let page = |found: Option<FrameNumber>| found.map(|page| Right::Page(page, Holder::Lookup));
    let frame = FrameNumber(first % sizes.frames as u32);
    let Some(&op) = Op::ALL.get(call.op) else {
        // The one operation behind the table: it is injected.
        return gave(memory.hold_page(frame).then_some(Right::Page(frame, Holder::Spec)));
    };
    match (op, call.right) {
        (Op::Alloc, _) => {
            gave(memory.alloc_pages(cpu, order, false).map(|block| Right::Block(block, order)))
        }
        (Op::AllocCompound, _) => {
            gave(memory.alloc_pages(cpu, order, true).map(|block| Right::Compound(block, order)))
        }
        (Op::AllocExact, _) => {
            let pages = first as usize % memory.max_order().frames() + 1;
            gave(memory.alloc_pages_exact(cpu, pages).map(|block| Right::Exact(block, pages)))
        }
        (Op::Add, _) => did(memory.add(cpu, mapping, index)),
        (Op::Delete, _) => did(memory.delete(cpu, mapping, index)),
        (Op::Lookup, _) => gave(page(memory.find_get(cpu, mapping, index))),
        (Op::LookupLock, _) => gave(page(memory.read_page(cpu, mapping, index))),
        (Op::Truncate, _) => {
            memory.truncate(cpu, mapping);
            Done::Ok(None)
        }
        (Op::Reclaim, _) => did(memory.reclaim(cpu, mapping, index)),
        (Op::Writeback, _) => did(memory.write_page(cpu, mapping, index)),
        (Op::Scan, _) => did(memory.scan(cpu, frame)),
        (Op::DrainLocal, _) => {
            memory.drain_local(cpu);
            Done::Ok(None)
        }
        (Op::DrainAll, _) => {
            memory.drain_all(cpu);
            Done::Ok(None)
        }
        (Op::SynchronizeRcu, _) => {
            memory.synchronize_rcu(cpu);
            Done::Ok(None)
        }
        (op, right) => on_right(memory, cpu, op, right),
    }
}

/// Runs an operation that takes a right. One that does not fit is handed back.
fn on_right(memory: &impl Machine, cpu: CpuId, op: Op, right: Option<Right>) -> Done<Right> {
    let single = Order(0);
    match (op, right) {
        (Op::FreePages, Some(Right::Block(block, order) | Right::Compound(block, order))) => {
            memory.free_pages(cpu, block, order);
            Done::Ok(None)
        }
        (Op::FreePages, Some(Right::Pair(block, order, Holder::Owner))) => {
            memory.free_pages(cpu, block, order);
            Done::Ok(Some(Right::Page(block, Holder::Get)))
        }
        (Op::PutPage, Some(Right::Compound(page, _))) => {
            memory.put_page(cpu, page, Holder::Owner);
            Done::Ok(None)
        }
        (Op::PutPage, Some(Right::Block(page, order))) if order == single => {
            memory.put_page(cpu, page, Holder::Owner);
            Done::Ok(None)
        }
        (Op::PutPage, Some(Right::Page(page, holder))) => {
            memory.put_page(cpu, page, holder);
            Done::Ok(None)
        }
        (Op::PutPage, Some(Right::Pair(page, _, holder))) => {
            memory.put_page(cpu, page, Holder::Get);
            Done::Ok(Some(Right::Page(page, holder)))
        }
        (Op::GetPage, Some(Right::Block(page, order))) if order == single => {
            memory.get_page(page, Holder::Get);
            Done::Ok(Some(Right::Pair(page, order, Holder::Owner)))
        }
        (Op::GetPage, Some(Right::Compound(page, order))) => {
            // The last frame: a reference on a tail is one on the head.
            memory.get_page(page.offset(order.frames() - 1), Holder::Get);
            Done::Ok(Some(Right::Pair(page, order, Holder::Owner)))
        }
        (Op::GetPage, Some(Right::Page(page, holder))) => {
            memory.get_page(page, Holder::Get);
            Done::Ok(Some(Right::Pair(page, single, holder)))
        }
        (Op::SplitPage, Some(Right::Block(block, order))) => {
            memory.split_page(block, order);
            Done::Ok(Some(Right::Exact(block, order.frames())))
        }
        (Op::FreeExact, Some(Right::Exact(first, pages))) => {
            memory.free_pages_exact(cpu, first, pages);
            Done::Ok(None)
        }
        (_, right) => Done::Skipped(right),
    }
}

/// Gives a right back in the ordinary way; the same on both backends.
pub fn give_back(memory: &impl Machine, cpu: CpuId, right: Right) {
    match right {
        Right::Block(block, order) | Right::Compound(block, order) => {
            memory.free_pages(cpu, block, order);
        }
        Right::Page(page, holder) => memory.put_page(cpu, page, holder),
        Right::Pair(page, _, holder) => {
            memory.put_page(cpu, page, Holder::Get);
            memory.put_page(cpu, page, holder);
        }
        Right::Exact(first, pages) => memory.free_pages_exact(cpu, first, pages),
    }
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
