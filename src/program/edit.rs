//! Edits of a case that leave the rest of it meaning what it meant.
//!
//! What it is not: random (that is `mutate`) or a judgement of what to remove (that is the
//! minimizer's). Invariant: a reference follows its operation or becomes `None`; no edit makes an
//! operation or a decision refer to another operation than before.

use super::case::{Action, Case, MAX_OPS, OpId, OpInstance, Place};

impl Case {
    /// Removes an operation and its decisions. What took its result takes none.
    ///
    /// # Panics
    /// If the case has no such operation.
    pub fn remove_op(&mut self, id: OpId) {
        self.retain_ops(|other, _| other != id);
    }

    /// Removes a CPU with its program and the decisions that run it; CPUs above move down.
    /// Returns whether it did: the last CPU stays.
    pub fn remove_cpu(&mut self, cpu: u8) -> bool {
        if self.cpus == 1 || cpu >= self.cpus {
            return false;
        }
        self.retain_ops(|_, op| op.place != Place::Cpu(cpu));
        self.decisions.retain(|d| d.action != Action::Run(cpu));
        let moved = |other: &mut u8| *other -= u8::from(*other > cpu);
        for op in &mut self.ops {
            if let Place::Cpu(other) = &mut op.place {
                moved(other);
            }
        }
        for decision in &mut self.decisions {
            if let Action::Run(other) = &mut decision.action {
                moved(other);
            }
        }
        moved(&mut self.first);
        self.cpus -= 1;
        self.normalize();
        true
    }

    /// Removes the decision at this index.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove_decision(&mut self, at: usize) {
        self.decisions.remove(at);
    }

    /// Puts an operation before the one that has this number now, or after all, and then where its
    /// place says. Returns whether it did: a case has at most [`MAX_OPS`].
    ///
    /// `op.right` and the numbers in use are those from before the call.
    pub fn insert_op(&mut self, before: OpId, op: OpInstance) -> bool {
        if self.ops.len() >= MAX_OPS {
            return false;
        }
        let at = before.index().min(self.ops.len());
        self.ops.insert(at, op);
        let moved = |id: &mut OpId| id.0 += u8::from(id.index() >= at);
        for right in self.ops.iter_mut().filter_map(|op| op.right.as_mut()) {
            moved(right);
        }
        for decision in &mut self.decisions {
            moved(&mut decision.at.op);
        }
        self.normalize();
        true
    }

    /// Keeps the operations that `keep` wants, and their decisions.
    pub fn retain_ops(&mut self, mut keep: impl FnMut(OpId, &OpInstance) -> bool) {
        let mut moved = [None; MAX_OPS];
        let mut kept = 0;
        let mut at = 0;
        self.ops.retain(|op| {
            let wanted = keep(OpId(at as u8), op);
            if wanted {
                moved[at] = Some(OpId(kept));
                kept += 1;
            }
            at += 1;
            wanted
        });
        for op in &mut self.ops {
            op.right = op.right.and_then(|right| moved[right.index()]);
        }
        self.decisions.retain_mut(|decision| match moved[decision.at.op.index()] {
            Some(id) => {
                decision.at.op = id;
                true
            }
            None => false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::case::Site;
    use crate::program::rng::Rng;
    use crate::program::toy::any_case;

    /// Makes every operation recognizable by its operands, and says what each refers to by them.
    fn marked(rng: &mut Rng) -> Case {
        let mut case = any_case(rng);
        for (at, op) in case.ops.iter_mut().enumerate() {
            op.operands = [at as u32, 0];
        }
        case
    }

    type Meaning = (u32, Option<u32>, Vec<(Site, Action)>);

    fn meaning(case: &Case) -> Vec<Meaning> {
        let whole = |(id, op): (usize, &OpInstance)| {
            let own = case.decisions.iter().filter(|d| d.at.op.index() == id);
            let right = op.right.map(|right| case.ops[right.index()].operands[0]);
            (op.operands[0], right, own.map(|d| (d.at.site, d.action)).collect())
        };
        let mut all: Vec<Meaning> = case.ops.iter().enumerate().map(whole).collect();
        all.sort_by_key(|whole| whole.0);
        all
    }

    fn is_normal(case: &Case) {
        let mut normal = case.clone();
        normal.normalize();
        assert_eq!(&normal, case);
    }

    #[test]
    fn a_removed_operation_takes_only_its_own_with_it() {
        let mut rng = Rng::new(1);
        for _ in 0..3000 {
            let mut case = marked(&mut rng);
            if case.ops.is_empty() {
                continue;
            }
            let mut expected = meaning(&case);
            let gone = rng.below(case.ops.len());
            case.remove_op(OpId(gone as u8));
            expected.retain(|whole| whole.0 != gone as u32);
            for whole in &mut expected {
                whole.1 = whole.1.filter(|&right| right != gone as u32);
            }
            assert_eq!(meaning(&case), expected);
            is_normal(&case);
        }
    }

    #[test]
    fn a_removed_cpu_takes_its_program_and_the_switches_to_it() {
        let mut rng = Rng::new(2);
        for _ in 0..3000 {
            let mut case = marked(&mut rng);
            let before = case.clone();
            let cpu = rng.below(4) as u8;
            let removed = case.remove_cpu(cpu);
            assert_eq!(removed, before.cpus > 1 && cpu < before.cpus);
            is_normal(&case);
            if !removed {
                assert_eq!(case, before);
                continue;
            }
            assert_eq!(case.cpus, before.cpus - 1);
            let stays = |op: &&OpInstance| op.place != Place::Cpu(cpu);
            assert_eq!(case.ops.len(), before.ops.iter().filter(stays).count());
            let stays = |d: &&crate::program::Decision| {
                d.action != Action::Run(cpu) && before.ops[d.at.op.index()].place != Place::Cpu(cpu)
            };
            assert_eq!(case.decisions.len(), before.decisions.iter().filter(stays).count());
        }
    }

    #[test]
    fn an_inserted_operation_changes_no_other() {
        let mut rng = Rng::new(3);
        for _ in 0..3000 {
            let mut case = marked(&mut rng);
            let mut expected = meaning(&case);
            let right = (!case.ops.is_empty()).then(|| OpId(rng.below(case.ops.len()) as u8));
            let named = right.map(|right| case.ops[right.index()].operands[0]);
            let op = OpInstance { place: Place::Cpu(0), op: 0, operands: [1000, 0], right };
            let before = OpId(rng.below(70) as u8);
            if case.insert_op(before, op) {
                expected.push((1000, named, Vec::new()));
            } else {
                assert_eq!(case.ops.len(), MAX_OPS);
            }
            assert_eq!(meaning(&case), expected);
            is_normal(&case);
        }
    }

    #[test]
    fn a_removed_decision_is_the_only_change() {
        let mut rng = Rng::new(4);
        let mut case = any_case(&mut rng);
        while case.decisions.len() < 2 {
            case = any_case(&mut rng);
        }
        let mut expected = case.clone();
        expected.decisions = expected.decisions[1..].to_vec();
        case.remove_decision(0);
        assert_eq!(case, expected);
    }
}
