//! What a campaign found and exercised.

use crate::oracle::{Class, Finding, Kind, Signature};
use crate::program::Case;
use crate::subject::Spec;

/// The first finding of a signature.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// What was found.
    pub finding: Finding,
    /// Race or sequential.
    pub kind: Kind,
    /// The case as it was found, its schedule in normal form.
    pub case: Case,
    /// The case after reduction, once that is done.
    pub reduced: Option<Case>,
    /// The earlier case that it takes to see this, if `case` does not show it by itself. There is
    /// no reduction then, and nothing to replay.
    pub with: Option<Case>,
    /// Which case of its job it was, counted from one.
    pub execution: u64,
    /// Seconds from the start of the process, before reduction.
    pub seconds: f64,
    /// Which job found it.
    pub job: usize,
}

impl Discovery {
    /// Whether it ends a campaign; see [`Finding::counts`].
    #[must_use]
    pub fn counts(&self) -> bool {
        self.finding.counts(self.kind)
    }
}

/// All findings of one signature and kind.
#[derive(Clone, Debug)]
pub struct Row {
    /// The signature.
    pub signature: Signature,
    /// Its class.
    pub class: Class,
    /// Race or sequential.
    pub kind: Kind,
    /// How many cases showed it. No two of them come from one fresh case.
    pub count: u64,
    /// Which case of its job was the first, counted from one.
    pub first_execution: u64,
    /// Seconds from the start of the process to the first, before reduction.
    pub first_seconds: f64,
    /// Of the reduced case: CPUs that run a program.
    pub cpus: usize,
    /// Of the reduced case: operations, the set-up's included.
    pub ops: usize,
    /// Of the reduced case: chosen switches.
    pub switches: usize,
    /// The name under which it is kept.
    pub entry: Option<String>,
}

/// A finished campaign.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many cases were run; re-runs and reductions are not counted.
    pub executions: u64,
    /// Seconds from the start of the process to the end.
    pub seconds: f64,
    /// What was found, in the order of discovery.
    pub rows: Vec<Row>,
    /// How many operations did not apply.
    pub skipped_ops: u64,
    /// How many operations there were.
    pub ops: u64,
    /// How often each outcome of the spec was seen.
    pub outcomes: Vec<u64>,
    /// How many cases were run twice and compared.
    pub compared: u64,
}

impl Summary {
    pub(super) fn new(spec: &Spec) -> Self {
        Self { outcomes: vec![0; spec.outcomes.len()], ..Self::default() }
    }

    /// Cases per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.executions as f64 / self.seconds } else { 0.0 }
    }

    /// How many cases showed a finding of this kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.rows.iter().filter(|row| row.kind == kind).map(|row| row.count).sum()
    }

    pub(super) fn absorb(&mut self, tally: &Self) {
        let Self { executions, skipped_ops, ops, outcomes, compared, seconds: _, rows: _ } = tally;
        self.executions += executions;
        self.skipped_ops += skipped_ops;
        self.ops += ops;
        self.compared += compared;
        for (sum, n) in self.outcomes.iter_mut().zip(outcomes) {
            *sum += n;
        }
    }
}
