//! Policies: what happens at a point for which the case has no decision of its own.
//!
//! | policy | file | what it is good at |
//! |---|---|---|
//! | random walk | [`walk`] | few switches anywhere |
//! | priorities with change points | [`pct`] | long stretches of one task, a few constraints |
//! | uniform random walk | [`urw`] | many tasks, all interleavings alike |
//! | partial order sampling | [`pos`] | orders of what conflicts |
//! | selectively uniform walk | [`surw`] | orders at one object |
//! | reads-from obligations | [`obligations`] | one read that has to see one write |
//! | periods | [`periods`] | everything with few switches, in order |
//!
//! All implement [`Policy`], which says what they see and when they are asked. All draws are keyed by place, so
//! editing one operation of a case leaves the others' draws alone.
//!
//! What it is not: it never overrides a decision of the case, and in a case a CPU that ends or waits is
//! always followed by the lowest enabled one, whatever the policy: no normal form could say otherwise.

mod api;
mod draw;
mod lengths;
pub mod obligations;
pub mod pct;
pub mod periods;
pub mod pos;
mod state;
pub mod surw;
#[cfg(test)]
mod tests;
pub mod urw;
pub mod walk;

pub use api::{Expected, MAX_TASKS, Pending, Policy, Start, TaskSet, Tasks, View};
pub(super) use state::PolicyState;
