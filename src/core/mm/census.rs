//! Counting by walking the real lists, and the names of what is in memory.
//!
//! What it is not: code under test. Nothing here is an access; it is called when nothing else runs.

use super::Memory;
use super::buddy::ORDERS;
use super::frame::{NONE, flag};
use super::limits::PAGEBLOCK_TYPES;
use super::pcp::unpack;
use super::tree::{Entry, state};
use crate::event::{FrameNumber, FreeList, Order};
use crate::sync::Backend;

/// Something that a walk finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// A block on a free list.
    Free(FrameNumber, Order, FreeList),
    /// The count of the next frame, in the order of frames.
    Refcount(i32),
    /// A page in a tree.
    Cached(FrameNumber),
    /// A frame that a check refused.
    Quarantined(FrameNumber),
    /// Structures that contradict each other: which rule is broken.
    Broken(&'static str),
    /// A sum that is not what the walk counts, or not zero at rest: which.
    Miscounted(&'static str),
}

/// The classes of objects, as sites name them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Object {
    /// A frame's count.
    Refcount,
    /// A frame's flags word.
    Flags,
    /// A frame's link to its head.
    CompoundHead,
    /// A frame's mapping.
    Mapping,
    /// A frame's index.
    Index,
    /// A frame's content.
    Content,
    /// A frame's guarded buddy order.
    Buddy,
    /// A frame's guarded link to the next block.
    Next,
    /// A frame's guarded link to the block before.
    Prev,
    /// The point at which an allocation may fail.
    Alloc,
    /// The zone lock.
    ZoneLock,
    /// The guarded first block of a list of free blocks, by type and order.
    ZoneHead,
    /// The guarded number of blocks of such a list.
    ZoneFree,
    /// A per-CPU list's lock.
    PcpLock,
    /// A per-CPU list's guarded number of entries.
    PcpLen,
    /// A per-CPU list's number of pages.
    PcpCount,
    /// A slot of a tree: the mappings' heads, then the slots of the nodes.
    Slot,
    /// A mapping's tree lock.
    TreeLock,
    /// A mapping's guarded number of pages.
    TreePages,
    /// A node's guarded number of slots in use.
    NodeUsed,
    /// A node's guarded state.
    NodeState,
    /// The lock of the pool of nodes.
    NodeLock,
    /// The RCU domain.
    Rcu,
    /// A pageblock's type.
    Pageblock,
    /// How often a block was put on a list of isolated ones.
    Isolated,
    /// A per-CPU list's high mark.
    PcpHigh,
    /// The lock of who takes memory offline.
    Hotplug,
    /// A frame's allocation tag.
    Tag,
    /// The table lock.
    TableLock,
    /// What is guarded of a page table: its frame, what it maps, its sharers.
    Table,
    /// The page that a CPU keeps for its next collapse.
    Kept,
}

impl Object {
    /// Names, in the order of the discriminants; whether objects are counts that
    /// [`PageRef`](crate::event::Event::PageRef) explains.
    pub const CLASSES: &'static [(&'static str, bool)] = &[
        ("refcount", true),
        ("flags", false),
        ("compound_head", false),
        ("mapping", false),
        ("index", false),
        ("content", false),
        ("buddy", false),
        ("next", false),
        ("prev", false),
        ("alloc", false),
        ("zone_lock", false),
        ("zone_head", false),
        ("zone_free", false),
        ("pcp_lock", false),
        ("pcp_len", false),
        ("pcp_count", false),
        ("slot", false),
        ("tree_lock", false),
        ("tree_pages", false),
        ("node_used", false),
        ("node_state", false),
        ("node_lock", false),
        ("rcu", false),
        ("pageblock", false),
        ("isolated", false),
        ("pcp_high", false),
        ("hotplug", false),
        ("tag", false),
        ("table_lock", false),
        ("table", false),
        ("kept", false),
    ];
}

