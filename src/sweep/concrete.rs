//! From an injected reference to operations that take it.
//!
//! The operation that was injected is replaced by one that the subject has: one with the same operands
//! (a walker), or one that gives such a reference (a lookup), together with what makes it stale: an
//! operation of the set-up that puts there what is found, and one that takes it away before the
//! programs begin. What the drain would give back is given back by an operation, if nothing is found without:
//! a reduced case has none where the drain does the same, and only an operation's can be raced. All schedules with up to one or two switches more are enumerated, the fewest first.
//!
//! What it is not: a proof of absence. That nothing is found says that no such replacement shows it
//! within the budget.

use crate::examine::{Examiner, SameFinding};
use crate::exec::{Session, enumerate};
use crate::minimize::{Budget, reduce};
use crate::oracle::{Finding, Kind, Signature};
use crate::program::case::MAX_OPS;
use crate::program::{Action, Case, OpId, OpInstance, Place};
use crate::subject::{MAX_OPERANDS, OpSpec, Spec, Subject};
use pagerace_core::event::Holder;
use pagerace_core::sync::MAX_CPUS;
use std::ops::ControlFlow;

/// The most switches for which all schedules are tried.
const MOST_SWITCHES: usize = 4;
/// How many switches more than the injected reference a walker may take, and what is found: they come
/// back once more to look whether it is still there, and what is found is removed before that.
const FOR_WALKER: usize = 1;
const FOR_FINDER: usize = 2;
/// The most operations that a candidate has more.
const ADDED: usize = 3;
/// The most schedules of one candidate with one number of switches.
const MOST_SCHEDULES: u64 = 40_000;

/// A case without an injected reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Concrete {
    /// The case, reduced.
    pub case: Case,
    /// What it shows, as a race.
    pub finding: Finding,
}

/// A race that shows what `case` shows with its injected reference, without one.
pub fn concrete<S: Subject>(
    session: &mut Session<'_, S>,
    examiner: &mut Examiner,
    case: &Case,
    signature: &Signature,
) -> Option<Concrete> {
    let spec = S::spec();
    let (without, operands) = without(spec, case)?;
    let cases = std::iter::once(without.clone()).chain(given_back(spec, &without));
    for (candidate, more) in cases.flat_map(|without| candidates(spec, &without, operands)) {
        for switches in 0..=(case.switches() + more).min(MOST_SWITCHES) {
            let found = shown(session, examiner, &candidate, switches, signature);
            let Some((case, finding)) = found else { continue };
            if examiner.kind(session, &case).0 != Kind::Race {
                break;
            }
            let mut same = SameFinding::new(examiner, &finding, Kind::Race);
            let reduced = reduce(session, &case, &mut same, Budget::default());
            let case = reduced.map_or(case, |reduced| reduced.case);
            return Some(Concrete { case, finding });
        }
    }
    None
}

