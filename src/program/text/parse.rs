//! Text to a case.
//!
//! One pass over the lines builds the head and the operations; rights and decisions, which may name
//! what comes later, are resolved at the end. Here are the lines, the blocks and the head; `body` has
//! what stands in blocks. Invariant: what is accepted is left as it is by [`Case::fit`] but
//! for the order of blocks and decisions.

use super::error::{ParseError, Word, shorten};
use super::{Document, HEADER, MAX_BYTES, MAX_LINE, is_text};
use crate::program::case::{Case, Expect, OpId, Place};
use crate::subject::Spec;
use pagerace_core::sync::MAX_CPUS;
use std::collections::{BTreeMap, BTreeSet};

pub(super) type Result<T> = core::result::Result<T, ParseError>;

/// The case that a file says, with its leading comments.
///
/// # Errors
/// If it is not a text of this version for this subject; the error says where and what to do.
pub fn parse(spec: &Spec, bytes: &[u8]) -> Result<Document> {
    let text = check(bytes)?;
    let mut parser = Parser {
        spec,
        case: Case::empty(spec),
        comments: Vec::new(),
        leading: true,
        block: Block::Head,
        stated: BTreeSet::new(),
        named: BTreeMap::new(),
        taken: Vec::new(),
        decisions: Vec::new(),
    };
    for line in lines(text) {
        parser.line(line)?;
    }
    parser.finish(Word::line("", text.lines().count() + 1))
}

/// The name of the subject that a file is for.
///
/// # Errors
/// If it is not a text of this version, or names none.
pub fn subject(bytes: &[u8]) -> Result<&str> {
    let text = check(bytes)?;
    for line in lines(text) {
        let mut words = line.split();
        if words.next().is_some_and(|word| word.text == "subject") {
            return Ok(words.next().map_or("", |word| word.text));
        }
    }
    Err(no_subject(Word::line("", text.lines().count() + 1)))
}

fn no_subject(at: Word<'_>) -> ParseError {
    at.error("the case does not say for which subject it is", "add a line `subject NAME`")
}

/// The lines after the header.
fn lines(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.lines().zip(1..).skip(1).map(|(whole, line)| Word::line(whole, line))
}

/// What must hold before lines are looked at.
fn check(bytes: &[u8]) -> Result<&str> {
    if !is_text(bytes) {
        let line = bytes.split(|&b| b == b'\n').next().unwrap_or(bytes);
        let line = String::from_utf8_lossy(&line[..line.len().min(200)]);
        let what = if bytes.is_empty() { "the file is empty" } else { "this is not a case" };
        let message = format!("{what}: the first line must be `{HEADER}`");
        let version = line.starts_with("pagerace case v");
        let help = if version {
            "this version reads v1 only; use the pagerace that wrote the file"
        } else {
            "raw bytes of a fuzzing engine are read with `--bytes`"
        };
        return Err(Word::line(&line, 1).error(message, help));
    }
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; the limit is {MAX_BYTES}", bytes.len());
        return Err(Word::line(HEADER, 1).error(message, "split it, or remove comments"));
    }
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = valid.rsplit('\n').next().unwrap_or("");
            let at = Word::line(line, valid.matches('\n').count() + 1).end();
            Err(at.error("this byte is not UTF-8 text", "restore the file, or remove the line"))
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Block {
    Head,
    Ops(Place),
    Schedule,
}

pub(super) struct Parser<'a> {
    pub(super) spec: &'a Spec,
    pub(super) case: Case,
    comments: Vec<String>,
    /// Only comments so far.
    leading: bool,
    block: Block,
    /// What may be said once and was.
    stated: BTreeSet<String>,
    pub(super) named: BTreeMap<&'a str, OpId>,
    /// Rights to resolve: who takes which name.
    pub(super) taken: Vec<(OpId, Word<'a>)>,
    /// Decisions to resolve.
    pub(super) decisions: Vec<Vec<Word<'a>>>,
}

