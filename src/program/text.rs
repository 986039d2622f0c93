//! The text form of cases: what is kept in files, shown to people and written by hand.
//!
//! What it is not: forgiving. A name that is not known or a decision that can never stand is an
//! error that says where and what to do; nothing is guessed, because an entry that silently means
//! something else is worse than none.
//!
//! ```text
//! pagerace case v1
//! # A leading block of comments is kept; other comment lines are ignored.
//! subject mm
//! cpus 2 first 0
//! field frames=4
//! history free_pages=v5_9
//! expect leak/lookup race
//!
//! setup:
//!   add mapping=0 index=0
//! cpu0:
//!   lookup mapping=0 index=0
//! cpu1:
//!   delete mapping=0 index=0
//!   p0 = alloc order=2
//!   free_pages p0
//! schedule:
//!   policy stay
//!   at cpu0 op1 refcount.inc_not_zero#1: run cpu1
//!   at cpu1 op3 point#2: run cpu0
//! ```
//!
//! Everything has one canonical way to be written, and printing writes it: all fields and switches
//! (so that a file survives a change of defaults), non-empty blocks, results named `p0`, `p1`... in
//! order of appearance where something takes them, `none` where an operation takes nothing. `op2` is
//! the second operation of its block. `refcount.dec#1` is the first such access of that operation,
//! `point#2` its second point. A field or switch that is not stated has its default.

mod body;
mod error;
mod parse;
mod print;
#[cfg(test)]
mod tests;

pub use error::ParseError;
pub(crate) use error::{Word, shorten};
pub use parse::{parse, subject};
pub use print::Text;

use super::case::Case;
use crate::subject::Spec;

/// The first line of every file. The number changes when a file would mean something else.
pub const HEADER: &str = "pagerace case v1";

/// The extension of files in this form.
pub const EXTENSION: &str = "case";

/// The most bytes a file may have.
pub const MAX_BYTES: usize = 1 << 20;

/// The most bytes a line may have.
pub const MAX_LINE: usize = 4096;

/// A case as a file holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// The leading block of comments, each a whole line with its `#`.
    pub comments: Vec<String>,
    /// The case.
    pub case: Case,
}

impl Document {
    /// A case without comments.
    #[must_use]
    pub const fn new(case: Case) -> Self {
        Self { comments: Vec::new(), case }
    }

    /// Adds comment lines that say `text`.
    pub fn comment(&mut self, text: &str) {
        self.comments
            .extend(text.lines().map(|line| format!("# {}", line.trim()).trim().to_owned()));
    }

    /// The canonical text.
    #[must_use]
    pub fn print(&self, spec: &Spec) -> String {
        let body = Text { spec, case: &self.case }.to_string();
        let Some((header, rest)) = body.split_once('\n') else { return body };
        let mut text = format!("{header}\n");
        for line in &self.comments {
            text.push_str(line);
            text.push('\n');
        }
        text + rest
    }
}

/// Whether these bytes claim to be text.
#[must_use]
pub fn is_text(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(HEADER.as_bytes());
    matches!(rest, Some([] | [b'\r'] | [b'\n', ..] | [b'\r', b'\n', ..]))
}
