//! `pagerace::explore`: what is found, made small, kept and replayed, and what must stay silent.
//!
//! What it is not: a test of policies. They are tested where they are.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod api;
mod cuts;
mod examples;
mod primitives;
mod scale;
mod stored;
mod threads;

use pagerace::explore::{Explorer, Finding};

/// The finding in a closure that has one.
fn find(closure: impl Fn()) -> Finding {
    let report = Explorer::new().seed(1).run(closure);
    let finding = report.finding.expect("it is found");
    assert!(finding.replays, "{finding}");
    finding
}

/// Explores a closure that has none.
fn silent(closure: impl Fn()) {
    let report = Explorer::new().seed(1).executions(2_000).run(closure);
    if let Some(finding) = report.finding {
        panic!("{finding}");
    }
    assert_eq!(report.executions, 2_000);
}
