//! Reports of hand-written runs, as they are printed; and what holds of every report.

mod random;
mod script;

use super::page::WIDTH;
use super::{Report, headline};
use crate::exec::trace::{Ending, Phase, StepIndex, Waiter};
use crate::oracle::{Class, Dropped, Facts, Finding, Freed, Kind, Lost, Origin, Signature};
use crate::program::OpId;
use crate::subject::ObjectId;
use pagerace_core::event::{Event, FrameNumber, Holder, Order};
use pagerace_core::sync::{CpuId, Waiting};
use script::{LOCK, Script, WORD, case};
use textwrap::core::display_width;

/// What holds of every report, whatever it is about.
fn check(text: &str) {
    for line in text.lines() {
        assert!(display_width(line) <= WIDTH, "too wide: {line:?}");
        assert_eq!(line.trim_end(), line, "trailing space: {line:?}");
        assert!(!line.chars().any(char::is_control), "a control character: {line:?}");
    }
    assert!(text.ends_with('\n'));
}

fn print(script: &Script, finding: &Finding, kind: Kind) -> String {
    let report = Report {
        spec: script.spec,
        case: &script.case,
        run: &script.run,
        finding,
        kind,
        replay_command: Some("pagerace replay lost-tail.case"),
    };
    let text = report.to_string();
    check(&text);
    text
}

fn finding(class: Class, details: &[&str], at: Option<usize>, facts: Facts) -> Finding {
    let signature = Signature::new(class, details);
    Finding { class, signature, at: at.map(StepIndex), facts }
}

fn at(step: usize, cpu: usize, op: u8) -> Origin {
    Origin { step: StepIndex(step), cpu: CpuId::new(cpu), op: Some(OpId(op)) }
}

/// The race of a reader's late reference with a block that is allocated in two frames.
fn leak() -> (Script, Finding) {
    let mut s = Script::new(case(
        2,
        "setup:\n fill\ncpu0:\n read\ncpu1:\n clear\n p0 = take size=1\n drop p0",
    ));
    s.phase(Phase::Setup).op(0).start().alloc(0, 0).set(0, 1, Holder::Owner).enters(0).done();
    s.phase(Phase::Programs).cpu(0).op(1).start().load(WORD, 0, 1).switch(1);
    s.op(2).start().load(WORD, 0, 1).lock().store(WORD, 0, 1, 0).leaves(0).unlock();
    s.load(WORD, 3, 7).load(WORD, 4, 7).put(0, 1, Holder::Cache).free(0, 0).done();
    s.op(3).start().lock().alloc(0, 1);
    let allocated = s.last();
    s.unlock().set(0, 1, Holder::Owner).gave();
    s.op(4).start().switch(0);
    s.op(1).try_get(0, 1).switch(1);
    s.op(4).put(0, 2, Holder::Owner);
    let first = s.last();
    s.done().ends(0);
    s.op(1).load(WORD, 0, 0).retry(0).put(0, 1, Holder::Lookup);
    let second = s.last();
    s.free(0, 0);
    let freed = s.last();
    s.failed();
    s.phase(Phase::Drain).lock().unlock();
    let dropped = |holder, step, cpu, op| Dropped {
        holder,
        step: StepIndex(step),
        cpu: CpuId::new(cpu),
        op: Some(OpId(op)),
    };
    let last = dropped(Holder::Lookup, second, 0, 1);
    let lost = Lost {
        frames: vec![FrameNumber(1)],
        block: Some((FrameNumber(0), Order(1))),
        allocated: Some(at(allocated, 1, 3)),
        dropped: vec![dropped(Holder::Owner, first, 1, 4), last],
        freed_instead: vec![Freed { at: at(freed, 0, 1), frame: FrameNumber(0), order: Order(0) }],
    };
    let facts = Facts {
        why: "frames are neither free nor held",
        frames: vec![FrameNumber(1)],
        lost: vec![lost],
        allocated: Some(at(allocated, 1, 3)),
        dropped_last: Some(last),
        sites: vec![StepIndex(second)],
    };
    (s, finding(Class::Leak, &["block", "lookup"], None, facts))
}

#[test]
fn a_leak_reads_like_the_story_of_it() {
    let (script, finding) = leak();
    let text = print(&script, &finding, Kind::Race);
    assert_eq!(text, include_str!("tests/leak.txt"), "\n{text}");
}

