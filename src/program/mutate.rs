//! Random edits of cases, over the operation table only.
//!
//! What it is not: minimizing (edits may grow a case), or directed at a bug. Invariants: the result
//! is a case that [`Case::fit`] leaves as it is, history and `expect` are untouched, and the same
//! seed makes the same edits.

use super::case::{
    Action, Case, Decision, Key, MAX_OPS, OpId, OpInstance, Place, PolicyGene, Site,
};
use super::rng::Rng;
use crate::subject::{MAX_OPERANDS, Spec};

/// One way to edit a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mutation {
    /// A new operation somewhere.
    Insert,
    /// A new operation at the end of a program, mostly one that takes a result which nobody takes.
    Append,
    /// An operation goes.
    Remove,
    /// Two operations of one program change places; what refers to them follows.
    Swap,
    /// An operation is doubled with its decisions, right after itself or on another CPU.
    Duplicate,
    /// An operation moves to another program, or to the set-up.
    Move,
    /// An operation takes another result.
    Retarget,
    /// An operation has another static operand.
    Operand,
    /// A new decision.
    Decide,
    /// A decision stands elsewhere in its operation, mostly nearby.
    Shift,
    /// A decision goes.
    Undecide,
    /// A field of the set-up changes.
    Field,
    /// The policy changes, or its seed.
    Policy,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Insert,
        Self::Append,
        Self::Remove,
        Self::Swap,
        Self::Duplicate,
        Self::Move,
        Self::Retarget,
        Self::Operand,
        Self::Decide,
        Self::Shift,
        Self::Undecide,
        Self::Field,
        Self::Policy,
    ];
}

/// In 256: one more edit on top.
const AGAIN: u16 = 128;
/// The most edits at once.
const EDITS: usize = 6;
/// In 256: a value or a distance is larger by one more.
const LARGER: u16 = 144;
/// New decisions stand up to this point of an operation.
const POINTS: usize = 16;
/// In 256: an appended operation takes a result which nobody takes, if there is one.
const TAKES: u16 = 176;
/// In 256: a new decision fails its access instead of switching.
const FAILS: u16 = 24;

/// What a search lets edits make a case grow to: small cases run fast, and what they show is
/// understood.
pub const TRIMMED_OPS: usize = 9;
/// As [`TRIMMED_OPS`], for decisions.
pub const TRIMMED_DECISIONS: usize = 5;

/// Leaves out operations and decisions, any of them, until the case is as small as a search wants it.
pub fn trim(case: &mut Case, rng: &mut Rng) {
    while case.ops.len() > TRIMMED_OPS {
        case.remove_op(OpId(rng.below(case.ops.len()) as u8));
    }
    while case.decisions.len() > TRIMMED_DECISIONS {
        case.remove_decision(rng.below(case.decisions.len()));
    }
}

/// A source of random edits.
#[derive(Clone, Debug)]
pub struct Mutator<'a> {
    spec: &'a Spec,
    rng: Rng,
}

impl<'a> Mutator<'a> {
    /// The edits of this seed.
    #[must_use]
    pub const fn new(spec: &'a Spec, seed: u64) -> Self {
        Self { spec, rng: Rng::new(seed) }
    }

    /// Edits a case in one to `EDITS` ways.
    pub fn mutate(&mut self, case: &mut Case) {
        for _ in 0..=self.rng.run(AGAIN, EDITS - 1) {
            // At least one of them applies to any case: a field, the policy, an insertion.
            loop {
                let mutation = self.rng.pick(&Mutation::ALL);
                if self.apply(mutation, case) {
                    break;
                }
            }
        }
    }

    /// Edits a case in this way, if it applies. Returns whether it did; the edit may by chance give
    /// an equal case.
    pub fn apply(&mut self, mutation: Mutation, case: &mut Case) -> bool {
        let done = match mutation {
            Mutation::Insert => self.insert(case),
            Mutation::Append => self.append(case),
            Mutation::Remove => self.an_op(case).map(|id| case.remove_op(id)),
            Mutation::Swap => self.swap(case),
            Mutation::Duplicate => self.duplicate(case),
            Mutation::Move => self.move_op(case),
            Mutation::Retarget => self.retarget(case),
            Mutation::Operand => self.operand(case),
            Mutation::Decide => self.decide(case),
            Mutation::Shift => self.shift(case),
            Mutation::Undecide => self.a_decision(case).map(|at| case.remove_decision(at)),
            Mutation::Field => self.field(case),
            Mutation::Policy => {
                self.policy(case);
                Some(())
            }
        };
        case.normalize();
        done.is_some()
    }

