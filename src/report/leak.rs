//! The ledger of a leak: which frames are lost, who allocated them, who gave them up, and what was
//! freed instead.
//!
//! What it is not: the search for them; that is the conservation oracle's.

use super::ledger::capitalized;
use super::page::Page;
use super::words::{Words, block, event_of, frames, holder, number};
use crate::exec::trace::Ending;
use crate::oracle::{Dropped, Finding, Freed, Lost};
use pagerace_core::event::{Event, FrameNumber};

/// Writes what became of each allocation that has lost frames.
pub(super) fn write(page: &mut Page, words: &Words<'_>, finding: &Finding) {
    let lost = &finding.facts.lost;
    for (at, lost) in lost.iter().enumerate() {
        if at > 0 {
            page.blank();
        }
        one(page, words, lost);
    }
    if lost.is_empty() {
        let lost = frames(&finding.facts.frames);
        page.paragraph(&format!("Lost forever: {lost}. The trace does not say how."));
    }
}

fn one(page: &mut Page, words: &Words<'_>, lost: &Lost) {
    page.labelled("lost", &frames(&lost.frames));
    if let Some((head, order)) = lost.block {
        let of = frames(&block(head, order));
        let kind = match lost.allocated.and_then(|at| words.run.trace.get(at.step.0)).map(event_of)
        {
            Some(Some(Event::PageAlloc { compound: true, .. })) => ", compound",
            Some(Some(Event::PageAlloc { .. })) => ", not compound",
            _ => "",
        };
        page.labelled("block", &format!("{of} (order {order}{kind})"));
    }
    if let Some(origin) = lost.allocated {
        page.labelled("allocated", &format!("by {}", words.who(origin.cpu, origin.op)));
    }
    if lost.block.is_some() {
        for (n, dropped) in lost.dropped.iter().enumerate() {
            let label = if n == 0 { "given up" } else { "" };
            page.labelled(label, &format!("{}. {}", n + 1, given_up(words, dropped)));
        }
        if lost.dropped.is_empty() {
            page.labelled("given up", "by nobody");
        }
        for (n, freed) in lost.freed_instead.iter().enumerate() {
            let label = if n == 0 { "freed" } else { "" };
            let who = words.who(freed.at.cpu, freed.at.op);
            page.labelled(label, &format!("{} (order {}), by {who}", extent(freed), freed.order));
        }
        if lost.freed_instead.is_empty() {
            page.labelled("freed", "nothing");
        }
    }
    page.blank();
    page.paragraph(&story(words, lost));
}

/// A reference that was given up, by whom, and what that made of the count.
pub(super) fn given_up(words: &Words<'_>, dropped: &Dropped) -> String {
    let transition = words.transition(dropped.step).map_or_else(String::new, |t| format!("{t}: "));
    let who = words.who(dropped.cpu, dropped.op);
    format!("{transition}{}'s, by {who}", holder(dropped.holder))
}

fn extent(freed: &Freed) -> String {
    frames(&block(freed.frame, freed.order))
}

/// What it comes to, in the words of someone who explains it.
fn story(words: &Words<'_>, lost: &Lost) -> String {
    let mut sentences = Vec::new();
    let kept = still_counted(words, lost);
    for (at, dropped) in lost.dropped.iter().enumerate() {
        let actor = words.actor(dropped.cpu, dropped.op);
        let whose = holder(dropped.holder);
        let freed = freed_by(lost, dropped);
        let other = lost.dropped.get(at + 1).map(|next| {
            if next.holder == dropped.holder { "another holder" } else { holder(next.holder) }
        });
        sentences.push(match other.or(kept.map(|_| "somebody")) {
            Some(other) => format!(
                "{actor} drops {whose}'s reference, but {other} still has one, so it frees {freed}."
            ),
            None => {
                let then = if at == 0 { "" } else { "then " };
                format!("{actor} {then}drops the last reference, {whose}'s, and frees {freed}.")
            }
        });
    }
    if let Some(count) = kept {
        sentences.push(format!("At the end the count is still {count}: a reference is kept."));
    }
    let is = if lost.frames.len() == 1 { "is" } else { "are" };
    sentences.push(capitalized(&format!("{} {is} lost forever.", the_lost(lost))));
    sentences.join(" ")
}

/// What the operation that dropped a reference freed between that and the next drop.
fn freed_by(lost: &Lost, dropped: &Dropped) -> String {
    let mut all = Vec::new();
    for freed in &lost.freed_instead {
        let latest = lost
            .dropped
            .iter()
            .rev()
            .find(|d| d.step < freed.at.step && (d.cpu, d.op) == (freed.at.cpu, freed.at.op));
        if latest == Some(dropped) {
            all.extend(block(freed.frame, freed.order));
        }
    }
    match all.len() {
        0 => "nothing".to_owned(),
        1 => format!("{} alone", frames(&all)),
        _ => {
            all.sort_unstable();
            format!("{} only", frames(&all))
        }
    }
}

/// The lost frames as part of their block: `the other three frames, f1-f3,`.
fn the_lost(lost: &Lost) -> String {
    let n = lost.frames.len();
    let which = frames(&lost.frames);
    let whole = lost.block.is_none_or(|(head, order)| block(head, order).len() == n);
    match (n, whole) {
        (1, true) => format!("the frame {which}"),
        (2, true) => format!("both frames, {which},"),
        (_, true) => format!("all {} frames, {which},", number(n)),
        (1, false) => format!("the other frame, {which},"),
        (_, false) => format!("the other {} frames, {which},", number(n)),
    }
}

/// The count of the block that is not zero at the end.
fn still_counted(words: &Words<'_>, lost: &Lost) -> Option<i32> {
    if words.run.ending != Ending::Quiescent {
        return None;
    }
    let counts = &words.run.census.refcounts;
    let of = |frame: &FrameNumber| counts.get(frame.index()).copied().filter(|&count| count != 0);
    lost.frames.iter().find_map(of)
}