/// The first schedule of a candidate that shows the like of `signature`.
fn shown<S: Subject>(
    session: &mut Session<'_, S>,
    examiner: &mut Examiner,
    candidate: &Case,
    switches: usize,
    signature: &Signature,
) -> Option<(Case, Finding)> {
    let mut found = None;
    enumerate::schedules(session, candidate, switches, MOST_SCHEDULES, |case, run| match examiner
        .judge(run, case)
    {
        Some(finding) if is_like(signature, &finding.signature) => {
            found = Some((run.normal_form(case), finding));
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found
}

/// Whether two signatures differ in nothing but who held the reference that the first one injects.
fn is_like(injected: &Signature, other: &Signature) -> bool {
    let spec = Holder::Spec.name();
    let is_holder = |part: &str| Holder::ALL.iter().any(|holder| holder.name() == part);
    let (a, b) = (injected.as_str().split('/'), other.as_str().split('/'));
    let (a, b): (Vec<&str>, Vec<&str>) = (a.collect(), b.collect());
    let same = |(a, b): (&&str, &&str)| a == b || *a == spec && is_holder(b);
    let added = a.len() == b.len() + 1 && a.last() == Some(&spec);
    (a.len() == b.len() || added) && a.iter().zip(&b).all(same)
}

/// The injected operation's row and operands.
type Injected = (&'static OpSpec, [u32; MAX_OPERANDS]);

/// The case without what takes and drops the injected reference, and what took it.
fn without(spec: &'static Spec, case: &Case) -> Option<(Case, Injected)> {
    let &OpInstance { op, operands, .. } = case.ops.iter().find(|op| spec.is_injected(op.op))?;
    let takes_it = |op: &OpInstance| {
        op.right.is_some_and(|right| spec.is_injected(case.ops[right.index()].op))
    };
    let mut without = case.clone();
    without.expect = None;
    without.decisions.retain(|d| d.action == Action::Fail);
    without.retain_ops(|_, op| !spec.is_injected(op.op) && !takes_it(op));
    Some((without, (spec.row(op), operands)))
}

/// The case with an operation for each right that it leaves to the drain, in the order of the drain; once
/// for each operation that may take the right, those first that give nothing for it.
fn given_back(spec: &'static Spec, without: &Case) -> Vec<Case> {
    let is_taken =
        |id: usize| without.ops.iter().any(|op| op.right.is_some_and(|r| r.index() == id));
    let held = without.ops.iter().enumerate().filter(|&(id, _)| !is_taken(id));
    let mut held: Vec<(usize, OpInstance, Vec<u8>)> = held
        .filter_map(|(id, op)| {
            let kind = spec.row(op.op).gives?;
            let takes = |row: &OpSpec| row.takes.has(kind) && row.gives != Some(kind);
            let mut takers: Vec<u8> =
                (0u8..).zip(spec.ops).filter(|(_, row)| takes(row)).map(|(at, _)| at).collect();
            takers.sort_by_key(|&at| spec.row(at).gives.is_some());
            (!takers.is_empty()).then_some((id, *op, takers))
        })
        .collect();
    // From the last one on: what is inserted stands behind all that are still to be dealt with.
    held.reverse();
    if without.ops.len() + held.len() + ADDED > MAX_OPS {
        return Vec::new();
    }
    let busy = without.ops.iter().map(|op| op.place).find(|&place| place != Place::Setup);
    let busy = busy.unwrap_or(Place::Cpu(0));
    let ways = held.iter().map(|(.., takers)| takers.len()).max().unwrap_or(0);
    let way = |n: usize| {
        let mut case = without.clone();
        for (id, giver, takers) in &held {
            let place = if giver.place == Place::Setup { busy } else { giver.place };
            let behind = case.ops.partition_point(|other| other.place <= place);
            let right = Some(OpId(*id as u8));
            let op = takers[n % takers.len()];
            let operands = [0; MAX_OPERANDS];
            case.insert_op(OpId(behind as u8), OpInstance { place, op, operands, right });
        }
        case.normalize();
        case
    };
    (0..ways).map(way).collect()
}

/// The case with something else in place of what took the injected reference, and how many switches
/// more that may take.
fn candidates(
    spec: &'static Spec,
    without: &Case,
    (row, operands): Injected,
) -> Vec<(Case, usize)> {
    let mut without = without.clone();
    // Where it was taken, or dropped, there may be nothing left; what takes it now is never the set-up.
    let idle = (0..MAX_CPUS as u8).find(|&cpu| without.program(Place::Cpu(cpu)).next().is_none());
    let Some(idle) = idle else { return Vec::new() };
    without.cpus = without.cpus.max(idle + 1);
    let place = Place::Cpu(idle);
    let all = || spec.ops.iter().zip(0u8..);
    let mut candidates = Vec::new();
    for (_, walker) in all().filter(|(other, _)| other.takes.is_empty() && alike(other, row)) {
        candidates.push((with(&without, &[(place, walker, operands)]), FOR_WALKER));
    }
    let quiet = |op: &OpSpec| op.takes.is_empty() && op.gives.is_none();
    for (finder, find) in all().filter(|(op, _)| op.takes.is_empty() && op.gives == row.gives) {
        for (_, put) in all().filter(|(op, _)| quiet(op) && op.setup && alike(op, finder)) {
            for (_, remove) in all().filter(|(op, _)| quiet(op) && !op.setup && alike(op, finder)) {
                let found = stale(&without, place, [put, find, remove]);
                candidates.extend(found.map(|case| (case, FOR_FINDER)));
            }
        }
    }
    candidates
}

/// Whether two operations have the same operands, and any.
fn alike(a: &OpSpec, b: &OpSpec) -> bool {
    let names = |op: &OpSpec| op.operands.iter().map(|operand| operand.name).collect::<Vec<_>>();
    !a.operands.is_empty() && names(a) == names(b)
}

/// What is found is put there first and removed before all else; what the set-up did comes after that.
fn stale(without: &Case, finder: Place, [put, find, remove]: [u8; 3]) -> Option<Case> {
    let first = (0..without.cpus).map(Place::Cpu);
    let busy = first.into_iter().find(|&cpu| {
        cpu != finder && without.ops.iter().any(|op| op.place == cpu || op.place == Place::Setup)
    })?;
    let mut case = without.clone();
    for op in &mut case.ops {
        if op.place == Place::Setup {
            op.place = busy;
        }
    }
    case.normalize();
    let none = [0; MAX_OPERANDS];
    Some(with(&case, &[(Place::Setup, put, none), (busy, remove, none), (finder, find, none)]))
}

/// The case with operations before all others of their places.
fn with(case: &Case, ops: &[(Place, u8, [u32; MAX_OPERANDS])]) -> Case {
    let mut case = case.clone();
    for &(place, op, operands) in ops {
        let first = case.ops.partition_point(|other| other.place < place);
        case.insert_op(OpId(first as u8), OpInstance { place, op, operands, right: None });
    }
    case.normalize();
    case
}
