//! Conservation: after everything was given back, every frame is free (or quarantined).
//!
//! Verifies, by the census's walk of the real free lists: managed = free + quarantined. It names the
//! frames that are missing, who allocated them, who gave them up, and what was freed instead. Where all
//! CPUs wait there is no census; then the frames are lost that the events leave with nobody: allocated, no
//! reference left, and the operations that gave up the owner's and the last one have ended. Such a leak is
//! named before the deadlock, which may be its consequence (offlining waits for what never comes to the lists).
//!
//! Cannot verify: anything in a run that was cut otherwise. A frame that is lost and found again within a
//! run is no leak.
//!
//! Needs: a census. `page_alloc`, `page_free`, `page_ref` and `page_split` for the explanation; a
//! subject without them still has its leaks counted.
//!
//! Signatures: `leak/KIND/HOLDER` with the kind of block (`compound`, `block`, `page`) and the
//! holder of the reference dropped last; `leak/KIND/held-HOLDER` if a reference still exists;
//! `leak/KIND` if none ever did; `leak/listed` for frames that were freed yet are on no list;
//! `leak/untouched` for frames that no event names.

use super::finding::{Class, Dropped, Facts, Freed, Lost, Origin};
use super::ledger::{BlockId, Ledger, State, frames as frames_of};
use super::overlap::Map;
use super::scene::{Verdict, at_the_end};
use crate::exec::trace::{Run, StepIndex, Waiter, What};
use pagerace_core::event::{Event, FrameNumber, RefChange};

/// Judges the census of a run that ended at quiescence. `map` holds that census.
pub(super) fn judge(run: &Run, ledger: &Ledger, map: &Map) -> Verdict {
    let missing = |n: &usize| !map.accounts_for(FrameNumber(*n as u32));
    if !(0..run.census.frames).any(|n| missing(&n)) {
        return None;
    }
    let lost = (0..run.census.frames).filter(missing).map(|n| FrameNumber(n as u32)).collect();
    report(run, ledger, lost)
}

/// Judges a run in which these CPUs wait and all others have ended.
pub(super) fn judge_waiting(run: &Run, ledger: &Ledger, waiters: &[Waiter]) -> Verdict {
    let frames: Vec<_> = ledger
        .owned()
        .filter(|&(_, id)| is_nobodys(ledger, id, waiters))
        .map(|(frame, _)| frame)
        .collect();
    if frames.is_empty() { None } else { report(run, ledger, frames) }
}

/// Whether an allocation was given up, no reference to it is left, and no operation that still runs could
/// be about to free it.
fn is_nobodys(ledger: &Ledger, id: BlockId, waiters: &[Waiter]) -> bool {
    let block = ledger.block(id);
    let (Some(given_up), Some(last)) = (block.given_up, block.dropped_last) else { return false };
    let ended = |cpu, op| !waiters.iter().any(|waiter| (waiter.cpu, waiter.op) == (cpu, op));
    let mut own = frames_of(block.frame, block.order).filter(|&f| ledger.owner(f) == Some(id));
    ended(given_up.cpu, given_up.op)
        && ended(last.cpu, last.op)
        && own.all(|f| ledger.frame(f).count() == 0)
}

#[cold]
fn report(run: &Run, ledger: &Ledger, frames: Vec<FrameNumber>) -> Verdict {
    // What was given up first names the finding; what was never given up, or never held, comes last.
    let primary = frames
        .iter()
        .copied()
        .min_by_key(|&f| {
            let dropped = ledger.last_block(f).and_then(|b| b.dropped_last);
            let step = dropped.map_or(StepIndex(usize::MAX), |d| d.step);
            (step, ledger.owner(f).is_none(), f)
        })
        .expect("a leak has a frame");
    let lost = group(run, ledger, &frames);
    let block = ledger.last_block(primary);
    let dropped_last = block.and_then(|b| b.dropped_last);
    let facts = Facts {
        why: "frames are neither free nor held",
        sites: dropped_last.iter().map(|d| d.step).collect(),
        allocated: block.map(|b| b.allocated),
        dropped_last,
        frames,
        lost,
    };
    let held =
        block.and_then(|b| frames_of(b.frame, b.order).find_map(|f| ledger.frame(f).holder()));
    match (ledger.frame(primary).state, block) {
        (State::Allocated(_), Some(block)) => match (held, dropped_last) {
            (Some(holder), _) => {
                let held = format!("held-{}", holder.name());
                at_the_end(Class::Leak, &[block.kind(), &held], facts)
            }
            (None, Some(last)) => {
                at_the_end(Class::Leak, &[block.kind(), last.holder.name()], facts)
            }
            (None, None) => at_the_end(Class::Leak, &[block.kind()], facts),
        },
        (State::Free(_), _) => at_the_end(Class::Leak, &["listed"], facts),
        (State::Untouched | State::Allocated(_), _) => {
            at_the_end(Class::Leak, &["untouched"], facts)
        }
    }
}

/// The lost frames, allocation by allocation.
fn group(run: &Run, ledger: &Ledger, frames: &[FrameNumber]) -> Vec<Lost> {
    let mut groups: Vec<(Option<BlockId>, Lost)> = Vec::new();
    for &frame in frames {
        let id = ledger.frame(frame).last_block;
        if let Some((_, lost)) = groups.iter_mut().find(|(of, _)| *of == id) {
            lost.frames.push(frame);
        } else {
            groups.push((id, story(run, ledger, id, frame)));
        }
    }
    groups.into_iter().map(|(_, lost)| lost).collect()
}

/// What happened to the block of a lost frame, read from the trace once more.
fn story(run: &Run, ledger: &Ledger, id: Option<BlockId>, lost: FrameNumber) -> Lost {
    let mut told = Lost {
        frames: vec![lost],
        block: None,
        allocated: None,
        dropped: Vec::new(),
        freed_instead: Vec::new(),
    };
    let Some(block) = id.map(|id| ledger.block(id)) else { return told };
    told.block = Some((block.frame, block.order));
    told.allocated = Some(block.allocated);
    // The frames that are still this allocation's: a new owner's doings are another story.
    let mut own: Vec<_> = frames_of(block.frame, block.order).collect();
    let since = block.allocated.step.0;
    for (n, entry) in run.trace.iter().enumerate().skip(since + 1) {
        let (step, cpu, op) = (StepIndex(n), entry.cpu, entry.op);
        match entry.what {
            What::Event(Event::PageRef { frame, change, holder, done: true, .. })
                if own.contains(&frame) && matches!(change, RefChange::Put | RefChange::Freeze) =>
            {
                told.dropped.push(Dropped { holder, step, cpu, op });
            }
            What::Event(Event::PageFree { frame, order, .. }) if own.contains(&frame) => {
                told.freed_instead.push(Freed { at: Origin { step, cpu, op }, frame, order });
            }
            What::Event(Event::PageAlloc { frame, order, .. }) => {
                own.retain(|&f| !frames_of(frame, order).any(|taken| taken == f));
            }
            _ => {}
        }
    }
    told
}
