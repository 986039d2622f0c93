//! Schedules as text: what is kept in files and shown to people.
//!
//! ```text
//! pagerace-schedule 1
//! # Lines that begin with a # are ignored.
//! name lost-wakeup
//! expect deadlock condvar0.wait join
//! at main/1 point 3: run main/2
//! at main wait 1: run main/2
//! at main/2 end: run main
//! ```
//!
//! A file has at least its first line and one that begins with `expect`: what the schedule shows. The
//! number in the first line changes when a file would mean something else.
//!
//! What it is not: forgiving. Whatever is not understood is an error that says where and what to do.

use super::schedule::{Decision, Place, TaskName};
use crate::corpus::read::{self, Links};
use crate::corpus::{Error, write};
use crate::program::text::{ParseError, Word, shorten};
use std::fmt;
use std::path::{Path, PathBuf};

/// The first line of every file.
pub const HEADER: &str = "pagerace-schedule 1";
/// What it begins with in every version.
const FORMAT: &str = "pagerace-schedule";
/// The extension of files in this form.
pub const EXTENSION: &str = "schedule";

/// A schedule and what it shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// What it is called.
    pub name: String,
    /// The signature of the finding it shows.
    pub expect: String,
    /// Where it is not as the run would go by itself.
    pub decisions: Vec<Decision>,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if !self.name.is_empty() {
            writeln!(f, "name {}", self.name)?;
        }
        writeln!(f, "expect {}", self.expect)?;
        self.decisions.iter().try_for_each(|decision| writeln!(f, "{decision}"))
    }
}

const AGAIN: &str = "find it again with `Explorer::run` and save that";

impl Schedule {
    /// Reads a schedule from its text.
    ///
    /// # Errors
    /// If it is none: where, and what to do.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut lines = text.lines().zip(1..).map(|(line, number)| Word::line(line, number));
        let first = lines.next().unwrap_or(Word::line("", 1));
        if first.text.trim_end() != HEADER {
            return Err(header_error(first));
        }
        let mut last = first;
        let mut schedule =
            Self { name: String::new(), expect: String::new(), decisions: Vec::new() };
        for line in lines {
            last = line;
            if !line.text.trim().is_empty() && !line.text.starts_with('#') {
                schedule.line(line)?;
            }
        }
        if schedule.expect.is_empty() {
            let message = "nothing says what this schedule shows";
            let help = format!("add a line `expect <signature>`; or the file was cut off: {AGAIN}");
            return Err(last.end().error(message, help));
        }
        Ok(schedule)
    }

    fn line(&mut self, line: Word<'_>) -> Result<(), ParseError> {
        let (keyword, rest) = line.split_once(' ').unwrap_or((line, line.end()));
        let value = rest.text.trim();
        match keyword.text {
            "name" | "expect" if value.is_empty() => {
                Err(rest.error(format!("`{}` says nothing", keyword.text), "complete the line"))
            }
            "name" if self.name.is_empty() => {
                value.clone_into(&mut self.name);
                Ok(())
            }
            "expect" if self.expect.is_empty() => {
                value.clone_into(&mut self.expect);
                Ok(())
            }
            "name" | "expect" => {
                let message = format!("`{}` is said twice", keyword.text);
                Err(keyword.error(message, "keep one of the two lines"))
            }
            "at" => {
                let decision = decision(rest)?;
                let place = (&decision.task, decision.at);
                if self.decisions.iter().any(|other| (&other.task, other.at) == place) {
                    let message = "this place is decided already";
                    return Err(rest.error(message, "keep one of the two lines"));
                }
                self.decisions.push(decision);
                Ok(())
            }
            _ => Err(keyword.unknown("line", &["at", "expect", "name"])),
        }
    }

    /// Reads a schedule from a file.
    ///
    /// # Errors
    /// If it cannot be read or is none.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = read::file(path, Links::Follow)?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            let next = "name a file that `Schedule::save` has written";
            return Err(Error::refused(path, "this is not text", next));
        };
        Self::parse(text)
            .map_err(|error| Error::Parse { path: path.to_owned(), error: Box::new(error) })
    }

    /// Writes the schedule to a file, which is there whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written. Then what was there still is.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        // Of a bare name the directory is the current one.
        write::replace(&Path::new(".").join(path), self.to_string().as_bytes())
    }

    /// Writes the schedule into a directory, under its name. Returns the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_in(&self, directory: impl AsRef<Path>) -> Result<PathBuf, Error> {
        let name = if self.name.is_empty() { "finding" } else { &self.name };
        let path = directory.as_ref().join(format!("{name}.{EXTENSION}"));
        self.save(&path)?;
        Ok(path)
    }
}

fn header_error(first: Word<'_>) -> ParseError {
    let text = first.text.trim();
    if text.is_empty() {
        let message = "this is empty where a schedule begins";
        return first.error(message, format!("the first line is `{HEADER}`; {AGAIN}"));
    }
    if text.strip_prefix(FORMAT).is_some_and(|version| version.starts_with(' ')) {
        let message = format!("`{}` is a version that is not known here", shorten(text));
        return first.error(message, format!("this pagerace reads `{HEADER}`; {AGAIN}"));
    }
    let message = "this is no schedule";
    first.error(message, format!("the first line of one is `{HEADER}`"))
}

const FORM: &str = "write `at <task> point|wait <n>: run <task>` or `at <task> end: run <task>`";

fn decision(rest: Word<'_>) -> Result<Decision, ParseError> {
    let (place, run) =
        rest.split_once(':').ok_or_else(|| rest.error("who runs is missing", FORM))?;
    let words: Vec<Word<'_>> = place.split().collect();
    let (name, at) = match *words {
        [name, end] if end.text == "end" => (name, Place::End),
        [name, kind, nth] if matches!(kind.text, "point" | "wait") => {
            let count = nth.text.parse().ok().filter(|&count: &u32| count > 0);
            let help = "write a number from 1";
            let count = count.ok_or_else(|| nth.error("this is no such number", help))?;
            (name, if kind.text == "point" { Place::Point(count) } else { Place::Wait(count) })
        }
        _ => return Err(place.error("this is no place", FORM)),
    };
    match *run.split().collect::<Vec<_>>() {
        [verb, target] if verb.text == "run" => {
            Ok(Decision { task: task(name)?, at, run: task(target)? })
        }
        _ => Err(run.error("this does not say who runs", FORM)),
    }
}

fn task(word: Word<'_>) -> Result<TaskName, ParseError> {
    let help = "write `main`, or `main/1` for the first task that it starts, and so on";
    word.text
        .parse()
        .map_err(|()| word.error(format!("`{}` names no task", shorten(word.text)), help))
}
