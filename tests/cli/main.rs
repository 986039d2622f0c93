//! The program as its users see it: what it prints, how it ends, and what it does with bad input.
//!
//! Help texts and other outputs that are the same everywhere stand in `tests/cli/*.trycmd`
//! (`TRYCMD=overwrite cargo test --test cli` writes them anew). What depends on a directory or on
//! time is tested here and in the modules.
//!
//! What it is not: a test of what is found. The cases here are small and written by hand.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod all_races;
mod bad_files;
mod compares;
mod hunts;
#[path = "../common/mount.rs"]
mod mount;
mod pages;
mod sizes;
mod stores;
mod support;
mod sweeps;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use support::{directory, expect, program, small, spawn, stderr, stdout, with_leak};

#[test]
fn help_and_lists_are_as_written_down() {
    trycmd::TestCases::new().case("tests/cli/*.trycmd");
}

#[test]
fn a_reduced_case_expects_its_finding_and_keeps_its_comments() {
    let dir = with_leak();
    let text = small(&dir);
    assert!(text.contains("\n# Written by hand.\n"), "{text}");
    assert!(text.contains("\nexpect leak/") && text.contains(" race\n"), "{text}");
    assert!(!text.contains("scan frame=3"), "what is not needed is gone: {text}");
    let again = expect(&dir, 0, &["minimize", "small.case"]);
    assert_eq!(again, text, "standard output is the default");
}

#[test]
fn replay_holds_a_case_to_what_it_expects() {
    let dir = with_leak();
    let out = expect(&dir, 0, &["replay", "small.case", "--times", "100"]);
    assert!(out.starts_with("small.case: as expected (100 runs, trace "), "{out}");
    // Without an `expect`, anything found counts.
    let out = expect(&dir, 1, &["replay", "leak.case"]);
    assert!(out.contains("shows `leak/"), "{out}");
    expect(&dir, 0, &["replay", "leak.case", "--profile", "current"]);
    for (from, to) in [("expect leak/", "expect lead/"), ("run cpu1", "fail")] {
        fs::write(dir.path().join("changed.case"), small(&dir).replace(from, to)).unwrap();
        let out = expect(&dir, 1, &["replay", "changed.case"]);
        assert!(out.contains("MISMATCH"), "{from} -> {to}: {out}");
    }
}

#[test]
fn show_prints_a_text_that_can_be_kept_and_the_report() {
    let dir = with_leak();
    let out = expect(&dir, 0, &["show", "small.case"]);
    assert!(out.starts_with(&small(&dir)), "{out}");
    assert!(out.contains("Ledger") && out.contains(" replay small.case"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let out = expect(&dir, 0, &["show", "small.case", "--set", "free_pages=v6_2"]);
    assert!(out.contains("history free_pages=v6_2") && out.contains("shows nothing"), "{out}");
}

#[test]
fn entries_are_added_once_checked_formatted_and_exported() {
    let dir = with_leak();
    let add = |file| expect(&dir, 0, &["corpus", "add", file, "--name", "one", "--corpus", "kept"]);
    assert_eq!(add("small.case"), "added as kept/one.case\n");
    assert_eq!(add("small.case"), "already in kept/one.case\n");
    let checked = expect(&dir, 0, &["corpus", "check", "--corpus", "kept"]);
    assert!(checked.contains("kept/one.case: holds\n1 entry, 0 with problems"), "{checked}");
    let entry = dir.path().join("kept/one.case");
    let text = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, text.replace("\n  scan", "\n      scan")).unwrap();
    expect(&dir, 1, &["corpus", "check", "--corpus", "kept"]);
    expect(&dir, 0, &["corpus", "fmt", "--corpus", "kept"]);
    assert_eq!(fs::read_to_string(&entry).unwrap(), text);
    expect(&dir, 0, &["corpus", "export", "seeds", "--corpus", "kept"]);
    let seed = "seeds/kept-one";
    let out = expect(&dir, 1, &["replay", "--bytes", seed, "--profile", "linux-5.9"]);
    assert!(out.contains("shows `leak/"), "{out}");
    expect(&dir, 0, &["replay", "--bytes", seed]);
}

#[test]
fn an_entry_that_breaks_its_promise_is_not_added() {
    let dir = with_leak();
    let broken = small(&dir).replace("free_pages=v5_9", "free_pages=v6_2");
    fs::write(dir.path().join("broken.case"), broken).unwrap();
    let out = expect(&dir, 1, &["corpus", "add", "broken.case", "--corpus", "kept"]);
    assert!(out.contains("not added: expected `leak/") && out.contains("shows `pass`"), "{out}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = directory();
    for args in [&["completions", "zsh"][..], &["hunt", "--help"], &["races"]] {
        let mut child = spawn(dir.path(), args);
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{args:?}");
    }
}

#[test]
fn an_interrupt_ends_a_hunt_with_its_summary() {
    let dir = directory();
    let args = ["hunt", "--seconds", "300", "--profile", "current", "--seed", "1"];
    let mut child = spawn(dir.path(), &args);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("store") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "it ended before it began");
    }
    // The header stands before the campaign; its end shows that the signal was understood.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("interrupted\n") && rest.contains("nothing found"), "{rest}");
}

#[test]
fn completions_know_the_fields_of_the_subject() {
    let dir = directory();
    let out = expect(&dir, 0, &["completions", "bash"]);
    assert!(out.contains("--pcp-batch") && out.contains("linux-5.9"), "{out}");
}

#[test]
fn the_matrix_says_on_which_profiles_an_entry_fails() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let matrix = |options: &[&str]| {
        let store = root.join("corpus/seed_race");
        let line = ["races", "--matrix"];
        let output = program()
            .current_dir(root)
            .env("PAGERACE_CORPUS", store)
            .args(line)
            .args(options)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let text = matrix(&[]);
    let lines: Vec<Vec<&str>> = text.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["entry", "current", "linux-6.2", "linux-5.10", "linux-5.9"]);
    let leak = ["corpus/seed_race/nc-free-leak.case", "-", "-", "-", "fails"];
    let head = ["corpus/seed_race/racy-pagehead.case", "-", "-", "fails", "-"];
    assert!(lines.iter().any(|l| *l == leak) && lines.iter().any(|l| *l == head), "{text}");
    let object: serde_json::Value = serde_json::from_str(&matrix(&["--json"])).unwrap();
    let row = &object["matrix"][0];
    assert_eq!(row["expect"], "leak/block/lookup race");
    assert_eq!(row["profiles"]["linux-5.9"], "fails");
    assert_eq!(row["profiles"]["current"], "passes");
}

/// Three CPUs save a switch; what is reduced has two.
const THREE_CPUS: &str = "pagerace case v1
subject mm
cpus 3 first 0
field frames=4
history free_pages=v5_9
history alloc_result=refcounted_then_compound
history pcp=v5_9

setup:
  add mapping=0 index=0
cpu0:
  lookup mapping=0 index=0
cpu1:
  delete mapping=0 index=0
  p0 = alloc order=1
cpu2:
  free_pages p0
schedule:
  at cpu0 op1 refcount.dec#1: run cpu2
  at cpu0 op1 refcount.inc_not_zero#1: run cpu1
";

#[test]
fn programs_of_three_cpus_are_joined() {
    let dir = directory();
    fs::write(dir.path().join("three.case"), THREE_CPUS).unwrap();
    let small = expect(&dir, 0, &["minimize", "three.case"]);
    assert!(
        small.contains("\ncpus 2 ") && small.contains("expect leak/block/lookup race"),
        "{small}"
    );
    assert_eq!(small.matches(": run cpu").count(), 3, "{small}");
}
