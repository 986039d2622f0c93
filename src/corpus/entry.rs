//! Entries: cases that say what they show, and how they are called.
//!
//! What it is not: a promise kept ([`mod@super::replay`] finds out), or a file ([`super::store`]).

use super::error::{Error, Result};
use super::read::{self, Links};
use crate::oracle::{Kind, Signature};
use crate::program::text::{self, Document, EXTENSION};
use crate::program::{Case, Expect};
use crate::subject::{RaceSpec, Spec};
use std::fmt;
use std::path::Path;

/// The most bytes the name of an entry has.
const MAX_NAME: usize = 100;

/// A case with a promise.
///
/// Invariant: the case has an `expect`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    document: Document,
}

/// Where a case comes from, for the comment of its entry. Holds nothing that differs between two
/// runs of one command, or between two machines.
#[derive(Clone, Copy, Debug)]
pub struct Provenance<'a> {
    /// The command or fuzz target that found it (`pagerace hunt`).
    pub by: &'a str,
    /// The profile or settings it was looked for on.
    pub profile: &'a str,
    /// The seed, where there is one.
    pub seed: Option<u64>,
    /// How many cases were run before, where that is known.
    pub executions: Option<u64>,
}

impl fmt::Display for Provenance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found by {} on {}", self.by, self.profile)?;
        if let Some(seed) = self.seed {
            write!(f, ", seed {seed}")?;
        }
        if let Some(executions) = self.executions {
            write!(f, ", after {executions} cases")?;
        }
        f.write_str(".")
    }
}

/// What an entry says that was not reduced yet.
const UNREDUCED: &str = "Not reduced yet: `pagerace minimize` makes it small.";

impl Entry {
    /// The entry of a document; none if it does not say what it expects.
    #[must_use]
    pub fn new(document: Document) -> Option<Self> {
        document.case.expect.is_some().then_some(Self { document })
    }

    /// The entry of a case that shows a finding.
    #[must_use]
    pub fn found(
        case: &Case,
        signature: &Signature,
        kind: Kind,
        provenance: &Provenance<'_>,
        reduced: bool,
    ) -> Self {
        let mut case = case.clone();
        case.expect = Some(Expect::Finding(promise(signature, kind)));
        let mut document = Document::new(case);
        document.comment(&provenance.to_string());
        if !reduced {
            document.comment(UNREDUCED);
        }
        Self { document }
    }

    /// Reads a file that the user named.
    ///
    /// # Errors
    /// If it cannot be read, is no case of this subject, or expects nothing.
    pub fn read(spec: &Spec, path: &Path) -> Result<Self> {
        Self::parse(spec, path, &read::file(path, Links::Follow)?)
    }

    /// The entry that these bytes of `path` are.
    pub(super) fn parse(spec: &Spec, path: &Path, bytes: &[u8]) -> Result<Self> {
        Self::new(parse(spec, path, bytes)?).ok_or_else(|| {
            let next = "add a line `expect SIGNATURE KIND` or `expect pass`";
            Error::refused(path, "the case does not say what it expects", next)
        })
    }

    /// The case.
    #[must_use]
    pub const fn case(&self) -> &Case {
        &self.document.case
    }

    /// The case and its comments.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// What it promises to show.
    #[must_use]
    pub fn expect(&self) -> &Expect {
        self.document.case.expect.as_ref().expect("every constructor asks for it")
    }

    /// The canonical text.
    #[must_use]
    pub fn print(&self, spec: &Spec) -> String {
        self.document.print(spec)
    }

    /// Whether the case was reduced before it was kept.
    #[must_use]
    pub fn is_reduced(&self) -> bool {
        !self.document.comments.iter().any(|comment| comment.contains(UNREDUCED))
    }

    /// How large the case is: CPUs with a program, operations, decisions; compared in this order.
    #[must_use]
    pub fn size(&self) -> (usize, usize, usize) {
        let case = self.case();
        (case.active_cpus(), case.ops.len(), case.decisions.len())
    }
}

/// Reads a file that the user named, whether or not it says what it expects.
///
/// # Errors
/// If it cannot be read or is no case of this subject.
pub fn read_case(spec: &Spec, path: &Path) -> Result<Document> {
    parse(spec, path, &read::file(path, Links::Follow)?)
}

fn parse(spec: &Spec, path: &Path, bytes: &[u8]) -> Result<Document> {
    let document = text::parse(spec, bytes).map_err(|error| {
        let error = Box::new(error);
        Error::Parse { path: path.to_path_buf(), error }
    })?;
    // Comments and expectations are free text, and are shown on terminals.
    let has_control = |text: &str| text.chars().any(char::is_control);
    let expect = match &document.case.expect {
        Some(Expect::Finding(promise)) => promise,
        _ => "",
    };
    if has_control(expect) || document.comments.iter().any(|line| has_control(line)) {
        let next = "remove what is not text: `pagerace` prints comments and `expect` as they are";
        return Err(Error::refused(path, "the text has control characters", next));
    }
    Ok(document)
}

/// What the `expect` line of a finding says: its signature and its kind.
#[must_use]
pub fn promise(signature: &Signature, kind: Kind) -> String {
    format!("{signature} {kind}")
}

/// What an entry of this expectation is called if nobody names it: letters, digits, dots, dashes and
/// underscores. Two expectations may share a name; the store numbers them.
#[must_use]
pub fn default_name(expect: &Expect) -> String {
    let text = match expect {
        Expect::Pass => "pass",
        Expect::Finding(promise) => promise.strip_suffix(" race").unwrap_or(promise),
    };
    let mut name: String =
        text.chars().map(|c| if is_name_char(c) { c } else { '-' }).take(MAX_NAME).collect();
    if !is_name(&name) {
        name.insert_str(0, "case-");
        name.truncate(MAX_NAME);
    }
    name
}

/// The name that the catalogue has for what a case shows.
#[must_use]
pub fn catalogue_name(
    spec: &Spec,
    case: &Case,
    signature: &Signature,
    kind: Kind,
) -> Option<&'static str> {
    let is_it = |race: &&RaceSpec| {
        let at = spec.variant(race.switch, race.variant);
        race.signature == signature.as_str()
            && at.is_some_and(|(switch, variant)| case.history[switch] == variant)
    };
    if kind == Kind::Race { spec.races.iter().find(is_it).map(|race| race.name) } else { None }
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Whether an entry or a directory of entries may be called so: such a name stays inside the
/// directory it is joined to, is not hidden, and is no option of a command.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name.chars().all(is_name_char)
        && !name.starts_with(['.', '-'])
}

/// The name of the entry in a file of this name; none if it is not one of an entry.
#[must_use]
pub fn name_of_file(file: &str) -> Option<&str> {
    let name = file.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    is_name(name).then_some(name)
}
