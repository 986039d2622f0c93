//! Taking memory offline beside every single operation, under all schedules of up to two switches.
//!
//! Who takes memory offline waits for frames that are on their way. On the current version each of them
//! arrives, whatever the other CPU is at; a wait that does not end where it should is a false deadlock.
//! With the variant that drains the per-CPU lists once, and with the one whose drains look at a list without its
//! lock, the same enumeration finds that one does not end.
//!
//! What it is not: programs of several operations; campaigns have those.

use pagerace::examine::Examiner;
use pagerace::exec::{Executor, enumerate};
use pagerace::oracle::Class;
use pagerace::program::{Case, OpId, Place, text};
use pagerace::subject::mm::{MmSubject, SPEC};
use pagerace::subject::{OpSpec, RightKind};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// All operands of an operation are one of these.
const OPERANDS: [u32; 2] = [0, 1];
const BATCHES: [u32; 2] = [0, 2];
const SWITCHES: usize = 2;

/// An operation as a line of a program, on the right that it takes if it takes one.
fn line(op: &OpSpec, operand: u32, right: Option<usize>) -> String {
    let mut line = op.name.to_owned();
    if let Some(right) = right {
        line.push_str(&format!(" p{right}"));
    }
    for row in op.operands {
        // One mapping and one index.
        let value = if matches!(row.name, "mapping" | "index") { 0 } else { operand };
        line.push_str(&format!(" {}={value}", row.name));
    }
    line
}

/// Adds what gives a right of this kind to a program; the right's number.
fn give(kind: RightKind, operand: u32, lines: &mut Vec<String>) -> usize {
    let gives = |op: &&OpSpec| op.gives == Some(kind);
    let op = SPEC.ops.iter().filter(gives).min_by_key(|op| !op.takes.is_empty());
    let op = op.expect("an operation gives it");
    let taken = kinds(op).next().map(|kind| give(kind, operand, lines));
    let number = lines.len();
    lines.push(format!("p{number} = {}", line(op, operand, taken)));
    number
}

fn kinds(op: &OpSpec) -> impl Iterator<Item = RightKind> {
    (0..SPEC.rights.len() as RightKind).filter(|&kind| op.takes.has(kind))
}

/// Programs for CPU 1 of which the last line is this operation, and what comes before is the set-up:
/// with each kind of right, on an empty cache and on one that has its page.
fn programs(op: &OpSpec) -> Vec<Vec<String>> {
    let mut taken: Vec<Option<RightKind>> = kinds(op).map(Some).collect();
    if taken.is_empty() {
        taken.push(None);
    }
    let mut programs = BTreeSet::new();
    for (kind, operand) in taken.iter().flat_map(|&kind| OPERANDS.map(|operand| (kind, operand))) {
        for cached in [false, true] {
            let mut lines = Vec::new();
            if cached {
                lines.push("add mapping=0 index=0".to_owned());
            }
            let right = kind.map(|kind| give(kind, operand, &mut lines));
            lines.push(line(op, operand, right));
            programs.insert(lines);
        }
    }
    programs.into_iter().collect()
}

fn case(program: &[String], batch: u32) -> Case {
    let (last, setup) = program.split_last().expect("an operation");
    let setup: String = setup.iter().map(|line| format!("  {line}\n")).collect();
    let text = format!(
        "pagerace case v1\nsubject mm\ncpus 2 first 0\nfield frames=4\nfield pcp_batch={batch}\n\
         field mappings=1\nfield indices=1\nsetup:\n{setup}cpu0:\n  offline frame=0\ncpu1:\n  {last}\n"
    );
    text::parse(&SPEC, text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}")).case
}

/// What an enumeration met.
#[derive(Default)]
struct Met {
    runs: u64,
    /// The operations that did run to their end.
    ran: BTreeSet<&'static str>,
    /// How often each outcome was met.
    outcomes: BTreeMap<&'static str, u64>,
    /// What was found, and beside which operations.
    found: BTreeMap<String, BTreeSet<&'static str>>,
}

/// Everything, with these variants and without what these classes say.
fn all(history: &[(&str, &str)], without: &[Class]) -> Met {
    let (mut met, mut examiner) = (Met::default(), Examiner::new(&SPEC).without(without));
    let variant = |&(switch, name): &(&str, &str)| SPEC.variant(switch, name).expect("a variant");
    let variants: Vec<_> = history.iter().map(variant).collect();
    Executor::<MmSubject>::new().session(|session| {
        for (op, batch) in SPEC.ops.iter().flat_map(|op| BATCHES.map(|batch| (op, batch))) {
            for program in programs(op) {
                let mut case = case(&program, batch);
                for &(switch, variant) in &variants {
                    case.history[switch] = variant;
                }
                let last: OpId = case.program(Place::Cpu(1)).next().expect("it has one").0;
                let visit = |case: &Case, run: &pagerace::exec::Run| {
                    if run.ran(last) {
                        met.ran.insert(op.name);
                    }
                    for (outcome, &n) in SPEC.outcomes.iter().zip(&run.outcomes) {
                        *met.outcomes.entry(outcome.name).or_default() += n;
                    }
                    if let Some(finding) = examiner.judge(run, case) {
                        met.found.entry(finding.signature.to_string()).or_default().insert(op.name);
                    }
                    ControlFlow::Continue(())
                };
                let done = enumerate::schedules(session, &case, SWITCHES, u64::MAX, visit);
                assert!(done.complete);
                met.runs += done.schedules;
            }
        }
    });
    println!("{history:?}: {} runs, found {:?}", met.runs, met.found);
    met
}

/// Every operation was beside it, often, and it did what it is about.
fn assert_meets(met: &Met) {
    assert!(met.runs > 40_000, "{} runs", met.runs);
    for op in SPEC.ops {
        assert!(met.ran.contains(op.name), "{} never ran", op.name);
    }
    for outcome in ["offline-done", "offline-busy", "offline-waited", "free-to-isolated"] {
        assert!(met.outcomes[outcome] > 0, "{outcome} was never met");
    }
}

#[test]
fn what_is_waited_for_arrives_whatever_the_other_cpu_does() {
    for offline in ["pcp_disabled", "drain_loop"] {
        let met = all(&[("offline", offline)], &[]);
        assert_meets(&met);
        assert!(met.found.is_empty(), "{offline}: {:?}", met.found);
    }
}

#[test]
fn what_a_drain_passes_by_is_waited_for_for_ever() {
    const PEEK: (&str, &str) = ("pcp_drain", "unlocked_peek");
    let signatures = |met: &Met| met.found.keys().cloned().collect::<Vec<_>>();
    let met = all(&[PEEK], &[]);
    assert_meets(&met);
    assert_eq!(signatures(&met), ["deadlock/isolated.change", "not-drained/pcp"]);
    // Who is not told of drains sees what comes of them.
    let met = all(&[PEEK], &[Class::NotDrained]);
    assert_eq!(signatures(&met), ["deadlock/isolated.change"]);
    // Nobody is between a list and its count where a list is its own CPU's.
    let met = all(&[PEEK, ("pcp", "v5_9")], &[]);
    assert_meets(&met);
    assert!(met.found.is_empty(), "{:?}", met.found);
}

#[test]
fn the_same_schedules_find_that_a_page_is_parked_after_the_only_drain() {
    let met = all(&[("offline", "drain_once")], &[]);
    assert_meets(&met);
    let signatures: Vec<&String> = met.found.keys().collect();
    assert_eq!(signatures, ["deadlock/isolated.change"]);
}
