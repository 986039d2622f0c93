//! What things in a trace are called: objects, values, operations, frames, accesses, events.
//!
//! What it is not: layout. Every text here is one line of any length.

use crate::exec::trace::{Entry, OpEnd, Run, StepIndex, TraceEvent, What};
use crate::program::text::Text;
use crate::program::{Case, OpId, Place};
use crate::subject::{ObjectId, Spec};
use pagerace_core::event::{Context, Event, FrameNumber, FreeList, Holder, Order, RefChange};
use pagerace_core::sync::{CpuId, Kind, Waiting};

/// The vocabulary of one run.
pub(super) struct Words<'a> {
    pub spec: &'a Spec,
    pub case: &'a Case,
    pub run: &'a Run,
    /// The classes that are one lock: these need no number.
    single: Vec<bool>,
    /// How the case's text states its operations, by number.
    ops: Vec<String>,
}

impl<'a> Words<'a> {
    pub fn new(spec: &'a Spec, case: &'a Case, run: &'a Run) -> Self {
        let mut single = vec![None; spec.classes.len()];
        for entry in &run.trace {
            let What::Access { object: Some(object), kind, .. } = entry.what else { continue };
            if let Some(single) = single.get_mut(usize::from(object.class())) {
                let first = object.instance() == 0 && is_lock(kind);
                *single = Some(single.unwrap_or(true) && first);
            }
        }
        let single = single.into_iter().map(|single| single == Some(true)).collect();
        Self { spec, case, run, single, ops: lines(spec, case).0 }
    }

    pub fn is_refcount(&self, object: Option<ObjectId>) -> bool {
        object
            .and_then(|o| self.spec.classes.get(usize::from(o.class())))
            .is_some_and(|class| class.refcount)
    }

    pub fn object(&self, object: Option<ObjectId>) -> String {
        let Some(object) = object else { return "(unnamed)".to_owned() };
        let (class, instance) = (object.class(), object.instance());
        let at = usize::from(class);
        match self.spec.classes.get(at) {
            Some(class) if class.refcount => format!("{} f{instance}", class.name),
            Some(class) if self.single[at] => class.name.to_owned(),
            Some(class) => format!("{}[{instance}]", class.name),
            None => format!("object {class}.{instance}"),
        }
    }

    /// An operation as a case states it: `p0 = alloc order=2`.
    pub fn op(&self, id: OpId) -> String {
        let stated = self.ops.get(id.index());
        stated.map_or_else(|| format!("operation {}", id.0), Clone::clone)
    }

    /// Who did something: `cpu1 in free_pages p0`.
    pub fn who(&self, cpu: CpuId, op: Option<OpId>) -> String {
        let Some(id) = op else { return "the drain".to_owned() };
        let place = self.case.ops.get(id.index()).map(|op| op.place);
        match place {
            Some(Place::Setup) => format!("the set-up, in `{}`", self.op(id)),
            _ => format!("cpu{} in `{}`", cpu.index(), self.op(id)),
        }
    }

    /// Who does something, as the subject of a sentence: "On cpu1, `free_pages p0`".
    pub fn actor(&self, cpu: CpuId, op: Option<OpId>) -> String {
        let Some(id) = op else { return "The drain".to_owned() };
        match self.case.ops.get(id.index()).map(|op| op.place) {
            Some(Place::Setup) => format!("In the set-up, `{}`", self.op(id)),
            _ => format!("On cpu{}, `{}`", cpu.index(), self.op(id)),
        }
    }

    /// The block or page that an operation's result is, as far as its events say.
    pub fn result(&self, id: OpId) -> Option<String> {
        let of_op = self.run.trace.iter().rev().filter(|entry| entry.op == Some(id));
        of_op.filter_map(event_of).find_map(|event| match event {
            Event::PageAlloc { frame, order, .. } => Some(format!("{frame}, order {order}")),
            Event::LookupEnd { frame: Some(frame), .. }
            | Event::PageRef {
                frame,
                change: RefChange::Get | RefChange::TryGet,
                done: true,
                ..
            } => Some(frame.to_string()),
            _ => None,
        })
    }

    /// An operation with the block it is about to use: `free_pages p0 (f0, order 1)`.
    pub fn op_with_operand(&self, id: OpId) -> String {
        let right = self.case.ops.get(id.index()).and_then(|op| op.right);
        match right.and_then(|right| self.result(right)) {
            Some(block) => format!("{} ({block})", self.op(id)),
            None => self.op(id),
        }
    }

    /// How an operation ended, with what it gave.
    pub fn end(&self, id: Option<OpId>, end: OpEnd) -> String {
        let gave = match end {
            OpEnd::Done { gave: true } => id.and_then(|id| self.result(id)),
            _ => None,
        };
        let name = match end {
            OpEnd::Done { .. } => "done",
            OpEnd::Failed => "failed",
            OpEnd::Skipped => "skipped",
        };
        gave.map_or_else(|| format!("-> {name}"), |block| format!("-> {name} ({block})"))
    }

