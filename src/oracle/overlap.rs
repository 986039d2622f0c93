//! Overlap: a frame has one owner, and free blocks are aligned, disjoint and coalesced.
//!
//! Verifies, online: a block that is allocated was free, and on the list it is said to come from; one
//! that moves or merges consists of free frames; all are aligned. At the census: the blocks of the
//! free lists lie within memory, are aligned and disjoint, and none is cached, or allocated
//! according to the ledger; nothing is left on a per-CPU list; no two buddies of equal order are free side by side;
//! the structures do not contradict each other (`Census::broken`).
//!
//! Cannot verify: a free list that is wrong only between two events. Which order a list claims for a
//! block is compared at the census only.
//!
//! Needs: `page_alloc`, `page_free`, `page_move`, `page_merge`, each when the lists have that form
//! (the free or move of a block before the merges it causes); a census.

use super::finding::{Class, Facts};
use super::ledger::{Ledger, State, frames, is_aligned};
use super::scene::{Scene, Verdict, at_the_end};
use crate::subject::{Census, FreeBlock};
use pagerace_core::event::{FrameNumber, FreeList, Order};

/// Judges an allocation.
pub(super) fn alloc(
    scene: &Scene<'_>,
    ledger: &Ledger,
    frame: FrameNumber,
    order: Order,
    from: FreeList,
) -> Verdict {
    if let Some(taken) = ledger.first_where(frame, order, |f| is_allocated(f.state)) {
        let block = ledger.last_block(taken);
        let facts = Facts {
            why: "a block is allocated that is in use",
            frames: vec![taken],
            allocated: block.map(|b| b.allocated),
            dropped_last: block.and_then(|b| b.dropped_last),
            ..Facts::default()
        };
        let kind = block.map_or("unknown", |b| b.kind());
        return scene.found(Class::Overlap, &["allocated-twice", kind], facts);
    }
    let elsewhere = |state| matches!(state, State::Free(list) if list != from);
    if let Some(wrong) = ledger.first_where(frame, order, |f| elsewhere(f.state)) {
        let why = "a block is taken from a list that it is not on";
        return bad_block(scene, wrong, Order(0), "wrong-list", why);
    }
    aligned(scene, frame, order)
}

/// Judges a block that moves between lists, or is the result of a merge.
pub(super) fn moved(
    scene: &Scene<'_>,
    ledger: &Ledger,
    frame: FrameNumber,
    order: Order,
    merge: bool,
) -> Verdict {
    let not_free = |state| match state {
        State::Untouched | State::Free(FreeList::Buddy) => false,
        // A block comes off a per-CPU list by a move, never by a merge.
        State::Free(FreeList::PerCpu(_)) => merge,
        State::Allocated(_) => true,
    };
    if let Some(wrong) = ledger.first_where(frame, order, |f| not_free(f.state)) {
        let (detail, why) = if merge {
            ("merge", "a merged block has frames that are not on the buddy lists")
        } else {
            ("move", "a block moves between free lists that is in use")
        };
        return bad_block(scene, wrong, Order(0), detail, why);
    }
    aligned(scene, frame, order)
}

/// Judges where a block of this size starts.
pub(super) fn aligned(scene: &Scene<'_>, frame: FrameNumber, order: Order) -> Verdict {
    if is_aligned(frame, order) {
        return None;
    }
    bad_block(scene, frame, order, "unaligned", "a block does not start at a multiple of its size")
}

fn is_allocated(state: State) -> bool {
    matches!(state, State::Allocated(_))
}

#[cold]
fn bad_block(
    scene: &Scene<'_>,
    frame: FrameNumber,
    order: Order,
    detail: &str,
    why: &'static str,
) -> Verdict {
    let facts = Facts { why, frames: frames(frame, order).collect(), ..Facts::default() };
    scene.found(Class::Overlap, &[detail], facts)
}

/// What the census lists, frame by frame. Reused from run to run.
#[derive(Default)]
pub(super) struct Map {
    /// Whether the frame is in a free block or quarantined.
    accounted: Vec<bool>,
    /// The order, plus one, of the buddy block that starts at the frame; zero if none does.
    buddy_head: Vec<u8>,
}

impl Map {
    /// Whether the census accounts for `frame`. After [`Map::fill`].
    pub fn accounts_for(&self, frame: FrameNumber) -> bool {
        self.accounted[frame.index()]
    }

    /// Enters the census, and judges whether its free blocks fit together.
    pub fn fill(&mut self, ledger: &Ledger, census: &Census) -> Verdict {
        self.accounted.clear();
        self.accounted.resize(census.frames, false);
        self.buddy_head.clear();
        self.buddy_head.resize(census.frames, 0);
        for block in &census.free {
            if let Some(verdict) = self.enter(ledger, census, block) {
                return Some(verdict);
            }
        }
        if let Some(&frame) = census.cached.iter().find(|f| self.accounts_for(**f)) {
            let facts = Facts {
                why: "a frame is in a free block and in the cache",
                frames: vec![frame],
                ..Facts::default()
            };
            return at_the_end(Class::Overlap, &["cached-and-free"], facts);
        }
        for frame in &census.quarantined {
            if let Some(accounted) = self.accounted.get_mut(frame.index()) {
                *accounted = true;
            }
        }
        None
    }

    fn enter(&mut self, ledger: &Ledger, census: &Census, block: &FreeBlock) -> Verdict {
        let &FreeBlock { frame, order, list } = block;
        let end = frame.index() + order.frames();
        if end > census.frames || order > census.max_order {
            return listed(block, "out-of-range", "a free block reaches beyond the memory");
        }
        if !is_aligned(frame, order) {
            return listed(block, "unaligned", "a block does not start at a multiple of its size");
        }
        if self.accounted[frame.index()..end].contains(&true) {
            return listed(block, "listed-twice", "a frame is in two free blocks");
        }
        if ledger.first_where(frame, order, |f| is_allocated(f.state)).is_some() {
            return listed(block, "listed-in-use", "a frame is in a free block and in use");
        }
        self.accounted[frame.index()..end].fill(true);
        if list == FreeList::Buddy {
            self.buddy_head[frame.index()] = order.0 + 1;
        }
        None
    }

    /// Judges whether everything free is as large as it can be. After [`Map::fill`].
    pub fn coalesced(&self, census: &Census) -> Verdict {
        for block in &census.free {
            if let FreeList::PerCpu(_) = block.list {
                return at_the_end(
                    Class::NotCoalesced,
                    &["per-cpu"],
                    facts_of(block, "a block is left on a per-CPU list after the drain"),
                );
            }
            let buddy = block.frame.buddy(block.order).index();
            let beside = self.buddy_head.get(buddy) == Some(&(block.order.0 + 1));
            if block.order < census.max_order && beside {
                return at_the_end(
                    Class::NotCoalesced,
                    &["buddies"],
                    facts_of(block, "two free buddies were not merged"),
                );
            }
        }
        None
    }
}

/// Judges whether the structures contradict each other, where no other oracle says it better.
pub(super) fn broken(census: &Census) -> Verdict {
    let name = census.broken.first()?;
    let why = "the structures contradict each other";
    at_the_end(Class::Overlap, &[name], Facts { why, ..Facts::default() })
}

fn facts_of(block: &FreeBlock, why: &'static str) -> Facts {
    Facts { why, frames: frames(block.frame, block.order).collect(), ..Facts::default() }
}

#[cold]
fn listed(block: &FreeBlock, detail: &str, why: &'static str) -> Verdict {
    at_the_end(Class::Overlap, &[detail], facts_of(block, why))
}
