//! Accounting: what is counted as it happens is, at rest, what is there.
//!
//! Verifies: the sums that the subject keeps for its own reports, which decide nothing, are right at
//! quiescence. It is judged last: whatever else went wrong explains a sum that is off.
//!
//! Cannot verify: that a sum was right in between, or which access made it wrong.
//!
//! Needs: a census that names the sums that are off.
//!
//! Signature: `accounting/SUM`.

use super::finding::{Class, Facts};
use super::scene::{Verdict, at_the_end};
use crate::subject::Census;

/// Judges the sums at quiescence.
pub(super) fn judge(census: &Census) -> Verdict {
    let name = census.miscounted.first()?;
    let why = "a sum at rest is not what is there";
    at_the_end(Class::Accounting, &[name], Facts { why, ..Facts::default() })
}
