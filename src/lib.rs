//! Finds concurrency bugs in page allocators and page caches.
//!
//! One input is a [`program::Case`]: a set-up, one short program of operations per CPU, and a
//! schedule. [`exec`] runs it on a [`subject::Subject`] under shuttle, [`oracle`] judges what
//! happened, [`minimize`] makes the case small and [`corpus`] keeps it as a regression test.
//!
//! The layers, each of which may use only what stands above it: `sync`, `event`, `mm` (the crate
//! `pagerace-core`), [`subject`], [`program`], [`exec`], [`oracle`], [`minimize`], [`examine`],
//! [`sweep`], [`corpus`], [`explore`], [`campaign`], [`report`], [`target`], `cli`. ARCHITECTURE.md says why; a
//! test checks it.
//!
//! [`explore`] finds such bugs in any closure: one that is written against [`mod@sync`] and [`mod@thread`], which
//! have the shapes of std's.

#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

pub mod campaign;
#[cfg(feature = "cli")]
pub mod cli;
pub mod corpus;
pub mod examine;
pub mod exec;
pub mod explore;
pub mod minimize;
pub mod oracle;
pub mod program;
pub mod report;
pub mod subject;
pub mod sweep;
pub mod target;

pub use explore::{hint, sync, thread};

#[cfg(test)]
mod tests;
