//! The frame table: one [`Frame`] for each physical frame, as `struct page`.
//!
//! What it is not: logic. Who may touch which word, and when:
//!
//! | word | written by | ordered by |
//! |---|---|---|
//! | `refcount` | anyone, by read-modify-write; stored only while zero, by the block's owner | itself |
//! | `flags` | who holds a reference or owns the frame | itself (page lock) |
//! | `compound_head` | the owner of a block while its count is zero, or just after (5.9 to 6.13) | the head's `refcount` |
//! | `mapping`, `index`, `content` | who holds the page lock | the page lock; published by the slot |
//! | `tag` | who allocates or frees the block, as part of the accesses that do that | itself; whoever reads it needs a reference |
//! | `buddy`, `next`, `prev` | the buddy lists | the zone lock |
//! | `generation` | the allocator, under the lock of the list the block was on | not read by the code under test |

use crate::event::{FrameNumber, Order};
use crate::sync::{AtomicI32, AtomicU32, Backend, Guarded, Owned};

/// No frame, in a list link.
pub(super) const NONE: u32 = u32::MAX;

/// Bits of [`Frame::flags`].
pub(super) mod flag {
    /// The page lock (`PG_locked`).
    pub const LOCKED: u32 = 1 << 0;
    /// Someone may sleep on this word (`PG_waiters`).
    pub const WAITERS: u32 = 1 << 1;
    /// First page of a compound block (`PG_head`).
    pub const HEAD: u32 = 1 << 2;
    /// Changed since it was written (`PG_dirty`).
    pub const DIRTY: u32 = 1 << 3;
    /// Being written (`PG_writeback`).
    pub const WRITEBACK: u32 = 1 << 4;
    /// The content is valid (`PG_uptodate`).
    pub const UPTODATE: u32 = 1 << 5;
    /// Refused by a check and kept out of circulation.
    pub const QUARANTINED: u32 = 1 << 6;
    /// A filesystem keeps data with the page (`PG_private`).
    pub const PRIVATE: u32 = 1 << 7;
    /// The page is a page table.
    pub const TABLE: u32 = 1 << 16;
    /// The memory of the page is broken.
    pub const HWPOISON: u32 = 1 << 17;
    /// Where a compound block's order begins in its head's word.
    const ORDER_SHIFT: u32 = 8;
    /// The bits that must not be set when a page is freed.
    pub const REFUSED_AT_FREE: u32 = LOCKED | WRITEBACK | QUARANTINED | PRIVATE;

    /// The bits of the head of a compound block of `order`.
    pub const fn head(order: super::Order) -> u32 {
        HEAD | (order.0 as u32) << ORDER_SHIFT
    }

    /// The order of the block whose head has `flags`: 0 unless it is compound.
    pub const fn order(flags: u32) -> super::Order {
        super::Order((flags >> ORDER_SHIFT) as u8)
    }
}

/// One physical frame.
#[derive(Debug)]
pub(super) struct Frame<B: Backend> {
    pub refcount: AtomicI32<B>,
    pub flags: AtomicU32<B>,
    /// 0, or one more than the number of the head if this is the tail of a compound block.
    pub compound_head: AtomicU32<B>,
    /// 0, or one more than the number of the mapping.
    pub mapping: AtomicU32<B>,
    /// Position in `mapping`; kept when the page leaves it, as truncation relies on in Linux.
    pub index: AtomicU32<B>,
    /// Stands for the content of the page: which mapping and index it was read for.
    pub content: AtomicU32<B>,
    /// The allocation tag of the block of which this is the first frame, or 0.
    pub tag: Owned<B, u32>,
    /// One more than the order, if this is the first frame of a block on a buddy list; else 0.
    pub buddy: Guarded<B, u32>,
    pub next: Guarded<B, u32>,
    pub prev: Guarded<B, u32>,
    /// How often the frame was the first of an allocated block. Only what outcomes are counted by.
    pub generation: Guarded<B, u32>,
}

impl<B: Backend> Default for Frame<B> {
    fn default() -> Self {
        Self {
            refcount: AtomicI32::new(0),
            flags: AtomicU32::new(0),
            compound_head: AtomicU32::new(0),
            mapping: AtomicU32::new(0),
            index: AtomicU32::new(0),
            content: AtomicU32::new(0),
            tag: Owned::new(0),
            buddy: Guarded::new(0),
            next: Guarded::new(NONE),
            prev: Guarded::new(NONE),
            generation: Guarded::new(0),
        }
    }
}

impl<B: Backend> Frame<B> {
    pub fn reset(&mut self) {
        let Self {
            refcount,
            flags,
            compound_head,
            mapping,
            index,
            content,
            tag,
            buddy,
            next,
            prev,
            generation,
        } = self;
        refcount.reset(0);
        flags.reset(0);
        compound_head.reset(0);
        mapping.reset(0);
        index.reset(0);
        content.reset(0);
        tag.reset(0);
        buddy.reset(0);
        next.reset(NONE);
        prev.reset(NONE);
        generation.reset(0);
    }
}

/// What [`Frame::compound_head`] of a tail of `head` holds.
pub(super) const fn link_to(head: FrameNumber) -> u32 {
    head.0 + 1
}

/// The frame that [`Frame::compound_head`] of `frame` leads to: the frame itself unless it is a tail.
pub(super) const fn head_of(frame: FrameNumber, link: u32) -> FrameNumber {
    if link == 0 { frame } else { FrameNumber(link - 1) }
}

/// Where a page of the cache is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub mapping: u32,
    pub index: u32,
}

impl Place {
    /// What the page here holds once it was read.
    pub const fn content(self) -> u32 {
        (self.mapping + 1) << 16 | (self.index + 1)
    }
}
