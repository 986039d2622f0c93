//! Per-CPU page lists: a cache of free pages in front of the buddy lists.
//!
//! Two designs ([`history::Pcp`](super::history::Pcp)). Up to 5.13: single pages, touched by their
//! own CPU only, with interrupts off; that section stands as the list's lock here, which nobody then
//! contends. From 6.0: orders up to 3 and a real lock; allocation and freeing only try it and fall
//! back to the buddy lists, draining takes it and so reaches other CPUs' lists.
//!
//! A list has two ends. Its owner frees to the hot end and allocates from there, as what was used last
//! is still in the CPU's cache; what goes back to the buddy lists leaves at the cold end. A refill is
//! appended at the cold end, block by block, so that its first block is allocated first.
//!
//! What it is not: tuned (a list gives back one batch when it has `PCP_HIGH_BATCHES`), or one list for
//! each order and type, of which Linux gives back in turn.
//!
//! The count of a list's pages is written under its lock and may be read without. Whoever links or unlinks
//! blocks counts them afterwards, in one store: without the lock a list can seem empty that is not. The high
//! mark is stored and loaded without the lock: who switches a list off drains it then, and whoever takes its
//! lock after that drain sees the mark.
//!
//! Invariants: entries `0..len` are blocks, from the cold end to the hot end; `pages` is the sum of
//! their sizes once they are counted; a parked page is not merged and its `buddy` is 0. Lock order: the list's lock, then
//! the zone lock.

use super::history::{Pcp, PcpDrain};
use super::limits::{MAX_PCP_BATCH, PCP_HIGH_BATCHES, PCP_MAX_ORDER};
use super::pageblock::ISOLATE;
use super::{Memory, Sizes, outcome};
use crate::event::{Event, FrameNumber, FreeList, Order};
use crate::sync::{
    AtomicU32, Backend, CpuId, Guarded, Irq, IrqGuard, Ordering, Published, SpinGuard, SpinLock,
};

/// Entries that a list can hold. Freeing leaves fewer than the high mark, or no more than there were:
/// each entry is a page at least. A refill puts a batch on top, for an order of which there was none.
const ENTRIES: usize = (PCP_HIGH_BATCHES + 1) * MAX_PCP_BATCH;

/// One CPU's list (`struct per_cpu_pages`).
#[derive(Debug)]
pub(super) struct PcpList<B: Backend> {
    pub lock: SpinLock<B>,
    pub len: Guarded<B, u32>,
    /// Pages on the list (`count`).
    pub pages: Published<B, u32>,
    /// From how many pages on it gives some back; 0: the list is switched off (`high`).
    pub high: AtomicU32<B>,
    /// Frame and order of each block, the coldest first.
    pub entries: [Guarded<B, u64>; ENTRIES],
}

impl<B: Backend> Default for PcpList<B> {
    fn default() -> Self {
        Self {
            lock: SpinLock::new(),
            len: Guarded::new(0),
            pages: Published::new(0),
            high: AtomicU32::new(0),
            entries: core::array::from_fn(|_| Guarded::new(0)),
        }
    }
}

fn pack(block: FrameNumber, order: Order) -> u64 {
    u64::from(block.0) << 8 | u64::from(order.0)
}

pub(super) fn unpack(entry: u64) -> (FrameNumber, Order) {
    (FrameNumber((entry >> 8) as u32), Order(entry as u8))
}

impl<B: Backend> PcpList<B> {
    /// The high mark of a list that is on.
    pub const fn high(sizes: &Sizes) -> u32 {
        (PCP_HIGH_BATCHES * sizes.pcp_batch) as u32
    }

    pub fn reset(&mut self, sizes: &Sizes) {
        self.lock.reset();
        self.len.reset(0);
        self.pages.reset(0);
        self.high.reset(Self::high(sizes));
    }

    /// Puts a block at the hot end.
    fn push_hot(&self, block: FrameNumber, order: Order) {
        self.insert(self.len.get(&self.lock) as usize, block, order);
    }

    /// Puts a block at the cold end.
    fn push_cold(&self, block: FrameNumber, order: Order) {
        self.insert(0, block, order);
    }

    /// Takes the block of this order that is nearest to the hot end.
    fn pop_hot(&self, wanted: Order) -> Option<FrameNumber> {
        let len = self.len.get(&self.lock) as usize;
        let order = |at: usize| unpack(self.entries[at].get(&self.lock)).1;
        let at = (0..len).rev().find(|&at| order(at) == wanted)?;
        Some(self.remove(at).0)
    }

    /// Takes the block at the cold end.
    fn pop_cold(&self) -> Option<(FrameNumber, Order)> {
        (self.len.get(&self.lock) > 0).then(|| self.remove(0))
    }

    /// Counts pages that were linked.
    fn count_in(&self, pages: usize) {
        self.pages.set(&self.lock, self.pages.get(&self.lock) + pages as u32);
    }

    /// Counts pages that were unlinked.
    fn count_out(&self, pages: usize) {
        self.pages.set(&self.lock, self.pages.get(&self.lock) - pages as u32);
    }

