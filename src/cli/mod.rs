//! The command line, for any subject.
//!
//! [`main`] is a whole program: an allocator of your own gets the commands that `pagerace` has with
//! a three-line `main`.
//!
//! | file | holds |
//! |---|---|
//! | `args` | what the command line accepts |
//! | `input`, `output` | files in, lines out, and the two ways to fail at it |
//! | `judged` | one case run, judged and told apart |
//! | `hunt`, `keep`, `progress`, `summary` | the campaign: its options, its findings, its progress, its end |
//! | `sweep` | one reference more: the same for a sweep, and its state file |
//! | `compare` | the same cases on two histories |
//! | `replay`, `show`, `minimize`, `races`, `corpus` | the other commands |
//!
//! Exit codes: 0 nothing found, or all as expected; 1 findings, or a mismatch; 2 could not run (which
//! includes errors of this program). Nothing a user can do makes it panic; if it does, that is caught
//! here and said.
//!
//! What it is not: anything that another front end would need. That is below.

mod args;
mod compare;
mod corpus;
mod hunt;
mod input;
mod judged;
mod keep;
mod minimize;
mod output;
mod progress;
mod races;
mod replay;
mod show;
mod summary;
mod sweep;
mod table;

use crate::corpus::shown;
use crate::subject::Subject;
use args::Action;
use output::{Error, Output};
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// How a command ended that could run.
///
/// In order of weight: of several, the last one counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Verdict {
    /// Nothing found, or all as expected.
    Clean,
    /// Findings, or something is not as expected.
    Findings,
    /// Some of what was asked for could not be run; its errors have been printed.
    Incomplete,
}

impl Verdict {
    /// [`Verdict::Findings`] if `found`.
    const fn found(found: bool) -> Self {
        if found { Self::Findings } else { Self::Clean }
    }

    /// What could be done for one file of many. An error is printed, and the others have their turn.
    fn of<T>(&mut self, outcome: Result<T, Error>) -> Option<T> {
        outcome.map_err(|error| self.cannot(&error)).ok()
    }

    /// Says what could not be run.
    fn cannot(&mut self, error: &Error) {
        output::error(error);
        *self = Self::Incomplete;
    }
}

/// The exit code of what could not run.
const COULD_NOT_RUN: u8 = 2;

/// Runs the command line of this process on a subject, and says how the process ends.
#[must_use]
pub fn main<S: Subject>() -> ExitCode {
    let started = Instant::now();
    let line: Vec<OsString> = std::env::args_os().collect();
    match panic::catch_unwind(AssertUnwindSafe(|| run::<S>(&line, started))) {
        Ok(code) => code,
        Err(_) => {
            output::own_error(&line);
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// The name of the program.
fn program(line: &[OsString]) -> String {
    let name = line.first().and_then(|path| Path::new(path).file_stem());
    name.map_or_else(|| "pagerace".to_owned(), |name| shown(Path::new(name)))
}

/// The program as it was called, so that a command that is shown can be run.
fn called(line: &[OsString]) -> String {
    let path = line.first().map_or(Path::new("pagerace"), Path::new);
    keep::near_word(path)
}

fn run<S: Subject>(line: &[OsString], started: Instant) -> ExitCode {
    let program = program(line);
    let mut command = args::command(S::spec(), &program);
    let cli = command.try_get_matches_from_mut(line).and_then(|m| args::parse(S::spec(), &m));
    let cli = match cli {
        Ok(cli) => cli,
        Err(error) => {
            // Help on a closed pipe: nobody is left to tell.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { COULD_NOT_RUN } else { 0 });
        }
    };
    let out = Output::stdout();
    let called = called(line);
    let verdict = match &cli.action {
        Action::Hunt(args) => hunt::run::<S>(args, &called, started),
        Action::Sweep(args) => sweep::run::<S>(args, &called, started),
        Action::Compare(args) => compare::run::<S>(args, &called),
        Action::Replay(args) => replay::run::<S>(args, &out),
        Action::Show(args) => show::run::<S>(args, &called, &out),
        Action::Minimize(args) => minimize::run::<S>(args, &out),
        Action::Races(args) => races::run::<S>(args, &out),
        Action::Corpus(args) => corpus::run::<S>(args, &out),
        Action::Completions(args) => completions(args, &mut command, &program, &out),
    };
    match verdict {
        Ok(Verdict::Clean) => ExitCode::SUCCESS,
        Ok(Verdict::Findings) => ExitCode::from(1),
        Ok(Verdict::Incomplete) => ExitCode::from(COULD_NOT_RUN),
        Err(error) => {
            output::error(&error);
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

fn completions(
    args: &args::Completions,
    command: &mut clap::Command,
    program: &str,
    out: &Output,
) -> Result<Verdict, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, program, &mut script);
    out.print(&String::from_utf8_lossy(&script))?;
    Ok(Verdict::Clean)
}
