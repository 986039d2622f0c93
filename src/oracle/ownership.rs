//! Ownership: what is freed was owned, and by a party that may free it.
//!
//! Verifies, at each `page_free`, that all frames of the block belong to one allocation, that none
//! of them has references left, and that the party is entitled:
//! * the exact block, or the part of a non-compound block that begins with its head;
//! * a tail part of a non-compound block: only the operation that gave up the owner's reference may
//!   free it (`free_pages` whose put was not the last does, while the head is still referenced);
//! * never a part of a compound block.
//!
//! Cannot verify: that the head part is large enough (what stays behind is the conservation
//! oracle's), or who frees a block whose count is zero; each frame is still freed once only.
//!
//! Needs: `page_alloc`, `page_free`, `page_split` (before the parts are freed), and `page_ref` where
//! the subject counts references (the put before the free it allows).

use super::finding::{Class, Facts};
use super::ledger::{Ledger, State, frames};
use super::scene::{Scene, Verdict};
use pagerace_core::event::{FrameNumber, Order};

/// Judges the free of a block.
pub(super) fn free(
    scene: &Scene<'_>,
    ledger: &Ledger,
    frame: FrameNumber,
    order: Order,
) -> Verdict {
    let why = objection(scene, ledger, frame, order)?;
    // Which of its frames is wrong depends on the schedule; the block it was part of does not.
    let guilty = ledger
        .first_where(frame, order, |f| !matches!(f.state, State::Allocated(_)))
        .unwrap_or(frame);
    // What the party believed to free is the block that it gave up, even if the frames have been
    // handed out again since.
    let block = ledger.given_up_by(scene, frame).or_else(|| ledger.last_block(guilty));
    let dropped_last = block.and_then(|b| b.dropped_last);
    let facts = Facts {
        why,
        frames: frames(frame, order).collect(),
        allocated: block.map(|b| b.allocated),
        dropped_last,
        sites: dropped_last.iter().map(|d| d.step).collect(),
        ..Facts::default()
    };
    let kind = block.map_or("never-allocated", |b| b.kind());
    match dropped_last {
        Some(last) => scene.found(Class::DoubleFree, &[kind, last.holder.name()], facts),
        None => scene.found(Class::DoubleFree, &[kind], facts),
    }
}

/// Why the block may not be freed by this party now.
fn objection(
    scene: &Scene<'_>,
    ledger: &Ledger,
    frame: FrameNumber,
    order: Order,
) -> Option<&'static str> {
    let Some(id) = ledger.owner(frame) else {
        return Some("the frames are free already");
    };
    if ledger.first_where(frame, order, |f| f.state != State::Allocated(id)).is_some() {
        return Some("not all of the frames belong to the block that is freed");
    }
    if ledger.first_where(frame, order, |f| f.count() > 0).is_some() {
        return Some("the frames are still referenced");
    }
    let block = ledger.block(id);
    if (block.frame, block.order) == (frame, order) {
        return None;
    }
    if block.compound {
        return Some("a part of a compound block is freed");
    }
    let gave_up = block.given_up.is_some_and(|by| (by.cpu, by.op) == (scene.cpu, scene.op));
    if frame != block.frame && !gave_up {
        return Some("a part of a block is freed by a party that did not own it");
    }
    None
}
