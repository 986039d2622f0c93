//! The policies of an executor: one of each, of which a case names one.
//!
//! What it is not: an allocation per case. What a policy keeps is cleared, not dropped.

use super::api::{Expected, Pending, Policy, Start, TaskSet, View};
use super::pct::Pct;
use super::periods::Periods;
use super::pos::Pos;
use super::surw::{Select, Surw};
use super::urw::Urw;
use super::walk::Walk;
use crate::program::{Case, Place, PolicyGene};
use crate::subject::{ObjectId, Spec};
use pagerace_core::sync::MAX_CPUS;

/// The points of an operation of which the table says nothing.
const UNKNOWN: u32 = 8;

/// Whether a policy's draws are keyed by place and it keeps nothing of a choice, so that it need not be asked
/// where a task is the only one that can go on.
const fn draws_by_place(gene: PolicyGene) -> bool {
    matches!(gene, PolicyGene::Walk { .. } | PolicyGene::Pos { .. } | PolicyGene::Urw { .. })
}

/// The policies, and what they are told of a run.
pub(in crate::exec) struct PolicyState {
    spec: &'static Spec,
    gene: PolicyGene,
    policies: Policies,
    expected: [Expected; MAX_CPUS],
    /// What each CPU has announced and not made. A CPU's own is entered when it asks and taken out when it is
    /// made, since this is looked at before and after every access.
    pending: [Option<Pending>; MAX_CPUS],
    /// Whom the policy chose, until that CPU has made an access.
    standing: Option<usize>,
}

/// One of each.
struct Policies {
    walk: Walk,
    pos: Pos,
    pct: Pct,
    urw: Urw,
    surw: Surw,
    periods: Periods,
}

impl Policies {
    fn new() -> Self {
        Self {
            walk: Walk::new(1),
            pos: Pos::new(),
            pct: Pct::new(1),
            urw: Urw::new(),
            surw: Surw::new(Select::Drawn),
            periods: Periods::new(),
        }
    }

    /// The one that a gene names.
    #[inline]
    fn of(&mut self, gene: PolicyGene) -> Option<&mut dyn Policy> {
        Some(match gene {
            PolicyGene::Stay => return None,
            PolicyGene::Walk { .. } => &mut self.walk,
            PolicyGene::Pos { .. } => &mut self.pos,
            PolicyGene::Pct { .. } => &mut self.pct,
            PolicyGene::Urw { .. } => &mut self.urw,
            PolicyGene::Surw { .. } => &mut self.surw,
            PolicyGene::Periods { .. } => &mut self.periods,
        })
    }
}

impl PolicyState {
    pub fn new(spec: &'static Spec) -> Self {
        Self {
            spec,
            gene: PolicyGene::Stay,
            policies: Policies::new(),
            expected: Default::default(),
            pending: [None; MAX_CPUS],
            standing: None,
        }
    }

    /// The run of a case begins, under this gene.
    pub fn begin(&mut self, gene: PolicyGene, case: &Case) {
        self.gene = gene;
        self.standing = None;
        self.pending = [None; MAX_CPUS];
        let policies = &mut self.policies;
        match gene {
            PolicyGene::Stay => return,
            PolicyGene::Walk { rate, .. } => policies.walk.set_rate(1 + u32::from(rate % 5)),
            PolicyGene::Pct { depth, .. } => policies.pct.set_depth(1 + usize::from(depth % 8)),
            PolicyGene::Periods { number } => policies.periods.set_number(number.into()),
            PolicyGene::Pos { .. } | PolicyGene::Urw { .. } | PolicyGene::Surw { .. } => {}
        }
        // Walks and partial orders expect nothing, and only a selection is by object.
        if !matches!(gene, PolicyGene::Walk { .. } | PolicyGene::Pos { .. }) {
            self.expect(case, matches!(gene, PolicyGene::Surw { .. }));
        }
        if let PolicyGene::Surw { class, .. } = gene {
            self.policies.surw.set_selected(self.shared(class));
        }
        let expected = &self.expected[..usize::from(case.cpus)];
        let start = Start { seed: gene.numbers().1.into(), expected };
        if let Some(policy) = self.policies.of(gene) {
            policy.begin(&start);
        }
    }

    /// What the table says of each program, object by object if wanted. Objects stand for their classes: which of them an operation uses
    /// shows when it runs.
    fn expect(&mut self, case: &Case, by_object: bool) {
        for (cpu, expected) in self.expected.iter_mut().enumerate() {
            expected.points = 0;
            expected.objects.clear();
            for (_, op) in case.program(Place::Cpu(cpu as u8)) {
                let points = self.spec.row(op.op).points;
                if points.is_empty() {
                    expected.points += UNKNOWN;
                }
                for &(class, count) in points {
                    let (class, count) = (ObjectId::new(class, 0), u32::from(count));
                    expected.points += count;
                    if !by_object {
                        continue;
                    }
                    match expected.objects.iter_mut().find(|(known, _)| *known == class) {
                        Some((_, known)) => *known += count,
                        None => expected.objects.push((class, count)),
                    }
                }
            }
        }
    }

    /// The class of this number (modulo) of those that at least two programs are expected to use.
    fn shared(&self, nth: u8) -> Select {
        let used_by = |class: u8| {
            let uses = |of: &&Expected| of.of(ObjectId::new(class, 0)) > 0;
            self.expected.iter().filter(uses).count()
        };
        let shared = (0..self.spec.classes.len() as u8).filter(|&class| used_by(class) > 1);
        let count = shared.clone().count().max(1);
        shared.clone().nth(usize::from(nth) % count).map_or(Select::Drawn, Select::Class)
    }

    /// The CPU that should run, given that `me` runs and has just announced an access. `enabled` has a bit
    /// for each CPU that could.
    pub fn choose(&mut self, me: usize, enabled: u8, access: Pending) -> usize {
        let idle = self.standing == Some(me);
        self.pending[me] = Some(access);
        if enabled == 1 << me && draws_by_place(self.gene) {
            self.standing = Some(me);
            return me;
        }
        let enabled = &TaskSet::from_bits(enabled.into());
        let view = View { last: me, place: access.key, idle, enabled, pending: &self.pending };
        let Some(policy) = self.policies.of(self.gene) else { return me };
        let chosen = policy.choose(&view);
        self.standing = Some(chosen);
        chosen
    }

    /// `by` has performed an access. Nothing to a policy if it was not asked before it: a release, or one of
    /// the set-up or the drain.
    pub fn performed(&mut self, by: usize, enabled: u8) {
        let Some(access) = self.pending[by].take() else { return };
        self.standing = None;
        let enabled = &TaskSet::from_bits(enabled.into());
        let view =
            View { last: by, place: access.key, idle: false, enabled, pending: &self.pending };
        if let Some(policy) = self.policies.of(self.gene) {
            policy.made(by, &access, &view);
        }
    }
}
