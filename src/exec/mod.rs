//! Runs cases on a subject under shuttle.
//!
//! An [`Executor`] owns a subject's state and a hook. [`Executor::session`] opens one warm shuttle
//! execution and lends the caller a [`Session`], which runs any number of cases in it:
//!
//! 1. the subject is reset;
//! 2. the set-up operations run on CPU 0;
//! 3. the programs run under the case's schedule;
//! 4. rights that are still held are given back in reverse order, and the subject drains;
//! 5. the census is taken.
//!
//! A run that is cut (see [`trace::Ending`]) ends there.
//!
//! A [`Resident`] is for callers that get their cases one by one, and have to return in between: it
//! keeps an execution from case to case.
//!
//! What it is not: a judge. It says how a run ended and records what happened.

pub mod contended;
mod control;
pub mod coverage;
mod cpus;
mod decisions;
pub(crate) mod engine;
pub mod enumerate;
pub mod policy;
mod resident;
mod session;
mod sites;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
pub mod trace;

pub use engine::Scheduling;
pub use resident::Resident;
pub use session::{Executor, Options, Session};
pub use trace::{
    Ending, Entry, OpEnd, Phase, Point, Run, StepIndex, SwitchReason, TraceEvent, Waiter, What,
};

/// The bytes of stack a task gets in an optimized build.
pub const STACK: usize = 64 << 10;
/// The bytes of stack a task gets where frames are fatter: debug builds and ASan.
pub const STACK_UNOPTIMIZED: usize = 512 << 10;
