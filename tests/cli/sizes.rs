//! The sizes of entries, beside the least that shows the same.
//!
//! What it is not: the search itself, which is tested on counters in `tests/smallest.rs`.

use crate::support::{both, directory, expect, program, small, stderr, stdout, with_leak};
use pagerace::subject::mm::SPEC;
use serde_json::Value;
use std::fs;
use std::path::Path;

#[test]
fn every_race_on_record_has_an_entry_that_is_as_small_as_it_can_be() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sizes = |store: &str| {
        let output = program()
            .current_dir(root)
            .args(["races", "--sizes", "--json", "--corpus", store])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let object: Value = serde_json::from_str(&stdout(&output)).unwrap();
        object["sizes"].as_array().unwrap().clone()
    };
    let rows: Vec<Value> =
        ["corpus/history", "corpus/seed_race"].into_iter().flat_map(sizes).collect();
    assert_eq!(rows.len(), SPEC.races.len(), "each race on record has an entry");
    for row in &rows {
        assert_eq!(row["fewest_ops"], row["ops"], "{row}");
        assert_eq!(row["fewest_switches"], row["switches"], "{row}");
    }
    let of = |name: &str| rows.iter().find(|row| row["entry"].as_str().unwrap().contains(name));
    let leak = of("nc-free-leak").unwrap();
    assert_eq!((&leak["ops"], &leak["switches"]), (&5.into(), &3.into()));
}

#[test]
fn an_entry_with_something_to_spare_is_a_mismatch() {
    let dir = with_leak();
    let kept = dir.path().join("kept");
    fs::create_dir(&kept).unwrap();
    let keep = |text: String| fs::write(kept.join("leak.case"), text).unwrap();
    let line = ["races", "--sizes", "--corpus", "kept"];
    keep(small(&dir));
    let out = expect(&dir, 0, &line);
    let cells: Vec<&str> = out.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(cells[..6], ["kept/leak.case", "2", "3", "1", "3", "1"], "{out}");
    keep(small(&dir).replace("cpu1:\n", "cpu1:\n  drain_local\n"));
    let (out, _) = both(&dir, 1, &line);
    let cells: Vec<&str> = out.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(cells[..6], ["kept/leak.case", "2", "4", "1", "3", "1"], "{out}");
    assert!(out.contains("\nkept/leak.case could do with fewer operations"), "{out}");
}

#[test]
fn a_file_that_is_no_entry_does_not_hide_the_others() {
    let dir = with_leak();
    let kept = dir.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("a.case"), "nonsense").unwrap();
    fs::write(kept.join("leak.case"), small(&dir)).unwrap();
    let (out, err) = both(&dir, 2, &["races", "--sizes", "--corpus", "kept"]);
    assert!(out.contains("kept/leak.case ") && err.contains("a.case"), "{out}{err}");
}

#[test]
fn a_table_at_a_time() {
    let line = ["races", "--sizes", "--matrix"];
    let (_, err) = both(&directory(), 2, &line);
    assert!(err.contains("cannot be used with"), "{err}");
}
