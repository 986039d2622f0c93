//! Second opinions: what a finding names, held against the events and the census of the same run, by
//! the plainest bookkeeping there is.
//!
//! [`disagrees`] says what a finding names that the run does not bear out. Classes that are about
//! frames must name those; the others, which say in their oracles' files that they name none, must name
//! the line or the objects at which it happened.
//!
//! What it is not: an oracle. It does not look for violations, and shares no code with those that do.

use pagerace::exec::{Ending, Entry, Run, SwitchReason, TraceEvent, What};
use pagerace::oracle::{Class, Finding};
use pagerace::subject::{FreeBlock, ObjectId};
use pagerace_core::event::{Event, FrameNumber, FreeList, Holder, Order, RefChange};
use pagerace_core::sync::{CpuId, Kind, Waiting};

/// What is wrong with what a finding names; none if the run bears it out.
pub fn disagrees(run: &Run, finding: &Finding) -> Option<String> {
    let named = &finding.facts.frames;
    let line = finding.at.map(|at| (at.0, run.trace[at.0]));
    let right = match (finding.class, line) {
        (Class::Leak, None) => leak(run, finding),
        (Class::DoubleFree, Some((at, line))) => double_free(run, named, at, line),
        (Class::Overlap, Some((at, line))) => overlap(run, named, at, line),
        (Class::Overlap, None) => census_overlap(run, named),
        (Class::NotCoalesced, None) => not_coalesced(run, named),
        (Class::NotDrained, Some((at, line))) => not_drained(run, finding, at, line),
        (Class::Refcount, Some((at, line))) => refcount(run, named, at, line),
        (Class::Refcount, None) => {
            let books = Books::up_to(run, run.trace.len());
            one(named).is_some_and(|f| run.census.refcounts[f] != books.frames[f].total())
        }
        (Class::Lookup, Some((at, line))) => lookup(run, named, at, line),
        (Class::BadPage, Some((_, line))) => match line.what {
            What::Event(Event::BadPage { frame, order, .. }) => *named == block(frame, order),
            What::Event(Event::BugOn { frame, .. }) => *named == [frame],
            _ => false,
        },
        (Class::Unlocked, Some((at, line))) => unlocked(run, at, line),
        (Class::SleepingInAtomic, Some((at, line))) => sleeping(run, at, line),
        (Class::LockOrder, Some((at, line))) => lock_order(run, at, line),
        (Class::Rcu, Some((at, line))) => rcu(run, finding, at, line),
        (Class::Deadlock, None) => deadlock(run),
        (Class::Livelock, None) => livelock(run, finding),
        (Class::Accounting, None) => named.is_empty() && !run.census.miscounted.is_empty(),
        (Class::Panic, None) => matches!(run.ending, Ending::Panic(_)) && named.is_empty(),
        _ => false,
    };
    let at = line.map(|(_, line)| line.what);
    (!right).then(|| format!("{} about {named:?} at {at:?}", finding.signature))
}

/// The same finding with a frame too few, or about the line before, or an access too few; none for a
/// class that names nothing of the kind. The run does not bear it out.
pub fn falsified(finding: &Finding) -> Option<Finding> {
    let mut false_one = finding.clone();
    if false_one.facts.frames.pop().is_none() {
        match (finding.class, &mut false_one.at) {
            (_, Some(at)) => at.0 -= 1,
            (Class::Livelock, None) => drop(false_one.facts.sites.pop()),
            _ => return None,
        }
    }
    Some(false_one)
}

fn block(frame: FrameNumber, order: Order) -> Vec<FrameNumber> {
    (0..order.frames()).map(|n| frame.offset(n)).collect()
}

/// The only frame named.
fn one(named: &[FrameNumber]) -> Option<usize> {
    let [frame] = named else { return None };
    Some(frame.index())
}

/// Where a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    On(FreeList),
    /// In an allocation: its first frame, its size, and the how-manieth it is.
    In(FrameNumber, Order, usize),
}

#[derive(Clone, Debug)]
struct Frame {
    place: Place,
    references: [i32; Holder::ALL.len()],
}

