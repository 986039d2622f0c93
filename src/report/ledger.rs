//! The ledger of a finding: who had what, who gave it up, who waits for whom.
//!
//! What it is not: a second judgement. It retells the trace around what the oracle's facts name; where
//! these are silent, so is the ledger. Leaks have a file of their own.

use super::leak;
use super::page::Page;
use super::words::{Words, block, count, event_of, frames, is_lock};
use crate::exec::trace::{Ending, Entry, StepIndex, SwitchReason, TraceEvent, Waiter, What};
use crate::oracle::{Class, Finding, Origin};
use crate::subject::ObjectId;
use pagerace_core::event::{Event, FrameNumber, Order};
use pagerace_core::sync::{CpuId, Waiting};

/// The most lines of a history; older ones are counted.
const MOST_LINES: usize = 16;

/// Writes the ledger.
pub(super) fn write(page: &mut Page, words: &Words<'_>, finding: &Finding) {
    page.heading("Ledger");
    match finding.class {
        Class::Leak => leak::write(page, words, finding),
        Class::DoubleFree => ownership(page, words, finding, is_ownership),
        Class::Overlap | Class::NotCoalesced | Class::NotDrained => {
            ownership(page, words, finding, |event| {
                is_ownership(event)
                    || matches!(event, Event::PageMove { .. } | Event::PageMerge { .. })
            });
        }
        Class::Refcount | Class::BadPage => {
            ownership(page, words, finding, |event| {
                is_ownership(event) || matches!(event, Event::PageRef { done: true, .. })
            });
        }
        Class::Lookup => lookup(page, words, finding),
        Class::Unlocked | Class::LockOrder => {
            let locks = |entry: &Entry| {
                entry.what.lock_taken().is_some()
                    || matches!(entry.what, What::Event(Event::Unlocked { .. }))
            };
            history(page, words, "The locks, in order:", finding.at, locks);
        }
        Class::SleepingInAtomic => sections(page, words, finding),
        Class::Rcu => {
            let readers = |entry: &Entry| {
                matches!(entry.what, What::Event(Event::RcuRead { .. } | Event::RcuFree { .. }))
            };
            history(page, words, "The readers, in order:", finding.at, readers);
        }
        Class::Deadlock => deadlock(page, words),
        Class::Livelock => livelock(page, words, finding),
        Class::Panic => panic(page, words),
        Class::Accounting => {
            page.labelled("off", &words.run.census.miscounted.join(", "));
        }
        Class::Nondeterminism => {}
    }
    if finding.class != Class::Leak {
        page.blank();
        page.paragraph(&verdict(words, finding));
    }
}

/// What it comes to, as a sentence.
fn verdict(words: &Words<'_>, finding: &Finding) -> String {
    let why = finding.facts.why;
    let Some(at) = finding.at else { return format!("{}.", capitalized(why)) };
    let Some(entry) = words.run.trace.get(at.0) else { return format!("{}.", capitalized(why)) };
    let actor = words.actor(entry.cpu, entry.op);
    let What::Event(Event::PageFree { frame, order, .. }) = entry.what else {
        return match words.happened(&entry.what) {
            Some(happened) => format!("{actor}: {happened}; {why}."),
            None => format!("{actor} does it: {why}."),
        };
    };
    let freed = block(frame, order);
    let again = freed_before(words, at, &freed);
    let before = again.as_ref().map_or("", String::as_str);
    let again = if again.is_some() { " again" } else { "" };
    format!("{before}{actor} frees {}{again}: {why}.", frames(&freed))
}

/// A sentence about who freed some of the frames before, without an allocation since.
fn freed_before(words: &Words<'_>, at: StepIndex, of: &[FrameNumber]) -> Option<String> {
    let trace = words.run.trace.get(..at.0)?;
    let events = trace.iter().rev().filter_map(|entry| Some((entry, event_of(entry)?)));
    let (entry, event) = events
        .filter(|(_, event)| matches!(event, Event::PageAlloc { .. } | Event::PageFree { .. }))
        .find(|(_, event)| {
            block_of(event).is_some_and(|(f, order)| block(f, order).iter().any(|f| of.contains(f)))
        })?;
    let Event::PageFree { frame, order, .. } = *event else { return None };
    let freed = frames(&block(frame, order));
    Some(format!("{} frees {freed}. ", words.actor(entry.cpu, entry.op)))
}

pub(super) fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn is_ownership(event: &TraceEvent) -> bool {
    matches!(
        event,
        Event::PageAlloc { .. }
            | Event::PageFree { .. }
            | Event::PageSplit { .. }
            | Event::PageCompound { .. }
            | Event::BadPage { .. }
            | Event::BugOn { .. }
    )
}

