//! Draining: what was on a list when a drain looked at it is off it when the drain is through, unless whoever
//! put it there is about to take it.
//!
//! Verifies: of the frames that lay on a CPU's list at the `list_drain` of the look, none lies there at the
//! one of the end. The drainer either has the list's lock between the two or makes no access, so that a
//! frame cannot leave and come back. A frame that another operation put there which is still under way, is
//! judged when that operation ends: if it has taken the frame by then, all is as if the drain had been there
//! before it.
//!
//! Cannot verify: that the list stays empty afterwards, or that what left it went where it should; or what an
//! operation leaves there that never ends.
//!
//! Needs: `list_drain` in pairs, `page_move` and `page_free` as the lists change.
//!
//! Signature: `not-drained/pcp`.

use super::finding::{Class, Facts, Origin};
use super::ledger::{Ledger, State};
use super::scene::{Scene, Verdict};
use crate::exec::trace::StepIndex;
use crate::program::OpId;
use pagerace_core::event::{FrameNumber, FreeList};
use pagerace_core::sync::{CpuId, MAX_CPUS};

/// A frame that a drain left, and that who put it there may yet take.
#[derive(Clone, Copy)]
struct Left {
    frame: FrameNumber,
    list: FreeList,
    /// Who put it there.
    by: Origin,
    /// The end of the drain.
    drained: StepIndex,
}

impl Left {
    /// Whether it has been there all the time.
    fn is_there(&self, ledger: &Ledger) -> bool {
        let frame = ledger.frame(self.frame);
        frame.state == State::Free(self.list) && frame.put_on == Some(self.by)
    }
}

/// What each CPU's drain saw when it looked, and what drains left. Reused from run to run.
#[derive(Default)]
pub(super) struct Drains {
    seen: [Vec<FrameNumber>; MAX_CPUS],
    /// The operation that each CPU is in.
    under_way: [Option<OpId>; MAX_CPUS],
    left: Vec<Left>,
}

impl Drains {
    /// Forgets the run before.
    pub fn clear(&mut self) {
        for seen in &mut self.seen {
            seen.clear();
        }
        self.under_way = [None; MAX_CPUS];
        self.left.clear();
    }

    /// An operation begins.
    pub fn op_starts(&mut self, cpu: CpuId, op: Option<OpId>) {
        self.under_way[cpu.index()] = op;
    }

    /// The operation of a CPU ends. Whether something was left to it, which is to be judged now.
    pub fn op_ends(&mut self, cpu: CpuId) -> bool {
        self.under_way[cpu.index()] = None;
        self.left.iter().any(|left| left.by.cpu == cpu)
    }

    /// Judges what was left to the operation that ends here.
    pub fn left(&mut self, scene: &Scene<'_>, ledger: &Ledger) -> Verdict {
        let here = |left: &Left| left.by.cpu == scene.cpu;
        let there = |left: &&Left| here(left) && left.is_there(ledger);
        let verdict = self.left.iter().find(there).and_then(|first| {
            let frames = self.left.iter().filter(there);
            let frames = frames.filter(|left| left.drained == first.drained);
            let facts = Facts {
                why: "a drain left pages on the list that are still there",
                frames: frames.map(|left| left.frame).collect(),
                sites: vec![first.drained],
                ..Facts::default()
            };
            scene.found(Class::NotDrained, &["pcp"], facts)
        });
        self.left.retain(|left| !here(left));
        verdict
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
        let under_way = self.under_way;
        // Of another CPU: what the drainer itself put there is for it to give back.
        let may_take = |by: &Origin| {
            by.cpu != scene.cpu && by.op.is_some() && by.op == under_way[by.cpu.index()]
        };
        let mut kept = 0;
        for at in 0..seen.len() {
            let shadow = ledger.frame(seen[at]);
            if shadow.state != State::Free(list) {
                continue;
            }
            if let Some(by) = shadow.put_on.filter(may_take) {
                self.left.push(Left { frame: seen[at], list, by, drained: scene.step });
            } else {
                seen[kept] = seen[at];
                kept += 1;
            }
        }
        if kept == 0 {
            return None;
        }
        let facts = Facts {
            why: "a drain leaves pages on the list that were there when it began",
            frames: seen[..kept].to_vec(),
            ..Facts::default()
        };
        scene.found(Class::NotDrained, &["pcp"], facts)
    }
}
