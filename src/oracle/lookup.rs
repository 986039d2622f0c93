//! Lookups: what was returned was there.
//!
//! Verifies: a page that a lookup returns covered that index of that mapping at some instant of the
//! call, and is the same allocation still, not another one in the same frame. Returned locked, it
//! covers the index at the return, since no page may leave its mapping while it is locked. A lookup
//! that returns nothing saw an instant of the call at which nothing was there; finding a page that
//! cannot be referenced (frozen) is no excuse, the lookup has to look again.
//!
//! Cannot verify: the content of the page; lookups of several indices at once.
//!
//! Needs: `lookup_start`, `lookup_end`, `cache_add` and `cache_delete`, each right after the access
//! that makes it true (the store to the slot); `page_alloc` and `page_free` for the identity. A page
//! that is replaced is a delete and an add in the same step. Lookups of one CPU do not nest.

use super::finding::{Class, Facts};
use super::ledger::{BlockId, Ledger, State};
use super::scene::{Scene, Verdict};
use pagerace_core::event::FrameNumber;
use pagerace_core::sync::MAX_CPUS;

/// An index of a mapping.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Which mapping.
    pub mapping: u32,
    /// Which index.
    pub index: u32,
}

/// A page: a frame, and the allocation that makes it this page.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Page {
    frame: FrameNumber,
    block: Option<BlockId>,
}

impl Page {
    fn now(ledger: &Ledger, frame: FrameNumber) -> Self {
        Self { frame, block: ledger.owner(frame) }
    }
}

/// What the slots held, in order.
#[derive(Default)]
pub(super) struct Lookups {
    changes: Vec<(Slot, Option<Page>)>,
    /// How long `changes` was when the lookup of each CPU began.
    begun: [Option<usize>; MAX_CPUS],
}

impl Lookups {
    /// Forgets the run before.
    pub fn clear(&mut self) {
        self.changes.clear();
        self.begun = [None; MAX_CPUS];
    }

    /// A slot changed.
    pub fn changed(&mut self, ledger: &Ledger, slot: Slot, frame: Option<FrameNumber>) {
        self.changes.push((slot, frame.map(|f| Page::now(ledger, f))));
    }

    /// A lookup begins.
    pub fn start(&mut self, scene: &Scene<'_>) {
        self.begun[scene.cpu.index()] = Some(self.changes.len());
    }

    /// Whether `test` held of what the slot contained at some instant since `begun`.
    fn held(&self, slot: Slot, begun: usize, test: impl Fn(Option<Page>) -> bool) -> bool {
        let mut of_slot = self.changes.iter().enumerate().rev().filter(|(_, (of, _))| *of == slot);
        loop {
            match of_slot.next() {
                // Nothing was ever there.
                None => return test(None),
                Some((_, &(_, page))) if test(page) => return true,
                // What was there when the lookup began is the oldest that counts.
                Some((at, _)) if at < begun => return false,
                Some(_) => {}
            }
        }
    }

    /// Judges what a lookup returns.
    pub fn end(
        &mut self,
        scene: &Scene<'_>,
        ledger: &Ledger,
        slot: Slot,
        frame: Option<FrameNumber>,
        locked: bool,
    ) -> Verdict {
        let begun = self.begun[scene.cpu.index()]
            .take()
            .expect("the subject reports the start of each lookup before its end");
        let Some(frame) = frame else {
            if self.held(slot, begun, |page| page.is_none()) {
                return None;
            }
            let why = "a lookup found nothing although a page was there all the time";
            return scene.found(Class::Lookup, &["missed"], Facts { why, ..Facts::default() });
        };
        let page = Page::now(ledger, frame);
        let freed = matches!(ledger.frame(frame).state, State::Free(_));
        let since = if locked { self.changes.len() } else { begun };
        if !freed && self.held(slot, since, |there| there == Some(page)) {
            return None;
        }
        let same_frame = self.held(slot, begun, |there| there.is_some_and(|p| p.frame == frame));
        let (detail, why) = match (freed, same_frame, locked) {
            (true, ..) => ("freed", "the page that a lookup returns is free"),
            (false, true, true) => ("removed", "a locked page is not in the mapping any more"),
            (false, true, false) => ("reused", "the frame holds another page by now"),
            (false, false, _) => ("wrong-page", "the page never was at this index during the call"),
        };
        let block = ledger.last_block(frame);
        let facts = Facts {
            why,
            frames: vec![frame],
            allocated: block.map(|b| b.allocated),
            dropped_last: block.and_then(|b| b.dropped_last),
            ..Facts::default()
        };
        scene.found(Class::Lookup, &[detail], facts)
    }
}
