//! Hunts for each race on record.
//!
//! What it is not: a measurement. Only races that show themselves at once are hunted for here.

use crate::support::{both, directory};
use serde_json::Value;
use std::fs;

/// One that takes no schedule, with a budget that a debug build has, too.
const LINE: &str = "hunt --all-races --only nc-tail-get --executions 50000 --seeds 2";

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn what_is_promised_as_sequential_is_found_as_that() {
    let dir = directory();
    let (out, err) = both(&dir, 0, &words(LINE));
    let lines: Vec<Vec<&str>> = out.lines().map(words).collect();
    let head =
        "profile current with one switch set, seeds 1 to 2, 1 job, at most 50,000 cases each";
    assert_eq!(lines[0], words(head));
    let heads = "race switch found median: cases after least: cpus ops switches other signatures";
    assert_eq!(lines[2], words(heads));
    assert_eq!(lines[3][..5], ["nc-tail-get", "tail_get=plain", "2", "of", "2"]);
    assert_eq!(lines[3][7], "s");
    assert_eq!(lines[3][8..], ["1", "2", "0", "-"], "reduced to a set-up: {out}");
    assert!(err.starts_with("1 of 1: nc-tail-get, found in 2 of 2 seeds, after "), "{err}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is kept");
}

#[test]
fn a_race_that_no_seed_finds_is_a_mismatch() {
    let line = "hunt --all-races --only racy-pagehead --executions 1 --seed 5 --json";
    let (out, err) = both(&directory(), 1, &words(line));
    let object: Value = serde_json::from_str(&out).unwrap();
    let race = &object["races"][0];
    assert_eq!((&race["name"], &race["found"]), (&"racy-pagehead".into(), &0.into()));
    assert_eq!(race["executions"], Value::Null);
    let seeds: Vec<u64> =
        race["trials"].as_array().unwrap().iter().map(|t| t["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, [5, 6, 7], "three seeds from the one that is named");
    assert!(err.contains("racy-pagehead  free_pages=v5_10  0 of 3 "), "{err}");
}

#[test]
fn one_job_of_one_seed_always_needs_as_many_cases() {
    let dir = directory();
    let cases = || {
        let (out, _) = both(&dir, 0, &words(&format!("{LINE} --json")));
        let object: Value = serde_json::from_str(&out).unwrap();
        let trials = object["races"][0]["trials"].as_array().unwrap().clone();
        trials.iter().map(|trial| trial["executions"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let first = cases();
    assert_eq!(first.len(), 2);
    assert_eq!(first, cases());
}
