//! Hunts: what they print, keep and say.
//!
//! What it is not: stores under stress (`stores`), or the campaign's own tests.

use crate::support::{directory, expect, expect_line, run, stderr};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// `hunt`'s object without its times.
fn hunted(dir: &TempDir, args: &[&str]) -> Value {
    let out = expect(dir, 0, args);
    let mut object: Value = serde_json::from_str(&out).unwrap();
    for key in ["seconds", "executions_per_second"] {
        assert!(object[key].take().is_number(), "{key}");
    }
    object
}

#[test]
fn a_hunt_of_one_seed_is_always_the_same() {
    let dir = directory();
    let line = "hunt --seed 7 --executions 2000 --profile current --json --out kept";
    let line: Vec<&str> = line.split(' ').collect();
    let (first, second) = (hunted(&dir, &line), hunted(&dir, &line));
    assert_eq!(first, second);
    let keys: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    let documented = "schema profile seed executions seconds executions_per_second findings jobs skipped_ops \
         outcomes";
    let documented: Vec<&str> = documented.split_whitespace().collect();
    assert_eq!(keys[..documented.len()], documented);
    assert_eq!((&first["schema"], &first["executions"]), (&1.into(), &2000.into()));
    assert!(first["outcomes"].as_object().unwrap().values().any(|n| n.as_u64() > Some(0)));
    let mut other = line.clone();
    other[2] = "8";
    assert_ne!(hunted(&dir, &other)["outcomes"], first["outcomes"], "the seed matters");
}

#[test]
fn a_hunt_keeps_reduces_and_reports_what_it_finds() {
    let dir = directory();
    let line = "hunt --seed 1 --executions 50000 --profile current --set tail_get=plain \
                --keep-going --out kept";
    let out = expect(&dir, 1, &line.split_whitespace().collect::<Vec<_>>());
    assert!(out.starts_with("profile current,tail_get=plain, 1 job, at most 50,000 cases\n"));
    for part in ["seed 1\n", "store kept\n", "found ", "Ledger", "kept as kept/", "exercised:"] {
        assert!(out.contains(part), "no {part:?} in {out}");
    }
    let mut entries = 0;
    for entry in fs::read_dir(dir.path().join("kept")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(path.extension().unwrap(), "case");
        let shown = expect(&dir, 0, &["show", path.to_str().unwrap()]);
        assert!(shown.contains("\nexpect refcount/") && shown.contains("Programs"), "{shown}");
        entries += 1;
    }
    assert!(entries > 0);
}

#[test]
fn without_a_seed_one_is_drawn_and_said() {
    let dir = directory();
    let seeds = [(); 2].map(|()| {
        let out = expect(&dir, 0, &["hunt", "--executions", "1", "--profile", "current"]);
        let line = out.lines().find(|line| line.starts_with("seed ")).unwrap().to_owned();
        assert!(line.contains("(drawn; --seed "), "{line}");
        line
    });
    assert_ne!(seeds[0], seeds[1]);
}

#[test]
fn where_nothing_is_kept_that_is_said() {
    let dir = directory();
    let out = expect(&dir, 0, &["hunt", "--executions", "1", "--profile", "current"]);
    assert!(out.contains("no corpus: "), "{out}");
    let output = run(&dir, &["corpus", "check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--corpus"), "{}", stderr(&output));
}

/// The keys of a finding, in the order that is documented.
const KEYS: &str = "signature class kind first_execution first_seconds cpus ops switches entry";

#[test]
fn each_finding_is_an_object_with_the_documented_keys() {
    let dir = directory();
    let line = "hunt --seed 1 --executions 50000 --profile current --set tail_get=plain \
                --keep-going --json --out kept";
    let object: Value = serde_json::from_str(&expect_line(&dir, 1, line)).unwrap();
    let findings = object["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        let keys: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        let documented: Vec<&str> = KEYS.split_whitespace().collect();
        assert_eq!(keys[..documented.len()], documented);
        let (signature, kind) = (finding["signature"].as_str(), finding["kind"].as_str());
        assert!(signature.unwrap().starts_with(finding["class"].as_str().unwrap()));
        assert!((1..=50_000).contains(&finding["first_execution"].as_u64().unwrap()));
        for number in ["first_seconds", "cpus", "ops", "switches"] {
            assert!(finding[number].is_number(), "{number}");
        }
        let entry = dir.path().join(finding["entry"].as_str().unwrap());
        let entry = fs::read_to_string(entry).unwrap();
        let promise = format!("\nexpect {} {}\n", signature.unwrap(), kind.unwrap());
        assert!(entry.contains(&promise), "{entry}");
    }
}

/// What follows `before` in each line of `text` that has it.
fn after<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| Some(line.split_once(before)?.1)).collect()
}

#[test]
fn what_the_store_has_already_is_known_and_not_kept() {
    let dir = directory();
    let hunt = |seed: u32| {
        let line = format!(
            "hunt --seed {seed} --executions 50000 --profile current --set tail_get=plain \
             --out kept"
        );
        expect_line(&dir, 1, &line)
    };
    let first = hunt(1);
    let kept = after(&first, "kept as ");
    assert!(!kept.is_empty() && !first.contains("known: "), "{first}");
    // The one entry has a comment of its owner's now, and is as small as it gets.
    let path = dir.path().join(kept[0]);
    let text = fs::read_to_string(&path).unwrap().replacen('\n', "\n# Mine.\n", 1);
    fs::write(&path, &text).unwrap();
    let again = hunt(1);
    assert!(!again.contains("kept as "), "{again}");
    for path in &kept {
        assert!(again.contains(&format!("known: {path} shows the same\n")), "{again}");
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        text,
        "an entry is replaced by a smaller one only"
    );
    for said in [&first, &again] {
        // What is shown as a command is on one line, and its file is there.
        assert_eq!(after(said, " replay "), kept, "{said}");
    }
    for file in kept {
        expect(&dir, 0, &["replay", file]);
    }
}