/// The block that an event is about.
fn block_of(event: &TraceEvent) -> Option<(FrameNumber, Order)> {
    match *event {
        Event::PageAlloc { frame, order, .. }
        | Event::PageFree { frame, order, .. }
        | Event::PageMove { frame, order, .. }
        | Event::PageMerge { frame, order }
        | Event::PageSplit { frame, order }
        | Event::PageCompound { frame, order }
        | Event::BadPage { frame, order, .. } => Some((frame, order)),
        Event::BugOn { frame, .. } | Event::PageRef { frame, .. } => Some((frame, Order(0))),
        _ => None,
    }
}

/// What happened to the frames of the finding, and whose they were.
fn ownership(page: &mut Page, words: &Words<'_>, finding: &Finding, told: fn(&TraceEvent) -> bool) {
    let facts = &finding.facts;
    if !facts.frames.is_empty() {
        page.labelled("frames", &frames(&facts.frames));
    }
    if let Some(origin) = facts.allocated {
        page.labelled("allocated", &allocation(words, origin));
    }
    if let Some(last) = &facts.dropped_last {
        page.labelled("last put", &leak::given_up(words, last));
    }
    census(page, words, finding);
    let theirs = |event: &TraceEvent| {
        block_of(event).is_some_and(|(frame, order)| {
            block(frame, order).iter().any(|f| facts.frames.contains(f))
        })
    };
    // A drain, which names no frame, if the finding is about it.
    let decides = |entry: &Entry| {
        let mut lines = facts.sites.iter().filter_map(|site| words.run.trace.get(site.0));
        matches!(event_of(entry), Some(Event::ListDrain { .. }))
            && lines.any(|line| std::ptr::eq(line, entry))
    };
    history(page, words, "What happened to them, in order:", finding.at, |entry| {
        decides(entry) || event_of(entry).is_some_and(|event| told(event) && theirs(event))
    });
}

/// An allocation: by whom, and of what.
pub(super) fn allocation(words: &Words<'_>, origin: Origin) -> String {
    let event = words.run.trace.get(origin.step.0).and_then(event_of);
    let what = event.map_or_else(String::new, |event| format!(": {}", words.event(event)));
    format!("by {}{what}", words.who(origin.cpu, origin.op))
}

/// What the walk at the end found where the finding is.
fn census(page: &mut Page, words: &Words<'_>, finding: &Finding) {
    if finding.at.is_some() || words.run.ending != Ending::Quiescent {
        return;
    }
    let census = &words.run.census;
    let near = |frame: FrameNumber, order: Order| {
        let within = block(frame, order);
        finding
            .facts
            .frames
            .iter()
            .any(|f| within.contains(f) || order.0 < 32 && within.contains(&f.buddy(order)))
    };
    let free = census.free.iter().filter(|b| near(b.frame, b.order)).take(MOST_LINES);
    let free: Vec<String> = free
        .map(|b| {
            let list = match b.list {
                pagerace_core::event::FreeList::Buddy => "buddy".to_owned(),
                pagerace_core::event::FreeList::PerCpu(cpu) => format!("cpu{}", cpu.index()),
            };
            format!("{} order {} ({list})", b.frame, b.order)
        })
        .collect();
    if !free.is_empty() {
        page.labelled("free at end", &free.join(", "));
    }
    if !census.broken.is_empty() {
        page.labelled("broken", &census.broken.join(", "));
    }
}

/// The tracepoints and locks on the lines that `told` names, as a list that ends with the finding.
fn history(
    page: &mut Page,
    words: &Words<'_>,
    title: &str,
    until: Option<StepIndex>,
    told: impl Fn(&Entry) -> bool,
) {
    let mut points = Vec::new();
    let mut teller = None;
    for (step, entry) in words.run.trace.iter().enumerate() {
        let here = until == Some(StepIndex(step));
        let happened = words.happened(&entry.what).filter(|_| here || told(entry));
        if let Some(mut text) = happened {
            if let (What::Event(Event::PageRef { .. }), Some(transition)) =
                (entry.what, words.transition(StepIndex(step)))
            {
                text += &format!("; {transition}");
            }
            let by = (entry.cpu, entry.op);
            let who = if teller == Some(by) {
                String::new()
            } else {
                format!("{}: ", words.who(entry.cpu, entry.op))
            };
            teller = Some(by);
            points.push(who + &text + if here { "  <-- here" } else { "" });
        }
        if here {
            break;
        }
    }
    if points.is_empty() {
        return;
    }
    page.paragraph(title);
    let skipped = points.len().saturating_sub(MOST_LINES);
    if skipped > 0 {
        page.indented(&format!("... {} before", count(skipped, "line")), 4, 6);
    }
    page.numbered(skipped + 1, &points[skipped..]);
}

