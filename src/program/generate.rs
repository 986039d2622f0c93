//! Random cases, over the operation table only.
//!
//! What it is not: directed at a bug. Nothing here depends on a profile, a switch, or the name of an
//! operation; what is known of operations is what the table says of all: operands, rights, whether
//! they serve in the set-up. History is never written, so every profile is shown the same cases.
//!
//! The n-th case of a seed depends on the seed and n alone: jobs can share a seed by taking turns.

use super::case::{
    Action, Case, Decision, Key, MAX_OPS, OpId, OpInstance, Place, PolicyGene, Site,
};
use super::rng::Rng;
use crate::subject::{MAX_OPERANDS, OpSpec, Spec};
use pagerace_core::sync::MAX_CPUS;

/// The most kinds of operations that a case draws, and how many it wants: few enough that they meet,
/// many enough for the races that need several (Groce et al., swarm testing, 2012).
const MAX_KINDS: usize = 6;
const KINDS: [usize; 8] = [2, 3, 4, 5, 5, 6, 6, 6];
/// In 256: the first kind is kin to what a set-up leaves behind for all CPUs to fight about.
const STAGED: u16 = 208;
/// In 256: a kind that produces a right brings one that takes it.
const PAIRED: u16 = 208;
/// In 256: the next kind is kin to one that was drawn. Operations that share operands or pass rights
/// to each other fight about the same objects; strangers seldom do.
const KIN: u16 = 144;
/// How often something is drawn in vain before the case does without.
const TRIES: usize = 10;
/// In 256: two CPUs. Most races need no more, and the schedules of fewer are fewer.
const TWO_CPUS: u16 = 236;
/// In 256: a field has its first value, the simplest.
const FIRST_VALUE: u16 = 160;
/// In 256: an operand has the value that the case favours for operands of its name, so that
/// different CPUs mean the same object.
const FAVOURED: u16 = 208;
/// In 256: a value is larger by one more.
const LARGER: u16 = 112;
/// How many operations a set-up has: mostly some, so that the programs have what to fight about.
const SETUP_OPS: [usize; 8] = [0, 1, 1, 1, 1, 2, 2, 3];
/// In 256: an operation of the set-up is one that gives no right: its effect is in the shared state,
/// where programs meet; rights are private.
const SHARED: u16 = 208;
/// How many operations a program has.
const PROGRAM_OPS: [usize; 8] = [1, 1, 1, 2, 3, 3, 4, 4];
/// In 256: a held right is taken by the next operation.
const TAKEN: u16 = 176;
/// In 256: a right may be taken on another CPU than the one that it was produced on.
const HANDED_OVER: u16 = 12;
/// In 256, of each policy in the order of [`PolicyGene::NAMES`]: the first has decisions alone. Each with its share
/// of what pays: decisions alone find little that the walks, priorities of accesses and periods do not.
const POLICIES: [u16; PolicyGene::NAMES.len()] = [32, 64, 44, 4, 64, 4, 44];
/// How many switches a directed schedule has; with another policy, at most one now and then.
const SWITCHES: [usize; 8] = [0, 1, 2, 2, 3, 3, 3, 4];
/// In 256: a decision fails its access instead of switching.
const FAILS: u16 = 20;
/// Switches stand up to this point of an operation: half of them evenly, half early.
const POINTS: usize = 12;
const LATER: u16 = 144;

/// What a campaign does not leave to chance.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fixed {
    /// The number of CPUs.
    pub cpus: Option<u8>,
    /// The values of fields, by their index in the spec; missing ones are drawn.
    pub fields: Vec<Option<u32>>,
}

impl Fixed {
    /// Makes `case` one of those that are left to chance no further.
    pub fn apply(&self, case: &mut Case) {
        if let Some(cpus) = self.cpus
            && case.cpus != cpus
        {
            case.cpus = cpus;
            case.normalize();
        }
        for (field, fixed) in case.fields.iter_mut().zip(&self.fields) {
            *field = fixed.unwrap_or(*field);
        }
    }
}

/// A right that some operation of the case may have produced and none has taken.
#[derive(Clone, Copy)]
struct Held {
    by: OpId,
    place: Place,
    kind: u8,
}