/// Receives the names of objects.
pub trait Namer {
    /// The objects named next lie within `whole`.
    fn region<T: ?Sized>(&mut self, whole: &T);
    /// The object at `addr` is this one.
    fn name(&mut self, addr: usize, object: Object, instance: usize);
}

impl<B: Backend> Memory<B> {
    /// Walks everything.
    pub fn walk_all(&self, mut report: impl FnMut(Report)) {
        self.walk_buddy(&mut report);
        self.walk_pcp(&mut report);
        for (at, frame) in self.frames[..self.sizes.frames].iter().enumerate() {
            report(Report::Refcount(frame.refcount.peek()));
            let flags = frame.flags.peek();
            if flags & flag::QUARANTINED != 0 {
                report(Report::Quarantined(FrameNumber(at as u32)));
            } else if flags & (flag::LOCKED | flag::WRITEBACK) != 0 {
                report(Report::Broken("page-locked-at-rest"));
            }
        }
        self.walk_trees(&mut report);
        if !self.tags_are_zero() {
            report(Report::Miscounted("alloc-tag"));
        }
        if self.tables.slots.iter().any(|slot| slot.frame.peek() != 0) {
            report(Report::Broken("table-at-rest"));
        }
    }

    fn walk_buddy(&self, report: &mut impl FnMut(Report)) {
        let mut listed = 0;
        for list in 0..PAGEBLOCK_TYPES * ORDERS {
            let (kind, order) = (list / ORDERS, list % ORDERS);
            let head = self.zone.heads[kind][order].peek();
            let (mut at, mut before, mut blocks) = (head, NONE, 0);
            // A list that was damaged into a ring must end too.
            while at != NONE && blocks <= self.sizes.frames {
                let frame = &self.frames[at as usize];
                report(Report::Free(FrameNumber(at), Order(order as u8), FreeList::Buddy));
                if frame.buddy.peek() != order as u32 + 1 {
                    report(Report::Broken("buddy-order"));
                }
                let pageblock = at as usize >> self.sizes.pageblock_order().0;
                if self.pageblocks[pageblock].peek() as usize != kind {
                    report(Report::Broken("buddy-list-type"));
                }
                if frame.prev.peek() != before {
                    report(Report::Broken("buddy-list-link"));
                }
                (before, at, blocks) = (at, frame.next.peek(), blocks + 1);
            }
            if self.zone.free[kind][order].peek() as usize != blocks {
                report(Report::Broken("zone-free-count"));
            }
            listed += blocks;
        }
        let marked =
            self.frames[..self.sizes.frames].iter().filter(|f| f.buddy.peek() != 0).count();
        if marked != listed {
            report(Report::Broken("buddy-mark-off-list"));
        }
    }

    fn walk_pcp(&self, report: &mut impl FnMut(Report)) {
        for (cpu, list) in self.pcp.iter().take(self.sizes.cpus) {
            let mut pages = 0;
            for entry in &list.entries[..list.len.peek() as usize] {
                let (block, order) = unpack(entry.peek());
                report(Report::Free(block, order, FreeList::PerCpu(cpu)));
                pages += order.frames();
            }
            if list.pages.peek() as usize != pages {
                report(Report::Broken("pcp-count"));
            }
        }
    }

    fn walk_trees(&self, report: &mut impl FnMut(Report)) {
        let mut in_trees = 0;
        for mapping in &self.mappings[..self.sizes.mappings] {
            let mut pages = 0;
            match Entry::of(mapping.head.peek()) {
                Entry::Empty => {}
                Entry::Page(page) => {
                    report(Report::Cached(page));
                    pages += 1;
                }
                Entry::Node(node) => {
                    in_trees += 1;
                    let node = &self.nodes.all[node];
                    for page in node.slots.iter().filter_map(|s| Entry::of(s.peek()).page()) {
                        report(Report::Cached(page));
                        pages += 1;
                    }
                    if node.used.peek() != pages {
                        report(Report::Broken("node-used-count"));
                    }
                }
            }
            if mapping.pages.peek() != pages {
                report(Report::Broken("mapping-page-count"));
            }
        }
        let nodes = &self.nodes.all[..self.nodes.len];
        if nodes.iter().filter(|n| n.state.peek() == state::USED).count() != in_trees {
            report(Report::Broken("node-lost"));
        }
    }

