//! Where an oracle looks at the trace, and the helpers that turn what it sees into a finding.
//!
//! What it is not: state. A scene is made anew for each line of the trace and borrows everything.

use super::finding::{Class, Facts, Finding, Origin, Signature};
use crate::exec::trace::{Run, StepIndex, What};
use crate::program::{Case, OpId};
use crate::subject::{ObjectId, Spec};
use pagerace_core::sync::{CpuId, Kind};

/// What an oracle says about one line: nothing, or the finding. Boxed to keep the clean case small.
pub(super) type Verdict = Option<Box<Finding>>;

/// The name of what the subject did not name.
const UNNAMED: &str = "unnamed";

/// One line of a trace in its surroundings.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    /// The subject's tables.
    pub spec: &'static Spec,
    /// The case that was run.
    pub case: &'a Case,
    /// What happened.
    pub run: &'a Run,
    /// Which line.
    pub step: StepIndex,
    /// Whose.
    pub cpu: CpuId,
    /// In which operation.
    pub op: Option<OpId>,
    /// The last access of this CPU, at or before this line.
    pub access: Option<StepIndex>,
}

impl Scene<'_> {
    /// Who is acting.
    pub fn origin(&self) -> Origin {
        Origin { step: self.step, cpu: self.cpu, op: self.op }
    }

    /// Object and kind of the last access of this CPU.
    pub fn last_access(&self) -> Option<(Option<ObjectId>, Kind)> {
        match self.run.trace[self.access?.0].what {
            What::Access { object, kind, .. } => Some((object, kind)),
            _ => None,
        }
    }

    /// The name of an operation of the case; outside any, that of the drain.
    pub fn op_name(&self, op: Option<OpId>) -> &'static str {
        op.map_or("drain", |op| self.spec.row(self.case.ops[op.index()].op).name)
    }

    /// A finding at this line.
    #[expect(clippy::unnecessary_wraps, reason = "it is what every oracle then answers")]
    pub fn found(&self, class: Class, details: &[&str], mut facts: Facts) -> Verdict {
        facts.sites.extend(self.access);
        facts.sites.sort_unstable();
        facts.sites.dedup();
        let signature = Signature::new(class, details);
        Some(Box::new(Finding { class, signature, at: Some(self.step), facts }))
    }
}

/// A finding that shows only after the last line.
#[expect(clippy::unnecessary_wraps, reason = "it is what every oracle then answers")]
pub(super) fn at_the_end(class: Class, details: &[&str], facts: Facts) -> Verdict {
    Some(Box::new(Finding { class, signature: Signature::new(class, details), at: None, facts }))
}

/// The name of an object's class.
pub(super) fn class_name(spec: &Spec, object: Option<ObjectId>) -> &'static str {
    object
        .and_then(|o| spec.classes.get(usize::from(o.class())))
        .map_or(UNNAMED, |class| class.name)
}