/// What the generator asks of an operation, looked up once.
struct Row {
    /// The kinds of right that it takes and gives, one bit each.
    takes: u16,
    gives: u16,
    setup: bool,
    /// Its kin, itself left out.
    kin: Vec<u8>,
    /// The operations that take what it gives, and those that give what it takes.
    takers: Vec<u8>,
    producers: Vec<u8>,
    /// Which name each of its operands has.
    names: [usize; MAX_OPERANDS],
}

/// A sequence of random cases. It allocates nothing per case.
pub struct Generator<'a> {
    spec: &'a Spec,
    seed: u64,
    index: u64,
    fixed: Fixed,
    /// What the table says of each operation.
    rows: Vec<Row>,
    /// The operations that serve in a set-up; those of them that give no right.
    setup: Vec<u8>,
    shared: Vec<u8>,
    /// The kinds that the case draws from.
    kinds: Vec<u8>,
    /// The value favoured for operands of each name.
    favoured: Vec<u32>,
    held: Vec<Held>,
}

impl<'a> Generator<'a> {
    /// The sequence of this seed, with what is fixed.
    #[must_use]
    pub fn new(spec: &'a Spec, seed: u64, fixed: Fixed) -> Self {
        let mut known = Vec::new();
        let rows: Vec<Row> = (0..spec.ops.len()).map(|op| row(spec, op, &mut known)).collect();
        let all = 0..spec.ops.len() as u8;
        let setup: Vec<u8> = all.filter(|&op| spec.ops[usize::from(op)].setup).collect();
        let gives_none = |op: &u8| spec.ops[usize::from(*op)].gives.is_none();
        Self {
            spec,
            seed,
            index: 0,
            fixed,
            rows,
            shared: setup.iter().copied().filter(gives_none).collect(),
            setup,
            kinds: Vec::with_capacity(MAX_KINDS + 1),
            favoured: vec![0; known.len()],
            held: Vec::with_capacity(MAX_OPS),
        }
    }

    /// The number of the next case.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Goes on with the case of this number.
    pub const fn seek(&mut self, index: u64) {
        self.index = index;
    }

    /// Makes `case` the next one. Its history stays as it is.
    pub fn fill(&mut self, case: &mut Case) {
        let mut rng = Rng::nth(self.seed, self.index);
        self.index += 1;
        self.head(&mut rng, case);
        self.draw_kinds(&mut rng);
        self.held.clear();
        for favoured in &mut self.favoured {
            *favoured = rng.run(LARGER, 255) as u32;
        }
        for _ in 0..rng.pick(&SETUP_OPS) {
            self.push_op(&mut rng, case, Place::Setup);
        }
        for cpu in 0..case.cpus {
            for _ in 0..rng.pick(&PROGRAM_OPS) {
                self.push_op(&mut rng, case, Place::Cpu(cpu));
            }
        }
        schedule(&mut rng, case);
        case.normalize();
    }

    fn head(&self, rng: &mut Rng, case: &mut Case) {
        let two = if rng.chance(TWO_CPUS) { 2 } else { 1 + rng.below(MAX_CPUS) as u8 };
        case.cpus = self.fixed.cpus.unwrap_or(two);
        case.first = 0;
        case.fields.clear();
        for (at, field) in self.spec.fields.iter().enumerate() {
            let drawn = rng.pick(&field.values[..field.drawn]);
            let value = if rng.chance(FIRST_VALUE) { field.values[0] } else { drawn };
            case.fields.push(self.fixed.fields.get(at).copied().flatten().unwrap_or(value));
        }
        case.ops.clear();
        case.decisions.clear();
        case.expect = None;
    }

    fn draw_kinds(&mut self, rng: &mut Rng) {
        self.kinds.clear();
        let wanted = rng.pick(&KINDS);
        if !self.shared.is_empty() && rng.chance(STAGED) {
            let stage = rng.pick(&self.shared);
            self.add_one_of(rng, |generator| &generator.row(stage).kin);
        }
        for _ in 0..TRIES {
            if self.kinds.len() >= wanted {
                break;
            }
            if !self.kinds.is_empty() && rng.chance(KIN) {
                let drawn = rng.pick(&self.kinds);
                self.add_one_of(rng, |generator| &generator.row(drawn).kin);
            } else {
                let next = rng.below(self.rows.len()) as u8;
                self.add_kind(rng, next);
            }
            let last = self.kinds.last().copied();
            if let Some(last) = last.filter(|_| rng.chance(PAIRED)) {
                self.add_one_of(rng, |generator| &generator.row(last).takers);
            }
        }
    }

