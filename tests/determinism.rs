//! The same case gives the same trace: again, from its normal form, with shuttle entered at every
//! point, in another process.
//!
//! What it is not: a test of one schedule. The cases here are as a campaign makes them, under each
//! profile, and as random bytes mean them, which are wider.

use pagerace::exec::{Executor, Run, Scheduling};
use pagerace::program::generate::{Fixed, Generator};
use pagerace::program::rng::Rng;
use pagerace::program::{Case, wire};
use pagerace::subject::mm::MmSubject;
use pagerace::subject::{Spec, Subject};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases that run again from their normal form.
const CASES: u64 = 100_000;
/// Cases that run again with a switch at every point.
const EVERY_POINT: u64 = 10_000;
/// Cases run in one execution.
const TOGETHER: u64 = 250;
/// Runs of an entry in one process, and processes.
const TIMES: &str = "1000";
const PROCESSES: usize = 20;

fn spec() -> &'static Spec {
    MmSubject::spec()
}

/// Random cases: in turn one of a campaign and one of random bytes, the profiles in turn.
struct Cases {
    generator: Generator<'static>,
    rng: Rng,
    bytes: Vec<u8>,
    case: Case,
    made: u64,
}

impl Cases {
    fn new(seed: u64) -> Self {
        Self {
            generator: Generator::new(spec(), seed, Fixed::default()),
            rng: Rng::new(seed),
            bytes: Vec::new(),
            case: Case::empty(spec()),
            made: 0,
        }
    }

    fn next(&mut self) -> &Case {
        if self.made.is_multiple_of(2) {
            self.generator.fill(&mut self.case);
        } else {
            self.bytes.clear();
            for _ in 0..self.rng.below(240) {
                // Small bytes are valid places, rights and genes more often.
                let byte = self.rng.bits() as u8;
                self.bytes.push(if self.rng.chance(96) { byte } else { byte % 20 });
            }
            wire::decode_into(spec(), &self.bytes, &mut self.case);
        }
        let profile = self.made / 2 % spec().profiles.len() as u64;
        self.case.set_profile(&spec().profiles[profile as usize]);
        self.made += 1;
        &self.case
    }
}

/// Two runs are the same in every line, and end the same.
fn assert_same(first: &Run, second: &Run, case: &Case) {
    let text = || pagerace::program::text::Text { spec: spec(), case };
    assert_eq!(first.hash(), second.hash(), "\n{}", text());
    assert_eq!(first.trace, second.trace, "\n{}", text());
    assert_eq!(first.ending, second.ending, "\n{}", text());
}

#[test]
fn a_hundred_thousand_cases_run_again_from_their_normal_form() {
    let (mut cases, mut switched, mut cut) = (Cases::new(1), 0, 0);
    let mut executor = Executor::<MmSubject>::new();
    let mut again = Executor::<MmSubject>::new();
    let mut normal_forms = Vec::new();
    for _ in 0..CASES / TOGETHER {
        normal_forms.clear();
        executor.session(|session| {
            for _ in 0..TOGETHER {
                let case = cases.next();
                let run = session.run(case);
                let normal = run.normal_form(case);
                switched += u64::from(normal.switches() > 0);
                cut += u64::from(run.ending != pagerace::exec::Ending::Quiescent);
                normal_forms.push((normal, run.hash()));
            }
        });
        again.session(|session| {
            for (normal, hash) in &normal_forms {
                let run = session.run(normal);
                assert_eq!(run.hash(), *hash, "{}", text_of(normal));
                assert_eq!(run.unreached, 0, "{}", text_of(normal));
            }
        });
    }
    assert!(switched > CASES / 4, "only {switched} had a switch");
    println!("{CASES} cases, {switched} with switches, {cut} cut short");
}

fn text_of(case: &Case) -> String {
    pagerace::program::text::Text { spec: spec(), case }.to_string()
}

#[test]
fn ten_thousand_cases_run_alike_with_a_switch_at_every_point() {
    let mut cases = Cases::new(2);
    let mut executor = Executor::<MmSubject>::new();
    let mut every = Executor::<MmSubject>::with_scheduling(Scheduling::CaseEveryPoint);
    for _ in 0..EVERY_POINT {
        let case = cases.next();
        executor.run(case);
        every.run(case);
        assert_same(executor.last(), every.last(), case);
    }
    println!("{EVERY_POINT} cases");
}

/// The shipped entries.
fn entries() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut entries = Vec::new();
    for directory in std::fs::read_dir(corpus).expect("the checkout has a corpus").flatten() {
        let Ok(files) = std::fs::read_dir(directory.path()) else { continue };
        let files = files.flatten().map(|file| file.path());
        entries.extend(files.filter(|file| file.extension().is_some_and(|e| e == "case")));
    }
    entries.sort();
    entries
}

#[test]
fn entries_replay_alike_a_thousand_times_and_in_twenty_processes() {
    let entries = entries();
    assert!(!entries.is_empty());
    let replay = |times: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pagerace"));
        let output = command.args(["replay", "--times", times]).args(&entries).output();
        let output = output.expect("the program starts");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{text}");
        // `FILE: as expected (N runs, trace HASH)`
        let hash =
            |line: &str| Some(line.rsplit_once("trace ")?.1.trim_end_matches(')').to_owned());
        let hashes: Vec<String> = text.lines().filter_map(hash).collect();
        assert_eq!(hashes.len(), entries.len(), "{text}");
        hashes
    };
    let hashes = replay(TIMES);
    for _ in 0..PROCESSES {
        assert_eq!(replay("1"), hashes);
    }
    println!("{} entries, {hashes:?}", entries.len());
}