    /// How a CPU waits: `waits for zone_lock`.
    pub fn waits(&self, object: Option<ObjectId>, waiting: Waiting) -> String {
        let object = self.object(object);
        match waiting {
            Waiting::Lock => format!("waits for {object}"),
            Waiting::Sleep => format!("sleeps on {object}"),
            Waiting::Grace => "waits for RCU readers".to_owned(),
            Waiting::Change => format!("waits for {object} to change"),
        }
    }

    /// An access: `refcount f0 1->2`, `slot[0] load 1`.
    pub fn access(&self, object: Option<ObjectId>, kind: Kind, old: u64, new: u64) -> String {
        let name = self.object(object);
        let change = format!("{}->{}", value(old), value(new));
        let old_value = value(old);
        match kind {
            Kind::Load if self.is_refcount(object) => format!("{name} is {old_value}"),
            _ if self.is_refcount(object) && old == new => format!("{name} stays {old_value}"),
            _ if self.is_refcount(object) => format!("{name} {change}"),
            Kind::Load => format!("{name} load {old_value}"),
            Kind::Lock | Kind::Unlock | Kind::Wake | Kind::Fail => {
                format!("{name} {}", kind.name())
            }
            Kind::TryLock if old == 0 => format!("{name} trylock: taken"),
            Kind::TryLock => format!("{name} trylock: busy"),
            Kind::Wait => format!("{name} wait, is {old_value}"),
            Kind::Cas | Kind::CasWeak if old == new => {
                format!("{name} {} refused, is {old_value}", kind.name())
            }
            _ => format!("{name} {} {change}", kind.name()),
        }
    }

    /// The refcount transition that the event on this line explains: `refcount f0 1->2`.
    pub fn transition(&self, step: StepIndex) -> Option<String> {
        let cpu = self.run.trace.get(step.0)?.cpu;
        let before = self.run.trace[..=step.0].iter().rev().filter(|entry| entry.cpu == cpu);
        let access =
            before.map(|entry| entry.what).find(|what| matches!(what, What::Access { .. }));
        match access? {
            What::Access { object, kind, old, new, .. } if self.is_refcount(object) => {
                Some(self.access(object, kind, old, new))
            }
            _ => None,
        }
    }

    /// What happened on a line, if it is a tracepoint or a spin lock changes hands.
    pub fn happened(&self, what: &What) -> Option<String> {
        match (what, what.lock_taken()) {
            (What::Event(event), _) => Some(self.event(event)),
            (What::OpEnd(_), _) => Some("ends".to_owned()),
            (What::Access { object, .. }, Some(taken)) => Some(format!(
                "{} {}",
                self.object(*object),
                if taken { "taken" } else { "released" }
            )),
            _ => None,
        }
    }

    /// A tracepoint.
    pub fn event(&self, event: &TraceEvent) -> String {
        let list = |list: FreeList| match list {
            FreeList::Buddy => "the buddy lists".to_owned(),
            FreeList::PerCpu(cpu) => format!("cpu{}'s list", cpu.index()),
        };
        match *event {
            Event::PageAlloc { frame, order, compound, from } => {
                let compound = if compound { " compound" } else { "" };
                match from {
                    FreeList::Buddy => format!("alloc {frame} order {order}{compound}"),
                    list_of => {
                        format!("alloc {frame} order {order}{compound} from {}", list(list_of))
                    }
                }
            }
            Event::PageFree { frame, order, to: FreeList::Buddy } => {
                format!("free {frame} order {order}")
            }
            Event::PageFree { frame, order, to } => {
                format!("free {frame} order {order} to {}", list(to))
            }
            Event::PageMove { frame, order, to } => {
                format!("move {frame} order {order} to {}", list(to))
            }
            Event::PageMerge { frame, order } => format!("merge into {frame} order {order}"),
            Event::PageRef { frame, change, count, holder, done } => {
                format!("reference to {frame}: {}", reference(change, count, holder, done))
            }
            Event::PageSplit { frame, order } => format!("split {frame} order {order}"),
            Event::PageCompound { frame, order } => {
                format!("pages from {frame} become a compound block of order {order}")
            }
            Event::ListDrain { list, done } => {
                let what = if done { "is through" } else { "begins" };
                format!("the drain of cpu{}'s list {what}", list.index())
            }
            Event::BadPage { frame, order, check } => {
                format!("bad_page {frame} order {order}: {check}")
            }
            Event::BugOn { frame, check } => format!("bug_on {frame}: {check}"),
            _ => self.cache_or_sync_event(event),
        }
    }

