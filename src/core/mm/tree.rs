//! The slot tree of a mapping: a head, which is empty, a page at index 0, or a node of four slots.
//!
//! Writers hold the mapping's tree lock. Readers hold nothing: they load the head, perhaps a slot,
//! and must look again after they took a reference. Nodes come from a pool and go back to it after a
//! grace period of the readers.
//!
//! What it is not: deeper than one node, or multi-index (every entry is a single page).
//!
//! Invariants: `used` is the number of slots of a node that are not empty; a node in a head has at
//! least one, except between the two stores that grow it; a node in the pool has none. Lock order:
//! tree lock, node lock.

use super::frame::Place;
use super::limits::NODE_SLOTS;
use super::{Memory, grow, outcome};
use crate::event::{Event, FrameNumber};
use crate::sync::{AtomicU32, Backend, CpuId, Guarded, Ordering, SpinLock};

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    Empty,
    Page(FrameNumber),
    /// Only in a head.
    Node(usize),
}

impl Entry {
    pub fn of(word: u32) -> Self {
        match (word, word & 1) {
            (0, _) => Self::Empty,
            (_, 1) => Self::Page(FrameNumber(word >> 1)),
            _ => Self::Node((word >> 1) as usize - 1),
        }
    }

    pub fn word(self) -> u32 {
        match self {
            Self::Empty => 0,
            Self::Page(frame) => frame.0 << 1 | 1,
            Self::Node(node) => (node as u32 + 1) << 1,
        }
    }

    pub fn page(self) -> Option<FrameNumber> {
        if let Self::Page(frame) = self { Some(frame) } else { None }
    }
}

/// A mapping (`struct address_space`).
#[derive(Debug)]
pub(super) struct Mapping<B: Backend> {
    /// `i_pages.xa_lock`.
    pub lock: SpinLock<B>,
    /// `i_pages.xa_head`.
    pub head: AtomicU32<B>,
    /// `nrpages`.
    pub pages: Guarded<B, u32>,
}

impl<B: Backend> Default for Mapping<B> {
    fn default() -> Self {
        Self { lock: SpinLock::new(), head: AtomicU32::new(0), pages: Guarded::new(0) }
    }
}

impl<B: Backend> Mapping<B> {
    pub fn reset(&mut self) {
        self.lock.reset();
        self.head.reset(0);
        self.pages.reset(0);
    }
}

/// States of a node, guarded by the node lock.
pub(super) mod state {
    /// In the pool.
    pub const FREE: u32 = 0;
    /// In a tree.
    pub const USED: u32 = 1;
    /// Out of its tree; no grace period waits for it yet.
    pub const DEFERRED: u32 = 2;
    /// Out of its tree; CPU `state - GRACE` waits for its readers.
    pub const GRACE: u32 = 3;
}

/// A node (`struct xa_node`).
#[derive(Debug)]
pub(super) struct Node<B: Backend> {
    pub slots: [AtomicU32<B>; NODE_SLOTS],
    /// Slots in use, guarded by the tree lock.
    pub used: Guarded<B, u32>,
    /// Guarded by the node lock.
    pub state: Guarded<B, u32>,
}

impl<B: Backend> Default for Node<B> {
    fn default() -> Self {
        Self {
            slots: core::array::from_fn(|_| AtomicU32::new(0)),
            used: Guarded::new(0),
            state: Guarded::new(state::FREE),
        }
    }
}

/// The pool of nodes.
#[derive(Debug)]
pub(super) struct Nodes<B: Backend> {
    pub lock: SpinLock<B>,
    pub all: Box<[Node<B>]>,
    /// How many of `all` this run may use.
    pub len: usize,
}

impl<B: Backend> Default for Nodes<B> {
    fn default() -> Self {
        Self { lock: SpinLock::new(), all: Box::default(), len: 0 }
    }
}

impl<B: Backend> Nodes<B> {
    pub fn grow(&mut self, len: usize) -> bool {
        grow(&mut self.all, len, Node::default)
    }

