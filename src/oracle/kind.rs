//! Race or sequential: whether it takes a schedule to see a finding.
//!
//! A finding is a race if the same programs pass when they run one after the other, in every order;
//! if some order shows any finding at all, of whatever class, it is sequential: then the programs
//! are at fault without any help of a schedule. *The same programs* are the operations that ran: what
//! was skipped, or stands behind the line that ended the run, has no part in the finding.
//!
//! What it is not: the decision. That takes runs: [`crate::examine::Examiner::kind`].

use core::fmt;

/// Whether a finding needs a schedule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// The same programs pass, one after the other, in every order.
    Race,
    /// The same programs fail one after the other, in some order.
    Sequential,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Race => "race",
            Self::Sequential => "sequential",
        })
    }
}