    /// Names every object that code under test touches.
    pub fn name(&self, names: &mut impl Namer) {
        // First what is touched most.
        names.region(&*self.frames);
        for (at, frame) in self.frames.iter().enumerate() {
            names.name(frame.refcount.addr(), Object::Refcount, at);
            names.name(frame.flags.addr(), Object::Flags, at);
            names.name(frame.compound_head.addr(), Object::CompoundHead, at);
            names.name(frame.mapping.addr(), Object::Mapping, at);
            names.name(frame.index.addr(), Object::Index, at);
            names.name(frame.content.addr(), Object::Content, at);
            names.name(frame.tag.addr(), Object::Tag, at);
            names.name(frame.buddy.addr(), Object::Buddy, at);
            names.name(frame.next.addr(), Object::Next, at);
            names.name(frame.prev.addr(), Object::Prev, at);
        }
        names.region(self);
        names.name(self.may_fail.addr(), Object::Alloc, 0);
        names.name(self.zone.lock.addr(), Object::ZoneLock, 0);
        let (heads, free) = (self.zone.heads.as_flattened(), self.zone.free.as_flattened());
        for (list, (head, free)) in heads.iter().zip(free).enumerate() {
            names.name(head.addr(), Object::ZoneHead, list);
            names.name(free.addr(), Object::ZoneFree, list);
        }
        names.name(self.zone.isolated.addr(), Object::Isolated, 0);
        names.name(self.hotplug.addr(), Object::Hotplug, 0);
        for (cpu, list) in self.pcp.iter() {
            names.name(list.lock.addr(), Object::PcpLock, cpu.index());
            names.name(list.len.addr(), Object::PcpLen, cpu.index());
            names.name(list.pages.addr(), Object::PcpCount, cpu.index());
            names.name(list.high.addr(), Object::PcpHigh, cpu.index());
        }
        names.name(self.nodes.lock.addr(), Object::NodeLock, 0);
        names.name(self.rcu.addr(), Object::Rcu, 0);
        for (cpu, kept) in self.kept.iter() {
            names.name(kept.addr(), Object::Kept, cpu.index());
        }
        names.name(self.tables.lock.addr(), Object::TableLock, 0);
        for (at, slot) in self.tables.slots.iter().enumerate() {
            let fields = [&slot.frame, &slot.child, &slot.sharers];
            for (n, field) in fields.into_iter().enumerate() {
                names.name(field.addr(), Object::Table, at * fields.len() + n);
            }
        }
        names.region(&*self.pageblocks);
        for (at, pageblock) in self.pageblocks.iter().enumerate() {
            names.name(pageblock.addr(), Object::Pageblock, at);
        }
        names.region(&*self.mappings);
        for (at, mapping) in self.mappings.iter().enumerate() {
            names.name(mapping.head.addr(), Object::Slot, at);
            names.name(mapping.lock.addr(), Object::TreeLock, at);
            names.name(mapping.pages.addr(), Object::TreePages, at);
        }
        names.region(&*self.nodes.all);
        for (at, node) in self.nodes.all.iter().enumerate() {
            for (n, slot) in node.slots.iter().enumerate() {
                let instance = super::limits::MAX_MAPPINGS + at * node.slots.len() + n;
                names.name(slot.addr(), Object::Slot, instance);
            }
            names.name(node.used.addr(), Object::NodeUsed, at);
            names.name(node.state.addr(), Object::NodeState, at);
        }
    }
}
