//! The report of a finding: what a person reads, in 80 columns of plain text.
//!
//! From the top: what is wrong, in a line; the signature and the set-up; the programs; the
//! interleaving, one CPU a column; the drain; the ledger of who had what and gave it up; the command
//! that runs it again.
//!
//! What it is not: it judges nothing and knows no subject, no operation and no switch by name: names
//! come from the [`Spec`], facts from the [`Finding`], everything else from the trace. It never
//! panics on account of a run, however it was cut.
//!
//! | file | holds |
//! |---|---|
//! | `words` | what things are called |
//! | `page` | wrapping, labels, columns |
//! | `interest` | which lines of a trace a reader needs |
//! | `story` | set-up, programs, interleaving, drain |
//! | `ledger`, `leak` | who had what |

mod interest;
mod leak;
mod ledger;
mod page;
mod story;
#[cfg(test)]
mod tests;
mod words;

use crate::exec::trace::Run;
use crate::oracle::{Class, Finding, Kind};
use crate::program::Case;
use crate::subject::Spec;
use core::fmt;
use interest::Interest;
use page::Page;
use words::{Words, block, count, frames, holder, number};

/// A finding with everything it takes to explain it. Printed by `Display`.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The subject's tables.
    pub spec: &'a Spec,
    /// What was run.
    pub case: &'a Case,
    /// What happened.
    pub run: &'a Run,
    /// What is wrong with it.
    pub finding: &'a Finding,
    /// Whether it takes a schedule to see.
    pub kind: Kind,
    /// The command that runs it again, if there is one to give.
    pub replay_command: Option<&'a str>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Words::new(self.spec, self.case, self.run);
        let interest = Interest::new(&words, self.finding);
        let mut page = Page::default();
        self.head(&mut page);
        story::setup(&mut page, &words);
        story::programs(&mut page, &words);
        self.schedule(&mut page);
        story::interleaving(&mut page, &words, &interest);
        story::drain(&mut page, &words, &interest);
        ledger::write(&mut page, &words, self.finding);
        if let Some(command) = self.replay_command {
            page.heading("To see it again:");
            page.command(command);
        }
        f.write_str(&page.into_text())
    }
}

impl Report<'_> {
    fn head(&self, page: &mut Page) {
        let Self { spec, case, finding, .. } = self;
        page.paragraph(&headline(finding, self.kind));
        page.blank();
        page.labelled("signature", finding.signature.as_str());
        page.labelled("subject", spec.name);
        let fields: Vec<String> = spec
            .fields
            .iter()
            .zip(&case.fields)
            .map(|(field, value)| format!("{}={value}", field.name))
            .collect();
        let cpus = count(usize::from(case.cpus), "CPU");
        let mut setup = vec![format!("{cpus}, cpu{} starts", case.first)];
        setup.extend(fields);
        page.labelled("set-up", &setup.join(", "));
        page.labelled("history", &self.history());
    }

    /// The schedule that was executed, as an entry would keep it.
    fn schedule(&self, page: &mut Page) {
        let normal = self.run.normal_form(self.case);
        if normal.decisions.is_empty() {
            return;
        }
        page.heading(&format!("Schedule ({})", count(normal.switches(), "switch")));
        for decision in words::lines(self.spec, &normal).1 {
            page.indented(&decision, 2, 4);
        }
    }

    /// The switches that are not as in the default profile.
    fn history(&self) -> String {
        let default = self.spec.profiles.first();
        let name = default.map_or("default", |profile| profile.name);
        let differing: Vec<String> = self
            .spec
            .switches
            .iter()
            .zip(&self.case.history)
            .enumerate()
            .filter(|(at, (_, variant))| {
                default.and_then(|profile| profile.history.get(*at)) != Some(variant)
            })
            .map(|(_, (switch, &variant))| {
                let variant = switch.variants.get(usize::from(variant));
                format!("{}={}", switch.name, variant.map_or("?", |variant| variant.name))
            })
            .collect();
        if differing.is_empty() {
            format!("as {name}")
        } else {
            format!("as {name}, but {}", differing.join(", "))
        }
    }
}

/// A finding in one line, for lists: `leak (race): ...`. Not wrapped; of any length.
#[must_use]
pub fn headline(finding: &Finding, kind: Kind) -> String {
    format!("{} ({kind}): {}", finding.class, summary(finding))
}

fn summary(finding: &Finding) -> String {
    let facts = &finding.facts;
    let which = frames(&facts.frames);
    let is = if facts.frames.len() == 1 { "is" } else { "are" };
    let what = match (finding.class, which.is_empty()) {
        (Class::Leak, _) => return leak_summary(finding),
        (Class::DoubleFree, false) => format!("{which} {is} freed, but {}", facts.why),
        (_, true) => facts.why.to_owned(),
        (_, false) => format!("{} ({which})", facts.why),
    };
    match facts.dropped_last {
        Some(last) => format!("{what}; the reference dropped last was {}'s", holder(last.holder)),
        None => what,
    }
}

fn leak_summary(finding: &Finding) -> String {
    let facts = &finding.facts;
    let lost = facts.frames.len();
    let block = match facts.lost.as_slice() {
        [one] => one.block.map_or(0, |(frame, order)| block(frame, order).len()),
        _ => 0,
    };
    let what = if block > lost {
        format!("{} of the {} frames of a block", number(lost), number(block))
    } else if block > 1 {
        format!("a block of {} frames", number(lost))
    } else {
        count_frames(lost)
    };
    let is = if lost == 1 || what.starts_with('a') { "is" } else { "are" };
    match facts.dropped_last {
        Some(last) => {
            format!("{what} {is} lost; the reference dropped last was {}'s", holder(last.holder))
        }
        None => format!("{what} {is} lost; nobody gave up a reference"),
    }
}

fn count_frames(n: usize) -> String {
    if n == 1 { "a frame".to_owned() } else { format!("{} frames", number(n)) }
}
