//! How each operation and each right of the table is carried out on a memory.
//!
//! What it is not: logic of the subject, or state. Both backends run the same.

use super::Right;
use super::tables::Op;
use crate::subject::{Call, Done};
use pagerace_core::event::{FrameNumber, Holder, Order};
use pagerace_core::mm::{Machine, limits};
use pagerace_core::sync::CpuId;

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
        (Op::SetPrivate, _) => did(memory.set_private(cpu, mapping, index)),
        (Op::Migrate, _) => did(memory.migrate(cpu, mapping, index)),
        (Op::Collapse, _) => did(memory.collapse(cpu, mapping, index)),
        (Op::Scan, _) => did(memory.scan(cpu, frame)),
        (Op::Offline, _) => did(memory.offline(frame)),
        (Op::Poison, _) => gave(memory.poison(cpu, frame).then_some(Right::Poisoned(frame))),
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
        (Op::AllocGigantic, _) => {
            let frame = FrameNumber(second % sizes.frames as u32);
            let block = memory.alloc_gigantic(cpu, order, frame);
            gave(block.map(|block| Right::Compound(block, order)))
        }
        (Op::FragAlloc, _) => {
            gave(memory.frag_alloc(cpu).map(|page| Right::Frag(page, limits::FRAG_BIAS as u8)))
        }
        (Op::TableMap, _) => {
            let table = first as usize % limits::MAX_TABLES;
            gave(memory.table_map(cpu, table).then_some(Right::Table(table)))
        }
        (op, right) => on_right(memory, cpu, op, first, right),
    }
}

/// Runs an operation that takes a right. One that does not fit is handed back.
fn on_right(
    memory: &impl Machine,
    cpu: CpuId,
    op: Op,
    operand: u32,
    right: Option<Right>,
) -> Done<Right> {
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
        (Op::TailGet, Some(Right::Block(block, order))) => {
            let page = block.offset(operand as usize % order.frames());
            let taken = memory.tail_get(page).then_some(page);
            Done::Ok(Some(Right::Tailed(block, order, taken)))
        }
        (Op::TailPut, Some(Right::Tailed(block, order, taken))) => {
            if let Some(page) = taken {
                memory.tail_put(cpu, page);
            }
            Done::Ok(Some(Right::Block(block, order)))
        }
        (Op::ShareBlock, Some(Right::Block(block, order))) => {
            memory.share_block(block);
            Done::Ok(Some(Right::Shared(block, order)))
        }
        (Op::FreeShared, Some(Right::Shared(block, order))) => {
            memory.free_shared(cpu, block, order);
            Done::Ok(Some(Right::Block(block, order)))
        }
        (Op::Unpoison, Some(Right::Poisoned(page))) => {
            memory.unpoison(cpu, page);
            Done::Ok(None)
        }
        (Op::FragFree, Some(Right::Frag(page, left))) => {
            let left = memory.frag_free(cpu, page, left);
            Done::Ok((left > 0).then_some(Right::Frag(page, left)))
        }
        (Op::FreeExact, Some(Right::Exact(first, pages))) => {
            memory.free_pages_exact(cpu, first, pages);
            Done::Ok(None)
        }
        (Op::TableUnmap, Some(Right::Table(table))) => {
            memory.table_unmap(cpu, table);
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
        Right::Poisoned(page) => memory.unpoison(cpu, page),
        Right::Frag(page, mut left) => {
            while left > 0 {
                left = memory.frag_free(cpu, page, left);
            }
        }
        Right::Table(table) => memory.table_unmap(cpu, table),
        Right::Shared(block, order) => {
            memory.unshare_block(cpu, block);
            memory.free_pages(cpu, block, order);
        }
        Right::Tailed(block, order, taken) => {
            if let Some(page) = taken {
                memory.tail_put(cpu, page);
            }
            memory.free_pages(cpu, block, order);
        }
    }
}
