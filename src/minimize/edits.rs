//! The single edits, each tried by one run.
//!
//! Removing an operation never makes another one mean something else: who named its result names
//! nothing from then on. Where that is too much, as the operation only passes a right on, it is passed by.

use super::Reducer;
use crate::program::{Action, Case, OpId, Place};
use crate::subject::Subject;

/// `case` without its operation at index `at`.
pub(super) fn without_op(case: &Case, at: usize) -> Case {
    let mut edited = case.clone();
    edited.ops.remove(at);
    let moved = |id: OpId| -> Option<OpId> {
        match id.index().cmp(&at) {
            std::cmp::Ordering::Less => Some(id),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(OpId(id.0 - 1)),
        }
    };
    for op in &mut edited.ops {
        op.right = op.right.and_then(moved);
    }
    edited.decisions.retain_mut(|d| match moved(d.at.op) {
        Some(op) => {
            d.at.op = op;
            true
        }
        None => false,
    });
    edited
}

/// `case` without its operation at index `at`, whose result's user takes what it took itself. None if it
/// takes nothing or nobody uses its result.
pub(super) fn passed_by(case: &Case, at: usize) -> Option<Case> {
    let own = OpId(at as u8);
    let right = case.ops[at].right?;
    let mut edited = case.clone();
    for op in edited.ops.iter_mut().filter(|op| op.right == Some(own)) {
        op.right = Some(right);
    }
    (edited.ops != case.ops).then(|| without_op(&edited, at))
}

/// Whole CPUs, operations, pairs, decisions. Whether anything was taken.
pub(super) fn coarse<S: Subject>(r: &mut Reducer<'_, '_, S>) -> bool {
    let mut any = false;
    for cpu in (0..r.best.cpus).rev() {
        any |= r.accept(without_cpu(&r.best, cpu));
    }
    // From the end: later operations depend on earlier ones, seldom the other way round.
    let mut at = r.best.ops.len();
    while at > 0 {
        at = (at - 1).min(r.best.ops.len().saturating_sub(1));
        if r.best.ops.is_empty() {
            break;
        }
        if r.accept(without_op(&r.best, at)) {
            any = true;
        } else if let Some(edited) = passed_by(&r.best, at) {
            any |= r.accept(edited);
        }
    }
    any |= pairs(r);
    let mut at = r.best.decisions.len();
    while at > 0 {
        at -= 1;
        if at < r.best.decisions.len() {
            let mut edited = r.best.clone();
            edited.decisions.remove(at);
            any |= r.accept(edited);
        }
    }
    any
}

/// `case` without its operation `first` and without `second`, which takes what the first gives: who uses the
/// result of the second takes what the first took itself.
pub(super) fn both_passed_by(case: &Case, first: usize, second: usize) -> Option<Case> {
    if case.ops[second].right != Some(OpId(first as u8)) {
        return None;
    }
    let passed = passed_by(case, second)?;
    passed_by(&passed, first - usize::from(second < first))
}

/// Leaves out two operations at once: a producer and its consumer, say.
fn pairs<S: Subject>(r: &mut Reducer<'_, '_, S>) -> bool {
    let mut any = false;
    let mut second = r.best.ops.len();
    while second > 1 {
        second -= 1;
        let mut first = second;
        while first > 0 {
            first -= 1;
            if second >= r.best.ops.len() {
                break;
            }
            any |= r.accept(without_op(&without_op(&r.best, second), first));
            if second < r.best.ops.len()
                && let Some(edited) = both_passed_by(&r.best, first, second)
            {
                any |= r.accept(edited);
            }
        }
    }
    any
}

fn without_cpu(case: &Case, cpu: u8) -> Case {
    let mut edited = case.clone();
    for at in (0..case.ops.len()).rev() {
        if case.ops[at].place == Place::Cpu(cpu) {
            edited = without_op(&edited, at);
        }
    }
    if edited.cpus > 1 {
        renumber(&mut edited, cpu);
    }
    edited
}

/// Closes the gap that CPU `gone` leaves.
fn renumber(case: &mut Case, gone: u8) {
    let moved = |cpu: u8| if cpu > gone { cpu - 1 } else { cpu };
    for op in &mut case.ops {
        if let Place::Cpu(cpu) = &mut op.place {
            *cpu = moved(*cpu);
        }
    }
    case.decisions.retain(|d| d.action != Action::Run(gone));
    for d in &mut case.decisions {
        if let Action::Run(cpu) = &mut d.action {
            *cpu = moved(*cpu);
        }
    }
    case.first = moved(case.first);
    case.cpus -= 1;
}

/// `case` with the program of CPU `from` on CPU `to`, after `to`'s own, and without decisions, which
/// stood between programs that are one now.
pub(super) fn joined(case: &Case, to: u8, from: u8) -> Case {
    let rank = |place: Place| match place {
        Place::Setup => 0,
        Place::Cpu(cpu) if cpu == to => 1,
        Place::Cpu(cpu) if cpu == from => 2,
        Place::Cpu(_) => 3,
    };
    let mut order: Vec<usize> = (0..case.ops.len()).collect();
    order.sort_by_key(|&at| rank(case.ops[at].place));
    let moved = |id: OpId| order.iter().position(|&at| at == id.index()).map(|at| OpId(at as u8));
    let mut edited = case.clone();
    edited.decisions.clear();
    edited.ops = order.iter().map(|&at| case.ops[at]).collect();
    for op in &mut edited.ops {
        op.right = op.right.and_then(moved);
        if op.place == Place::Cpu(from) {
            op.place = Place::Cpu(to);
        }
    }
    renumber(&mut edited, from);
    edited.normalize();
    edited
}

