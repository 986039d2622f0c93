//! Near misses of races on record: the programs and the history of an entry, and a schedule that is its
//! own but for where the partner uses its reference, which is outside the window.
//!
//! What it is not: whether an entry holds (`corpus/replay.rs`). That it does is asked here only so that a
//! near miss has something to miss.

use pagerace::corpus::Entry;
use pagerace::corpus::replay::as_stored;
use pagerace::examine::Examiner;
use pagerace::exec::{Ending, Executor, Session};
use pagerace::program::{Case, text};
use pagerace::subject::mm::{MmSubject, SPEC};
use std::path::Path;

/// An entry, the window, and the decisions with which the partner is there before it, and after it.
struct Row {
    entry: &'static str,
    before: &'static str,
    after: &'static str,
}

const ROWS: &[Row] = &[
    // From when the tail is counted until its count is stored: the walker has put its reference by then,
    // or asks for one after that and is refused.
    Row {
        entry: "gigantic-set-zero",
        before: "at cpu0 op1 flags.set#1: run cpu1",
        after: "at cpu0 op1 compound_head.store#1: run cpu1",
    },
    // From the owner's put until it reads the tag: the walker puts its reference before the one, or after
    // the other.
    Row {
        entry: "read-after-failed-put",
        before: "at cpu0 op1 compound_head.load#2: run cpu1
                 at cpu1 op1 refcount.dec#1: run cpu0",
        after: "at cpu0 op1 compound_head.load#2: run cpu1
                at cpu1 op1 flags.load#2: run cpu0",
    },
    // From when the page is counted until its count is stored, which is the last that its allocation does.
    Row { entry: "set-count-nonzero", before: "at cpu0 op1 refcount.store#2: run cpu1", after: "" },
];

/// The text of an entry.
fn stored(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("corpus/history/{name}.case"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The entry's case with these decisions in place of its own.
fn rescheduled(name: &str, decisions: &str) -> Case {
    let stored = stored(name);
    let (programs, _) = stored.split_once("schedule:\n").expect("an entry of a race has one");
    let mut near = format!("{programs}schedule:\n  policy stay\n");
    for decision in decisions.lines() {
        near.push_str(&format!("  {}\n", decision.trim()));
    }
    text::parse(&SPEC, near.as_bytes()).unwrap_or_else(|e| panic!("{name}: {e}")).case
}

/// What is wrong with a row.
fn judge(session: &mut Session<'_, MmSubject>, examiner: &mut Examiner, row: &Row) -> Vec<String> {
    let document = text::parse(&SPEC, stored(row.entry).as_bytes()).expect("it replays");
    let entry = Entry::new(document).expect("it expects something");
    let (broken, _) = as_stored(session, examiner, &entry);
    let mut wrong: Vec<String> =
        broken.iter().map(|broken| format!("{}: {broken:?}", row.entry)).collect();
    for (side, decisions) in [("before", row.before), ("after", row.after)] {
        let mut case = rescheduled(row.entry, decisions);
        assert_ne!(case.decisions, entry.case().decisions, "{}: a schedule of its own", row.entry);
        for current in [false, true] {
            if current {
                case.set_profile(&SPEC.profiles[0]);
            }
            let run = session.run(&case);
            // The current version may have no such access.
            let reached = current || run.unreached == 0;
            let ended = run.ending == Ending::Quiescent && run.skipped == 0;
            let shown = examiner.judge(run, &case);
            if !reached || !ended || shown.is_some() {
                let (unreached, shown) = (run.unreached, shown.map(|f| f.signature.to_string()));
                wrong.push(format!(
                    "{} {side}, current {current}: {unreached} decisions not taken, shows {shown:?}",
                    row.entry
                ));
            }
        }
    }
    wrong
}

#[test]
fn a_partner_outside_the_window_shows_nothing() {
    let mut examiner = Examiner::new(&SPEC);
    let wrong: Vec<String> = Executor::<MmSubject>::new().session(|session| {
        ROWS.iter().flat_map(|row| judge(session, &mut examiner, row)).collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
