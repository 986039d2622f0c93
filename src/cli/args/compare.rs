//! The options of `compare`.
//!
//! What it is not: what the command does.

use super::super::input::parse_history;
use crate::subject::Spec;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Args, Command, value_parser};
use std::ffi::OsStr;

/// Run the same cases on two histories, and say where they differ.
///
/// The cases are random and fresh, those that a hunt of this seed begins with. A history is written as a
/// hunt prints it: a profile, and after commas what is otherwise than there. Ends with 0 if each case
/// shows the same on both.
#[derive(Debug, Args)]
#[command(after_help = "Example: what did a fix mend, and what did it break?\n  \
                        pagerace compare linux-5.9 linux-5.10 --seed 1\n\n\
                        Example: and what a single mechanism?\n  \
                        pagerace compare current,tag_sample=after current --seed 1")]
pub struct Compare {
    /// A version of the allocator's core, and what is otherwise than there
    #[arg(value_name = "PROFILE[,SWITCH=VARIANT]...")]
    pub first: String,
    /// Another one
    #[arg(value_name = "PROFILE[,SWITCH=VARIANT]...")]
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

/// Refuses what is no history. The profiles are what shells complete, and `--help` lists.
#[derive(Clone)]
pub struct HistoryParser(pub &'static Spec);

impl TypedValueParser for HistoryParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        let spec = self.0;
        let parse = move |text: &str| parse_history(spec, text).map(|_| text.to_owned());
        parse.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.profiles.iter().map(|profile| PossibleValue::new(profile.name))))
    }
}
