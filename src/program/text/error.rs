//! Where a text is not a case, and what to do about it.

use core::fmt;

/// How much of a line is shown around the place, in characters.
const BEFORE: usize = 48;
const SHOWN: usize = 88;
/// Names as far from a known one as this part of their length are not suggestions.
const FAR: usize = 3;

/// A text is not a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// The part of the line that is shown, without control characters.
    excerpt: String,
    /// Where in the excerpt the place is, and how long it is, in characters.
    caret: (usize, usize),
}

impl ParseError {
    /// The error printed with the name of the file it is in.
    #[must_use]
    pub fn in_file(&self, file: &str) -> String {
        let Self { line, column, message, help, excerpt, caret: (at, width) } = self;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let caret = " ".repeat(*at) + &"^".repeat(*width);
        format!(
            "{message}\n{margin}--> {file}:{line}:{column}\n{margin} |\n{number} | {excerpt}\n\
             {margin} | {caret}\n{margin} = help: {help}"
        )
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_file("case"))
    }
}

impl core::error::Error for ParseError {}

/// A piece of one line.
#[derive(Clone, Copy)]
pub(crate) struct Word<'a> {
    /// What it says.
    pub text: &'a str,
    /// The line it is in.
    pub whole: &'a str,
    /// The number of that line, from 1.
    pub line: usize,
    /// Where in the line it starts, in bytes.
    pub start: usize,
}

impl<'a> Word<'a> {
    /// A whole line.
    pub const fn line(whole: &'a str, line: usize) -> Self {
        Self { text: whole, whole, line, start: 0 }
    }

    /// The words of this piece, separated by white space.
    pub fn split(self) -> impl Iterator<Item = Self> {
        self.text.split_whitespace().map(move |text| Self {
            text,
            // Both lie in one string, the piece in front.
            start: self.start + (text.as_ptr().addr() - self.text.as_ptr().addr()),
            ..self
        })
    }

    /// The pieces before and after the first `at`.
    pub fn split_once(self, at: char) -> Option<(Self, Self)> {
        let (before, after) = self.text.split_once(at)?;
        let start = self.start + before.len() + at.len_utf8();
        Some((Self { text: before, ..self }, Self { text: after, start, ..self }))
    }

    /// The place just after it.
    pub const fn end(self) -> Self {
        Self { text: "", start: self.start + self.text.len(), ..self }
    }

    /// An error here.
    pub fn error(self, message: impl Into<String>, help: impl Into<String>) -> ParseError {
        let column = self.whole[..self.start].chars().count();
        let skipped = column.saturating_sub(BEFORE);
        let shown = self.whole.chars().skip(skipped).take(SHOWN);
        let excerpt: String = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
        let at = column - skipped;
        let room = excerpt.chars().count().saturating_sub(at).max(1);
        ParseError {
            line: self.line,
            column: column + 1,
            message: message.into(),
            help: help.into(),
            excerpt: excerpt.trim_end().to_owned(),
            caret: (at, self.text.chars().count().clamp(1, room)),
        }
    }

    /// An error about a name that is none of `known`.
    pub fn unknown(self, what: &str, known: &[&str]) -> ParseError {
        let near = known
            .iter()
            .map(|name| (strsim::osa_distance(self.text, name), name))
            .filter(|(distance, name)| distance * FAR <= name.len().max(FAR))
            .min_by_key(|(distance, _)| *distance);
        let help = match near {
            Some((_, name)) => format!("did you mean `{name}`?"),
            None if known.is_empty() => format!("there is no {what} here; remove it"),
            None => format!("known: {}", known.join(", ")),
        };
        self.error(format!("unknown {what} `{}`", shorten(self.text)), help)
    }
}

/// For messages: a foreign file's words may be long and unprintable.
pub(crate) fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if text.chars().count() > LONGEST {
        short.push_str("...");
    }
    short
}
