//! The fingerprint of each policy, on fixed programs: what its paper promises of it, measured.
//!
//! What it is not: a run of real code. A program here is a list of accesses for each task; what is chosen at
//! each of them is all that a policy is about.

use super::obligations::{Obligation, Obligations};
use super::pct::Pct;
use super::periods::Periods;
use super::pos::Pos;
use super::surw::{Select, Surw};
use super::urw::Urw;
use super::walk::Walk;
use super::{Expected, Pending, Policy, Start, TaskSet, View};
use crate::subject::ObjectId;
use pagerace_core::sync::Kind;
use std::collections::{BTreeMap, BTreeSet};

type Access = (ObjectId, Kind);

const A: ObjectId = ObjectId::new(0, 0);
const B: ObjectId = ObjectId::new(0, 1);

/// What each task does, from its first access to its last.
struct Program {
    tasks: Vec<Vec<Access>>,
    /// Whether a task announces its first access only once it was chosen, as those of an executor do.
    lazy: bool,
}

/// One access that was made: by whom, and which of the task's.
type Made = (usize, usize);

impl Program {
    fn new(tasks: &[&[Access]]) -> Self {
        Self { tasks: tasks.iter().map(|task| task.to_vec()).collect(), lazy: false }
    }

    fn lazy(self) -> Self {
        Self { lazy: true, ..self }
    }

    fn expected(&self) -> Vec<Expected> {
        let count = |task: &Vec<Access>| {
            let mut objects = BTreeMap::new();
            for (object, _) in task {
                *objects.entry(*object).or_insert(0) += 1;
            }
            let points = task.len() as u32;
            Expected { parent: None, points, objects: objects.into_iter().collect() }
        };
        self.tasks.iter().map(count).collect()
    }

    fn access(&self, (task, nth): Made) -> Option<Pending> {
        let &(object, kind) = self.tasks[task].get(nth)?;
        let place = (task as u32) << 16 | nth as u32;
        Some(Pending { object: Some(object), kind, site: place, key: place.into() })
    }

