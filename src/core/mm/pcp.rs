//! Per-CPU page lists: a cache of free pages in front of the buddy lists.
//!
//! Two designs ([`history::Pcp`](super::history::Pcp)). Up to 5.13: single pages, touched by their
//! own CPU only, with interrupts off; that section stands as the list's lock here, which nobody then
//! contends. From 6.0: orders up to 3 and a real lock; allocation and freeing only try it and fall
//! back to the buddy lists, draining takes it and so reaches other CPUs' lists.
//!
//! What it is not: tuned. A list holds at most `PCP_HIGH_BATCHES` batches of pages; it is a stack, so
//! the pages used last come first, for the owner and for the overflow.
//!
//! Invariants: entries `0..len` are blocks, `pages` is the sum of their sizes; a parked page is not
//! merged and its `buddy` is 0. Lock order: the list's lock, then the zone lock.

use super::history::Pcp;
use super::limits::{MAX_PCP_BATCH, PCP_HIGH_BATCHES, PCP_MAX_ORDER};
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber, FreeList, Order};
use crate::sync::{Backend, CpuId, Guarded, Irq, IrqGuard, SpinGuard, SpinLock};

/// Entries that a list can hold: it overflows when it reaches its high mark, and one more may come.
const ENTRIES: usize = PCP_HIGH_BATCHES * MAX_PCP_BATCH + 1;

/// One CPU's list (`struct per_cpu_pages`).
#[derive(Debug)]
pub(super) struct PcpList<B: Backend> {
    pub lock: SpinLock<B>,
    pub len: Guarded<B, u32>,
    /// Pages on the list (`count`).
    pub pages: Guarded<B, u32>,
    /// Frame and order of each block.
    pub entries: [Guarded<B, u64>; ENTRIES],
}

impl<B: Backend> Default for PcpList<B> {
    fn default() -> Self {
        Self {
            lock: SpinLock::new(),
            len: Guarded::new(0),
            pages: Guarded::new(0),
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
    pub fn reset(&mut self) {
        self.lock.reset();
        self.len.reset(0);
        self.pages.reset(0);
    }

    fn push(&self, block: FrameNumber, order: Order) {
        let len = self.len.get(&self.lock);
        self.entries[len as usize].set(&self.lock, pack(block, order));
        self.len.set(&self.lock, len + 1);
        self.pages.set(&self.lock, self.pages.get(&self.lock) + order.frames() as u32);
    }

    /// Takes the block used last, of this order if one is given.
    fn pop(&self, wanted: Option<Order>) -> Option<(FrameNumber, Order)> {
        let len = self.len.get(&self.lock) as usize;
        let entry = |at: usize| unpack(self.entries[at].get(&self.lock));
        let at = (0..len).rev().find(|&at| wanted.is_none_or(|order| entry(at).1 == order))?;
        let (block, order) = entry(at);
        for hole in at..len - 1 {
            self.entries[hole].set(&self.lock, self.entries[hole + 1].get(&self.lock));
        }
        self.len.set(&self.lock, len as u32 - 1);
        self.pages.set(&self.lock, self.pages.get(&self.lock) - order.frames() as u32);
        Some((block, order))
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
        let mut hit = list.pop(Some(order));
        if planted!(self, PcpSteals) && hit.is_none() {
            let mut others = self.pcp.iter().take(self.sizes.cpus).filter(|(of, _)| *of != cpu);
            hit = others.find_map(|(_, other)| {
                let _held = other.lock.try_lock()?;
                other.pop(Some(order))
            });
        }
        if hit.is_some() {
            B::outcome(outcome::PCP_HIT);
        } else {
            self.refill(cpu, order);
        }
        let Some((block, _)) = hit.or_else(|| list.pop(Some(order))) else { return Some(None) };
        self.count_generation(block, &list.lock);
        let from = FreeList::PerCpu(cpu);
        B::event(|| Event::PageAlloc { frame: block, order, compound, from });
        Some(Some(block))
    }

    /// Takes a batch from the buddy lists, at least one block (`rmqueue_bulk`).
    fn refill(&self, cpu: CpuId, order: Order) {
        let list = self.pcp.of(cpu);
        let _zone = self.zone.lock.lock();
        for i in 0..(self.sizes.pcp_batch >> order.0).max(1) {
            let Some(block) = self.rmqueue(order) else { break };
            if i == 0 {
                B::outcome(outcome::PCP_REFILL);
            }
            B::event(|| Event::PageMove { frame: block, order, to: FreeList::PerCpu(cpu) });
            list.push(block, order);
        }
    }

    /// Frees to the running CPU's list, if it can be used now; returns whether it was
    /// (`free_unref_page`).
    pub(super) fn free_to_pcp(&self, cpu: CpuId, block: FrameNumber, order: Order) -> bool {
        let list = self.pcp.of(cpu);
        let Some(_held) = self.try_own(list) else { return false };
        B::event(|| Event::PageFree { frame: block, order, to: FreeList::PerCpu(cpu) });
        list.push(block, order);
        let high = PCP_HIGH_BATCHES * self.sizes.pcp_batch;
        if list.pages.get(&list.lock) as usize >= high {
            B::outcome(outcome::PCP_OVERFLOW);
            let zone = self.zone.lock.lock();
            self.give_back(list, self.sizes.pcp_batch);
            drop(zone);
        }
        true
    }

    /// Moves at least `pages` pages from a list to the buddy lists, or all there are
    /// (`free_pcppages_bulk`). The zone lock is held.
    fn give_back(&self, list: &PcpList<B>, pages: usize) {
        let mut moved = 0;
        while moved < pages {
            let Some((block, order)) = list.pop(None) else { break };
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
                return list.push(block, order);
            }
        }
    }

    /// Gives all of one list back (`drain_pages_zone`).
    fn drain_list(&self, list: &PcpList<B>) {
        if planted!(self, PcpUnlocked) && list.pages.get(&list.lock) == 0 {
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
        let _held = self.hold(list);
        if list.len.get(&list.lock) > 0 {
            B::outcome(outcome::PCP_DRAIN);
            let _zone = self.zone.lock.lock();
            self.give_back(list, usize::MAX);
        }
    }

    /// Gives back the running CPU's list (`drain_local_pages`).
    pub fn drain_local(&self, cpu: CpuId) {
        self.drain_list(self.pcp.of(cpu));
    }

    /// Gives back all CPUs' lists (`drain_all_pages`). With the design of 5.9 each list is its own
    /// CPU's business, so while other CPUs run only the running CPU's is given back.
    pub fn drain_all(&self, cpu: CpuId) {
        match self.history.pcp {
            Pcp::V5_9 => self.drain_local(cpu),
            Pcp::V6_2 => self.drain_each(),
        }
    }

    /// Gives back all CPUs' lists, at rest.
    pub(super) fn drain_each(&self) {
        for (_, list) in self.pcp.iter().take(self.sizes.cpus) {
            self.drain_list(list);
        }
    }
}
