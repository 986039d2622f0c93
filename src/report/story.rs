//! The interleaving: time runs down, one CPU a column, one access a row.
//!
//! A row stands in the column of the CPU that it is of, nested in the head of its operation. What is
//! not needed is folded into rows that count it. References that change with an access are told in
//! its row.
//!
//! What it is not: complete. The trace is; see `interest` for what a reader is spared.

use super::interest::Interest;
use super::page::{Columns, Page};
use super::words::{Words, count, event_of, reference};
use crate::exec::trace::{Ending, Entry, OpEnd, Phase, SwitchReason, TraceEvent, What};
use crate::program::{Action, OpId, Place, Site};
use crate::subject::ObjectId;
use pagerace_core::event::Event;
use pagerace_core::sync::MAX_CPUS;
use std::ops::Range;

/// How far rows are indented in the operation they belong to.
const NESTED: usize = 2;
/// Longer stories are folded in the middle, but for what decides.
const MOST_ROWS: usize = 300;

/// One row of the story.
struct Row {
    cpu: usize,
    indent: usize,
    text: String,
    /// It must not be folded.
    decides: bool,
}

/// Where a phase stands in the trace, without the line that begins it.
pub(super) fn phase(words: &Words<'_>, wanted: Phase) -> Range<usize> {
    let trace = &words.run.trace;
    let is_phase = |entry: &Entry| matches!(entry.what, What::Phase(_));
    let begins = |entry: &Entry| entry.what == What::Phase(wanted);
    let Some(start) = trace.iter().position(begins) else { return 0..0 };
    let rest = &trace[start + 1..];
    start + 1..start + 1 + rest.iter().position(is_phase).unwrap_or(rest.len())
}

/// The CPUs that have a program or do something while the programs run.
pub(super) fn active(words: &Words<'_>) -> Vec<usize> {
    let programs = &words.run.trace[phase(words, Phase::Programs)];
    let acts = |cpu| programs.iter().any(|entry| entry.cpu.index() == cpu);
    let has = |cpu| words.case.ops.iter().any(|op| op.place == Place::Cpu(cpu as u8));
    (0..MAX_CPUS).filter(|&cpu| has(cpu) || acts(cpu)).collect()
}

/// Writes the programs side by side, each operation with how it ended.
pub(super) fn programs(page: &mut Page, words: &Words<'_>) {
    page.heading("Programs");
    let active = active(words);
    if active.is_empty() {
        return page.indented("no CPU has a program", NESTED, NESTED);
    }
    let columns = Columns::new(active.len());
    heads(page, &columns, &active);
    let cells: Vec<Vec<String>> = active
        .iter()
        .map(|&cpu| {
            let program = words.case.program(Place::Cpu(cpu as u8));
            program
                .flat_map(|(id, _)| {
                    columns.cell(&format!("{} {}", words.op(id), outcome(words, id)), 0)
                })
                .collect()
        })
        .collect();
    columns.beside(page, &cells);
}

fn heads(page: &mut Page, columns: &Columns, active: &[usize]) {
    let heads: Vec<String> = active.iter().map(|cpu| format!("cpu{cpu}")).collect();
    columns.heads(page, &heads);
}

/// How an operation came out.
pub(super) fn outcome(words: &Words<'_>, id: OpId) -> String {
    let mut started = false;
    for entry in words.run.trace.iter().filter(|entry| entry.op == Some(id)) {
        match entry.what {
            What::OpEnd(end) => return words.end(None, end),
            What::OpStart => started = true,
            _ => {}
        }
    }
    if started { "-> not finished".to_owned() } else { "-> not reached".to_owned() }
}

/// Writes the set-up: its operations, each with what it does to pages.
pub(super) fn setup(page: &mut Page, words: &Words<'_>) {
    let mut program = words.case.program(Place::Setup).peekable();
    if program.peek().is_none() {
        return;
    }
    page.heading("Set-up, on cpu0");
    let trace = &words.run.trace[phase(words, Phase::Setup)];
    for (id, _) in program {
        let mut text = format!("{} {}", words.op_with_operand(id), outcome(words, id));
        let events: Vec<String> = trace
            .iter()
            .filter(|entry| entry.op == Some(id))
            .filter_map(event_of)
            .filter(|event| moves_pages(event))
            .map(|event| words.event(event))
            .collect();
        if !events.is_empty() {
            text += ": ";
            text += &events.join("; ");
        }
        page.indented(&text, NESTED, 2 * NESTED);
    }
}

