//! The example as its users have it: a program of its own with all commands, from one file.
//!
//! What it is not: a test of the commands, or of what the subject does; `cli.rs` and
//! `your_allocator.rs` are. It shows that neither has to know the other.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The planted bug with operations around it that it does not need, and nothing that it expects.
const ABA: &str = "pagerace case v1
subject your-allocator
cpus 3 first 0
field frames=8
history head=plain

setup:
  refill
cpu0:
  alloc
cpu1:
  p0 = alloc
  alloc
  free p0
cpu2:
  alloc_pair
schedule:
  policy stay
  at cpu0 op1 head.cas#1: run cpu1
";

/// The built example. Cargo builds it with the tests, but not if only this test is asked for.
fn example() -> &'static Path {
    static EXAMPLE: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLE.get_or_init(|| {
        let own = std::env::current_exe().expect("a test has a path");
        let target = own.ancestors().nth(3).expect("tests lie in target/PROFILE/deps");
        let build = ["build", "--quiet", "--locked", "--offline", "--profile", "test"];
        let status = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(build)
            .args(["--example", "your_allocator", "--target-dir"])
            .arg(target)
            .status();
        assert!(status.expect("cargo starts").success(), "the example does not build");
        target.join("debug/examples/your_allocator")
    })
}

/// Runs a command of the example in `dir`, expects this exit code, and gives standard output.
fn expect(dir: &Path, code: i32, line: &str) -> String {
    let mut command = Command::new(example());
    let output = command
        .current_dir(dir)
        .env_remove("PAGERACE_CORPUS")
        .args(line.split_whitespace())
        .output()
        .expect("the example starts");
    let out = String::from_utf8(output.stdout).expect("text");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{line}\n{out}\n{err}");
    out
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("the system has room for a directory")
}

/// The only entry of a store.
fn only_entry(store: &Path) -> PathBuf {
    let files = std::fs::read_dir(store).expect("the store is there").flatten();
    let mut entries: Vec<PathBuf> =
        files.map(|f| f.path()).filter(|f| f.extension().is_some_and(|e| e == "case")).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}

#[test]
fn the_example_finds_keeps_reports_and_replays_its_planted_bug() {
    for history in ["--profile aba", "--profile current --set head=plain"] {
        let dir = directory();
        let dir = dir.path();
        let out =
            expect(dir, 1, &format!("hunt {history} --seed 1 --executions 200000 --out kept"));
        // The report: two columns, and the ledger of frames.
        for part in ["found ", "(race)", "\ncpu0 ", " cpu1\n", "Ledger", "kept as kept/"] {
            assert!(out.contains(part), "no {part:?} in\n{out}");
        }
        let entry = only_entry(&dir.join("kept"));
        let text = std::fs::read_to_string(&entry).expect("the entry can be read");
        assert!(text.contains("\nhistory head=plain\n") && text.contains(" race\n"), "{text}");
        assert_eq!(text.matches(": run cpu").count(), 1, "one switch:\n{text}");
        let entry = entry.display();
        let out = expect(dir, 0, &format!("replay {entry} --times 100"));
        assert!(out.contains(": as expected (100 runs, trace "), "{out}");
        let out = expect(dir, 0, &format!("replay {entry} --profile current"));
        assert!(out.contains(": shows nothing ("), "the fix is one:\n{out}");
        let out = expect(dir, 0, &format!("show {entry}"));
        assert!(out.starts_with("pagerace case v1\n") && out.contains("Ledger"), "{out}");
        expect(dir, 0, "corpus check --corpus kept");
    }
}

#[test]
fn the_fixed_example_is_silent() {
    let dir = directory();
    let line = "hunt --profile current --seed 1 --executions 100000 --keep-going --out kept";
    let out = expect(dir.path(), 0, line);
    assert!(out.contains("\nnothing found\n"), "{out}");
}

#[test]
fn the_example_minimizes() {
    let dir = directory();
    let dir = dir.path();
    std::fs::write(dir.join("aba.case"), ABA).expect("the directory can be written");
    let out = expect(dir, 1, "replay aba.case");
    assert!(out.contains(": shows `"), "{out}");
    expect(dir, 0, "minimize aba.case -o small.case");
    let small = std::fs::read_to_string(dir.join("small.case")).expect("it was written");
    assert!(small.contains("\ncpus 2 "), "{small}");
    for gone in ["setup:", "alloc_pair", "cpu2"] {
        assert!(!small.contains(gone), "{gone} is not needed:\n{small}");
    }
    let out = expect(dir, 0, "replay small.case");
    assert!(out.contains(": as expected ("), "{out}");
}

#[test]
fn help_and_lists_are_about_the_example() {
    let dir = directory();
    let out = expect(dir.path(), 0, "hunt --help");
    assert!(out.contains("Usage: your_allocator hunt") && out.contains("head=plain"), "{out}");
    let out = expect(dir.path(), 0, "races");
    assert!(out.contains("head=tagged") && out.contains("head=plain"), "{out}");
}
