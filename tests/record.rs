//! What is on record about each race, held against what its entry shows when it runs, and the cases by which
//! the pages of `docs/races` argue.
//!
//! What it is not: a replay of the corpus (`corpus/replay.rs`), which holds entries to what they say
//! themselves; or a comparison of the pages' generated parts (`tests/cli/pages.rs`).

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use pagerace::corpus::{Entry, replay};
use pagerace::examine::Examiner;
use pagerace::exec::Executor;
use pagerace::oracle::{Class, Kind};
use pagerace::program::{Case, text};
use pagerace::subject::mm::{MmSubject, SPEC};
use pagerace::subject::{RaceSpec, Subject as _};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What an entry showed: signature and kind.
type Shown = Option<(String, Kind)>;

fn run(case: &Case) -> Shown {
    let mut examiner = Examiner::new(MmSubject::spec());
    Executor::<MmSubject>::new().session(|session| {
        let finding = examiner.examine(session, case)?;
        Some((finding.signature.to_string(), examiner.kind(session, case).0))
    })
}

/// The entry of a race, and what it shows.
fn shown(race: &RaceSpec) -> (Case, Shown) {
    let entry = Entry::read(MmSubject::spec(), &root().join("corpus").join(race.entry)).unwrap();
    let case = entry.case().clone();
    let shown = run(&case);
    (case, shown)
}

/// The classes that a race's `Oracle:` names in brackets, in its order.
fn told_classes(doc: &str) -> Vec<&str> {
    let oracle = doc.split("\nOracle: ").nth(1).unwrap_or("");
    // The part ends at the next line that begins with a word and a colon.
    let is_next = |line: &&str| line.starts_with(|c: char| c.is_ascii_uppercase());
    let first = oracle.lines().take(1);
    let lines = first.chain(oracle.lines().skip(1).take_while(|line| !is_next(line)));
    let words = lines.flat_map(|line| line.split("(`").skip(1));
    let words = words.filter_map(|rest| rest.split_once("`)").map(|(word, _)| word));
    // A switch may stand in brackets, too.
    words.filter(|word| Class::ALL.iter().any(|class| class.name() == *word)).collect()
}

fn class(signature: &str) -> &str {
    signature.split('/').next().unwrap_or(signature)
}

/// In what a race on record differs from what its entry shows; nothing if the promise is kept.
fn broken(race: &RaceSpec, case: &Case, shown: &Shown) -> Vec<String> {
    let mut broken = Vec::new();
    let mut same = |what: &str, promised: &str, is: &str| {
        if promised != is {
            broken.push(format!("{}: {what}: promised {promised}, it is {is}", race.name));
        }
    };
    let stem = Path::new(race.entry).file_stem().and_then(|stem| stem.to_str());
    same("entry", race.name, stem.unwrap_or("-"));
    let at = SPEC.switches.iter().position(|switch| switch.name == race.switch);
    let variant = at.map(|at| SPEC.switches[at].variants[usize::from(case.history[at])].name);
    same("history", race.variant, variant.unwrap_or("-"));
    let (signature, kind) = match shown {
        Some((signature, kind)) => (signature.as_str(), kind.to_string()),
        None => ("nothing", "-".to_owned()),
    };
    same("signature", race.signature, signature);
    let promised = if race.sequential { Kind::Sequential } else { Kind::Race };
    same("kind", &promised.to_string(), &kind);
    let told = told_classes(race.doc);
    same("who sees it", told.first().unwrap_or(&"-"), class(signature));
    for other in told.iter().skip(1) {
        let is = race.also.iter().map(|also| class(also)).find(|also| also == other);
        same("who else sees it", other, is.unwrap_or("not listed"));
    }
    broken
}

#[test]
fn every_entry_shows_what_is_promised_of_its_race() {
    assert_eq!(SPEC.races.len(), 13, "races on record: a new one is counted here");
    for race in SPEC.races {
        let (case, shown) = shown(race);
        assert_eq!(broken(race, &case, &shown), [""; 0]);
    }
}

#[test]
fn each_part_of_a_wrong_promise_is_noticed() {
    for race in SPEC.races {
        let (case, shown) = shown(race);
        let noticed = |race: RaceSpec, part: &str| {
            let broken = broken(&race, &case, &shown);
            let all = broken.iter().all(|line| line.contains(part));
            assert!(!broken.is_empty() && all, "{part}: {broken:?}");
        };
        noticed(RaceSpec { name: "another", ..*race }, ": entry: ");
        noticed(RaceSpec { variant: "another", ..*race }, ": history: ");
        let signature = format!("{}/another", class(race.signature)).leak();
        noticed(RaceSpec { signature, ..*race }, ": signature: ");
        noticed(RaceSpec { sequential: !race.sequential, ..*race }, ": kind: ");
        let told = format!("(`{}`)", class(race.signature));
        let doc = race.doc.replace(&told, "(`panic`)").leak();
        noticed(RaceSpec { doc, ..*race }, ": who sees it: ");
        let doc = race.doc.replace(&told, &format!("{told} (`panic`)")).leak();
        noticed(RaceSpec { doc, ..*race }, ": who else sees it: ");
    }
}

#[test]
fn an_entry_that_shows_something_else_is_noticed() {
    let [race, other] = [&SPEC.races[0], &SPEC.races[1]];
    let (case, _) = shown(race);
    assert_eq!(broken(race, &case, &None).len(), 3, "signature, kind and oracle");
    let (_, shown) = shown(other);
    assert_eq!(broken(race, &case, &shown).len(), 2, "another race: signature and oracle");
}

/// The pages, and the cases in them: the blocks of text that begin with `case`.
fn cases() -> Vec<(PathBuf, String)> {
    let mut cases = Vec::new();
    for race in SPEC.races {
        let path = root().join("docs/races").join(race.name).with_extension("md");
        let page = std::fs::read_to_string(&path).unwrap();
        let blocks = page.split("\n```case\n").skip(1);
        cases.extend(
            blocks.map(|block| {
                (path.clone(), block.split("\n```").next().unwrap().to_owned() + "\n")
            }),
        );
    }
    cases
}

#[test]
fn the_cases_of_the_pages_show_what_they_expect() {
    let cases = cases();
    assert!(cases.len() > 5, "they are recognized: {}", cases.len());
    for (path, case) in cases {
        let document = text::parse(&SPEC, case.as_bytes());
        let document = document.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        let entry = Entry::new(document).expect("it says what it expects");
        let mut examiner = Examiner::new(&SPEC);
        let replayed = replay(&mut Executor::<MmSubject>::new(), &mut examiner, &entry);
        assert!(replayed.is_kept(), "{}\n{}", path.display(), replayed.explain(&SPEC, &entry));
    }
}