    pub fn reset(&mut self, len: usize) {
        self.len = len;
        self.lock.reset();
        for node in &mut self.all[..len] {
            for slot in &mut node.slots {
                slot.reset(0);
            }
            node.used.reset(0);
            node.state.reset(state::FREE);
        }
    }
}

impl<B: Backend> Memory<B> {
    /// Loads the entry of an index, without a lock: the slot it is in and what it holds. An index that
    /// has no slot reads as empty, in the head.
    pub(super) fn walk(&self, mapping: u32, index: u32) -> (&AtomicU32<B>, Entry) {
        let head = &self.mappings[mapping as usize].head;
        match Entry::of(head.load(Ordering::Acquire)) {
            Entry::Node(node) => {
                let at = if planted!(self, StaleIndex) { 0 } else { index as usize };
                let slot = &self.nodes.all[node].slots[at];
                (slot, Entry::of(slot.load(Ordering::Acquire)))
            }
            entry @ Entry::Page(_) if index == 0 => (head, entry),
            _ => (head, Entry::Empty),
        }
    }

    /// Puts a page at an empty index; false if it is not empty or there is no node. The tree lock is
    /// held.
    pub(super) fn tree_insert(&self, place: Place, page: FrameNumber) -> bool {
        let Place { mapping, index } = place;
        let tree = &self.mappings[mapping as usize];
        let head = Entry::of(tree.head.load(Ordering::Relaxed));
        let node = match head {
            Entry::Node(node) => Some(node),
            Entry::Empty if index == 0 => None,
            Entry::Page(_) if index == 0 => return false,
            _ => match self.tree_grow(mapping, head) {
                Some(node) => Some(node),
                None => return false,
            },
        };
        let slot = node.map_or(&tree.head, |node| &self.nodes.all[node].slots[index as usize]);
        if node.is_some() && slot.load(Ordering::Relaxed) != 0 {
            return false;
        }
        slot.store(Entry::Page(page).word(), Ordering::Release);
        B::event(|| Event::CacheAdd { mapping, index, frame: page });
        if let Some(node) = node {
            let used = &self.nodes.all[node].used;
            used.set(&tree.lock, used.get(&tree.lock) + 1);
        }
        tree.pages.set(&tree.lock, tree.pages.get(&tree.lock) + 1);
        true
    }

    /// Puts a node between a mapping's head and what it held.
    fn tree_grow(&self, mapping: u32, head: Entry) -> Option<usize> {
        let tree = &self.mappings[mapping as usize];
        let at = self.node_alloc()?;
        let node = &self.nodes.all[at];
        if head != Entry::Empty {
            node.slots[0].store(head.word(), Ordering::Relaxed);
            node.used.set(&tree.lock, 1);
        }
        tree.head.store(Entry::Node(at).word(), Ordering::Release);
        B::outcome(outcome::TREE_GROW);
        Some(at)
    }

    /// Takes the page off its index; false if it is not there. The tree lock is held. The page's
    /// `mapping` is cleared after the slot, its `index` is kept.
    pub(super) fn tree_erase(&self, place: Place, page: FrameNumber) -> bool {
        let Place { mapping, index } = place;
        let tree = &self.mappings[mapping as usize];
        let (slot, entry) = self.walk(mapping, index);
        if entry != Entry::Page(page) {
            return false;
        }
        slot.store(0, Ordering::Release);
        B::event(|| Event::CacheDelete { mapping, index, frame: page });
        if !planted!(self, MappingKept) {
            self.frame(page).mapping.store(0, Ordering::Relaxed);
        }
        if !planted!(self, PagesUnlocked) {
            self.count_out(mapping);
        }
        if slot.addr() != tree.head.addr() {
            self.tree_shrink(mapping);
        }
        true
    }

    /// Puts a page in the place of another; false if that is not at the index. The tree lock is held.
    pub(super) fn tree_replace(&self, place: Place, old: FrameNumber, new: FrameNumber) -> bool {
        let Place { mapping, index } = place;
        let (slot, entry) = self.walk(mapping, index);
        if entry != Entry::Page(old) {
            return false;
        }
        slot.store(Entry::Page(new).word(), Ordering::Release);
        // One store is both: no lookup can find the index empty.
        B::event(|| Event::CacheDelete { mapping, index, frame: old });
        B::event(|| Event::CacheAdd { mapping, index, frame: new });
        true
    }