    /// Replaces the program of one CPU, with its decisions, by one of `other`.
    pub fn splice(&mut self, case: &mut Case, other: &Case) {
        let to = Place::Cpu(self.rng.below(usize::from(case.cpus)) as u8);
        let from = Place::Cpu(self.rng.below(usize::from(other.cpus)) as u8);
        case.retain_ops(|_, op| op.place != to);
        // Where the operations of `other` went; results of its other programs did not come along.
        let mut moved = [None; MAX_OPS];
        for (id, op) in other.program(from) {
            if case.ops.len() < MAX_OPS {
                moved[id.index()] = Some(OpId(case.ops.len() as u8));
                case.ops.push(OpInstance { place: to, ..*op });
            }
        }
        for id in moved.iter().flatten() {
            let right = &mut case.ops[id.index()].right;
            *right = right.and_then(|right| moved[right.index()]);
        }
        for decision in &other.decisions {
            if let Some(op) = moved[decision.at.op.index()] {
                let at = Key { op, ..decision.at };
                case.decisions.push(Decision { at, ..*decision });
            }
        }
        case.normalize();
    }

    fn an_op(&mut self, case: &Case) -> Option<OpId> {
        (!case.ops.is_empty()).then(|| OpId(self.rng.below(case.ops.len()) as u8))
    }

    fn a_decision(&mut self, case: &Case) -> Option<usize> {
        (!case.decisions.is_empty()).then(|| self.rng.below(case.decisions.len()))
    }

    fn a_place(&mut self, case: &Case) -> Place {
        match self.rng.below(usize::from(case.cpus) + 1) {
            0 => Place::Setup,
            cpu => Place::Cpu(cpu as u8 - 1),
        }
    }

    /// A result that fits operation `op` standing before number `before`, mostly a recent one.
    fn a_right(&mut self, case: &Case, op: u8, before: usize) -> Option<OpId> {
        let takes = self.spec.row(op).takes;
        let fits = |&at: &usize| {
            let gives = self.spec.row(case.ops[at].op).gives;
            gives.is_some_and(|kind| takes.has(kind))
        };
        let skipped = self.rng.run(64, 4);
        let earlier = (0..before.min(case.ops.len())).rev().filter(fits).nth(skipped);
        let found = earlier.or_else(|| (0..case.ops.len()).find(fits));
        found.map(|at| OpId(at as u8))
    }

    fn insert(&mut self, case: &mut Case) -> Option<()> {
        let op = self.rng.below(self.spec.ops.len()) as u8;
        let place = self.a_place(case);
        let start = case.ops.partition_point(|op| op.place < place);
        let end = case.ops.partition_point(|op| op.place <= place);
        let before = start + self.rng.below(end - start + 1);
        let operands = self.operands(op);
        let right = self.a_right(case, op, before);
        let op = OpInstance { place, op, operands, right };
        case.insert_op(OpId(before as u8), op).then_some(())
    }

    /// Half of the time the CPU whose program ended there gives way before the new operation, as it did
    /// by ending: what happened up to here then happens again.
    fn append(&mut self, case: &mut Case) -> Option<()> {
        let cpu = self.rng.below(usize::from(case.cpus)) as u8;
        let place = Place::Cpu(cpu);
        let end = case.ops.partition_point(|op| op.place <= place);
        let (op, right) = match self.an_untaken(case, place) {
            Some((by, taker)) if self.rng.chance(TAKES) => (taker, Some(by)),
            _ => {
                let op = self.rng.below(self.spec.ops.len()) as u8;
                (op, self.a_right(case, op, end))
            }
        };
        let operands = self.operands(op);
        let new = OpId(end as u8);
        if !case.insert_op(new, OpInstance { place, op, operands, right }) {
            return None;
        }
        if case.cpus > 1 && self.rng.chance(128) {
            let to = (cpu + 1 + self.rng.below(usize::from(case.cpus) - 1) as u8) % case.cpus;
            let at = Key { op: new, site: Site::Nth(1) };
            case.decisions.push(Decision { at, action: Action::Run(to) });
        }
        Some(())
    }

    /// A result that an operation of this place gives and none takes, and an operation that takes such.
    fn an_untaken(&mut self, case: &Case, place: Place) -> Option<(OpId, u8)> {
        let spec = self.spec;
        let given = |id: OpId, op: &OpInstance| {
            let kind = spec.row(op.op).gives?;
            let taken = case.ops.iter().any(|other| other.right == Some(id));
            (!taken).then_some((id, kind))
        };
        let untaken = || case.program(place).filter_map(|(id, op)| given(id, op));
        let (by, kind) = untaken().nth(self.rng.below(untaken().count().max(1)))?;
        let takers = || (0..spec.ops.len()).filter(|&op| spec.ops[op].takes.has(kind));
        let taker = takers().nth(self.rng.below(takers().count().max(1)))?;
        Some((by, taker as u8))
    }