    fn row(&self, op: u8) -> &Row {
        &self.rows[usize::from(op)]
    }

    fn add_one_of(&mut self, rng: &mut Rng, from: impl Fn(&Self) -> &Vec<u8>) {
        if !from(self).is_empty() {
            let next = rng.pick(from(self));
            self.add_kind(rng, next);
        }
    }

    /// Adds an operation and what has to produce its right, unless that is too much.
    fn add_kind(&mut self, rng: &mut Rng, op: u8) {
        let before = self.kinds.len();
        if self.kinds.contains(&op) {
            return;
        }
        self.kinds.push(op);
        while let Some(starved) = self.starved() {
            // Any producer, from a random start; one that starves itself is fed next.
            let producers = &self.row(starved).producers;
            let (count, start) = (producers.len(), rng.below(producers.len().max(1)));
            let new = |n: usize| Some(producers[(start + n) % count]);
            let producer = (0..count).filter_map(new).find(|other| !self.kinds.contains(other));
            match producer.filter(|_| self.kinds.len() < MAX_KINDS) {
                Some(producer) => self.kinds.push(producer),
                None => break,
            }
        }
        if self.kinds.len() > MAX_KINDS || self.starved().is_some() {
            self.kinds.truncate(before);
        }
    }

    /// A drawn kind that takes a right which the drawn kinds can never come to produce.
    fn starved(&self) -> Option<u8> {
        let mut made = 0;
        let fed = |op: u8, made: u16| {
            let takes = self.row(op).takes;
            takes == 0 || takes & made != 0
        };
        // As many rounds as a chain of producers may be long.
        for _ in 0..self.kinds.len() {
            let before = made;
            for &op in &self.kinds {
                if fed(op, made) {
                    made |= self.row(op).gives;
                }
            }
            if made == before {
                break;
            }
        }
        self.kinds.iter().copied().find(|&op| !fed(op, made))
    }

    fn push_op(&mut self, rng: &mut Rng, case: &mut Case, place: Place) {
        let Some((op, right)) = self.choose(rng, place) else { return };
        let row = &self.spec.ops[usize::from(op)];
        let mut operands = [0; MAX_OPERANDS];
        for (at, operand) in row.operands.iter().enumerate() {
            let of_case = operand.field.map_or(operand.limit, |field| case.fields[field]);
            let favoured = self.favoured[self.row(op).names[at]];
            let other = rng.run(LARGER, 255) as u32;
            let value = if rng.chance(FAVOURED) { favoured } else { other };
            operands[at] = value % operand.limit.min(of_case).max(1);
        }
        let id = OpId(case.ops.len() as u8);
        case.ops.push(OpInstance { place, op, operands, right });
        if let Some(kind) = row.gives {
            self.held.push(Held { by: id, place, kind });
        }
    }

    /// An operation for this place, and the right that it takes.
    fn choose(&mut self, rng: &mut Rng, place: Place) -> Option<(u8, Option<OpId>)> {
        let handed_over = rng.chance(HANDED_OVER);
        let takes_now = !self.held.is_empty() && rng.chance(TAKEN);
        for attempt in 0..TRIES {
            let from = match place {
                Place::Setup if rng.chance(SHARED) && !self.shared.is_empty() => &self.shared,
                Place::Setup => &self.setup,
                Place::Cpu(_) => &self.kinds,
            };
            if from.is_empty() {
                return None;
            }
            let op = rng.pick(from);
            let takes = self.row(op).takes;
            // Half of the attempts look for a taker first.
            if takes == 0 && takes_now && attempt < TRIES / 2 || !self.serves(op, place) {
                continue;
            }
            if takes == 0 {
                return Some((op, None));
            }
            let fits = |&at: &usize| {
                takes >> self.held[at].kind & 1 == 1 && self.may_take(at, place, handed_over)
            };
            if let Some(at) = (0..self.held.len()).rev().find(fits) {
                return Some((op, Some(self.held.remove(at).by)));
            }
        }
        None
    }