/// Whether an event says where a page is, or that it is refused.
fn moves_pages<O>(event: &Event<O>) -> bool {
    matches!(
        event,
        Event::PageAlloc { .. }
            | Event::PageFree { .. }
            | Event::CacheAdd { .. }
            | Event::CacheDelete { .. }
            | Event::BadPage { .. }
            | Event::BugOn { .. }
            | Event::Unlocked { .. }
    )
}

/// Writes what the programs did.
pub(super) fn interleaving(page: &mut Page, words: &Words<'_>, interest: &Interest<'_>) {
    let active = active(words);
    if active.is_empty() {
        return;
    }
    page.heading("What happened (time runs down)");
    let columns = Columns::new(active.len());
    heads(page, &columns, &active);
    let rows = Teller::new(words, interest).tell(phase(words, Phase::Programs));
    write(page, &columns, &active, &rows);
    if let Some(text) = ending(words) {
        page.paragraph(&text);
    }
}

fn write(page: &mut Page, columns: &Columns, active: &[usize], rows: &[Row]) {
    let middle =
        if rows.len() > MOST_ROWS { MOST_ROWS / 2..rows.len() - MOST_ROWS / 2 } else { 0..0 };
    let mut folded = 0;
    for (at, row) in rows.iter().enumerate() {
        if middle.contains(&at) && !row.decides {
            folded += 1;
            continue;
        }
        if folded > 0 {
            page.paragraph(&format!("... {}", count(std::mem::take(&mut folded), "row")));
        }
        let column = active.iter().position(|&cpu| cpu == row.cpu).unwrap_or(0);
        columns.one(page, column, &row.text, row.indent);
    }
}

/// Where a run was cut.
fn ending(words: &Words<'_>) -> Option<String> {
    Some(match &words.run.ending {
        Ending::Quiescent => return None,
        Ending::Fatal => "-- cut: a check of the subject failed --".to_owned(),
        Ending::Deadlock(_) => "-- cut: everyone who has not ended waits --".to_owned(),
        Ending::Bound { cpu, op } => {
            format!("-- cut: {} reached the bound on steps --", words.who(*cpu, *op))
        }
        Ending::Panic(message) => format!("-- cut: panic: {message} --"),
    })
}

/// Writes what matters of the drain.
pub(super) fn drain(page: &mut Page, words: &Words<'_>, interest: &Interest<'_>) {
    let range = phase(words, Phase::Drain);
    if range.is_empty() {
        return;
    }
    let mut accesses = 0;
    let mut told = Vec::new();
    for step in range {
        let entry = &words.run.trace[step];
        match entry.what {
            What::Access { .. } => accesses += 1,
            What::Event(event) => {
                let concerns = match event {
                    Event::PageAlloc { frame, order, .. }
                    | Event::PageFree { frame, order, .. } => interest.touches(frame, order),
                    Event::LookupEnd { .. } | Event::LookupRetry { .. } => false,
                    _ => interest.wants_event(&event),
                };
                if concerns || interest.decides(step) {
                    told.push(words.event(&event));
                }
            }
            _ => {}
        }
    }
    page.heading("Drain: rights given back, caches emptied");
    for text in &told {
        page.indented(text, NESTED, 2 * NESTED);
    }
    if told.is_empty() {
        let text = format!("{}, none to do with the finding", count(accesses, "access"));
        page.indented(&text, NESTED, 2 * NESTED);
    }
}

/// Makes rows of lines.
struct Teller<'a> {
    words: &'a Words<'a>,
    interest: &'a Interest<'a>,
    rows: Vec<Row>,
    /// Accesses of each CPU that are not told yet.
    folded: [usize; MAX_CPUS],
    /// Whose merge the last row tells, and how many rows there are with it.
    merged: Option<(usize, usize)>,
}

impl<'a> Teller<'a> {
    fn new(words: &'a Words<'a>, interest: &'a Interest<'a>) -> Self {
        Self { words, interest, rows: Vec::new(), folded: [0; MAX_CPUS], merged: None }
    }