    fn operands(&mut self, op: u8) -> [u32; MAX_OPERANDS] {
        let mut operands = [0; MAX_OPERANDS];
        let row = self.spec.row(op);
        for (value, operand) in operands.iter_mut().zip(row.operands) {
            *value = self.rng.run(LARGER, 255) as u32 % operand.limit;
        }
        operands
    }

    fn swap(&mut self, case: &mut Case) -> Option<()> {
        let first = self.an_op(case)?;
        let second = OpId(first.0 + 1);
        let next = case.ops.get(second.index())?;
        if next.place != case.ops[first.index()].place {
            return None;
        }
        case.ops.swap(first.index(), second.index());
        let swapped = |id: &mut OpId| {
            if *id == first {
                *id = second;
            } else if *id == second {
                *id = first;
            }
        };
        case.ops.iter_mut().filter_map(|op| op.right.as_mut()).for_each(swapped);
        case.decisions.iter_mut().for_each(|decision| swapped(&mut decision.at.op));
        Some(())
    }

    fn duplicate(&mut self, case: &mut Case) -> Option<()> {
        let id = self.an_op(case)?;
        let place = match self.rng.below(2) {
            0 => case.ops[id.index()].place,
            _ => self.a_place(case),
        };
        if case.ops.len() == MAX_OPS {
            return None;
        }
        // At the end for now: its program's order is all that normalizing keeps.
        let copy = OpId(case.ops.len() as u8);
        case.ops.push(OpInstance { place, ..case.ops[id.index()] });
        for at in 0..case.decisions.len() {
            let decision = case.decisions[at];
            if decision.at.op == id {
                let at = Key { op: copy, ..decision.at };
                case.decisions.push(Decision { at, ..decision });
            }
        }
        Some(())
    }

    fn move_op(&mut self, case: &mut Case) -> Option<()> {
        let id = self.an_op(case)?;
        let place = self.a_place(case);
        (core::mem::replace(&mut case.ops[id.index()].place, place) != place).then_some(())
    }

    fn retarget(&mut self, case: &mut Case) -> Option<()> {
        let id = self.an_op(case)?;
        let right = self.a_right(case, case.ops[id.index()].op, id.index())?;
        case.ops[id.index()].right = Some(right);
        Some(())
    }

    fn operand(&mut self, case: &mut Case) -> Option<()> {
        let id = self.an_op(case)?;
        let op = &mut case.ops[id.index()];
        let operands = self.spec.row(op.op).operands;
        if operands.is_empty() {
            return None;
        }
        let at = self.rng.below(operands.len());
        op.operands[at] = self.rng.run(LARGER, 255) as u32 % operands[at].limit;
        Some(())
    }

    fn decide(&mut self, case: &mut Case) -> Option<()> {
        let op = self.an_op(case)?;
        let action = match case.ops[op.index()].place {
            Place::Cpu(on) if case.cpus > 1 && !self.rng.chance(FAILS) => {
                let away = 1 + self.rng.below(usize::from(case.cpus) - 1) as u8;
                Action::Run((on + away) % case.cpus)
            }
            _ => Action::Fail,
        };
        let at = Key { op, site: Site::Nth(1 + self.rng.below(POINTS) as u16) };
        case.decisions.push(Decision { at, action });
        Some(())
    }

    fn shift(&mut self, case: &mut Case) -> Option<()> {
        let at = self.a_decision(case)?;
        let distance = 1 + self.rng.run(LARGER, POINTS);
        let further = self.rng.chance(128);
        match &mut case.decisions[at].at.site {
            Site::Nth(nth) if further => *nth = nth.saturating_add(distance as u16),
            Site::Nth(nth) => *nth = nth.saturating_sub(distance as u16).max(1),
            Site::Named { nth, .. } if further => *nth = nth.saturating_add(distance as u8),
            Site::Named { nth, .. } => *nth = nth.saturating_sub(distance as u8).max(1),
        }
        Some(())
    }

    fn field(&mut self, case: &mut Case) -> Option<()> {
        if case.fields.is_empty() {
            return None;
        }
        let at = self.rng.below(case.fields.len());
        let field = &self.spec.fields[at];
        case.fields[at] = self.rng.pick(&field.values[..field.drawn]);
        Some(())
    }

    fn policy(&mut self, case: &mut Case) {
        let seed = self.rng.bits() as u16;
        let name = self.rng.below(PolicyGene::NAMES.len());
        case.policy = PolicyGene::of(name, seed, self.rng.bits() as u8);
    }
}

#[cfg(test)]
mod tests;
