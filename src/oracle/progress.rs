//! Progress: every run comes to its end, by itself.
//!
//! Verifies: not all CPUs wait (deadlock), the bound on points is not reached (livelock), the subject
//! does not panic.
//!
//! Cannot verify: that a run that was long would have ended; that a wait was fair.
//!
//! Needs: the ending of the run. For telling a cycle from a lost wake-up: accesses to spin locks, and
//! `page_lock`, each after the access that names the lock.
//!
//! Names no frames: a deadlock is about the objects in the run's ending, a livelock about the accesses in
//! `sites`, a panic about its message.
//!
//! Signatures: `deadlock/OBJECT.WAITING+...` sorted and each once, `deadlock/cycle/OBJECT.WAITING+...`
//! if some of the waiting CPUs hold what the next one waits for; `livelock/OP/SITE+...` over the
//! last accesses of the CPU that was running; `panic/MESSAGE`, of which only the letters are kept.

use super::finding::{Class, Facts};
use super::scene::{Verdict, at_the_end, class_name};
use crate::exec::trace::{Ending, Run, StepIndex, Waiter, What};
use crate::program::{Case, OpId};
use crate::subject::{ObjectId, Spec};
use pagerace_core::event::Event;
use pagerace_core::sync::{CpuId, MAX_CPUS, Waiting};

/// How many accesses of the CPU that does not end name a livelock: more than a turn of a retry loop.
const LOOP_ACCESSES: usize = 16;
/// The most letters of a panic's message that its signature keeps.
const PANIC_LETTERS: usize = 60;

/// Judges how a run ended.
pub(super) fn judge(spec: &Spec, case: &Case, run: &Run) -> Verdict {
    match &run.ending {
        // A fatal event was judged where it stands.
        Ending::Quiescent | Ending::Fatal => None,
        Ending::Deadlock(waiters) => deadlock(spec, run, waiters),
        Ending::Bound { cpu, op } => livelock(spec, case, run, *cpu, *op),
        Ending::Panic(message) => panic(message),
    }
}

fn deadlock(spec: &Spec, run: &Run, waiters: &[Waiter]) -> Verdict {
    let sites = waiters.iter().map(|waiter| {
        let how = match waiter.waiting {
            Waiting::Lock => "lock",
            Waiting::Sleep => "sleep",
            Waiting::Grace => "grace",
            Waiting::Change => "change",
        };
        format!("{}.{how}", class_name(spec, waiter.object))
    });
    let sites = sum(sites.collect());
    if is_cycle(run, waiters) {
        let why = "each waits for what another one of them holds";
        let facts = Facts { why, ..Facts::default() };
        return at_the_end(Class::Deadlock, &["cycle", &sites], facts);
    }
    let facts = Facts { why: "every CPU that has not ended waits", ..Facts::default() };
    at_the_end(Class::Deadlock, &[&sites], facts)
}

/// Whether going from a waiting CPU to the one that holds what it waits for comes round. A CPU that
/// waits on a word whose lock it holds itself waits for something else that the word says.
fn is_cycle(run: &Run, waiters: &[Waiter]) -> bool {
    let held = held_at_the_end(run);
    let next = |waiter: &Waiter| -> Option<&Waiter> {
        let wanted = waiter.object?;
        let (_, holder) = held.iter().find(|(object, _)| *object == wanted)?;
        waiters.iter().find(|other| other.cpu == *holder && other.cpu != waiter.cpu)
    };
    waiters.iter().any(|first| {
        let mut at = next(first);
        for _ in 0..waiters.len() {
            match at {
                Some(waiter) if waiter.cpu == first.cpu => return true,
                Some(waiter) => at = next(waiter),
                None => return false,
            }
        }
        false
    })
}

/// The locks that were never released, and who has them.
fn held_at_the_end(run: &Run) -> Vec<(ObjectId, CpuId)> {
    let mut last = [None; MAX_CPUS];
    let mut held: Vec<(ObjectId, CpuId)> = Vec::new();
    for entry in &run.trace {
        let lock = &mut last[entry.cpu.index()];
        let taken = match entry.what {
            What::Access { object, .. } => {
                *lock = object;
                entry.what.lock_taken()
            }
            What::Event(Event::PageLock { locked, .. }) => Some(locked),
            _ => None,
        };
        let Some(taken) = taken else { continue };
        let Some(lock) = *lock else { continue };
        held.retain(|(object, _)| *object != lock);
        if taken {
            held.push((lock, entry.cpu));
        }
    }
    held
}

fn livelock(spec: &Spec, case: &Case, run: &Run, cpu: CpuId, op: Option<OpId>) -> Verdict {
    let mut lines = Vec::new();
    let mut sites = Vec::new();
    for (step, entry) in run.trace.iter().enumerate().rev() {
        let What::Access { object, kind, .. } = entry.what else { continue };
        if entry.cpu != cpu || entry.op != op {
            continue;
        }
        lines.push(StepIndex(step));
        sites.push(format!("{}.{}", class_name(spec, object), kind.name()));
        if lines.len() == LOOP_ACCESSES {
            break;
        }
    }
    lines.reverse();
    let name = op.map_or("drain", |op| spec.row(case.ops[op.index()].op).name);
    let why = "an operation does not come to its end";
    at_the_end(
        Class::Livelock,
        &[name, &sum(sites)],
        Facts { why, sites: lines, ..Facts::default() },
    )
}

fn panic(message: &str) -> Verdict {
    let mut letters = String::new();
    for word in message.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()) {
        if letters.len() + word.len() > PANIC_LETTERS {
            break;
        }
        if !letters.is_empty() {
            letters.push('-');
        }
        letters.push_str(&word.to_ascii_lowercase());
    }
    let facts = Facts { why: "the subject panicked", ..Facts::default() };
    at_the_end(Class::Panic, &[&letters], facts)
}

/// Names joined, sorted, each once: which CPU was which does not matter.
fn sum(mut names: Vec<String>) -> String {
    names.sort_unstable();
    names.dedup();
    names.join("+")
}