impl<'a> Parser<'a> {
    fn line(&mut self, line: Word<'a>) -> Result<()> {
        if line.text.len() > MAX_LINE {
            let message = format!("the line has more than {MAX_LINE} bytes");
            return Err(line.error(message, "split it: a line states one thing"));
        }
        let words: Vec<Word<'a>> = line.split().collect();
        let Some(first) = words.first() else { return Ok(()) };
        if first.text.starts_with('#') {
            if self.leading {
                self.comments.push(line.text.trim().to_owned());
            }
            return Ok(());
        }
        self.leading = false;
        if let (Some(name), 1) = (first.text.strip_suffix(':'), words.len()) {
            return self.block(*first, name);
        }
        match self.block {
            Block::Head => self.head(line, &words),
            Block::Ops(place) => self.op(place, &words),
            Block::Schedule => self.scheduled(words),
        }
    }

    pub(super) fn once(&mut self, word: Word<'a>, what: String) -> Result<()> {
        if self.stated.contains(&what) {
            return Err(word.error(format!("`{what}` is stated twice"), "remove one of the two"));
        }
        self.stated.insert(what);
        Ok(())
    }

    fn block(&mut self, word: Word<'a>, name: &str) -> Result<()> {
        self.once(word, format!("{}:", shorten(name)))?;
        self.block = match name {
            "setup" => Block::Ops(Place::Setup),
            "schedule" => Block::Schedule,
            _ if name.starts_with("cpu") => {
                let at = Word { text: name, ..word };
                Block::Ops(Place::Cpu(self.cpu(at)?))
            }
            _ => return Err(word.unknown("block", &["setup:", "cpu0:", "cpu1:", "schedule:"])),
        };
        Ok(())
    }