impl Frame {
    fn total(&self) -> i32 {
        self.references.iter().sum()
    }

    fn is_free(&self) -> bool {
        matches!(self.place, Place::On(_))
    }
}

/// Who has what, by the events alone.
struct Books {
    frames: Vec<Frame>,
}

impl Books {
    /// Before this line.
    fn up_to(run: &Run, line: usize) -> Self {
        let numbers = run.trace.iter().filter_map(|entry| match entry.what {
            What::Event(
                Event::PageAlloc { frame, order, .. } | Event::PageFree { frame, order, .. },
            ) => Some(frame.index() + order.frames()),
            What::Access { object: Some(object), .. } => Some(usize::from(object.instance()) + 1),
            _ => None,
        });
        let most = numbers.max().unwrap_or(0).max(run.census.frames);
        let free = Frame { place: Place::On(FreeList::Buddy), references: [0; Holder::ALL.len()] };
        let mut books = Self { frames: vec![free; most] };
        for (at, entry) in run.trace[..line].iter().enumerate() {
            if let What::Event(event) = entry.what {
                books.enter(at, event);
            }
        }
        books
    }

    fn put(&mut self, frame: FrameNumber, order: Order, place: Place) {
        for f in block(frame, order) {
            self.frames[f.index()].place = place;
        }
    }

    fn enter(&mut self, at: usize, event: TraceEvent) {
        match event {
            Event::PageAlloc { frame, order, .. } => {
                self.put(frame, order, Place::In(frame, order, at));
            }
            Event::PageFree { frame, order, to } | Event::PageMove { frame, order, to } => {
                self.put(frame, order, Place::On(to));
            }
            Event::PageSplit { frame, order } => {
                for f in block(frame, order) {
                    self.put(f, Order(0), Place::In(f, Order(0), at));
                }
            }
            Event::PageRef { frame, change, count, holder, done: true } => {
                let references = &mut self.frames[frame.index()].references;
                let (own, cache) = (holder as usize, Holder::Cache as usize);
                match change {
                    RefChange::Set | RefChange::Store => {
                        *references = [0; Holder::ALL.len()];
                        references[own] = count;
                    }
                    RefChange::Get | RefChange::TryGet => references[own] += count,
                    RefChange::Put => references[own] -= count,
                    RefChange::Freeze => {
                        references[own] -= 1;
                        references[cache] -= count - 1;
                    }
                    RefChange::Unfreeze => {
                        *references = [0; Holder::ALL.len()];
                        references[own] += 1;
                        references[cache] += count - 1;
                    }
                }
            }
            _ => {}
        }
    }
}

/// How often each frame is in a block of the census's free lists, or quarantined.
fn counted(run: &Run) -> Vec<usize> {
    let mut counted = vec![0; run.census.frames];
    let listed = run.census.free.iter().flat_map(|b| block(b.frame, b.order));
    for frame in listed.chain(run.census.quarantined.iter().copied()) {
        if let Some(n) = counted.get_mut(frame.index()) {
            *n += 1;
        }
    }
    counted
}

/// Exactly the frames that the census counts nowhere, each in one of the stories.
fn leak(run: &Run, finding: &Finding) -> bool {
    let counted = counted(run);
    let missing: Vec<_> = (0..counted.len() as u32).map(FrameNumber).collect();
    let missing: Vec<_> = missing.into_iter().filter(|f| counted[f.index()] == 0).collect();
    let mut told: Vec<_> = finding.facts.lost.iter().flat_map(|lost| lost.frames.clone()).collect();
    told.sort_unstable();
    !missing.is_empty() && finding.facts.frames == missing && told == missing
}

/// The block of the free, of which something is free, referenced, or part of another block.
fn double_free(run: &Run, named: &[FrameNumber], at: usize, line: Entry) -> bool {
    let What::Event(Event::PageFree { frame, order, .. }) = line.what else { return false };
    let books = Books::up_to(run, at);
    let wrong = |f: &FrameNumber| {
        let it = &books.frames[f.index()];
        let whole = matches!(it.place, Place::In(head, size, _) if (head, size) == (frame, order));
        !whole || it.total() > 0
    };
    *named == block(frame, order) && named.iter().any(wrong)
}

