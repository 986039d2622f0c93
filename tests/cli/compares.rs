//! The same cases on two histories.
//!
//! What it is not: a measurement of either.

use crate::support::{both, directory, expect, expect_line};
use serde_json::Value;
use std::fs;

const SAME: &str = "compare current current --executions 3000 --seed 1";
/// Small, so that fresh cases alone meet the race.
const DIFFERENT: &str = "compare linux-5.9 current --executions 200000 --seed 1 --json \
                         --cpus 2 --frames 4 --pcp-batch 0 --mappings 1 --indices 1";

#[test]
fn a_profile_differs_in_nothing_from_itself() {
    let out = expect_line(&directory(), 0, SAME);
    assert_eq!(out, "current and current, 3,000 cases\nseed 1\n\n0 cases differ of 3,000\n");
}

/// A mechanism that is as now in every profile.
#[test]
fn a_single_switch_is_compared_as_a_hunt_prints_it() {
    let line = "compare current,tail_get=plain current --executions 2000 --seed 1";
    let out = expect_line(&directory(), 1, line);
    assert!(out.starts_with("current,tail_get=plain and current, 2,000 cases\n"), "{out}");
    assert!(out.contains("\nrefcount/get-zero/net "), "{out}");
    assert!(out.contains(" show FILE --profile current`\n"), "{out}");
    let line = "compare current current,tail_get=plain --executions 2000 --seed 1";
    let out = expect_line(&directory(), 1, line);
    assert!(out.contains("case ") && out.contains(" show FILE --profile current`\n"), "{out}");
}

#[test]
fn what_is_no_history_is_refused_with_what_there_is() {
    for (label, word) in [
        ("linux-4.0", "no profile `linux-4.0`; there are current, "),
        ("tag_sample=after", "no profile `tag_sample=after`"),
        ("current,tag=after", "no switch `tag`; there are free_pages, "),
        ("current,tag_sample=late", "no variant `late`; it has "),
        ("current,", "`` is no SWITCH=VARIANT"),
    ] {
        for line in [["compare", label, "current"], ["compare", "current", label]] {
            let (out, err) = both(&directory(), 2, &line);
            assert!(out.is_empty() && err.contains(word), "{err}");
        }
    }
}

#[test]
fn differences_are_counted_and_have_examples_that_show_them() {
    let dir = directory();
    let (out, err) = both(&dir, 1, &DIFFERENT.split_whitespace().collect::<Vec<_>>());
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&object["first"], &object["second"]), (&"linux-5.9".into(), &"current".into()));
    let sum = |rows: &Value, key: &str| -> u64 {
        rows.as_array().unwrap().iter().map(|row| row[key].as_u64().unwrap()).sum()
    };
    let differ = object["differ"].as_u64().unwrap();
    assert!(differ > 0);
    assert_eq!(differ, sum(&object["differences"], "count"));
    assert_eq!(differ, sum(&object["signatures"], "first"));
    assert_eq!(sum(&object["signatures"], "second"), 0, "current is silent");
    for difference in object["differences"].as_array().unwrap() {
        assert!(difference["second"].is_null());
        let examples = difference["examples"].as_array().unwrap();
        assert!((1..=3).contains(&examples.len()));
        for example in examples {
            fs::write(dir.path().join("one.case"), example.as_str().unwrap()).unwrap();
            let shown = expect(&dir, 0, &["show", "one.case"]);
            let signature = difference["first"].as_str().unwrap();
            assert!(shown.contains(&format!("\nsignature   {signature}\n")), "{shown}");
            let shown = expect(&dir, 0, &["show", "one.case", "--profile", "current"]);
            assert!(shown.contains("shows nothing"), "{shown}");
        }
        let row = format!("\n{} ", difference["first"].as_str().unwrap());
        assert!(err.contains(&row), "{err}");
    }
    assert!(err.contains("\npagerace case v1\n# case ") && err.contains("Kept as FILE"), "{err}");
}