    fn head(&mut self, line: Word<'a>, words: &[Word<'a>]) -> Result<()> {
        let keyword = words[0];
        match keyword.text {
            "subject" => self.subject(words),
            "cpus" => self.cpus(words),
            "field" => {
                let (at, value) =
                    self.setting(words, "field", self.spec.fields.iter().map(|f| f.name))?;
                let field = &self.spec.fields[at];
                let number = value.text.parse().ok().filter(|n| field.values.contains(n));
                let Some(number) = number else {
                    let values: Vec<String> = field.values.iter().map(u32::to_string).collect();
                    let help = format!("it is one of {}", values.join(", "));
                    return Err(value.error(format!("`{}` cannot be that", field.name), help));
                };
                self.case.fields[at] = number;
                Ok(())
            }
            "history" => self.history(words),
            "expect" => self.expect(line, words),
            _ => {
                let known =
                    ["subject", "cpus", "field", "history", "expect", "setup:", "schedule:"];
                Err(keyword.unknown("line", &known))
            }
        }
    }

    /// A switch. One that is retired is accepted with the variant that meant nothing special.
    fn history(&mut self, words: &[Word<'a>]) -> Result<()> {
        let (switches, retired) = (self.spec.switches, self.spec.retired);
        let stated = |name: &str| {
            words.get(1).and_then(|w| w.split_once('=')).is_some_and(|(n, _)| n.text == name)
        };
        let retired = retired.iter().find(|retired| stated(retired.name));
        let names = switches.iter().map(|s| s.name).chain(retired.map(|r| r.name));
        let (at, value) = self.setting(words, "history", names)?;
        if let (None, Some(retired)) = (switches.get(at), retired) {
            if value.text == retired.neutral {
                return Ok(());
            }
            let message = format!("there is no switch `{}` any more", retired.name);
            return Err(words[1].error(message, retired.instead));
        }
        let variants: Vec<&str> = switches[at].variants.iter().map(|v| v.name).collect();
        self.case.history[at] = known(value, "variant", &variants)? as u8;
        Ok(())
    }

    fn subject(&mut self, words: &[Word<'a>]) -> Result<()> {
        self.once(words[0], "subject".to_owned())?;
        let name = words.get(1).copied().unwrap_or(words[0].end());
        if name.text != self.spec.name {
            let message = format!("the case is for the subject `{}`", shorten(name.text));
            let own = self.spec.name;
            let help = format!("use it with the subject it was made for (this is `{own}`)");
            return Err(name.error(message, help));
        }
        end(words, 2)
    }

    fn expect(&mut self, line: Word<'a>, words: &[Word<'a>]) -> Result<()> {
        self.once(words[0], "expect".to_owned())?;
        let Some(first) = words.get(1) else {
            let help = "write `expect pass` or `expect SIGNATURE`";
            return Err(words[0].end().error("nothing is expected", help));
        };
        self.case.expect = Some(match line.whole[first.start..].trim() {
            "pass" => Expect::Pass,
            signature => Expect::Finding(signature.to_owned()),
        });
        Ok(())
    }

    fn cpus(&mut self, words: &[Word<'a>]) -> Result<()> {
        self.once(words[0], "cpus".to_owned())?;
        let &[_, count, first, start] = words else {
            let place = words.get(4).copied().unwrap_or(words[words.len() - 1].end());
            return Err(place.error("this line has four words", "write `cpus 2 first 0`"));
        };
        if first.text != "first" {
            return Err(first.unknown("word", &["first"]));
        }
        self.case.cpus = number(count, "the number of CPUs", 1, MAX_CPUS as u32)? as u8;
        let last = u32::from(self.case.cpus) - 1;
        self.case.first = number(start, "the CPU that starts", 0, last)? as u8;
        Ok(())
    }

    /// `KEYWORD NAME=VALUE`: the index of the name, and the value.
    fn setting(
        &mut self,
        words: &[Word<'a>],
        keyword: &str,
        names: impl Iterator<Item = &'static str>,
    ) -> Result<(usize, Word<'a>)> {
        let pair = words.get(1).copied().unwrap_or(words[0].end());
        let Some((name, value)) = pair.split_once('=') else {
            let help = format!("write `{keyword} NAME=VALUE`");
            return Err(pair.error("there is no `=`", help));
        };
        let at = known(name, keyword, &names.collect::<Vec<_>>())?;
        self.once(words[0], format!("{keyword} {}", name.text))?;
        end(words, 2)?;
        Ok((at, value))
    }

    fn finish(mut self, end: Word<'a>) -> Result<Document> {
        if !self.stated.contains("subject") {
            return Err(no_subject(end));
        }
        for &(id, word) in &self.taken {
            let Some(&right) = self.named.get(word.text).filter(|&&right| right != id) else {
                let names: Vec<&str> = self.named.keys().copied().collect();
                return Err(word.unknown("result", &names));
            };
            self.case.ops[id.index()].right = Some(right);
        }
        let mut keys = BTreeSet::new();
        for words in &self.decisions {
            let decision = self.decision(words)?;
            if !keys.insert(decision.at) {
                return Err(words[0].error("this access is decided twice", "remove one of the two"));
            }
            self.case.decisions.push(decision);
        }
        self.case.fit(self.spec);
        Ok(Document { comments: self.comments, case: self.case })
    }
}

/// The index of a name in `names`.
pub(super) fn known(word: Word<'_>, what: &str, names: &[&str]) -> Result<usize> {
    let found = names.iter().position(|&name| name == word.text);
    found.ok_or_else(|| word.unknown(what, names))
}

/// A decimal number from `first` to `last`.
pub(super) fn number(word: Word<'_>, what: &str, first: u32, last: u32) -> Result<u32> {
    let digits = word.text.chars().all(|c| c.is_ascii_digit());
    let number = word.text.parse().ok().filter(|n| digits && (first..=last).contains(n));
    number.ok_or_else(|| {
        let message = format!("`{}` is out of range for {what}", shorten(word.text));
        word.error(message, format!("write a number from {first} to {last}"))
    })
}

/// Nothing stands after the first `count` words.
pub(super) fn end(words: &[Word<'_>], count: usize) -> Result<()> {
    match words.get(count) {
        None => Ok(()),
        Some(word) => Err(word.error("the line should end before this", "remove the rest of it")),
    }
}
