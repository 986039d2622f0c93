//! The case: a set-up, one program per CPU, and a schedule.

use crate::subject::{MAX_OPERANDS, ProfileSpec, Setup, Spec};
use pagerace_core::sync::{Kind, MAX_CPUS};

/// The most operations a case may have, set-up included.
pub const MAX_OPS: usize = 64;

/// The most decisions a case may have: beyond any schedule that is not a livelock.
pub const MAX_DECISIONS: usize = 4096;

/// Where an operation stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// The sequential set-up, run on CPU 0 before the programs start.
    Setup,
    /// The program of this CPU.
    Cpu(u8),
}

/// An operation's number in its case: operations are numbered through, set-up first, then CPU by CPU.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OpId(pub u8);

impl OpId {
    /// As an index into [`Case::ops`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operation of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpInstance {
    /// Where it stands.
    pub place: Place,
    /// Index into the spec's operations.
    pub op: u8,
    /// Static operands, each below its spec's limit; unused ones are zero.
    pub operands: [u32; MAX_OPERANDS],
    /// The operation whose result it takes, if it takes one. `None` where the operation takes a
    /// right means that it names none, and is skipped.
    pub right: Option<OpId>,
}

/// Which access of an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Site {
    /// The n-th point of the operation, counted from 1: what generated cases use.
    Nth(u16),
    /// The n-th access of this kind to an object of this class (an index into the spec), counted
    /// from 1 within the operation: what survives edits of the code under test.
    Named {
        /// Class of the object.
        class: u8,
        /// Kind of the access.
        kind: Kind,
        /// Which of them, from 1.
        nth: u8,
    },
}

impl Site {
    /// Whether it names a point: counted from 1, and of a kind before which the schedule may switch.
    #[must_use]
    pub const fn is_point(self) -> bool {
        match self {
            Self::Nth(nth) => nth > 0,
            Self::Named { kind, nth, .. } => nth > 0 && kind.is_point(),
        }
    }
}

/// Which point of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// The operation. Its place says the CPU.
    pub op: OpId,
    /// The access of it.
    pub site: Site,
}

/// What to do at a point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// Run this CPU next.
    Run(u8),
    /// Make the access fail, where it may.
    Fail,
}

/// One decision of a schedule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Decision {
    /// Where.
    pub at: Key,
    /// What.
    pub action: Action,
}

/// How points without a decision are decided: a policy of [`crate::exec::policy`], with what it draws by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum PolicyGene {
    /// Stay on this CPU; when it ends or waits, the lowest enabled one goes on.
    #[default]
    Stay,
    /// A random walk: at each point it switches with probability 1/2^(1 + rate % 5).
    Walk {
        /// Seeds the draws.
        seed: u16,
        /// How often it switches.
        rate: u8,
    },
    /// Partial order sampling.
    Pos {
        /// Seeds the draws.
        seed: u16,
    },
    /// Priorities with change points, for races that take 1 + depth % 8 constraints.
    Pct {
        /// Seeds the draws.
        seed: u16,
        /// How many change points.
        depth: u8,
    },
    /// A walk that is uniform over interleavings.
    Urw {
        /// Seeds the draws.
        seed: u16,
    },
    /// A walk that is uniform over the orders of the accesses to a class of objects.
    Surw {
        /// Seeds the draws.
        seed: u16,
        /// Which class, modulo the number of those that at least two programs use.
        class: u8,
    },
    /// The schedule of this number, of all in the order of how often they interrupt a CPU.
    Periods {
        /// Which one.
        number: u16,
    },
}