    fn cache_or_sync_event(&self, event: &TraceEvent) -> String {
        match *event {
            Event::CacheAdd { mapping, index, frame } => {
                format!("{frame} enters mapping {mapping} index {index}")
            }
            Event::CacheDelete { mapping, index, frame } => {
                format!("{frame} leaves mapping {mapping} index {index}")
            }
            Event::LookupStart { mapping, index } => {
                format!("lookup of mapping {mapping} index {index} begins")
            }
            Event::LookupEnd { frame: Some(frame), locked, .. } => {
                format!("lookup returns {frame}{}", if locked { " locked" } else { "" })
            }
            Event::LookupEnd { frame: None, .. } => "lookup returns nothing".to_owned(),
            Event::LookupRetry { frame } => format!("lookup took {frame} in vain"),
            Event::PageLock { frame, locked: true } => format!("page lock {frame} taken"),
            Event::PageLock { frame, locked: false } => format!("page lock {frame} released"),
            Event::RcuFree { object } => format!("RCU object {} freed", self.object(object)),
            Event::RcuRead { inside: true } => "RCU reader enters".to_owned(),
            Event::RcuRead { inside: false } => "RCU reader leaves".to_owned(),
            Event::Section { context, entered } => {
                let what = match context {
                    Context::Irq => "interrupts",
                    Context::Preempt => "preemption",
                };
                format!("{what} {}", if entered { "off" } else { "on" })
            }
            Event::Unlocked { field, lock } => {
                format!("{} touched without {}", self.object(field), self.object(lock))
            }
            _ => "event".to_owned(),
        }
    }
}

/// The lines of a case's text that state its operations, and those that state its decisions.
pub(super) fn lines(spec: &Spec, case: &Case) -> (Vec<String>, Vec<String>) {
    let text = Text { spec, case }.to_string();
    let (ops, schedule) = text.split_once("\nschedule:\n").unwrap_or((&text, ""));
    let indented = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
    };
    let decisions = indented(schedule).into_iter().filter(|line| line.starts_with("at "));
    (indented(ops), decisions.collect())
}

/// The tracepoint on a line of a trace, if it is one.
pub(super) fn event_of(entry: &Entry) -> Option<&TraceEvent> {
    match &entry.what {
        What::Event(event) => Some(event),
        _ => None,
    }
}

/// Whether an access takes or releases a lock.
pub(super) fn is_lock(kind: Kind) -> bool {
    matches!(kind, Kind::Lock | Kind::TryLock | Kind::Unlock)
}

/// A word of memory: small numbers, of either sign, as such.
fn value(word: u64) -> String {
    const SMALL: i64 = 10_000;
    match word.cast_signed() {
        number if (-SMALL..SMALL).contains(&number) => number.to_string(),
        _ => format!("{word:#x}"),
    }
}

/// A change of a reference: `lookup's try_get`.
pub(super) fn reference(change: RefChange, count: i32, holder: Holder, done: bool) -> String {
    let change = match change {
        RefChange::Set => "set",
        RefChange::Get => "get",
        RefChange::TryGet => "try_get",
        RefChange::Put => "put",
        RefChange::Freeze => "freeze",
        RefChange::Unfreeze => "unfreeze",
        RefChange::Store => "store",
    };
    let count = if count == 1 { String::new() } else { format!(" of {count}") };
    format!("{}'s {change}{count}{}", holder.name(), if done { "" } else { " refused" })
}

/// Whose a reference is, in a sentence.
pub(super) const fn holder(holder: Holder) -> &'static str {
    match holder {
        Holder::Owner => "the owner",
        Holder::Cache => "the cache",
        Holder::Lookup => "a lookup",
        Holder::Get => "a holder that took one more",
        Holder::Scan => "a scanner",
        Holder::Contig => "a contiguous allocation",
        Holder::Private => "the private data",
        Holder::Net => "the network",
        Holder::Poison => "a page that is kept as poisoned",
        Holder::Spec => "an injected reference",
    }
}

/// The frames of a block.
pub(super) fn block(frame: FrameNumber, order: Order) -> Vec<FrameNumber> {
    // A trace may be of any subject, however it counts: no block has more frames than numbers.
    let last = frame.0.saturating_add(1u32.checked_shl(u32::from(order.0)).unwrap_or(u32::MAX) - 1);
    if last - frame.0 > 1 << 16 {
        return vec![frame, FrameNumber(last)];
    }
    (frame.0..=last).map(FrameNumber).collect()
}

/// Frames, as ranges: `f0-f3, f7`.
pub(super) fn frames(frames: &[FrameNumber]) -> String {
    let mut ranges: Vec<(FrameNumber, FrameNumber)> = Vec::new();
    for &frame in frames {
        match ranges.last_mut() {
            Some((_, last)) if last.0.checked_add(1) == Some(frame.0) => *last = frame,
            _ => ranges.push((frame, frame)),
        }
    }
    let texts: Vec<String> = ranges
        .iter()
        .map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") })
        .collect();
    texts.join(", ")
}

/// A number in a sentence.
pub(super) fn number(n: usize) -> String {
    const WORDS: [&str; 11] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    WORDS.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

/// A number of things: `1 access`, `7 accesses`.
pub(super) fn count(n: usize, thing: &str) -> String {
    let ending = match n {
        1 => "",
        _ if thing.ends_with(['s', 'h']) => "es",
        _ => "s",
    };
    format!("{n} {thing}{ending}")
}
