//! A target from its plan to the text of its crash, short of the crash itself.
//!
//! What it is not: a campaign. The findings come from the entries that are shipped.

use super::*;
use crate::corpus::{Entry, Found as StoreFound, Store};
use crate::program::input::{HISTORY, WithHistory};
use crate::program::wire;
use crate::subject::mm::{MmSubject, SPEC};
use std::fs;
use std::path::Path;

const PLAN: Plan = Plan { name: "test", profile: Some("linux-5.9"), without: &[], canary: false };

fn shipped(name: &str) -> Case {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/seed_race").join(name);
    Entry::read(&SPEC, &path).unwrap().case().clone()
}

/// A case with more than it takes to show the leak.
fn padded() -> Case {
    let mut case = shipped("nc-free-leak.case");
    let spare = case.ops[0];
    case.insert_op(OpId(0), spare);
    case
}

fn target(plan: &Plan, store: Option<StoreFound>) -> Target<MmSubject> {
    Target::with(plan, None, store).unwrap()
}

fn store(directory: &Path) -> StoreFound {
    StoreFound::Store(Store::at(directory).unwrap())
}

#[test]
fn names_that_mean_nothing_stop_a_target_before_its_first_input() {
    let error = Target::<MmSubject>::with(&PLAN, Some("linux-0.1"), None).unwrap_err().to_string();
    assert!(error.contains("linux-0.1") && error.contains("linux-5.9"), "{error}");
    let plan = Plan { without: &["song"], ..PLAN };
    assert!(matches!(Target::<MmSubject>::with(&plan, None, None), Err(Error::Operand(_))));
}

#[test]
fn a_new_finding_is_kept_reduced_under_the_name_of_the_catalogue() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = target(&PLAN, Some(store(dir.path())));
    let found = target.examine(&padded()).unwrap();
    assert!(found.case.ops.len() <= 5, "{:?}", found.case);
    let path = dir.path().join("nc-free-leak.case");
    let entry = Entry::read(&SPEC, &path).unwrap();
    assert!(entry.is_reduced());
    assert_eq!(entry.case().ops, found.case.ops);
    let text = target.describe(&found);
    assert!(text.contains(&format!("kept as {}", path.display())), "{text}");
    assert!(text.contains("leak (race): ") && text.contains("pagerace replay "), "{text}");
}

#[test]
fn what_is_known_is_not_reduced_again_unless_its_reduction_was_cut_short() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = target(&PLAN, Some(store(dir.path())));
    let first = target.examine(&padded()).unwrap();
    let path = first.place.path().unwrap().to_owned();
    let before = fs::read(&path).unwrap();
    let again = target.examine(&padded()).unwrap();
    assert!(matches!(again.place, Place::Known(_)), "{:?}", again.place);
    assert_eq!(again.case.ops.len(), padded().ops.len());
    assert_eq!(fs::read(&path).unwrap(), before);

    // As if the process had ended between the two steps.
    let keeper = Keeper::new(store(dir.path()), "test", "linux-5.9");
    fs::remove_file(&path).unwrap();
    assert!(matches!(keeper.keep(&SPEC, &again), Place::New(_)));
    assert!(!Entry::read(&SPEC, &path).unwrap().is_reduced());
    let third = target.examine(&padded()).unwrap();
    assert!(matches!(third.place, Place::Unreduced(_)), "{:?}", third.place);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn given_inputs_are_neither_reduced_nor_kept() {
    let found = target(&PLAN, None).examine(&padded()).unwrap();
    assert_eq!(found.case.ops.len(), padded().ops.len());
    assert!(found.place.path().is_none());
}

/// No directory can be made where a file is, whoever asks.
#[test]
fn a_store_that_cannot_be_written_hides_no_finding() {
    let dir = tempfile::tempdir().unwrap();
    let directory = dir.path().join("store");
    let store = store(&directory);
    fs::remove_dir(&directory).unwrap();
    fs::write(&directory, "in the way").unwrap();
    let mut target = target(&PLAN, Some(store));
    let found = target.examine(&padded()).unwrap();
    let text = target.describe(&found);
    let place = directory.display().to_string();
    assert!(text.contains("not kept: ") && text.contains(&place), "{text}");
    assert!(text.contains("  next: "), "{text}");
    assert!(found.case.ops.len() <= 5, "{:?}", found.case);
}

