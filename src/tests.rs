//! What `ci/mutants.sh` asks of each mutant of the core, beside the golden access sequences: the replay
//! suite, and bounded hunts. They are here, and not tests of the finished crate alone, so that a mutant
//! costs one binary, whose build is most of its price.
//!
//! What it is not: a measure of the hunt (that is `hunt --all-races`), or a test of what is reported of a
//! planted fault (that is `tests/faults`).

use crate::campaign::{self, Config, Discovery, Progress, Sink, SinkError, Summary};
use crate::corpus::{Store, replay};
use crate::examine::Examiner;
use crate::exec::Executor;
#[cfg(feature = "faults")]
use crate::exec::enumerate;
use crate::oracle::Kind;
use crate::program::Case;
use crate::program::generate::Fixed;
#[cfg(feature = "faults")]
use crate::program::text;
use crate::subject::mm::{MmSubject, SPEC};
#[cfg(feature = "faults")]
use std::collections::BTreeSet;
#[cfg(feature = "faults")]
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How many cases are hunted through in silence.
const CASES: u64 = 100_000;
/// In so many cases a hunt finds what it finds soon: more than twice of what any takes today.
const SOON: u64 = 50_000;

/// As `corpus/replay.rs` asks it, which has a test for each entry.
#[test]
fn every_entry_keeps_its_promise() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut replayed = 0;
    for store in Store::under(&root).expect("the corpus is there") {
        for path in store.files().expect("a store has files") {
            let entry = store.read(&SPEC, &path).unwrap_or_else(|e| panic!("{e}"));
            let outcome =
                replay(&mut Executor::<MmSubject>::new(), &mut Examiner::new(&SPEC), &entry);
            assert!(outcome.is_kept(), "{}: {}", path.display(), outcome.explain(&SPEC, &entry));
            replayed += 1;
        }
    }
    assert!(replayed > 0, "the corpus has entries");
}

/// Ends a campaign at what is looked for.
struct Until<'a> {
    progress: &'a Progress,
    wanted: &'a (dyn Fn(&Discovery) -> bool + Sync),
    met: AtomicBool,
}

impl Sink for Until<'_> {
    fn found(&self, discovery: &Discovery) -> Result<Option<String>, SinkError> {
        if (self.wanted)(discovery) {
            self.met.store(true, Ordering::Relaxed);
            self.progress.stop();
        }
        Ok(None)
    }
}

/// A hunt through so many cases; true if it met what it is for.
fn hunt(
    history: &[u8],
    cases: u64,
    wanted: &(dyn Fn(&Discovery) -> bool + Sync),
) -> (bool, Summary) {
    let config = Config {
        history: history.to_vec(),
        seed: 1,
        jobs: 1,
        executions: Some(cases),
        time: None,
        keep_going: true,
        reduce: false,
        without: Vec::new(),
        fixed: Fixed::default(),
        started: Instant::now(),
    };
    let progress = Progress::default();
    let until = Until { progress: &progress, wanted, met: AtomicBool::new(false) };
    let summary = campaign::run::<MmSubject>(&config, &progress, &until);
    let summary = summary.expect("the sink refuses nothing");
    (until.met.into_inner(), summary)
}

/// `current` with one switch changed.
fn with(switch: &str, variant: &str) -> Vec<u8> {
    let mut history = Case::empty(&SPEC).history;
    let (switch, variant) = SPEC.variant(switch, variant).expect("a variant");
    history[switch] = variant;
    history
}

/// Nothing is found on `current`, and each situation that is counted is met: silence says something.
#[test]
fn a_hunt_on_current_meets_everything_and_finds_nothing() {
    let history = Case::empty(&SPEC).history;
    let (found, summary) = hunt(&history, CASES, &|_| true);
    assert!(!found, "{}", summary.rows[0].signature);
    assert_eq!(summary.executions, CASES);
    for (times, outcome) in summary.outcomes.iter().zip(SPEC.outcomes) {
        let possible = outcome.only.is_none_or(|(switch, variant)| {
            let (switch, variant) = SPEC.variant(switch, variant).expect("outcomes name variants");
            history[switch] == variant
        });
        assert_eq!(*times > 0, possible, "{}: {times} times", outcome.name);
    }
}

/// What takes a hunt longer than [`SOON`], or not much less. Entries stand for all of them.
const LONGER: &[&str] = &[
    "nc-free-leak",
    "racy-pagehead",
    "hpage-revoke-reuse",
    "offline-drain-once",
    "read-after-failed-put",
    "set-count-nonzero",
];

#[test]
fn a_hunt_finds_each_race_on_record_that_is_found_soon() {
    for race in SPEC.races.iter().filter(|race| !LONGER.contains(&race.name)) {
        let kind = if race.sequential { Kind::Sequential } else { Kind::Race };
        let (found, _) = hunt(&with(race.switch, race.variant), SOON, &|found| {
            found.finding.signature.as_str() == race.signature && found.kind == kind
        });
        let name = race.name;
        assert!(
            found,
            "{name} is not found in {SOON} cases; if it takes longer, it goes to LONGER"
        );
    }
}

/// Without this, a fault that is no longer planted would pass for one that is not there.
#[cfg(feature = "faults")]
#[test]
fn a_hunt_finds_each_planted_fault_that_is_found_soon() {
    // Each takes a block of several pages or two pages, and a schedule that crosses two locks or puts.
    const LONGER: &[&str] = &["tails-uncounted", "page-locks-crossed"];
    let faults = pagerace_core::mm::Fault::ALL.iter();
    for &(_, fault, class, _) in faults.filter(|(_, fault, ..)| !LONGER.contains(fault)) {
        let (found, _) =
            hunt(&with("fault", fault), SOON, &|found| found.finding.class.name() == class);
        assert!(found, "{fault} is not found as {class} in {SOON} cases");
    }
}

/// Two writers, each of whom locks the page of the other: a hunt takes long to have them cross.
#[cfg(feature = "faults")]
#[test]
fn a_hunt_through_all_schedules_finds_page_locks_that_cross() {
    const CASE: &str = "pagerace case v1
subject mm
cpus 2 first 0
field indices=2
history fault=page-locks-crossed
setup:
  add mapping=0 index=0
  add mapping=0 index=1
cpu0:
  writeback mapping=0 index=0
cpu1:
  writeback mapping=0 index=1
";
    let case = text::parse(&SPEC, CASE.as_bytes()).unwrap_or_else(|e| panic!("{e}")).case;
    let mut examiner = Examiner::new(&SPEC);
    let mut found = BTreeSet::new();
    Executor::<MmSubject>::new().session(|session| {
        enumerate::schedules(session, &case, 2, u64::MAX, |case, run| {
            found.extend(examiner.judge(run, case).map(|finding| finding.class.name()));
            ControlFlow::Continue(())
        })
    });
    assert_eq!(found, BTreeSet::from(["deadlock"]));
}