    fn tell(mut self, range: Range<usize>) -> Vec<Row> {
        let mut shown = [false; MAX_CPUS];
        for step in range {
            let entry = self.words.run.trace[step];
            let cpu = entry.cpu.index();
            match entry.what {
                What::Phase(_) => {}
                What::OpStart => {
                    let head =
                        entry.op.map_or("drain".to_owned(), |op| self.words.op_with_operand(op));
                    self.row(step, cpu, 0, head);
                }
                What::OpEnd(end) => self.op_ended(step, &entry, end),
                What::Access { .. } => {
                    shown[cpu] = self.wants_access(step, &entry);
                    if shown[cpu] {
                        let text = self.access(step, &entry);
                        self.row(step, cpu, NESTED, text);
                    } else {
                        self.folded[cpu] += 1;
                    }
                }
                What::Event(event) => {
                    let told = matches!(event, Event::PageRef { .. })
                        && self.words.transition(crate::exec::StepIndex(step)).is_some();
                    let with_access = matches!(event, Event::PageLock { .. }) && shown[cpu];
                    let wanted = self.interest.wants(step, &entry) && !told;
                    if wanted || with_access {
                        self.event(step, cpu, &event);
                    }
                }
                What::Switch { to, why } => {
                    let text = self.switch(to.index(), why);
                    self.row(step, cpu, 0, text);
                }
            }
        }
        for cpu in 0..MAX_CPUS {
            self.unfold(cpu);
        }
        self.rows
    }

    /// An access is wanted for itself, or for a reference that changes with it and decides.
    fn wants_access(&self, step: usize, entry: &Entry) -> bool {
        self.interest.wants(step, entry)
            || self.references(step).any(|(at, _)| self.interest.decides(at))
    }

    /// The changes of references that an access makes.
    fn references(&self, step: usize) -> impl Iterator<Item = (usize, String)> {
        let after = self.words.run.trace.iter().enumerate().skip(step + 1);
        after.map_while(|(at, entry)| Some((at, event_of(entry)?))).filter_map(|(at, event)| {
            match *event {
                Event::PageRef { change, count, holder, done, .. } => {
                    Some((at, reference(change, count, holder, done)))
                }
                _ => None,
            }
        })
    }

    fn access(&self, step: usize, entry: &Entry) -> String {
        let What::Access { object, kind, nth, old, new, .. } = entry.what else {
            return String::new();
        };
        let mut text = self.words.access(object, kind, old, new);
        let references: Vec<String> = self.references(step).map(|(_, text)| text).collect();
        if !references.is_empty() && self.words.is_refcount(object) {
            text += &format!(" ({})", references.join(", "));
        }
        if kind.can_fail() {
            let class = object.map_or(u8::MAX, ObjectId::class);
            let site = Site::Named { class, kind, nth };
            let failed = self.words.run.executed.iter().any(|d| {
                d.action == Action::Fail && Some(d.at.op) == entry.op && d.at.site == site
            });
            text += if failed { ": made to fail" } else { "" };
        }
        text
    }

    /// Of merges that follow one another only the last is told.
    fn event(&mut self, step: usize, cpu: usize, event: &TraceEvent) {
        let merge = matches!(event, Event::PageMerge { .. });
        let again = merge && self.merged == Some((cpu, self.rows.len())) && self.folded[cpu] == 0;
        if again {
            self.rows.pop();
        }
        self.row(step, cpu, NESTED, self.words.event(event));
        self.merged = merge.then_some((cpu, self.rows.len()));
    }

    fn op_ended(&mut self, step: usize, entry: &Entry, end: OpEnd) {
        let text = self.words.end(entry.op, end);
        self.row(step, entry.cpu.index(), NESTED, text);
    }

    fn switch(&self, to: usize, why: SwitchReason) -> String {
        match why {
            SwitchReason::Chosen => format!("-- switch (chosen): cpu{to} goes on --"),
            SwitchReason::Waits { object, waiting } => {
                format!("-- {}: cpu{to} goes on --", self.words.waits(object, waiting))
            }
            SwitchReason::Ended => format!("-- has ended: cpu{to} goes on --"),
        }
    }

    fn row(&mut self, step: usize, cpu: usize, indent: usize, text: String) {
        self.unfold(cpu);
        let decides = self.interest.decides(step);
        self.rows.push(Row { cpu, indent, text, decides });
    }

    fn unfold(&mut self, cpu: usize) {
        let n = std::mem::take(&mut self.folded[cpu]);
        if n > 0 {
            let text = format!("... {}", count(n, "access"));
            self.rows.push(Row { cpu, indent: NESTED, text, decides: false });
        }
    }
}