#[test]
fn a_canary_passes_over_what_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan { canary: true, ..PLAN };
    let mut canary = target(&plan, Some(store(dir.path())));
    let scan = SPEC.op("scan").unwrap() as u8;
    let lookup = SPEC.op("lookup").unwrap() as u8;
    // The same leak, with a scanner in the place of the lookup.
    let mut case = shipped("nc-free-leak.case");
    let mut generator = crate::program::generate::Generator::new(
        &SPEC,
        1,
        crate::program::generate::Fixed::default(),
    );
    let mut other = Target::<MmSubject>::with(&PLAN, None, None).unwrap();
    let uncounted = (0..2_000_000).find(|_| {
        generator.fill(&mut case);
        case.ops.iter().any(|op| op.op == scan)
            && !case.ops.iter().any(|op| op.op == lookup)
            && other.examine(&case).is_some_and(|found| !found.finding.counts(found.kind))
    });
    assert!(uncounted.is_some());
    assert!(canary.examine(&case).is_none());
    assert_eq!(canary.passed_over, 1);
    let found = canary.examine(&padded()).unwrap();
    assert!(canary.describe(&found).contains("passed over before, scanners' or sequential: 1\n"));
}

#[test]
fn what_a_plan_leaves_out_does_not_run() {
    let plan = Plan { without: &["mapping"], ..PLAN };
    let mut target = target(&plan, None);
    assert!(target.examine(&padded()).is_none());
    let lookup = SPEC.op("lookup").unwrap() as u8;
    assert!(!target.case.ops.is_empty() && target.case.ops.iter().all(|op| op.op != lookup));
    let is_left = |at: usize| !target.without.contains(&(at as u8));
    for (at, row) in SPEC.ops.iter().enumerate() {
        let of_the_cache = row.operands.iter().any(|operand| operand.name == "mapping");
        assert!(of_the_cache != is_left(at), "{}", row.name);
    }
}

#[test]
fn signals_are_those_of_the_last_input() {
    let mut target = target(&Plan { profile: Some("current"), ..PLAN }, None);
    assert!(target.examine(&padded()).is_none());
    assert!(!target.signals().is_empty());
    assert!(target.examine(&Case::empty(&SPEC)).is_none());
    assert!(target.signals().is_empty());
}

const HISTORY_PLAN: Plan = Plan { name: "history", profile: None, canary: true, ..PLAN };

#[test]
fn an_input_that_brings_its_history_runs_on_it_and_its_entry_states_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = target(&HISTORY_PLAN, Some(store(dir.path())));
    assert!(target.header().contains("on the history of each input"), "{}", target.header());
    let of = |history: &[u8]| {
        let mut bytes = [0; HISTORY];
        bytes[..history.len()].copy_from_slice(history);
        // Another byte of the same variant.
        bytes[0] += 3 * 7;
        let bytes = [&bytes[..], &wire::encode(&SPEC, &padded())].concat();
        WithHistory::<MmSubject>::from_bytes(&bytes).input().case.clone()
    };
    let current = SPEC.profile("current").unwrap().history;
    assert!(target.examine(&of(current)).is_none());
    let (switch, variant) = SPEC.variant("free_pages", "v5_9").unwrap();
    assert_eq!(switch, 0, "the record's first byte");
    let mut racy = current.to_vec();
    racy[switch] = variant;
    let found = target.examine(&of(&racy)).unwrap();
    assert_eq!(found.case.history, racy);
    let text = fs::read_to_string(dir.path().join("nc-free-leak.case")).unwrap();
    assert!(text.contains("\nhistory free_pages=v5_9\n"), "{text}");
}

/// A variant that needs no schedule would end every search at once.
#[test]
fn where_histories_vary_what_needs_no_schedule_is_passed_over() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/history/nc-tail-get.case");
    let plain = Entry::read(&SPEC, &path).unwrap().case().clone();
    let strict = Plan { canary: false, ..HISTORY_PLAN };
    assert_eq!(target(&strict, None).examine(&plain).unwrap().kind, Kind::Sequential);
    let mut passes = target(&HISTORY_PLAN, None);
    assert!(passes.examine(&plain).is_none());
    assert_eq!(passes.passed_over, 1);
    assert!(passes.examine(&padded()).is_some(), "a race is none of them");
}

#[test]
fn no_profile_can_be_asked_of_a_target_whose_inputs_bring_their_history() {
    let error = Target::<MmSubject>::with(&HISTORY_PLAN, Some("linux-5.9"), None).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("linux-5.9") && error.contains("a history of its own"), "{error}");
}