    fn insert(&self, at: usize, block: FrameNumber, order: Order) {
        let len = self.len.get(&self.lock);
        for hotter in (at..len as usize).rev() {
            self.entries[hotter + 1].set(&self.lock, self.entries[hotter].get(&self.lock));
        }
        self.entries[at].set(&self.lock, pack(block, order));
        self.len.set(&self.lock, len + 1);
    }

    fn remove(&self, at: usize) -> (FrameNumber, Order) {
        let len = self.len.get(&self.lock);
        let (block, order) = unpack(self.entries[at].get(&self.lock));
        for hole in at..len as usize - 1 {
            self.entries[hole].set(&self.lock, self.entries[hole + 1].get(&self.lock));
        }
        self.len.set(&self.lock, len - 1);
        (block, order)
    }
}

/// The right to touch a list.
struct Held<'a, B: Backend> {
    _lock: SpinGuard<'a, B>,
    _irq: Option<IrqGuard<B>>,
}

impl<B: Backend> Memory<B> {
    /// Whether blocks of this order go through the per-CPU lists.
    pub(super) fn pcp_takes(&self, order: Order) -> bool {
        let largest = match self.history.pcp {
            Pcp::V5_9 => Order(0),
            Pcp::V6_2 => PCP_MAX_ORDER,
        };
        self.sizes.pcp_batch > 0 && order <= largest
    }

