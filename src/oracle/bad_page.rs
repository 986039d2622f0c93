//! Bad pages: what the subject's own checks refuse.
//!
//! Verifies nothing itself; it makes a finding of each `bad_page` and `bug_on`. Both are fatal: the
//! frames are quarantined and the run is cut there, so that nothing is judged after them.
//!
//! Cannot verify: that the check is right, or complete.
//!
//! Needs: `bad_page` and `bug_on`, with a name (not a sentence) for the check.
//!
//! Signature: `bad-page/CHECK`.

use super::finding::{Class, Facts};
use super::ledger::{Ledger, frames};
use super::scene::{Scene, Verdict};
use pagerace_core::event::{FrameNumber, Order};

/// Makes a finding of a check that failed.
#[cold]
pub(super) fn refused(
    scene: &Scene<'_>,
    ledger: &Ledger,
    frame: FrameNumber,
    order: Order,
    check: &'static str,
) -> Verdict {
    // As for a double free: what the party believes to free is the block that it gave up.
    let block = ledger.given_up_by(scene, frame).or_else(|| ledger.last_block(frame));
    let dropped_last = block.and_then(|b| b.dropped_last);
    let facts = Facts {
        why: "the subject's own check refuses the page",
        frames: frames(frame, order).collect(),
        allocated: block.map(|b| b.allocated),
        dropped_last,
        sites: dropped_last.iter().map(|d| d.step).collect(),
        ..Facts::default()
    };
    scene.found(Class::BadPage, &[check], facts)
}