/// What was returned, and what the index held when.
fn lookup(page: &mut Page, words: &Words<'_>, finding: &Finding) {
    let at = finding.at.and_then(|at| words.run.trace.get(at.0));
    let Some((entry, event)) = at.and_then(|entry| Some((entry, event_of(entry)?))) else { return };
    let Event::LookupEnd { mapping, index, frame, .. } = *event else { return };
    page.labelled("lookup", &words.who(entry.cpu, entry.op));
    page.labelled("of", &format!("mapping {mapping} index {index}"));
    let returned = frame.map_or_else(|| "nothing".to_owned(), |frame| frame.to_string());
    page.labelled("returned", &returned);
    if let Some(origin) = finding.facts.allocated {
        page.labelled("which is", &format!("allocated {}", allocation(words, origin)));
    }
    let by = (entry.cpu, entry.op);
    history(page, words, "What the index held, in order:", finding.at, |entry| {
        match event_of(entry) {
            Some(
                Event::CacheAdd { mapping: m, index: i, .. }
                | Event::CacheDelete { mapping: m, index: i, .. },
            ) => (*m, *i) == (mapping, index),
            Some(Event::LookupStart { .. } | Event::LookupRetry { .. }) => {
                (entry.cpu, entry.op) == by
            }
            Some(
                Event::PageAlloc { frame: f, order, .. } | Event::PageFree { frame: f, order, .. },
            ) => frame.is_some_and(|frame| block(*f, *order).contains(&frame)),
            _ => false,
        }
    });
}

/// The sections and locks of the CPU that sleeps.
fn sections(page: &mut Page, words: &Words<'_>, finding: &Finding) {
    let sleeper = finding.at.and_then(|at| words.run.trace.get(at.0));
    let Some(sleeper) = sleeper else { return };
    let its = |entry: &Entry| {
        let section =
            matches!(entry.what, What::Event(Event::Section { .. } | Event::RcuRead { .. }));
        entry.cpu == sleeper.cpu && (section || entry.what.lock_taken().is_some())
    };
    // The finding may stand on a switch or another access: stop there.
    let until = finding.at.unwrap_or(StepIndex(words.run.trace.len()));
    history(page, words, "What it is inside of:", Some(until), its);
    let how = match sleeper.what {
        What::Switch { why: SwitchReason::Waits { object, waiting }, .. } => {
            words.waits(object, waiting)
        }
        What::Access { object, .. } => words.waits(object, Waiting::Sleep),
        _ => "sleeps".to_owned(),
    };
    page.paragraph(&format!("{} {how}.", words.who(sleeper.cpu, sleeper.op)));
}

/// Who waits for what, and who has it.
fn deadlock(page: &mut Page, words: &Words<'_>) {
    let Ending::Deadlock(waiters) = &words.run.ending else { return };
    for Waiter { cpu, op, object, waiting } in waiters {
        let mut text = format!("{}, {}", words.who(*cpu, *op), words.waits(*object, *waiting));
        if *waiting == Waiting::Lock
            && let Some((holder, op)) = lock_holder(words, *object)
        {
            text += &format!(", which {} holds", words.who(holder, op));
        }
        page.labelled(&format!("cpu{}", cpu.index()), &text);
    }
}

/// Who took a lock last and did not release it.
fn lock_holder(
    words: &Words<'_>,
    lock: Option<ObjectId>,
) -> Option<(CpuId, Option<crate::program::OpId>)> {
    lock?;
    let mut accesses = words.run.trace.iter().rev().filter_map(|entry| match entry.what {
        What::Access { object, kind, old, new, .. } if object == lock && is_lock(kind) => {
            Some((entry, old != new, new))
        }
        _ => None,
    });
    let (entry, _, held) = accesses.find(|(_, changed, _)| *changed)?;
    (held != 0).then_some((entry.cpu, entry.op))
}

/// What is done over and over.
fn livelock(page: &mut Page, words: &Words<'_>, finding: &Finding) {
    if let Ending::Bound { cpu, op } = words.run.ending {
        page.labelled("running", &words.who(cpu, op));
    }
    let accesses = finding.facts.sites.iter().filter_map(|site| words.run.trace.get(site.0));
    let points: Vec<String> = accesses
        .filter_map(|entry| match entry.what {
            What::Access { object, kind, old, new, .. } => {
                Some(words.access(object, kind, old, new))
            }
            _ => None,
        })
        .collect();
    if !points.is_empty() {
        page.paragraph("Its last accesses:");
        page.numbered(1, &points);
    }
}

/// The message, and where it was.
fn panic(page: &mut Page, words: &Words<'_>) {
    let Ending::Panic(message) = &words.run.ending else { return };
    page.labelled("message", message);
    if let Some(last) = words.run.trace.last() {
        page.labelled("in", &words.who(last.cpu, last.op));
    }
}