    /// The running CPU's list, unless someone else is at it.
    fn try_own<'a>(&self, list: &'a PcpList<B>) -> Option<Held<'a, B>> {
        match self.history.pcp {
            Pcp::V5_9 => Some(self.hold(list)),
            Pcp::V6_2 => {
                let lock = list.lock.try_lock();
                if lock.is_none() {
                    B::outcome(outcome::PCP_FALLBACK);
                }
                Some(Held { _lock: lock?, _irq: None })
            }
        }
    }

    fn hold<'a>(&self, list: &'a PcpList<B>) -> Held<'a, B> {
        let irq = (self.history.pcp == Pcp::V5_9).then(Irq::off);
        Held { _lock: list.lock.lock(), _irq: irq }
    }

    /// Allocates from the running CPU's list (`rmqueue_pcplist`). The outer `None`: the list cannot
    /// be used now; the inner: there is no memory.
    pub(super) fn rmqueue_pcp(
        &self,
        cpu: CpuId,
        order: Order,
        compound: bool,
    ) -> Option<Option<FrameNumber>> {
        let list = self.pcp.of(cpu);
        let _held = self.try_own(list)?;
        let mut hit = list.pop_hot(order);
        if planted!(self, PcpSteals) && hit.is_none() {
            let mut others = self.pcp.iter().take(self.sizes.cpus).filter(|(of, _)| *of != cpu);
            hit = others.find_map(|(_, other)| {
                let _held = other.lock.try_lock()?;
                let stolen = other.pop_hot(order)?;
                other.count_out(order.frames());
                list.count_in(order.frames());
                Some(stolen)
            });
        }
        if hit.is_some() {
            B::outcome(outcome::PCP_HIT);
        } else {
            let linked = self.refill(cpu, order);
            if linked > 0 {
                list.count_in(linked);
            }
        }
        let Some(block) = hit.or_else(|| list.pop_hot(order)) else { return Some(None) };
        list.count_out(order.frames());
        self.count_generation(block, &list.lock);
        let from = FreeList::PerCpu(cpu);
        B::event(|| Event::PageAlloc { frame: block, order, compound, from });
        Some(Some(block))
    }

    /// Takes a batch from the buddy lists, at least one block (`rmqueue_bulk`). The first block is
    /// allocated first: blocks that were one before are handed out in the order of their frames. Returns
    /// how many pages it linked, for the caller to count.
    fn refill(&self, cpu: CpuId, order: Order) -> usize {
        let list = self.pcp.of(cpu);
        let on = list.high.load(Ordering::Relaxed) > 0;
        let _zone = self.zone.lock.lock();
        let batch = if on { self.sizes.pcp_batch >> order.0 } else { 0 };
        let mut linked = 0;
        for i in 0..batch.max(1) {
            let Some(block) = self.rmqueue(order) else { break };
            if i == 0 {
                B::outcome(outcome::PCP_REFILL);
            }
            B::event(|| Event::PageMove { frame: block, order, to: FreeList::PerCpu(cpu) });
            list.push_cold(block, order);
            linked += order.frames();
        }
        linked
    }

    /// Frees to the running CPU's list, if it can be used now and the block may be parked; returns whether it
    /// was (`free_unref_page`).
    ///
    /// The type of the pageblock may change at once: what must not be parked then, is kept from it by who
    /// changes it.
    pub(super) fn free_to_pcp(&self, cpu: CpuId, block: FrameNumber, order: Order) -> bool {
        if self.peek_block_type(block) == ISOLATE {
            B::outcome(outcome::FREE_TO_ISOLATED);
            return false;
        }
        let list = self.pcp.of(cpu);
        let Some(_held) = self.try_own(list) else { return false };
        B::event(|| Event::PageFree { frame: block, order, to: FreeList::PerCpu(cpu) });
        list.push_hot(block, order);
        list.count_in(order.frames());
        let high = list.high.load(Ordering::Relaxed);
        if list.pages.get(&list.lock) >= high {
            B::outcome(outcome::PCP_OVERFLOW);
            // Of a list that is switched off as much as was put there.
            let pages = if high == 0 { 1 } else { self.sizes.pcp_batch };
            let zone = self.zone.lock.lock();
            self.give_back(list, pages);
            drop(zone);
        }
        true
    }

    /// Moves at least `pages` pages from a list to the buddy lists, the coldest first, or all there
    /// are (`free_pcppages_bulk`). The zone lock is held.
    fn give_back(&self, list: &PcpList<B>, pages: usize) {
        let mut moved = 0;
        while moved < pages {
            let Some((block, order)) = list.pop_cold() else { break };
            B::event(|| Event::PageMove { frame: block, order, to: FreeList::Buddy });
            moved += order.frames();
            if planted!(self, OverflowLoses) {
                continue;
            }
            if planted!(self, ExchangeNoMerge) {
                self.list_add(block, order);
                continue;
            }
            self.free_one_page(block, order);
            if planted!(self, DrainKeeps) && pages == usize::MAX {
                list.push_hot(block, order);
                moved -= order.frames();
                break;
            }
        }
        if moved > 0 {
            list.count_out(moved);
        }
    }

    /// Gives all of one list back (`drain_pages_zone`).
    fn drain_list(&self, of: CpuId) {
        let list = self.pcp.of(of);
        if planted!(self, PcpUnlocked) && list.len.get(&list.lock) == 0 {
            return;
        }
        if planted!(self, ZoneThenPcp) {
            let _zone = self.zone.lock.lock();
            let _held = self.hold(list);
            return self.give_back(list, usize::MAX);
        }
        if planted!(self, TreeAndZone) {
            let _zone = self.zone.lock.lock();
            drop(self.mappings[0].lock.lock());
        }
        if self.drain_passes_by(of) {
            return;
        }
        let _held = self.hold(list);
        B::event(|| Event::ListDrain { list: of, done: false });
        if list.len.get(&list.lock) > 0 && !planted!(self, DrainLooksOnly) {
            B::outcome(outcome::PCP_DRAIN);
            let _zone = self.zone.lock.lock();
            self.give_back(list, self.drained_at_once(list));
        }
        B::event(|| Event::ListDrain { list: of, done: true });
    }

    /// Whether a drain is through with a list by a look at its count, without the lock.
    ///
    /// The steps of each variant, and their race: [`PcpDrain`].
    fn drain_passes_by(&self, of: CpuId) -> bool {
        match self.history.pcp_drain {
            PcpDrain::Locked => false,
            // Only its own CPU is ever at a list, with interrupts off.
            PcpDrain::UnlockedPeek if self.history.pcp == Pcp::V5_9 => false,
            PcpDrain::UnlockedPeek => {
                let seems_empty = self.pcp.of(of).pages.load() == 0;
                if seems_empty {
                    B::event(|| Event::ListDrain { list: of, done: false });
                    B::event(|| Event::ListDrain { list: of, done: true });
                }
                seems_empty
            }
        }
    }

    /// How many pages a drain gives back: all.
    fn drained_at_once(&self, list: &PcpList<B>) -> usize {
        if planted!(self, DrainSkipsOne) {
            return list.pages.get(&list.lock) as usize - 1;
        }
        if planted!(self, DrainOneBatch) {
            return self.sizes.pcp_batch;
        }
        usize::MAX
    }

    /// Gives back the running CPU's list (`drain_local_pages`).
    pub fn drain_local(&self, cpu: CpuId) {
        self.drain_list(cpu);
    }

    /// Gives back all CPUs' lists (`drain_all_pages`). With the design of 5.9 each list is its own
    /// CPU's business, so while other CPUs run only the running CPU's is given back.
    pub fn drain_all(&self, cpu: CpuId) {
        match self.history.pcp {
            Pcp::V5_9 => self.drain_local(cpu),
            Pcp::V6_2 => self.drain_each(),
        }
    }

    /// Switches all lists off, then drains them: from then on, whatever comes to a list is given back by who
    /// puts it there (`zone_pcp_disable`).
    pub(super) fn disable_pcp(&self) {
        self.set_pcp_high(0);
        self.drain_each();
    }

    /// Switches all lists on (`zone_pcp_enable`).
    pub(super) fn enable_pcp(&self) {
        self.set_pcp_high(PcpList::<B>::high(&self.sizes));
    }

    /// Sets the high mark of all lists, without their locks (`pageset_update`).
    fn set_pcp_high(&self, high: u32) {
        for (_, list) in self.pcp.iter().take(self.sizes.cpus) {
            list.high.store(high, Ordering::Relaxed);
        }
    }

    /// Gives back all CPUs' lists: at rest, or on each CPU in turn (`drain_all_pages` of 5.9, which has them
    /// do it themselves, after their own section).
    pub(super) fn drain_each(&self) {
        for (of, _) in self.pcp.iter().take(self.sizes.cpus) {
            self.drain_list(of);
        }
    }
}