    /// Runs the program once; `see` is shown the policy after each access.
    fn run<P: Policy>(
        &self,
        policy: &mut P,
        seed: u64,
        mut see: impl FnMut(&P, Made, &View<'_>),
    ) -> Vec<Made> {
        let expected = self.expected();
        policy.begin(&Start { seed, expected: &expected });
        let mut next = vec![0; self.tasks.len()];
        let mut announced: Vec<_> = (0..self.tasks.len())
            .map(|task| if self.lazy { None } else { self.access((task, 0)) })
            .collect();
        let (mut last, mut idle, mut order) = (0, false, Vec::new());
        loop {
            let enabled: TaskSet =
                (0..next.len()).filter(|&task| next[task] < self.tasks[task].len()).collect();
            if enabled.is_empty() {
                return order;
            }
            let place = announced[last].map_or(!(last as u64), |pending| pending.key);
            let view = View { last, place, idle, enabled: &enabled, pending: &announced };
            last = policy.choose(&view);
            assert!(enabled.has(last), "a task is chosen that could not go on");
            idle = true;
            let Some(access) = announced[last] else {
                announced[last] = self.access((last, 0));
                continue;
            };
            order.push((last, next[last]));
            next[last] += 1;
            announced[last] = self.access((last, next[last]));
            let left: TaskSet = enabled.iter().filter(|&t| announced[t].is_some()).collect();
            let view =
                View { last, place: access.key, idle: false, enabled: &left, pending: &announced };
            policy.made(last, &access, &view);
            see(policy, order[order.len() - 1], &view);
            idle = false;
        }
    }

    fn orders<P: Policy>(&self, policy: &mut P, runs: u64) -> BTreeMap<Vec<Made>, u64> {
        let mut orders = BTreeMap::new();
        for seed in 0..runs {
            *orders.entry(self.run(policy, seed, |_, _, _| ())).or_insert(0) += 1;
        }
        orders
    }
}

/// How far the counts are from being equal.
fn chi_square(counts: impl Iterator<Item = u64> + Clone, classes: u64) -> f64 {
    let total: u64 = counts.clone().sum();
    let mean = total as f64 / classes as f64;
    let seen = counts.clone().count() as f64;
    let of_seen: f64 = counts.map(|n| (n as f64 - mean).powi(2) / mean).sum();
    of_seen + (classes as f64 - seen) * mean
}

/// What 20 equally likely classes exceed once in a thousand times (19 degrees of freedom), and 6.
const TWENTY: f64 = 43.8;
const SIX: f64 = 20.5;

fn three_and_three() -> Program {
    let three = [(A, Kind::Store); 3];
    Program::new(&[&three, &three])
}

#[test]
fn urw_is_uniform_over_interleavings() {
    for program in [three_and_three(), three_and_three().lazy()] {
        let orders = program.orders(&mut Urw::new(), 20_000);
        let distance = chi_square(orders.values().copied(), 20);
        assert!(distance < TWENTY, "chi-square is {distance}");
        // The walk, of the same shape, is not: so this can fail.
        let orders = program.orders(&mut Walk::new(0), 20_000);
        let distance = chi_square(orders.values().copied(), 20);
        assert!(distance > 10.0 * TWENTY, "chi-square is {distance}");
    }
}

#[test]
fn urw_counts_the_tasks_that_one_is_going_to_start() {
    // Task 1 starts task 2 with its only access, and that one has three.
    let child = Expected { parent: Some(1), points: 3, ..Expected::default() };
    let own = |points| Expected { points, ..Expected::default() };
    let (enabled, pending) = (TaskSet::from_bits(0b11), [None; 3]);
    let view = View { last: 0, place: 0, idle: false, enabled: &enabled, pending: &pending };
    let mut first = 0;
    for seed in 0..4_000 {
        let mut policy = Urw::new();
        policy.begin(&Start { seed, expected: &[own(4), own(1), child.clone()] });
        first += usize::from(policy.choose(&view) == 1);
        policy.spawned(2, 1);
    }
    assert!((1_850..2_150).contains(&first), "{first} of 4,000, where half is right");
}

#[test]
fn a_walk_switches_as_often_as_its_rate_says() {
    let long = [(A, Kind::Load); 200];
    let program = Program::new(&[&long, &long]);
    for rate in 1..=4 {
        let (mut switches, mut points) = (0, 0);
        for seed in 0..100 {
            let order = program.run(&mut Walk::new(rate), seed, |_, _, _| ());
            // Only where both could go on is there a choice.
            let both = order.iter().rposition(|made| made.0 != order[order.len() - 1].0);
            let order = &order[..=both.expect("both ran")];
            points += order.len() - 1;
            switches += order.windows(2).filter(|two| two[0].0 != two[1].0).count();
        }
        let measured = points as f64 / switches as f64;
        let promised = f64::from(1 << rate);
        assert!((0.9..1.1).contains(&(measured / promised)), "rate {rate}: 1 in {measured}");
    }
}

#[test]
fn surw_draws_among_the_objects_that_tasks_share() {
    let (a, b, own) = ((A, Kind::Store), (B, Kind::Load), (ObjectId::new(1, 0), Kind::Store));
    let program = Program::new(&[&[a, own, b], &[b, own, a], &[own]]);
    let own_only = Program::new(&[&[a], &[b]]);
    let mut drawn = BTreeMap::new();
    for seed in 0..300 {
        let mut policy = Surw::new(Select::Drawn);
        program.run(&mut policy, seed, |_, _, _| ());
        *drawn.entry(policy.selected().expect("they share some")).or_insert(0) += 1;
        own_only.run(&mut policy, seed, |_, _, _| ());
        assert_eq!(policy.selected(), None, "nothing is shared");
    }
    let objects: Vec<_> = drawn.keys().copied().collect();
    assert_eq!(objects, [A, B, own.0]);
    assert!(drawn.values().all(|&times| times > 60), "{drawn:?}");
}

/// How often, of so many runs, an order is met in which these accesses come one after the other.
fn met<P: Policy>(program: &Program, policy: &mut P, wanted: &[Made], runs: u64) -> u64 {
    let hit = |order: &[Made]| {
        let place = |made: &Made| order.iter().position(|other| other == made);
        wanted.windows(2).all(|two| place(&two[0]) < place(&two[1]))
    };
    (0..runs).map(|seed| u64::from(hit(&program.run(policy, seed, |_, _, _| ())))).sum()
}

#[test]
fn pct_meets_its_bound() {
    let five = [(A, Kind::Store); 5];
    let program = Program::new(&[&five, &five, &five]);
    let (tasks, accesses, runs) = (3.0, 15.0f64, 20_000);
    for (depth, wanted) in [
        (1, &[(2, 4), (0, 0)][..]),
        (2, &[(0, 2), (1, 0), (1, 4), (0, 3)]),
        (3, &[(0, 1), (1, 2), (0, 2), (0, 3), (1, 3)]),
    ] {
        let bound = 1.0 / (tasks * accesses.powi(depth - 1));
        let hits = met(&program, &mut Pct::new(depth as usize), wanted, runs);
        let least = bound * runs as f64;
        // Three standard deviations below the bound would be chance.
        assert!(hits as f64 > least - 3.0 * least.sqrt(), "depth {depth}: {hits}, not {least}");
        if depth > 1 {
            let shallow = met(&program, &mut Pct::new(depth as usize - 1), wanted, runs);
            assert_eq!(shallow, 0, "it takes {depth} constraints");
        }
    }
}

#[test]
fn pct_has_no_more_change_points_than_accesses() {
    let program = Program::new(&[&[(A, Kind::Store)], &[(A, Kind::Store)]]);
    assert_eq!(program.orders(&mut Pct::new(100), 100).len(), 2);
}

#[test]
fn pos_draws_again_exactly_what_conflicts() {
    let (write, read) = ((A, Kind::Store), (A, Kind::Load));
    let (other, both) = ((B, Kind::Store), (B, Kind::Load));
    let program = Program::new(&[
        &[write, other, read],
        &[read, both, read],
        &[read, write, other],
        &[other, both, write],
    ]);
    let mut redrawn = [0; 2];
    for seed in 0..200 {
        let mut before: BTreeMap<u64, u64> = BTreeMap::new();
        program.run(&mut Pos::new(), seed, |policy, made, view| {
            let access = program.access(made).expect("it was made");
            for task in view.enabled.iter().filter(|&task| task != made.0) {
                let pending = view.pending(task).expect("it is announced");
                let now = policy.priority(task).expect("it was drawn");
                if let Some(then) = before.insert(pending.key, now) {
                    let conflicts = access.conflicts(pending);
                    assert_eq!(then != now, conflicts, "{access:?} beside {pending:?}");
                    redrawn[usize::from(conflicts)] += 1;
                }
            }
        });
    }
    assert!(redrawn.iter().all(|&times| times > 100), "both happen: {redrawn:?}");
}

#[test]
fn surw_is_uniform_over_the_orders_of_what_is_selected() {
    let (hot, noise) = ((A, Kind::Store), (B, Kind::Load));
    let few = [hot, noise, hot];
    let many = [noise, noise, noise, noise, noise, noise, noise, hot, hot];
    for program in [Program::new(&[&few, &many]), Program::new(&[&few, &many]).lazy()] {
        let of_hot = |orders: BTreeMap<Vec<Made>, u64>| {
            let mut projected: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
            for (order, times) in orders {
                let is_hot = |&&(task, nth): &&Made| program.tasks[task][nth] == hot;
                let tasks = order.iter().filter(is_hot).map(|made| made.0).collect();
                *projected.entry(tasks).or_insert(0) += times;
            }
            chi_square(projected.values().copied(), 6)
        };
        let distance = of_hot(program.orders(&mut Surw::new(Select::Object(A)), 20_000));
        assert!(distance < SIX, "chi-square is {distance}");
        let distance = of_hot(program.orders(&mut Surw::new(Select::Class(A.class())), 20_000));
        assert!(distance > 10.0 * SIX, "the noise is of this class too: {distance}");
        let distance = of_hot(program.orders(&mut Urw::new(), 20_000));
        assert!(distance > 10.0 * SIX, "over all accesses it is another thing: {distance}");
    }
}

#[test]
fn a_feasible_obligation_is_met() {
    let (write, read, noise) = ((A, Kind::Store), (A, Kind::Load), (B, Kind::Store));
    let mut tasks: Vec<Vec<Access>> = vec![vec![noise, write, write, noise]; 9];
    tasks.push(vec![read, noise]);
    let program = Program { tasks, lazy: true };
    let reader = program.access((9, 0)).expect("it is there").site;
    let writes = [(0, 1), (4, 2), (8, 1)].map(|made| program.access(made).map(|p| p.site));
    for write in [None, writes[0], writes[1], writes[2]] {
        let wanted = Obligation { object: A, read: reader, write };
        let mut policy = Obligations::given(&[wanted]);
        let (mut met, mut by_chance) = (0, 0);
        for seed in 0..1_000 {
            let order = program.run(&mut policy, seed, |_, _, _| ());
            met += policy.met().len();
            // What the policy says of itself is so.
            assert_eq!(policy.met().len(), usize::from(sees(&program, &order, wanted)));
            let order = program.run(&mut Pos::new(), seed, |_, _, _| ());
            by_chance += usize::from(sees(&program, &order, wanted));
        }
        assert!(met >= 900, "{wanted:?} was met in {met} of 1,000 runs");
        assert!(by_chance < 400, "by chance it is met in {by_chance}");
    }
}

/// Whether the read sees the write.
fn sees(program: &Program, order: &[Made], wanted: Obligation) -> bool {
    let mut last = None;
    for &made in order {
        let access = program.access(made).expect("it was made");
        if access.object == Some(wanted.object) {
            if access.site == wanted.read {
                return last == wanted.write;
            }
            if !access.kind.is_read() {
                last = Some(access.site);
            }
        }
    }
    false
}

#[test]
fn obligations_are_learned_and_the_rarest_asked_for_first() {
    // One of forty writes the first; the checker is to see that, and not the second.
    let (one, two) = ((A, Kind::Store), (B, Kind::Store));
    let mut tasks = vec![vec![one, two]; 40];
    tasks.push(vec![(A, Kind::Load), (B, Kind::Load)]);
    let program = Program { tasks, lazy: true };
    let torn = |order: &[Made]| {
        let at = |made: Made| order.iter().position(|&other| other == made);
        let any = |nth| (0..40).map(|task| at((task, nth))).min().expect("there are some");
        any(0) < at((40, 0)) && at((40, 1)) < any(1)
    };
    let first = |policy: &mut dyn FnMut(u64) -> Vec<Made>| {
        (0..10_000).find(|&seed| torn(&policy(seed))).map_or(10_000, |found| found + 1)
    };
    let mut learned = Obligations::learned();
    let found = first(&mut |seed| program.run(&mut learned, seed, |_, _, _| ()));
    let mut pos = Pos::new();
    let by_chance = first(&mut |seed| program.run(&mut pos, seed, |_, _, _| ()));
    assert!(found < 200, "found by obligations in run {found}");
    assert!(by_chance > 5 * found, "found by chance in run {by_chance}");
}

#[test]
fn an_impossible_obligation_is_given_up() {
    let program = three_and_three();
    let wanted = Obligation { object: A, read: 0, write: Some(99) };
    let mut policy = Obligations::given(&[wanted]);
    assert_eq!(program.run(&mut policy, 0, |_, _, _| ()).len(), 6);
    assert!(policy.met().is_empty());
}

#[test]
fn periods_enumerate_by_interruptions() {
    let program = three_and_three().lazy();
    let mut policy = Periods::new();
    let mut seen = BTreeSet::new();
    let mut most = 0;
    for _ in 0..2 + 12 + 72 + 432 {
        let order = program.run(&mut policy, 0, |_, _, _| ());
        let switches = order.windows(2).filter(|two| two[0].0 != two[1].0).count();
        assert!(switches <= most + 1 || switches <= 1, "few interruptions come first");
        most = most.max(switches);
        seen.insert(order);
    }
    // Four interruptions at least has only one of the twenty, from each end.
    assert_eq!(seen.len(), 18, "all with at most three interruptions");
}