    /// Counts a page that left a mapping.
    pub(super) fn count_out(&self, mapping: u32) {
        let tree = &self.mappings[mapping as usize];
        tree.pages.set(&tree.lock, tree.pages.get(&tree.lock) - 1);
    }

    /// Counts an emptied slot of a mapping's node, and frees the node with its last.
    fn tree_shrink(&self, mapping: u32) {
        let tree = &self.mappings[mapping as usize];
        let Entry::Node(at) = Entry::of(tree.head.load(Ordering::Relaxed)) else { return };
        let used = &self.nodes.all[at].used;
        let left = used.get(&tree.lock) - 1;
        used.set(&tree.lock, left);
        if left == 0 {
            tree.head.store(0, Ordering::Release);
            self.node_defer(at);
            B::outcome(outcome::TREE_SHRINK);
        }
    }

    /// Takes a node from the pool; if there is none, one that no reader can be in any more.
    fn node_alloc(&self) -> Option<usize> {
        let lock = &self.nodes.lock;
        let _nodes = lock.lock();
        let all = &self.nodes.all[..self.nodes.len];
        let pick = |wanted| all.iter().position(|node| node.state.get(lock) == wanted);
        if planted!(self, NodeAndZone) {
            drop(self.zone.lock.lock());
        }
        let free = || pick(state::FREE);
        let taken_back = || {
            let quiet = planted!(self, QuietIgnored) || self.rcu.quiet();
            let at = quiet.then(|| pick(state::DEFERRED)).flatten()?;
            self.node_reuse(at);
            Some(at)
        };
        let at = if planted!(self, QuietIgnored) {
            taken_back().or_else(free)
        } else {
            free().or_else(taken_back)
        }?;
        all[at].state.set(lock, state::USED);
        Some(at)
    }

    fn node_reuse(&self, at: usize) {
        let node = &self.nodes.all[at];
        node.state.set(&self.nodes.lock, state::FREE);
        B::event(|| Event::RcuFree { object: node.slots[0].addr() });
        B::outcome(outcome::NODE_REUSE);
    }

    /// Gives a node up that was just taken out of its tree (`call_rcu`).
    fn node_defer(&self, at: usize) {
        let _zone = planted!(self, NodeAndZone).then(|| self.zone.lock.lock());
        let _nodes = self.nodes.lock.lock();
        self.nodes.all[at].state.set(&self.nodes.lock, state::DEFERRED);
        if planted!(self, NodeFreedAtOnce) {
            self.node_reuse(at);
        }
    }

    /// Whether nodes wait for a grace period. For the end of a run.
    pub(super) fn nodes_wait(&self) -> bool {
        let all = &self.nodes.all[..self.nodes.len];
        all.iter().any(|node| node.state.peek() >= state::DEFERRED)
    }

    /// Waits for a grace period, after which the nodes given up before it can be used again
    /// (`synchronize_rcu`).
    pub fn synchronize_rcu(&self, cpu: CpuId) {
        let lock = &self.nodes.lock;
        let mine = state::GRACE + cpu.index() as u32;
        let all = &self.nodes.all[..self.nodes.len];
        {
            let _nodes = lock.lock();
            for node in all.iter().filter(|node| node.state.get(lock) == state::DEFERRED) {
                node.state.set(lock, mine);
            }
            if planted!(self, SleepUnderNodeLock) {
                self.rcu.synchronize();
            }
        }
        if !planted!(self, GraceSkipped) {
            self.rcu.synchronize();
        }
        let _nodes = lock.lock();
        if planted!(self, NodeThenTree) {
            drop(self.mappings[0].lock.lock());
        }
        for (at, node) in all.iter().enumerate() {
            if node.state.get(lock) == mine {
                self.node_reuse(at);
            }
        }
    }
}