impl PolicyGene {
    /// The names of all, as texts have them: of the first number, and of the second if there is one. Their
    /// order is part of the meaning of bytes: append only.
    pub const NAMES: [(&'static str, &'static str, Option<&'static str>); 7] = [
        ("stay", "", None),
        ("walk", "seed", Some("rate")),
        ("pos", "seed", None),
        ("pct", "seed", Some("depth")),
        ("urw", "seed", None),
        ("surw", "seed", Some("class")),
        ("periods", "number", None),
    ];

    /// The one of this number (modulo) in [`PolicyGene::NAMES`], with these numbers, as far as it has any.
    #[must_use]
    pub const fn of(name: usize, first: u16, second: u8) -> Self {
        match name % Self::NAMES.len() {
            0 => Self::Stay,
            1 => Self::Walk { seed: first, rate: second },
            2 => Self::Pos { seed: first },
            3 => Self::Pct { seed: first, depth: second },
            4 => Self::Urw { seed: first },
            5 => Self::Surw { seed: first, class: second },
            _ => Self::Periods { number: first },
        }
    }

    /// What [`PolicyGene::of`] makes it of.
    #[must_use]
    pub const fn numbers(self) -> (usize, u16, u8) {
        match self {
            Self::Stay => (0, 0, 0),
            Self::Walk { seed, rate } => (1, seed, rate),
            Self::Pos { seed } => (2, seed, 0),
            Self::Pct { seed, depth } => (3, seed, depth),
            Self::Urw { seed } => (4, seed, 0),
            Self::Surw { seed, class } => (5, seed, class),
            Self::Periods { number } => (6, number, 0),
        }
    }
}

/// What an entry promises.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expect {
    /// No finding.
    Pass,
    /// This signature, as its `Display` prints it.
    Finding(String),
}

/// One input.
///
/// Invariants (kept by [`Case::normalize`], which every constructor ends with): at most [`MAX_OPS`]
/// operations, sorted by place; `right` and decision keys name operations of the case, `right` never
/// its own; a program's CPU is below `cpus`; at most [`MAX_DECISIONS`] decisions, sorted by key, one
/// per key, all at points (an unlock is none), and none runs the CPU it stands on.
///
/// What needs the tables ([`Case::fit`]): every index and value is one that the spec has.
#[derive(PartialEq, Eq, Debug)]
pub struct Case {
    /// How many CPUs, 1 to [`MAX_CPUS`].
    pub cpus: u8,
    /// The CPU that starts.
    pub first: u8,
    /// The value of each field of the spec.
    pub fields: Vec<u32>,
    /// The variant of each switch of the spec.
    pub history: Vec<u8>,
    /// All operations: the set-up, then CPU by CPU.
    pub ops: Vec<OpInstance>,
    /// The schedule's decisions.
    pub decisions: Vec<Decision>,
    /// What happens where no decision stands.
    pub policy: PolicyGene,
    /// What it should show, if it says.
    pub expect: Option<Expect>,
}

impl Clone for Case {
    fn clone(&self) -> Self {
        let Self { cpus, first, fields, history, ops, decisions, policy, expect } = self;
        Self {
            cpus: *cpus,
            first: *first,
            fields: fields.clone(),
            history: history.clone(),
            ops: ops.clone(),
            decisions: decisions.clone(),
            policy: *policy,
            expect: expect.clone(),
        }
    }

    /// Keeps the buffers, which the derived one would not: every case is copied once to be run.
    fn clone_from(&mut self, source: &Self) {
        let Self { cpus, first, fields, history, ops, decisions, policy, expect } = self;
        (*cpus, *first, *policy) = (source.cpus, source.first, source.policy);
        fields.clone_from(&source.fields);
        history.clone_from(&source.history);
        ops.clone_from(&source.ops);
        decisions.clone_from(&source.decisions);
        expect.clone_from(&source.expect);
    }
}

impl Case {
    /// A case without operations: two CPUs, simplest fields, the default profile.
    #[must_use]
    pub fn empty(spec: &Spec) -> Self {
        Self {
            cpus: 2,
            first: 0,
            fields: spec.fields.iter().map(|f| f.values[0]).collect(),
            history: spec.profiles[0].history.to_vec(),
            ops: Vec::new(),
            decisions: Vec::new(),
            policy: PolicyGene::Stay,
            expect: None,
        }
    }

    /// Makes it what [`Case::empty`] gives, keeping the buffers.
    pub fn clear(&mut self, spec: &Spec) {
        let Self { cpus, first, fields, history, ops, decisions, policy, expect } = self;
        *cpus = 2;
        *first = 0;
        fields.clear();
        fields.extend(spec.fields.iter().map(|f| f.values[0]));
        history.clear();
        history.extend_from_slice(spec.profiles[0].history);
        ops.clear();
        decisions.clear();
        *policy = PolicyGene::Stay;
        *expect = None;
    }

    /// Sets all switches as `profile` has them.
    pub fn set_profile(&mut self, profile: &ProfileSpec) {
        self.history.clear();
        self.history.extend_from_slice(profile.history);
    }

