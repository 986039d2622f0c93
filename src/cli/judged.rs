//! One case, run and judged.
//!
//! What it is not: strict ([`crate::corpus::replay`] is), or fast: it opens an execution for a case.

use crate::examine::Examiner;
use crate::exec::{Executor, Run};
use crate::oracle::{Finding, Kind};
use crate::program::Case;
use crate::report::Report;
use crate::subject::Subject;

/// What runs and judges.
pub struct Bench<S: Subject> {
    /// Runs.
    pub executor: Executor<S>,
    /// Judges.
    pub examiner: Examiner,
}

impl<S: Subject> Bench<S> {
    /// Ready.
    pub fn new() -> Self {
        Self { executor: Executor::new(), examiner: Examiner::new(S::spec()) }
    }

    /// What a case shows, and of which kind that is. The run stays in the executor.
    pub fn judge(&mut self, case: &Case) -> Option<(Finding, Kind)> {
        let examiner = &mut self.examiner;
        self.executor.session(|session| {
            let finding = examiner.examine(session, case)?;
            let kind = examiner.kind(session, case).0;
            // The last run is the one that shows it.
            session.run(case);
            Some((finding, kind))
        })
    }

    /// The last run.
    pub fn run(&self) -> &Run {
        self.executor.last()
    }

    /// The report of what [`Bench::judge`] said about `case`.
    pub fn report(
        &self,
        case: &Case,
        finding: &Finding,
        kind: Kind,
        replay_command: Option<&str>,
    ) -> String {
        let run = self.run();
        Report { spec: S::spec(), case, run, finding, kind, replay_command }.to_string()
    }
}
