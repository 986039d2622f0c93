//! The shadow of the memory that the oracles share: who owns each frame, and which typed references
//! exist. Fed event by event by [`super::Judge`].
//!
//! What it is not: a judge. Oracles look at it before an event is applied; what it is told it
//! believes. It never reads the subject's memory, so it cannot inherit the subject's mistakes.
//!
//! Invariants: `blocks` only grows during a run, so a [`BlockId`] names one allocation for good, also
//! after its frames were freed and allocated again. Nothing is allocated once the vectors have grown
//! to the sizes of the cases.
//!
//! There is no state "in transit": the events name the instant at which a block changes hands, and a
//! fatal check (which quarantines) ends the run.

use super::finding::{Dropped, Origin};
use super::scene::Scene;
use pagerace_core::event::{FrameNumber, FreeList, Holder, Order, RefChange};

/// One allocation of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct BlockId(u32);

/// Who owns a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Free since the beginning, on a list that no event named.
    Untouched,
    /// Free, on this list.
    Free(FreeList),
    /// Part of this allocation.
    Allocated(BlockId),
}

/// What is known of one frame.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Who owns it.
    pub state: State,
    /// Who put it on the list it is on, or was on last.
    pub put_on: Option<Origin>,
    /// The allocation it belongs to, or belonged to before it was freed.
    pub last_block: Option<BlockId>,
    /// How many references of each holder, by discriminant.
    refs: [i32; Holder::ALL.len()],
    /// Their sum.
    total: i32,
    /// What there was before the count was frozen last, and how many.
    frozen: [i32; Holder::ALL.len()],
    frozen_total: i32,
}

impl Frame {
    /// One that no event has named.
    const UNTOUCHED: Self = Self {
        state: State::Untouched,
        put_on: None,
        last_block: None,
        refs: [0; Holder::ALL.len()],
        total: 0,
        frozen: [0; Holder::ALL.len()],
        frozen_total: 0,
    };

    /// How many references there are.
    pub fn count(&self) -> i32 {
        self.total
    }

    /// How many of them `holder` has.
    pub fn held(&self, holder: Holder) -> i32 {
        self.refs[holder as usize]
    }

    /// Whose references there are; the first in the order of [`Holder::ALL`].
    pub fn holder(&self) -> Option<Holder> {
        Holder::ALL.into_iter().find(|&holder| self.held(holder) > 0)
    }

    fn add(&mut self, holder: Holder, n: i32) {
        self.refs[holder as usize] += n;
        self.total += n;
    }

    /// A store takes the place of whatever there was.
    fn forget_references(&mut self) {
        self.refs = [0; Holder::ALL.len()];
        self.total = 0;
    }

    /// Whether the references exist that a freeze of `count` claims: one is `holder`'s, the rest
    /// are the cache's and that of the page's private data.
    pub fn can_freeze(&self, count: i32, holder: Holder) -> bool {
        let own = i32::from(holder != Holder::Cache);
        let kept = self.held(Holder::Cache) + self.held(Holder::Private);
        self.held(holder) >= own && kept == count - own
    }

    /// Nobody has a reference until the count is given back.
    fn freeze(&mut self) {
        (self.frozen, self.frozen_total) = (self.refs, self.total);
        self.forget_references();
    }

    /// `count` references are given back: what was frozen, but for one of the cache's if the page has
    /// left it meanwhile.
    fn unfreeze(&mut self, count: i32, holder: Holder) {
        self.forget_references();
        let left = self.frozen_total - count;
        if left == 0 || (left == 1 && self.frozen[Holder::Cache as usize] > 0) {
            (self.refs, self.total) = (self.frozen, self.frozen_total);
            self.add(Holder::Cache, -left);
        } else {
            self.add(holder, 1);
            self.add(Holder::Cache, count - 1);
        }
    }
}

/// What is known of one allocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// First frame.
    pub frame: FrameNumber,
    /// Size.
    pub order: Order,
    /// Whether the head's count stands for all of it.
    pub compound: bool,
    /// Who allocated it.
    pub allocated: Origin,
    /// Where its owner gave up the owner's reference, if it did.
    pub given_up: Option<Origin>,
    /// The reference given up last.
    pub dropped_last: Option<Dropped>,
}

impl Block {
    /// What kind of block, as signatures say it.
    pub fn kind(&self) -> &'static str {
        match (self.order, self.compound) {
            (Order(0), _) => "page",
            (_, true) => "compound",
            (_, false) => "block",
        }
    }
}

/// The frames of a block.
pub(super) fn frames(frame: FrameNumber, order: Order) -> impl Iterator<Item = FrameNumber> {
    (0..order.frames()).map(move |n| frame.offset(n))
}

/// Whether a block of this size may start here.
pub(super) fn is_aligned(frame: FrameNumber, order: Order) -> bool {
    frame.index().is_multiple_of(order.frames())
}

/// The shadow of the memory.
#[derive(Default)]
pub(super) struct Ledger {
    frames: Vec<Frame>,
    blocks: Vec<Block>,
}