    /// Whether the right was produced before an operation added at `place` runs; on another CPU it
    /// may have been.
    fn may_take(&self, at: usize, place: Place, handed_over: bool) -> bool {
        let from = self.held[at].place;
        from == place || from == Place::Setup || handed_over
    }

    /// Whether an operation serves there: in the set-up, what is made for it and concerns the drawn
    /// kinds.
    fn serves(&self, op: u8, place: Place) -> bool {
        match place {
            Place::Cpu(_) => true,
            Place::Setup => {
                let row = self.row(op);
                let concerns = |kind: &u8| *kind == op || row.kin.contains(kind);
                row.setup && self.kinds.iter().any(concerns)
            }
        }
    }
}

/// Looks up an operation; `known` collects the names of operands.
fn row(spec: &Spec, op: usize, known: &mut Vec<&'static str>) -> Row {
    let own = &spec.ops[op];
    let others = |wanted: &dyn Fn(&OpSpec) -> bool| {
        let other = |&other: &usize| other != op && wanted(&spec.ops[other]);
        (0..spec.ops.len()).filter(other).map(|other| other as u8).collect()
    };
    let mut names = [0; MAX_OPERANDS];
    for (operand, name) in own.operands.iter().zip(&mut names) {
        *name = known.iter().position(|n| *n == operand.name).unwrap_or(known.len());
        if *name == known.len() {
            known.push(operand.name);
        }
    }
    Row {
        takes: (0..16).filter(|&kind| own.takes.has(kind)).map(|kind| 1 << kind).sum(),
        gives: own.gives.map_or(0, |kind| 1 << kind),
        setup: own.setup,
        kin: others(&|other| are_kin(own, other)),
        takers: others(&|other| passes(own, other)),
        producers: others(&|other| passes(other, own)),
        names,
    }
}

/// Whether `b` takes what `a` gives.
fn passes(a: &OpSpec, b: &OpSpec) -> bool {
    a.gives.is_some_and(|kind| b.takes.has(kind))
}

/// Whether two operations have to do with each other: an operand of one name, or a right.
fn are_kin(a: &OpSpec, b: &OpSpec) -> bool {
    let shares = a.operands.iter().any(|x| b.operands.iter().any(|y| x.name == y.name));
    shares || passes(a, b) || passes(b, a)
}

fn schedule(rng: &mut Rng, case: &mut Case) {
    let seed = rng.bits() as u16;
    let second = rng.bits() as u8;
    let mut draw = rng.below(256) as u16;
    let mut switches = rng.pick(&SWITCHES);
    let mut policy = 0;
    while draw >= POLICIES[policy] {
        draw -= POLICIES[policy];
        policy += 1;
    }
    case.policy = PolicyGene::of(policy, seed, second);
    if case.policy != PolicyGene::Stay {
        switches = switches.saturating_sub(3);
    }
    // A chain: each switch stands on the CPU that the one before ran, after that CPU's own last.
    let mut reached = [(0, 0); MAX_CPUS];
    let mut cpu = case.first;
    for _ in 0..switches {
        let start = case.ops.partition_point(|op| op.place < Place::Cpu(cpu));
        let end = case.ops.partition_point(|op| op.place <= Place::Cpu(cpu));
        let (mut op, mut after) = reached[usize::from(cpu)];
        if start + op >= end {
            return;
        }
        let skipped = rng.below(end - start - op);
        if skipped > 0 {
            (op, after) = (op + skipped, 0);
        }
        let ahead = if rng.chance(128) { rng.below(POINTS) } else { rng.run(LATER, POINTS) };
        let nth = after + 1 + ahead;
        reached[usize::from(cpu)] = (op, nth);
        let to = (cpu + 1 + rng.below(usize::from(case.cpus.max(2)) - 1) as u8) % case.cpus;
        let action = if rng.chance(FAILS) { Action::Fail } else { Action::Run(to) };
        let at = Key { op: OpId((start + op) as u8), site: Site::Nth(nth as u16) };
        case.decisions.push(Decision { at, action });
        if action != Action::Fail {
            cpu = to;
        }
    }
}

#[cfg(test)]
mod tests;
