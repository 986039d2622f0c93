//! What keeps the corpus from being read or written.
//!
//! What it is not: a finding, or an entry that breaks its promise ([`mod@super::replay`]). An error of
//! this kind ends a command with exit code 2.

use crate::program::text::ParseError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// An operating failure: where, what, and what to do next.
#[derive(Debug)]
pub enum Error {
    /// The system refuses.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was being done, in words that fit after "cannot".
        doing: &'static str,
        /// Its answer.
        source: io::Error,
    },
    /// It is there, and not what is read or written here.
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What it is, or is not.
        why: String,
        /// What to do next.
        next: &'static str,
    },
    /// The text is not a case.
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why not.
        error: Box<ParseError>,
    },
}

/// The outcome of what reads or writes.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The file or directory it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::Refused { path, .. } | Self::Parse { path, .. } => path,
        }
    }

    /// Makes an answer of the system one of ours.
    pub(super) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { path, doing, source }
    }

    pub(crate) fn refused(path: &Path, why: impl Into<String>, next: &'static str) -> Self {
        Self::Refused { path: path.to_path_buf(), why: why.into(), next }
    }
}

/// What to do about an answer of the system.
fn next_step(source: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match source.kind() {
        Kind::NotFound => "check the path",
        Kind::PermissionDenied => "check who owns it, or choose another directory",
        Kind::StorageFull | Kind::QuotaExceeded => "free some space, or choose another directory",
        Kind::FileTooLarge => "raise the limit on file sizes (`ulimit -f`)",
        Kind::ReadOnlyFilesystem => "choose a directory that can be written",
        Kind::NotADirectory | Kind::AlreadyExists => "name a directory, or move the file away",
        Kind::IsADirectory => "name a file",
        _ => "check the file system",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, doing, source } => {
                let next = next_step(source);
                write!(f, "{}: cannot {doing}: {source}\n  next: {next}", shown(path))
            }
            Self::Refused { path, why, next } => {
                write!(f, "{}: {why}\n  next: {next}", shown(path))
            }
            Self::Parse { path, error } => f.write_str(&error.in_file(&shown(path))),
        }
    }
}

/// A path as it is printed: names come from file systems and may hold anything, but not on a terminal.
/// Whatever prints a path prints this.
#[must_use]
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A path as a word of a command that is shown: what a shell reads as that path.
#[must_use]
pub fn shown_word(path: &Path) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    let text = shown(path);
    // A word that begins so is an option to whoever reads it.
    let text = if text.starts_with('-') { format!("./{text}") } else { text };
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Refused { .. } => None,
            Self::Parse { error, .. } => Some(&**error),
        }
    }
}