impl Ledger {
    /// Forgets the run before: all frames are free.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.blocks.clear();
    }

    /// What is known of `frame`.
    pub fn frame(&self, frame: FrameNumber) -> &Frame {
        self.frames.get(frame.index()).unwrap_or(&Frame::UNTOUCHED)
    }

    /// The frames for which `test` holds, in a block.
    pub fn first_where(
        &self,
        frame: FrameNumber,
        order: Order,
        test: impl Fn(&Frame) -> bool,
    ) -> Option<FrameNumber> {
        frames(frame, order).find(|&f| test(self.frame(f)))
    }

    /// What is known of an allocation.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// The frames on a list, in ascending order.
    pub fn on_list(&self, list: FreeList) -> impl Iterator<Item = FrameNumber> {
        let on_it = move |frame: &Frame| frame.state == State::Free(list);
        let frames = self.frames.iter().enumerate();
        frames.filter(move |(_, frame)| on_it(frame)).map(|(at, _)| FrameNumber(at as u32))
    }

    /// The frames that are part of an allocation, in ascending order, with that.
    pub fn owned(&self) -> impl Iterator<Item = (FrameNumber, BlockId)> {
        (0..self.frames.len() as u32)
            .map(FrameNumber)
            .filter_map(|frame| Some((frame, self.owner(frame)?)))
    }

    /// The allocation that owns `frame` now.
    pub fn owner(&self, frame: FrameNumber) -> Option<BlockId> {
        match self.frame(frame).state {
            State::Allocated(id) => Some(id),
            State::Untouched | State::Free(_) => None,
        }
    }

    /// The allocation that `frame` belongs to, or belonged to last.
    pub fn last_block(&self, frame: FrameNumber) -> Option<&Block> {
        self.frame(frame).last_block.map(|id| self.block(id))
    }

    /// The allocation around `frame` whose owner's reference this operation gave up last.
    pub fn given_up_by(&self, scene: &Scene<'_>, frame: FrameNumber) -> Option<&Block> {
        self.blocks.iter().rev().find(|block| {
            let mine = block.given_up.is_some_and(|by| (by.cpu, by.op) == (scene.cpu, scene.op));
            mine && frames(block.frame, block.order).any(|f| f == frame)
        })
    }

    fn frame_mut(&mut self, frame: FrameNumber) -> &mut Frame {
        let at = frame.index();
        if at >= self.frames.len() {
            self.frames.resize(at + 1, Frame::UNTOUCHED);
        }
        &mut self.frames[at]
    }

    fn push(&mut self, block: Block) {
        let id = BlockId(self.blocks.len() as u32);
        self.blocks.push(block);
        for f in frames(block.frame, block.order) {
            let shadow = self.frame_mut(f);
            shadow.state = State::Allocated(id);
            shadow.last_block = Some(id);
        }
    }

    /// A block left the free lists.
    pub fn alloc(&mut self, scene: &Scene<'_>, frame: FrameNumber, order: Order, compound: bool) {
        let allocated = scene.origin();
        self.push(Block { frame, order, compound, allocated, given_up: None, dropped_last: None });
    }

    /// A block was put on a free list, by its holder or from another list.
    pub fn put_on(&mut self, scene: &Scene<'_>, frame: FrameNumber, order: Order, list: FreeList) {
        for f in frames(frame, order) {
            let shadow = self.frame_mut(f);
            (shadow.state, shadow.put_on) = (State::Free(list), Some(scene.origin()));
        }
    }

    /// A block became single pages; each is an allocation of its own from here on.
    pub fn split(&mut self, frame: FrameNumber, order: Order) {
        let Some(id) = self.owner(frame) else { return };
        let whole = *self.block(id);
        for f in frames(frame, order) {
            let mut page = Block { frame: f, order: Order(0), compound: false, ..whole };
            if f != whole.frame {
                // What happened to the head's count says nothing about the others.
                (page.given_up, page.dropped_last) = (None, None);
            }
            self.push(page);
        }
    }

    /// Single pages became a compound block, which is one allocation from here on. What is known of their
    /// counts stays.
    pub fn compound(&mut self, frame: FrameNumber, order: Order) {
        let Some(id) = self.owner(frame) else { return };
        let first = *self.block(id);
        self.push(Block { frame, order, compound: true, ..first });
    }

    /// A refcount changed.
    pub fn reference(
        &mut self,
        scene: &Scene<'_>,
        frame: FrameNumber,
        change: RefChange,
        count: i32,
        holder: Holder,
    ) {
        let shadow = self.frame_mut(frame);
        match change {
            RefChange::Get | RefChange::TryGet => return shadow.add(holder, count),
            RefChange::Set | RefChange::Store => {
                shadow.forget_references();
                return shadow.add(holder, count);
            }
            RefChange::Unfreeze => return shadow.unfreeze(count, holder),
            RefChange::Put => shadow.add(holder, -count),
            RefChange::Freeze => shadow.freeze(),
        }
        if let Some(id) = self.owner(frame) {
            let origin = scene.origin();
            let block = &mut self.blocks[id.0 as usize];
            let Origin { step, cpu, op } = origin;
            block.dropped_last = Some(Dropped { holder, step, cpu, op });
            if holder == Holder::Owner && frame == block.frame {
                block.given_up = Some(origin);
            }
        }
    }
}