#[test]
fn one_line_says_what_is_lost_and_who_was_last() {
    assert_eq!(
        headline(&leak().1, Kind::Race),
        "leak (race): one of the two frames of a block is lost; the reference dropped last was a lookup's"
    );
}

#[test]
fn what_was_kept_is_told_apart_from_what_was_given_up() {
    let (mut script, mut finding) = leak();
    finding.facts.dropped_last = None;
    finding.facts.lost[0].dropped.clear();
    finding.facts.lost[0].freed_instead.clear();
    finding.facts.lost[0].frames = vec![FrameNumber(0), FrameNumber(1)];
    script.run.census.refcounts = vec![1, 0];
    let text = print(&script, &finding, Kind::Sequential);
    assert!(text.contains("given up    by nobody\n"), "{text}");
    assert!(text.contains("the count is still 1: a reference is kept."), "{text}");
    assert!(text.contains("Both frames, f0-f1, are\nlost forever."), "{text}");
}

#[test]
fn a_double_free_names_both_frees() {
    let mut s = Script::new(case(2, "cpu0:\n read\ncpu1:\n p0 = take size=1\n drop p0"));
    s.phase(Phase::Programs).cpu(1).op(1).start().alloc(2, 1).set(2, 1, Holder::Owner).gave();
    s.op(2).start().put(2, 1, Holder::Owner).switch(0);
    s.op(0).start().free(2, 1).done().ends(1);
    s.op(2).free(3, 0);
    let at = s.last();
    let facts = Facts {
        why: "the frames are free already",
        frames: vec![FrameNumber(3)],
        ..Facts::default()
    };
    let text = print(&s, &finding(Class::DoubleFree, &["block"], Some(at), facts), Kind::Race);
    let ledger = "\
Ledger
frames      f3
What happened to them, in order:
   1. cpu1 in `p0 = take size=1`: alloc f2 order 1
   2. cpu0 in `read`: free f2 order 1
   3. cpu1 in `drop p0`: free f3 order 0  <-- here

On cpu0, `read` frees f2-f3. On cpu1, `drop p0` frees f3 again: the frames are
free already.
";
    assert!(text.contains(ledger), "{text}");
    assert!(text.starts_with("double-free (race): f3 is freed, but the frames are free already\n"));
}

#[test]
fn a_deadlock_says_who_waits_for_what_and_who_has_it() {
    let mut s = Script::new(case(2, "cpu0:\n read\ncpu1:\n clear"));
    let lock = Some(ObjectId::new(LOCK, 0));
    let word = Some(ObjectId::new(WORD, 0));
    s.phase(Phase::Programs).cpu(0).op(0).start().lock();
    s.waits(word, Waiting::Sleep, 1).op(1).start().waits(lock, Waiting::Lock, 0);
    let waiter = |cpu, object, waiting| Waiter {
        cpu: CpuId::new(cpu),
        op: Some(OpId(cpu as u8)),
        object,
        waiting,
    };
    s.run.ending =
        Ending::Deadlock(vec![waiter(0, word, Waiting::Sleep), waiter(1, lock, Waiting::Lock)]);
    let facts = Facts { why: "every CPU that has not ended waits", ..Facts::default() };
    let text = print(&s, &finding(Class::Deadlock, &["x"], None, facts), Kind::Race);
    let told = "\
What happened (time runs down)
cpu0                                     cpu1
---------------------------------------  ---------------------------------------
read
  zone_lock lock
-- sleeps on slot[0]: cpu1 goes on --
                                         clear
                                         -- waits for zone_lock: cpu0 goes on --
-- cut: everyone who has not ended waits --

Ledger
cpu0        cpu0 in `read`, sleeps on slot[0]
cpu1        cpu1 in `clear`, waits for zone_lock, which cpu0 in `read` holds

Every CPU that has not ended waits.
";
    assert!(text.contains(told), "{text}");
}

