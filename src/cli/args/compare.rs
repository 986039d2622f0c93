//! The options of `compare`.
//!
//! What it is not: what the command does.

use clap::{Args, value_parser};

/// Run the same cases on two profiles, and say where they differ.
///
/// The cases are random and fresh, those that a hunt of this seed begins with. Ends with 0 if each shows
/// the same on both.
#[derive(Debug, Args)]
#[command(after_help = "Example: what did a fix mend, and what did it break?\n  \
                        pagerace compare linux-5.9 linux-5.10 --seed 1")]
pub struct Compare {
    /// A version of the allocator's core
    #[arg(value_name = "PROFILE")]
    pub first: String,
    /// Another one
    #[arg(value_name = "PROFILE")]
    pub second: String,
    /// How many cases
    #[arg(long, value_name = "N", default_value = "100000", value_parser = value_parser!(u64).range(1..))]
    pub executions: u64,
    /// Choose the cases [default: drawn, and printed]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// CPUs of every case [default: drawn for each]
    #[arg(long, value_name = "N", value_parser = value_parser!(u8).range(1..=pagerace_core::sync::MAX_CPUS as i64))]
    pub cpus: Option<u8>,
    /// Print one JSON object on standard output, and everything else on standard error
    #[arg(long)]
    pub json: bool,
    /// The value of each field of the spec, if it is fixed. Filled in by [`super::parse`].
    #[arg(skip)]
    pub fields: Vec<Option<u32>>,
}