    /// What the subject is set up from.
    #[must_use]
    pub fn setup(&self) -> Setup<'_> {
        Setup { cpus: usize::from(self.cpus), fields: &self.fields, history: &self.history }
    }

    /// The operations of one place, with their numbers.
    pub fn program(&self, place: Place) -> impl Iterator<Item = (OpId, &OpInstance)> {
        self.ops
            .iter()
            .enumerate()
            .filter(move |(_, op)| op.place == place)
            .map(|(at, op)| (OpId(at as u8), op))
    }

    /// How many CPUs run something: those with a program, or CPU 0 with the set-up alone.
    #[must_use]
    pub fn active_cpus(&self) -> usize {
        let has_program = |&cpu: &u8| self.ops.iter().any(|op| op.place == Place::Cpu(cpu));
        (0..self.cpus).filter(has_program).count().max(1)
    }

    /// How many decisions are switches.
    #[must_use]
    pub fn switches(&self) -> usize {
        self.decisions.iter().filter(|d| matches!(d.action, Action::Run(_))).count()
    }

    /// Restores the invariants: drops what names nothing, sorts, renumbers. Idempotent.
    ///
    /// An operation's identity is its position in `ops` before the call; references follow it.
    pub fn normalize(&mut self) {
        self.cpus = self.cpus.clamp(1, MAX_CPUS as u8);
        self.first %= self.cpus;
        self.ops.truncate(MAX_OPS);
        let cpus = self.cpus;
        for op in &mut self.ops {
            if let Place::Cpu(cpu) = &mut op.place {
                *cpu %= cpus;
            }
        }
        let len = self.ops.len();
        let mut moved: [u8; MAX_OPS] = core::array::from_fn(|i| i as u8);
        // Decoded cases mostly are sorted.
        if !self.ops.is_sorted_by_key(|op| op.place) {
            let mut order = moved;
            let order = &mut order[..len];
            // Stable: operations of one place keep their order.
            order.sort_by_key(|&at| self.ops[usize::from(at)].place);
            for (to, &from) in order.iter().enumerate() {
                moved[usize::from(from)] = to as u8;
            }
            self.ops.sort_by_key(|op| op.place);
        }
        for (own, op) in self.ops.iter_mut().enumerate() {
            op.right = op.right.filter(|r| r.index() < len).map(|r| OpId(moved[r.index()]));
            op.right = op.right.filter(|r| r.index() != own);
        }
        self.decisions.retain(|d| d.at.op.index() < len && d.at.site.is_point());
        for d in &mut self.decisions {
            d.at.op = OpId(moved[d.at.op.index()]);
            if let Action::Run(cpu) = &mut d.action {
                *cpu %= cpus;
            }
        }
        let ops = &self.ops;
        self.decisions.retain(|d| match (d.action, ops[d.at.op.index()].place) {
            // The set-up runs alone.
            (Action::Run(_), Place::Setup) => false,
            (Action::Run(to), Place::Cpu(on)) => to != on,
            (Action::Fail, _) => true,
        });
        self.decisions.sort_by_key(|d| d.at);
        self.decisions.dedup_by_key(|d| d.at);
        self.decisions.truncate(MAX_DECISIONS);
    }

    /// [`Case::normalize`], and what it cannot know without the tables: operations, operands, fields,
    /// variants and classes become ones that `spec` has. Idempotent.
    pub fn fit(&mut self, spec: &Spec) {
        self.fields.resize(spec.fields.len(), 0);
        for (value, field) in self.fields.iter_mut().zip(spec.fields) {
            if !field.values.contains(value) {
                *value = field.values[0];
            }
        }
        self.history.resize(spec.switches.len(), 0);
        for (variant, switch) in self.history.iter_mut().zip(spec.switches) {
            *variant %= switch.variants.len() as u8;
        }
        for op in &mut self.ops {
            op.op %= (spec.ops.len() + spec.injected.len()) as u8;
            let row = spec.row(op.op);
            for (at, value) in op.operands.iter_mut().enumerate() {
                *value = row.operands.get(at).map_or(0, |operand| *value % operand.limit);
            }
            op.right = op.right.filter(|_| !row.takes.is_empty());
        }
        for decision in &mut self.decisions {
            if let Site::Named { class, .. } = &mut decision.at.site {
                *class = class.checked_rem(spec.classes.len() as u8).unwrap_or(0);
            }
        }
        self.normalize();
    }
}