#[test]
fn a_wrong_lookup_says_what_the_index_held_when() {
    let mut s = Script::new(case(2, "setup:\n fill\ncpu0:\n read\ncpu1:\n clear"));
    s.phase(Phase::Setup).op(0).start().alloc(1, 0).enters(1).done();
    s.phase(Phase::Programs).cpu(0).op(1).start();
    s.event(Event::LookupStart { mapping: 0, index: 0 }).load(WORD, 0, 2).switch(1);
    s.op(2).start().store(WORD, 0, 2, 0).leaves(1).free(1, 0).done().ends(0);
    let frame = Some(FrameNumber(1));
    s.op(1).event(Event::LookupEnd { mapping: 0, index: 0, frame, locked: false });
    let at = s.last();
    let why = "the page that a lookup returns is free";
    let facts = Facts { why, frames: vec![FrameNumber(1)], ..Facts::default() };
    let text = print(&s, &finding(Class::Lookup, &["freed"], Some(at), facts), Kind::Race);
    let ledger = "\
Ledger
lookup      cpu0 in `read`
of          mapping 0 index 0
returned    f1
What the index held, in order:
   1. the set-up, in `fill`: alloc f1 order 0
   2. f1 enters mapping 0 index 0
   3. cpu0 in `read`: lookup of mapping 0 index 0 begins
   4. cpu1 in `clear`: f1 leaves mapping 0 index 0
   5. free f1 order 0
   6. cpu0 in `read`: lookup returns f1  <-- here

On cpu0, `read`: lookup returns f1; the page that a lookup returns is free.
";
    assert!(text.contains(ledger), "{text}");
}

#[test]
fn one_cpu_has_the_whole_width() {
    let mut s = Script::new(case(2, "cpu1:\n p0 = take size=1\n drop p0"));
    s.phase(Phase::Programs).cpu(1).op(0).start().alloc(0, 1).gave().op(1).start();
    s.event(Event::BadPage { frame: FrameNumber(0), order: Order(1), check: "count-at-free" });
    s.run.ending = Ending::Fatal;
    let facts = Facts { why: "the subject's own check refuses the page", ..Facts::default() };
    let finding = finding(Class::BadPage, &["count-at-free"], Some(s.last()), facts);
    let text = print(&s, &finding, Kind::Sequential);
    let told = "\
cpu1
--------------------------------------------------------------------------------
p0 = take size=1
  alloc f0 order 1
  -> done (f0, order 1)
drop p0 (f0, order 1)
  bad_page f0 order 1: count-at-free
-- cut: a check of the subject failed --
";
    assert!(text.contains(told), "{text}");
    assert!(text.contains("drop p0 -> not finished\n"), "{text}");
}

#[test]
fn an_endless_loop_is_folded_and_counted() {
    let mut s = Script::new(case(2, "cpu0:\n read\ncpu1:\n clear"));
    s.phase(Phase::Programs).cpu(1).op(1).start().store(WORD, 0, 0, 1).done().ends(0);
    s.op(0).start();
    for _ in 0..2_000 {
        s.load(WORD, 0, 1).retry(0);
    }
    s.run.ending = Ending::Bound { cpu: CpuId::new(0), op: Some(OpId(0)) };
    let sites = vec![StepIndex(s.last() - 1)];
    let why = "an operation does not come to its end";
    let facts = Facts { why, sites, ..Facts::default() };
    let text = print(&s, &finding(Class::Livelock, &["read"], None, facts), Kind::Race);
    assert!(text.lines().count() < 400, "{text}");
    assert!(text.contains(" rows\n"), "{text}");
    assert!(text.contains("-- cut: cpu0 in `read` reached the bound on steps --"), "{text}");
    assert!(text.contains("   1. slot[0] load 1\n"), "{text}");
}

#[test]
fn what_a_terminal_would_act_on_is_shown_as_text() {
    let mut s = Script::new(case(2, "cpu0:\n read"));
    s.phase(Phase::Programs).cpu(0).op(0).start();
    s.run.ending = Ending::Panic("\u{1b}[31mred\u{202e} \u{7}\nnext".to_owned());
    let facts = Facts { why: "the subject panicked", ..Facts::default() };
    let text = print(&s, &finding(Class::Panic, &["red"], None, facts), Kind::Sequential);
    assert!(text.contains(r"message     \u{1b}[31mred\u{202e} \u{7}\nnext"), "{text}");
}

#[test]
fn an_ended_cpu_and_a_chosen_switch_are_told_apart() {
    let (script, finding) = leak();
    let text = print(&script, &finding, Kind::Race);
    let switches = |what: &str| text.matches(what).count();
    assert_eq!(switches("-- switch (chosen): "), 3);
    assert_eq!(switches("-- has ended: "), 1);
}