/// Frames of the block of the event, none of which is where the event takes it from.
fn overlap(run: &Run, named: &[FrameNumber], at: usize, line: Entry) -> bool {
    let (frame, order, from) = match line.what {
        What::Event(Event::PageAlloc { frame, order, from, .. }) => (frame, order, Some(from)),
        What::Event(Event::PageMove { frame, order, .. }) => (frame, order, None),
        What::Event(Event::PageMerge { frame, order }) => (frame, order, Some(FreeList::Buddy)),
        _ => return false,
    };
    let books = Books::up_to(run, at);
    let wrong = |f: &FrameNumber| match books.frames[f.index()].place {
        Place::In(..) => true,
        Place::On(list) => from.is_some_and(|from| from != list),
    };
    let within = named.iter().all(|f| block(frame, order).contains(f));
    !named.is_empty() && within && named.iter().all(wrong)
}

/// A block of the free lists of which something is listed twice, cached, or in use.
fn census_overlap(run: &Run, named: &[FrameNumber]) -> bool {
    let (counted, books) = (counted(run), Books::up_to(run, run.trace.len()));
    let listed = |f: &FrameNumber| counted[f.index()] > 0;
    let wrong = |f: &FrameNumber| {
        counted[f.index()] > 1
            || run.census.cached.contains(f)
            || !books.frames[f.index()].is_free()
    };
    let whole = run.census.free.iter().any(|b| *named == block(b.frame, b.order));
    (whole || one(named).is_some()) && named.iter().all(listed) && named.iter().any(wrong)
}

/// A block of the free lists whose buddy is there too, in the same size.
fn not_coalesced(run: &Run, named: &[FrameNumber]) -> bool {
    let free = &run.census.free;
    let whole = free.iter().find(|b| *named == block(b.frame, b.order));
    whole.is_some_and(|b: &FreeBlock| {
        let buddy = FrameNumber(b.frame.0 ^ (1 << b.order.0));
        b.order < run.census.max_order
            && free.iter().any(|other| (other.frame, other.order) == (buddy, b.order))
    })
}

/// The frames that were on the list when this CPU's drain looked, and are there at its end.
///
/// What another operation put there that has not ended is named where that ends, if nothing has happened to it.
fn not_drained(run: &Run, finding: &Finding, at: usize, line: Entry) -> bool {
    let ends_drain = |&at: &usize| {
        matches!(run.trace[at].what, What::Event(Event::ListDrain { done: true, .. }))
    };
    let sites = finding.facts.sites.iter().map(|site| site.0);
    let Some(end) = std::iter::once(at).chain(sites).find(ends_drain) else { return false };
    let What::Event(Event::ListDrain { list, .. }) = run.trace[end].what else { return false };
    let drainer = run.trace[end].cpu;
    let look = run.trace[..end].iter().rposition(|entry| {
        let look = What::Event(Event::ListDrain { list, done: false });
        entry.cpu == drainer && entry.what == look
    });
    let Some(look) = look else { return false };
    let (before, after) = (Books::up_to(run, look), Books::up_to(run, end));
    let there =
        |books: &Books, f: usize| books.frames[f].place == Place::On(FreeList::PerCpu(list));
    let both = before.frames.len().min(after.frames.len());
    let named_here = |f: usize| {
        let put = last_touch(run, end, f);
        let by = put.map(|put| run.trace[put]).filter(|by| by.cpu != drainer && by.op.is_some());
        let ended = |(put, by): (usize, Entry)| {
            run.trace[put..end].iter().any(|entry| {
                (entry.cpu, entry.op) == (by.cpu, by.op) && matches!(entry.what, What::OpEnd(_))
            })
        };
        match put.zip(by).filter(|&both| !ended(both)) {
            None => end == at,
            Some((_, by)) => {
                let ends = matches!(line.what, What::OpEnd(_));
                ends && (by.cpu, by.op) == (line.cpu, line.op) && last_touch(run, at, f) == put
            }
        }
    };
    let left = (0..both).filter(|&f| there(&before, f) && there(&after, f) && named_here(f));
    let left: Vec<FrameNumber> = left.map(|f| FrameNumber(f as u32)).collect();
    !left.is_empty() && left == finding.facts.frames
}

