//! Draining: what was on a list when a drain looked at it is off it when the drain is through.
//!
//! Verifies: of the frames that lay on a CPU's list at the `list_drain` of the look, none lies there at the
//! one of the end. The drainer either has the list's lock between the two or makes no access, so that a
//! frame cannot leave and come back.
//!
//! Cannot verify: that the list stays empty afterwards, or that what left it went where it should.
//!
//! Needs: `list_drain` in pairs, `page_move` and `page_free` as the lists change.
//!
//! Signature: `not-drained/pcp`.

use super::finding::{Class, Facts};
use super::ledger::{Ledger, State};
use super::scene::{Scene, Verdict};
use pagerace_core::event::{FrameNumber, FreeList};
use pagerace_core::sync::{CpuId, MAX_CPUS};

/// What each CPU's drain saw when it looked. Reused from run to run.
#[derive(Default)]
pub(super) struct Drains {
    seen: [Vec<FrameNumber>; MAX_CPUS],
}

impl Drains {
    /// Forgets the run before.
    pub fn clear(&mut self) {
        for seen in &mut self.seen {
            seen.clear();
        }
    }

    /// A drain looks at a list, or is through with it.
    pub fn drain(
        &mut self,
        scene: &Scene<'_>,
        ledger: &Ledger,
        list: CpuId,
        done: bool,
    ) -> Verdict {
        let list = FreeList::PerCpu(list);
        let seen = &mut self.seen[scene.cpu.index()];
        if !done {
            seen.clear();
            seen.extend(ledger.on_list(list));
            return None;
        }
        let left = |frame: &FrameNumber| ledger.frame(*frame).state == State::Free(list);
        if !seen.iter().any(left) {
            return None;
        }
        let facts = Facts {
            why: "a drain leaves pages on the list that were there when it began",
            frames: seen.iter().copied().filter(left).collect(),
            ..Facts::default()
        };
        scene.found(Class::NotDrained, &["pcp"], facts)
    }
}
