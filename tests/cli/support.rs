//! What the tests of the command line share.
//!
//! What it is not: tests.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A scanner takes a reference on a block that is being freed: one frame of two is lost.
pub const LEAK: &str = "pagerace case v1
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

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pagerace"));
    command.env_remove("PAGERACE_CORPUS").env_remove("NO_COLOR");
    command
}

pub fn run(dir: &TempDir, args: &[&str]) -> Output {
    program().current_dir(dir.path()).args(args).output().unwrap()
}

pub fn spawn(dir: &Path, args: &[&str]) -> Child {
    program()
        .current_dir(dir)
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs it, expects this exit code, and gives both outputs.
pub fn both(dir: &TempDir, code: i32, args: &[&str]) -> (String, String) {
    let output = run(dir, args);
    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
    assert!(!out.contains('\x1b') && !err.contains('\x1b'), "no colour in a file: {out}{err}");
    assert!(!err.contains("panicked"), "{err}");
    (out, err)
}

/// Runs it, expects this exit code, and gives standard output.
pub fn expect(dir: &TempDir, code: i32, args: &[&str]) -> String {
    both(dir, code, args).0
}

/// [`expect`] of a line without blanks in its words.
pub fn expect_line(dir: &TempDir, code: i32, line: &str) -> String {
    expect(dir, code, &line.split_whitespace().collect::<Vec<_>>())
}

pub fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A directory with the leak in `leak.case`, and reduced, as an entry, in `small.case`.
pub fn with_leak() -> TempDir {
    let dir = directory();
    fs::write(dir.path().join("leak.case"), LEAK).unwrap();
    expect(&dir, 0, &["minimize", "leak.case", "-o", "small.case"]);
    dir
}

pub fn small(dir: &TempDir) -> String {
    fs::read_to_string(dir.path().join("small.case")).unwrap()
}