/// Places, operands, fields, simpler operations. Whether anything was taken.
pub(super) fn fine<S: Subject>(r: &mut Reducer<'_, '_, S>) -> bool {
    let spec = S::spec();
    let mut any = false;
    any |= to_setup(r);
    if r.best.first != 0 {
        any |= r.accept(with_swapped_cpus(&r.best, r.best.first));
    }
    for at in 0..r.best.ops.len() {
        for &op in spec.row(r.best.ops[at].op).simpler {
            let mut edited = r.best.clone();
            edited.ops[at].op = op as u8;
            clear_unused(&mut edited, spec, at);
            if r.accept(edited) {
                any = true;
                break;
            }
        }
        for operand in 0..spec.row(r.best.ops[at].op).operands.len() {
            any |= lower_operand(r, at, operand);
        }
        if r.best.ops[at].right.is_some() {
            let mut edited = r.best.clone();
            edited.ops[at].right = None;
            any |= r.accept(edited);
        }
    }
    for (at, field) in spec.fields.iter().enumerate() {
        for &value in field.values {
            if value == r.best.fields[at] {
                break;
            }
            let mut edited = r.best.clone();
            edited.fields[at] = value;
            if r.accept(edited) {
                any = true;
                break;
            }
        }
    }
    any
}

fn clear_unused(case: &mut Case, spec: &crate::subject::Spec, at: usize) {
    let op = &mut case.ops[at];
    let row = spec.row(op.op);
    for (i, operand) in op.operands.iter_mut().enumerate() {
        *operand = row.operands.get(i).map_or(0, |o| *operand % o.limit);
    }
    if row.takes.is_empty() {
        op.right = None;
    }
}

/// Zero if that will do, otherwise the smallest value on the way down by halves.
fn lower_operand<S: Subject>(r: &mut Reducer<'_, '_, S>, at: usize, operand: usize) -> bool {
    let mut any = false;
    let mut value = 0;
    while value < r.best.ops[at].operands[operand] {
        let mut edited = r.best.clone();
        edited.ops[at].operands[operand] = value;
        if r.accept(edited) {
            any = true;
            break;
        }
        value = if value == 0 { 1 } else { value * 2 };
    }
    any
}

/// Moves the first operations of the programs into the sequential set-up.
fn to_setup<S: Subject>(r: &mut Reducer<'_, '_, S>) -> bool {
    let mut any = false;
    for cpu in 0..r.best.cpus {
        loop {
            let Some(id) = r.best.program(Place::Cpu(cpu)).map(|(id, _)| id).next() else { break };
            let mut edited = r.best.clone();
            edited.ops[id.index()].place = Place::Setup;
            edited.decisions.retain(|d| d.at.op != id);
            if !r.accept(edited) {
                break;
            }
            any = true;
        }
    }
    any
}

/// The same case with the names of CPU 0 and `other` exchanged.
fn with_swapped_cpus(case: &Case, other: u8) -> Case {
    let swap = |cpu: u8| match cpu {
        0 => other,
        cpu if cpu == other => 0,
        cpu => cpu,
    };
    let mut edited = case.clone();
    for op in &mut edited.ops {
        if let Place::Cpu(cpu) = &mut op.place {
            *cpu = swap(*cpu);
        }
    }
    for d in &mut edited.decisions {
        if let Action::Run(cpu) = &mut d.action {
            *cpu = swap(*cpu);
        }
    }
    edited.first = swap(edited.first);
    edited
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::text::{Text, parse};
    use crate::subject::mm::SPEC;

    #[test]
    fn an_operation_that_passes_a_right_on_is_passed_by() {
        let text = "pagerace case v1\nsubject mm\ncpu0:\n  p0 = frag_alloc\n  \
                    p1 = frag_free p0\n  frag_free p1\n";
        let case = parse(&SPEC, text.as_bytes()).expect("it is a case").case;
        let edited = passed_by(&case, 1).expect("its result is used");
        let printed = Text { spec: &SPEC, case: &edited }.to_string();
        assert!(printed.contains("  p0 = frag_alloc\n  frag_free p0\n"), "{printed}");
        // One that takes nothing, and one whose result nobody uses.
        assert_eq!((passed_by(&case, 0), passed_by(&case, 2)), (None, None));
    }

    #[test]
    fn two_operations_that_only_together_pass_a_right_on_are_passed_by_together() {
        let text = "pagerace case v1\nsubject mm\ncpu0:\n  p0 = alloc order=1\n  \
                    p1 = tail_get p0 tail=0\n  p2 = tail_put p1\n  free_pages p2\n";
        let case = parse(&SPEC, text.as_bytes()).expect("it is a case").case;
        let edited = both_passed_by(&case, 1, 2).expect("the one takes what the other gives");
        let printed = Text { spec: &SPEC, case: &edited }.to_string();
        assert!(printed.contains("  p0 = alloc order=1\n  free_pages p0\n"), "{printed}");
        // The first takes nothing, the second nothing of the first's, or nobody uses its result.
        for (first, second) in [(0, 1), (1, 3), (2, 3)] {
            assert_eq!(both_passed_by(&case, first, second), None);
        }
    }
}
