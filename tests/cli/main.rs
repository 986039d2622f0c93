//! The program as its users see it: what it prints, how it ends, and what it does with bad input.
//!
//! Help texts and other outputs that are the same everywhere stand in `tests/cli/*.trycmd`
//! (`TRYCMD=overwrite cargo test --test cli` writes them anew). What depends on a directory or on
//! time is tested here.
//!
//! What it is not: a test of what is found. The cases here are small and written by hand.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A scanner takes a reference on a block that is being freed: one frame of two is lost.
const LEAK: &str = "pagerace case v1
# Written by hand.
subject mm
cpus 2 first 0
field frames=4
history free_pages=v5_9

setup:
  p0 = alloc order=1
cpu0:
  scan frame=0
  scan frame=3
cpu1:
  free_pages p0
schedule:
  at cpu0 op1 refcount.dec#1: run cpu1
";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pagerace"));
    command.env_remove("PAGERACE_CORPUS").env_remove("NO_COLOR");
    command
}

fn run(dir: &TempDir, args: &[&str]) -> Output {
    program().current_dir(dir.path()).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs it, expects this exit code, and gives standard output.
fn expect(dir: &TempDir, code: i32, args: &[&str]) -> String {
    let output = run(dir, args);
    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
    assert!(!out.contains('\x1b') && !err.contains('\x1b'), "no colour in a file: {out}{err}");
    assert!(!err.contains("panicked"), "{err}");
    out
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A directory with the leak in `leak.case`, and reduced, as an entry, in `small.case`.
fn with_leak() -> TempDir {
    let dir = directory();
    fs::write(dir.path().join("leak.case"), LEAK).unwrap();
    expect(&dir, 0, &["minimize", "leak.case", "-o", "small.case"]);
    dir
}

fn small(dir: &TempDir) -> String {
    fs::read_to_string(dir.path().join("small.case")).unwrap()
}

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

/// Files that are no cases, by name.
fn bad_files(dir: &TempDir) -> Vec<PathBuf> {
    let path = |name: &str| dir.path().join(name);
    fs::write(path("empty.case"), "").unwrap();
    fs::write(path("foreign.case"), [0x7f, b'E', b'L', b'F', 0, 255]).unwrap();
    fs::write(path("truncated.case"), &LEAK[..LEAK.len() / 3 + 4]).unwrap();
    fs::write(path("damaged.case"), LEAK.replace("free_pages p0", "free_pagse p0")).unwrap();
    fs::write(path("newer.case"), LEAK.replace("case v1", "case v2")).unwrap();
    fs::write(path("other.case"), LEAK.replace("subject mm", "subject mn")).unwrap();
    fs::create_dir(path("folder.case")).unwrap();
    // Sparse: takes no space.
    File::create(path("huge.case")).unwrap().set_len(1 << 30).unwrap();
    let names = ["empty", "foreign", "truncated", "damaged", "newer", "other", "folder", "huge"];
    let mut files: Vec<PathBuf> = names.iter().map(|n| path(&format!("{n}.case"))).collect();
    files.push(path("missing.case"));
    files
}

#[test]
fn bad_files_are_refused_with_their_path_and_a_next_step() {
    let dir = directory();
    for path in bad_files(&dir) {
        let file = path.to_str().unwrap();
        let commands: [&[&str]; 4] = [
            &["replay", file],
            &["show", file],
            &["minimize", file],
            &["corpus", "add", file, "--corpus", "kept"],
        ];
        for command in commands {
            let output = run(&dir, command);
            let text = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{command:?}: {text}");
            assert!(text.starts_with("error: ") && text.contains(file), "{command:?}: {text}");
            assert!(text.contains("next: ") || text.contains("help: "), "{command:?}: {text}");
            assert!(stdout(&output).is_empty(), "{command:?}");
        }
    }
    assert_eq!(fs::read_dir(dir.path().join("kept")).unwrap().count(), 0, "nothing was kept");
}

#[test]
fn raw_bytes_are_read_only_if_asked_for() {
    let dir = directory();
    fs::write(dir.path().join("crash"), [7; 40]).unwrap();
    let output = run(&dir, &["show", "crash"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`--bytes`"), "{}", stderr(&output));
    let out = expect(&dir, 0, &["show", "--bytes", "crash"]);
    assert!(out.starts_with("pagerace case v1\nsubject mm\n"), "{out}");
}

#[test]
fn an_output_that_is_no_file_is_left_alone() {
    let dir = with_leak();
    let output = run(&dir, &["minimize", "leak.case", "-o", "."]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not a plain file"), "{}", stderr(&output));
}

/// `hunt`'s object without its times.
fn hunted(dir: &TempDir, args: &[&str]) -> serde_json::Value {
    let out = expect(dir, 0, args);
    let mut object: serde_json::Value = serde_json::from_str(&out).unwrap();
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
    let line = "hunt --seed 1 --executions 50000 --profile current --set misuse=nc_tail_get \
                --keep-going --out kept";
    let out = expect(&dir, 1, &line.split_whitespace().collect::<Vec<_>>());
    assert!(out.starts_with("profile current,misuse=nc_tail_get, 1 job, at most 50,000 cases\n"));
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
fn a_store_that_cannot_be_used_ends_the_hunt() {
    let dir = directory();
    fs::write(dir.path().join("file"), "").unwrap();
    let output = run(&dir, &["hunt", "--executions", "1", "--out", "file"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("file: cannot"), "{}", stderr(&output));
    // A finding that cannot be written: the limit on file sizes is zero.
    let line = "ulimit -f 0; exec \"$0\" hunt --seed 1 --executions 50000 --profile current \
                --set misuse=nc_tail_get --out full";
    let output = Command::new("sh")
        .args(["-c", line, env!("CARGO_BIN_EXE_pagerace")])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("ulimit -f"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(dir.path().join("full")).unwrap().count(), 0);
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

fn spawn(dir: &Path, args: &[&str]) -> Child {
    program()
        .current_dir(dir)
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
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
