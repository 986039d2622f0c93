//! Where the cases of a campaign come from: fresh ones, and kept ones edited.
//!
//! *Fresh* cases are those of the seed's one sequence; which are kept depends on what was executed
//! (`pool`), and on nothing else.
//!
//! What it is not: what runs them. A fuzz target draws from a source too, beside its engine's corpus.

use super::Config;
use super::aim::Aims;
use super::pool::{Kept, Pool};
use crate::exec::Run;
use crate::exec::contended::Contended;
use crate::exec::coverage::Coverage;
use crate::program::generate::{Fixed, Generator};
use crate::program::mutate::{self, Mutation, Mutator};
use crate::program::rng::Rng;
use crate::program::{Action, Case, Decision, Place};
use crate::subject::Spec;

/// The first cases of a job are all fresh.
pub(super) const FRESH_FIRST: u64 = 1_024;
/// In 256: a case is derived from a kept one.
const DERIVED: u16 = 224;
/// Of 256 derived cases, how many have a schedule that is aimed at a meeting ([`super::aim`]).
const AIMED: u16 = 96;
/// Of 256 others, how many are as the kept one was up to what is seldom seen of it, with one more
/// switch behind that;
const EXTENDED: u16 = 88;
/// then, how many have another schedule only;
const RESCHEDULED: u16 = 136;
/// then, how many have one more operation at the end of a program. The rest is edited anyhow.
const APPENDED: u16 = 184;

/// Where cases come from. It allocates nothing per case in the steady state.
pub(crate) struct Source {
    generator: Generator<'static>,
    mutator: Mutator<'static>,
    rng: Rng,
    fixed: Fixed,
    pool: Pool,
    aims: Aims,
    coverage: Coverage,
    /// Fresh cases so far.
    fresh: u64,
    /// This job's number, and how many there are.
    turn: (u64, u64),
    /// The case made last.
    pub(crate) case: Case,
    /// The fresh case that `case` comes from.
    root: u64,
}

impl Source {
    /// The source of this seed: number `turn.0` of `turn.1` that share its fresh cases.
    pub(crate) fn new(spec: &'static Spec, seed: u64, fixed: Fixed, turn: (u64, u64)) -> Self {
        let own = Rng::nth(seed, turn.0).bits();
        Self {
            generator: Generator::new(spec, seed, fixed.clone()),
            mutator: Mutator::new(spec, own),
            rng: Rng::new(!own),
            fixed,
            pool: Pool::new(spec, own.rotate_left(32)),
            aims: Aims::new(),
            coverage: Coverage::new(spec),
            fresh: 0,
            turn,
            case: Case::empty(spec),
            root: 0,
        }
    }

    /// The source of job `job` of a campaign.
    pub(super) fn of_job(spec: &'static Spec, config: &Config, job: usize) -> Self {
        let turn = (job as u64, config.jobs as u64);
        let mut source = Self::new(spec, config.seed, config.fixed.clone(), turn);
        source.case.history.clone_from(&config.history);
        source
    }

    /// Makes the next case: the next one of the seed, or a kept one edited.
    pub(crate) fn next(&mut self) {
        if self.fresh >= FRESH_FIRST
            && self.rng.chance(DERIVED)
            && let Some(kept) = self.pool.draw()
        {
            self.root = kept.root.expect("an empty place is not drawn");
            self.case.clone_from(&kept.case);
            if !(self.rng.chance(AIMED) && self.aims.aim(&mut self.rng, kept, &mut self.case)) {
                edit(&mut self.rng, &mut self.mutator, kept, &mut self.case);
            }
            self.fixed.apply(&mut self.case);
            mutate::trim(&mut self.case, &mut self.rng);
            return;
        }
        let (job, jobs) = self.turn;
        self.root = self.fresh * jobs + job;
        self.generator.seek(self.root);
        self.generator.fill(&mut self.case);
        self.fresh += 1;
    }

    /// Takes in the run of the case, and says what met in it.
    pub(crate) fn consider(&mut self, run: &Run) -> &[u16] {
        self.coverage.signals(&self.case, run);
        let (signals, lines) = (self.coverage.last(), self.coverage.lines());
        self.pool.consider(self.root, &self.case, run, signals, lines);
        signals
    }

    /// Goes on without the cases that have the same root as the one made last.
    pub(super) fn drop_line(&mut self) {
        self.pool.drop_line(self.root);
    }
}

/// Edits `case`, which is the kept one.
fn edit(rng: &mut Rng, mutator: &mut Mutator<'_>, kept: &Kept, case: &mut Case) {
    let (all, ahead) = (&kept.contended, &kept.contended[kept.behind..]);
    match rng.below(256) as u16 {
        ..EXTENDED if !ahead.is_empty() => extend(rng, case, ahead),
        ..RESCHEDULED if !all.is_empty() => reschedule(rng, case, all),
        ..APPENDED => {
            mutator.apply(Mutation::Append, case);
        }
        _ => mutator.mutate(case),
    }
}

/// Adds a switch at one of these accesses.
fn extend(rng: &mut Rng, case: &mut Case, accesses: &[Contended]) {
    let at = rng.pick(accesses).at;
    if let Place::Cpu(on) = case.ops[at.op.index()].place
        && case.cpus > 1
    {
        let to = (on + 1 + rng.below(usize::from(case.cpus) - 1) as u8) % case.cpus;
        case.decisions.push(Decision { at, action: Action::Run(to) });
    }
    case.normalize();
}

/// Adds switches at accesses of `contended`, taking some of the old ones away.
fn reschedule(rng: &mut Rng, case: &mut Case, contended: &[Contended]) {
    loop {
        if !case.decisions.is_empty() && rng.chance(96) {
            case.remove_decision(rng.below(case.decisions.len()));
        }
        extend(rng, case, contended);
        if rng.chance(144) {
            break;
        }
    }
}