/// The last line before `end` on which a frame came to a list or left one.
fn last_touch(run: &Run, end: usize, f: usize) -> Option<usize> {
    run.trace[..end].iter().rposition(|entry| match entry.what {
        What::Event(
            Event::PageAlloc { frame, order, .. }
            | Event::PageFree { frame, order, .. }
            | Event::PageMove { frame, order, .. },
        ) => block(frame, order).iter().any(|frame| frame.index() == f),
        _ => false,
    })
}

/// The frame of the event, whose word and whose references differ by then, or whose holder gave what
/// he did not have.
fn refcount(run: &Run, named: &[FrameNumber], at: usize, line: Entry) -> bool {
    let What::Event(event @ Event::PageRef { frame, change, holder, .. }) = line.what else {
        return false;
    };
    let mut books = Books::up_to(run, at);
    let before = books.frames[frame.index()].total();
    let own = books.frames[frame.index()].references[holder as usize];
    books.enter(at, event);
    let after = &books.frames[frame.index()];
    let word = last_word(run, at, line.cpu, frame);
    let wrong = match change {
        RefChange::Set | RefChange::Unfreeze => before != 0,
        RefChange::Store => before != own,
        RefChange::Get | RefChange::TryGet => before == 0,
        RefChange::Put | RefChange::Freeze => false,
    };
    let negative = after.references.iter().any(|&n| n < 0);
    *named == [frame] && (wrong || negative || word != Some(after.total()))
}

/// What the last access of a CPU left in the refcount of a frame.
fn last_word(run: &Run, at: usize, cpu: CpuId, frame: FrameNumber) -> Option<i32> {
    run.trace[..at].iter().rev().filter(|entry| entry.cpu == cpu).find_map(|e| match e.what {
        What::Access { object: Some(object), new, .. } => {
            (usize::from(object.instance()) == frame.index()).then_some(new as i32)
        }
        _ => None,
    })
}

/// The frame that is returned, and that was not, as the allocation it is now, where it was looked for.
fn lookup(run: &Run, named: &[FrameNumber], at: usize, line: Entry) -> bool {
    let What::Event(Event::LookupEnd { mapping, index, frame, locked }) = line.what else {
        return false;
    };
    let begun = run.trace[..at].iter().rposition(|e| {
        e.cpu == line.cpu && matches!(e.what, What::Event(Event::LookupStart { .. }))
    });
    let Some(begun) = begun else { return false };
    let mut there = None;
    let mut seen = Vec::new();
    for (step, entry) in run.trace[..at].iter().enumerate() {
        if step == begun {
            seen.push(there);
        }
        match entry.what {
            What::Event(Event::CacheAdd { mapping: m, index: i, frame })
                if (m, i) == (mapping, index) =>
            {
                there = Some((frame, Books::up_to(run, step).frames[frame.index()].place));
            }
            What::Event(Event::CacheDelete { mapping: m, index: i, .. })
                if (m, i) == (mapping, index) =>
            {
                there = None;
            }
            _ => continue,
        }
        if step > begun {
            seen.push(there);
        }
    }
    let Some(frame) = frame else { return named.is_empty() && !seen.contains(&None) };
    let now = (frame, Books::up_to(run, at).frames[frame.index()].place);
    let was_there = if locked { there == Some(now) } else { seen.contains(&Some(now)) };
    *named == [frame] && (!was_there || matches!(now.1, Place::On(_)))
}

/// The spin locks that a CPU holds before a line, in the order in which it took them.
fn held(run: &Run, at: usize, cpu: CpuId) -> Vec<Option<ObjectId>> {
    let mut held = Vec::new();
    for entry in run.trace[..at].iter().filter(|entry| entry.cpu == cpu) {
        let What::Access { object, kind, old, .. } = entry.what else { continue };
        match kind {
            Kind::Lock => held.push(object),
            Kind::TryLock if old == 0 => held.push(object),
            Kind::Unlock => held.retain(|lock| *lock != object),
            _ => {}
        }
    }
    held
}

/// A field that has a name, under a lock that its CPU does not hold.
fn unlocked(run: &Run, at: usize, line: Entry) -> bool {
    let What::Event(Event::Unlocked { field, lock }) = line.what else { return false };
    field.is_some() && lock.is_some() && !held(run, at, line.cpu).contains(&lock)
}

/// A place that waits while its CPU holds a lock or is in a section.
fn sleeping(run: &Run, at: usize, line: Entry) -> bool {
    let waits = match line.what {
        What::Access { kind, .. } => kind == Kind::Wait,
        What::Switch { why: SwitchReason::Waits { waiting, .. }, .. } => {
            matches!(waiting, Waiting::Sleep | Waiting::Grace)
        }
        _ => false,
    };
    let depth: i32 = run.trace[..at]
        .iter()
        .filter(|entry| entry.cpu == line.cpu)
        .map(|entry| match entry.what {
            What::Event(Event::Section { entered, .. }) => {
                if entered {
                    1
                } else {
                    -1
                }
            }
            What::Event(Event::RcuRead { inside }) => {
                if inside {
                    1
                } else {
                    -1
                }
            }
            _ => 0,
        })
        .sum();
    waits && (depth > 0 || !held(run, at, line.cpu).is_empty())
}

/// A lock that is taken under one that was taken under it, or under another of its class out of turn.
fn lock_order(run: &Run, at: usize, line: Entry) -> bool {
    let taken = |entry: &Entry| match entry.what {
        What::Access { object, kind: Kind::Lock, .. } => object,
        _ => None,
    };
    let Some(inner) = taken(&line) else { return false };
    let mut outer = held(run, at, line.cpu).into_iter().flatten();
    outer.any(|outer| {
        if outer.class() == inner.class() {
            return outer.instance() >= inner.instance();
        }
        run.trace[..at].iter().enumerate().any(|(step, entry)| {
            let over = held(run, step, entry.cpu);
            taken(entry).is_some_and(|lock| lock.class() == outer.class())
                && over.into_iter().flatten().any(|lock| lock.class() == inner.class())
        })
    })
}

/// An object that is freed, and the line on which a reader went in that has not come out.
fn rcu(run: &Run, finding: &Finding, at: usize, line: Entry) -> bool {
    let What::Event(Event::RcuFree { object }) = line.what else { return false };
    let inside = finding.facts.sites.iter().any(|site| {
        let reader = run.trace[site.0];
        let out = |entry: &Entry| {
            entry.cpu == reader.cpu
                && matches!(entry.what, What::Event(Event::RcuRead { inside: false }))
        };
        matches!(reader.what, What::Event(Event::RcuRead { inside: true }))
            && reader.cpu != line.cpu
            && !run.trace[site.0..at].iter().any(out)
    });
    object.is_some() && inside
}

/// Each of those that wait, and the object that its last switch says it waits for.
fn deadlock(run: &Run) -> bool {
    let Ending::Deadlock(waiters) = &run.ending else { return false };
    let said = |cpu: CpuId| {
        run.trace.iter().rev().filter(|entry| entry.cpu == cpu).find_map(|e| match e.what {
            What::Switch { why: SwitchReason::Waits { object, .. }, .. } => Some(object),
            _ => None,
        })
    };
    let right = |w: &pagerace::exec::Waiter| {
        w.object.is_some() && said(w.cpu).is_none_or(|object| object == w.object)
    };
    !waiters.is_empty() && waiters.iter().all(right)
}

/// The last accesses of the CPU that did not end, all in its operation.
fn livelock(run: &Run, finding: &Finding) -> bool {
    let Ending::Bound { cpu, op } = run.ending else { return false };
    let sites = &finding.facts.sites;
    let mut last = run.trace.iter().enumerate().rev().filter(|(_, entry)| {
        (entry.cpu, entry.op) == (cpu, op) && matches!(entry.what, What::Access { .. })
    });
    !sites.is_empty()
        && sites.iter().rev().all(|site| last.next().is_some_and(|(at, _)| at == site.0))
}
