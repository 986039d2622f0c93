//! A store that cannot be written, that is full, shared by two processes, or whose writer is killed:
//! a clear error or none, and never an entry lost or half written.
//!
//! The writers are this test binary itself, started again for its test `writer`.

#![allow(clippy::unwrap_used, reason = "where a step of a test fails, the test does")]

mod common;

use common::{SPEC, entry, entry_called, mount};
use pagerace::corpus::{Kept, Store};
use pagerace::program::{Expect, text};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const DIRECTORY: &str = "PAGERACE_TEST_DIRECTORY";
const ROUNDS: &str = "PAGERACE_TEST_ROUNDS";

/// How many findings a writer has; its rounds go through them again and again.
const FINDINGS: usize = 96;

/// The arguments that make this binary run the test `writer` and show what it prints.
const AS_WRITER: [&str; 5] = ["writer", "--exact", "--nocapture", "--test-threads", "1"];

/// As a child: adds and improves entries, and says what became of them. Does nothing otherwise.
#[test]
fn writer() {
    let (Some(directory), Ok(rounds)) = (std::env::var_os(DIRECTORY), std::env::var(ROUNDS)) else {
        return;
    };
    let store = match Store::at(PathBuf::from(directory)) {
        Ok(store) => store,
        Err(error) => return println!("error {error}"),
    };
    for round in 0..rounds.parse().unwrap() {
        // Two different findings share each default name: `n1/x` and `n1-x`.
        let number = round % FINDINGS;
        let detail = format!("n{}{}x", number / 2, ["/", "-"][number % 2]);
        let large = entry_called(&detail, 60);
        let small = entry_called(&detail, 2 + round % 13);
        let kept = store.promote(&SPEC, &large, None).and_then(|kept| {
            println!("kept {}", kept.path().display());
            store.improve(&SPEC, &small, kept.path())
        });
        match kept {
            Ok(kept) => println!("kept {}", kept.path().display()),
            Err(error) => println!("error {error}"),
        }
    }
    all_whole(store.directory());
    println!("end");
}

fn command(directory: &Path, rounds: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(AS_WRITER);
    with(&mut command, directory, rounds);
    command
}

fn with(command: &mut Command, directory: &Path, rounds: usize) {
    command.env(DIRECTORY, directory).env(ROUNDS, rounds.to_string()).stdout(Stdio::piped());
}

/// Runs this binary as a writer in a shell, after `setup`.
fn in_shell(shell: &[&str], setup: &str, directory: &Path, rounds: usize) -> String {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["sh", "-c", &format!("{setup} && exec \"$@\""), "sh"]);
    command.arg(std::env::current_exe().unwrap()).args(AS_WRITER);
    with(&mut command, directory, rounds);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{:?}\n{said}", output.status);
    assert!(said.lines().any(|line| line == "end"), "{said}");
    said
}

fn wait(mut child: Child) -> String {
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    said
}

/// Every entry is whole, and no two promise the same.
fn all_whole(directory: &Path) -> BTreeSet<PathBuf> {
    let store = Store::open(directory).unwrap();
    let files = store.files().unwrap();
    let mut promised = BTreeSet::new();
    for file in &files {
        // Read once: another writer may improve it meanwhile.
        let bytes = fs::read(file).unwrap();
        let document = text::parse(&SPEC, &bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(document.print(&SPEC).into_bytes(), bytes);
        let Some(Expect::Finding(promise)) = document.case.expect else { panic!("{file:?}") };
        assert!(promised.insert(promise), "{file:?}");
    }
    files.into_iter().collect()
}

fn kept(said: &str) -> BTreeSet<PathBuf> {
    said.lines().filter_map(|line| line.strip_prefix("kept ")).map(PathBuf::from).collect()
}

#[test]
fn killed_writers_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    let mut with_leftovers = 0;
    for moment in 0..50u64 {
        let mut child = command(dir.path(), 100_000).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        // It has begun; the moment is somewhere in the writes that follow.
        let first = said.by_ref().map_while(Result::ok).find(|line| line.starts_with("kept "));
        std::thread::sleep(Duration::from_micros((moment * 7919) % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        // A line that was cut off acknowledges nothing: it ends where no entry does.
        let lines = first.into_iter().chain(said.map_while(Result::ok));
        acknowledged.extend(
            lines
                .filter(|line| line.ends_with(".case"))
                .filter_map(|line| line.strip_prefix("kept ").map(PathBuf::from)),
        );
        with_leftovers += usize::from(has_temporaries(dir.path()));
        let there = all_whole(dir.path());
        let lost: Vec<_> = acknowledged.difference(&there).collect();
        assert!(lost.is_empty(), "{lost:?}");
        // Begin again now and then, so that entries are added and not only improved.
        if moment % 10 == 9 {
            there.iter().for_each(|file| fs::remove_file(file).unwrap());
            acknowledged.clear();
        }
    }
    assert!(with_leftovers > 0, "no writer was killed while it wrote");
    Store::at(dir.path()).unwrap();
    assert!(!has_temporaries(dir.path()));
}

fn has_temporaries(directory: &Path) -> bool {
    let mut files = fs::read_dir(directory).unwrap().flatten();
    files.any(|file| file.file_name().to_string_lossy().ends_with(".tmp"))
}

#[test]
fn two_writers_keep_each_finding_once() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let children: Vec<_> =
            (0..3).map(|_| command(dir.path(), FINDINGS).spawn().unwrap()).collect();
        for said in children.into_iter().map(wait) {
            assert_eq!(kept(&said).len(), FINDINGS, "{said}");
        }
        let there = all_whole(dir.path());
        assert_eq!(there.len(), FINDINGS);
        assert!(!has_temporaries(dir.path()));
        there.iter().for_each(|file| fs::remove_file(file).unwrap());
    }
}

#[test]
fn a_file_in_place_of_the_store_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store");
    fs::write(&file, "mine").unwrap();
    for at in [file.clone(), file.join("below")] {
        let said = Store::at(&at).unwrap_err().to_string();
        assert!(said.contains("cannot make the corpus"), "{said}");
        assert!(said.contains("next: name a directory, or move the file away"), "{said}");
    }
    assert!(Store::open(&file).unwrap_err().to_string().contains("not a directory"));
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    // Replaced by a file after it was opened.
    let store = Store::at(dir.path().join("late")).unwrap();
    fs::remove_dir(store.directory()).unwrap();
    fs::write(store.directory(), "mine").unwrap();
    assert!(store.promote(&SPEC, &entry(), None).is_err());
}

#[test]
fn a_limit_on_file_sizes_is_an_error_and_no_signal() {
    let dir = tempfile::tempdir().unwrap();
    let Kept::New(path) = Store::at(dir.path())
        .and_then(|store| store.promote(&SPEC, &entry_called("n0", 60), None))
        .unwrap()
    else {
        panic!("the store was empty")
    };
    let before = fs::read(&path).unwrap();
    let said = in_shell(&["env"], "ulimit -f 0", dir.path(), 2);
    assert!(said.contains("raise the limit on file sizes"), "{said}");
    assert_eq!(all_whole(dir.path()), [path.clone()].into());
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(!has_temporaries(dir.path()));
}

/// Needs a mount of its own.
#[test]
fn a_full_or_read_only_store_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    if !mount::is_possible(dir.path()) {
        return;
    }
    let mounted = |options: &str| mount::tmpfs(options, dir.path());
    let full = in_shell(&mount::OWN, &mounted("size=64k"), dir.path(), FINDINGS);
    assert!(full.contains("free some space, or choose another directory"), "{full}");
    assert!(kept(&full).len() > 3, "{full}");
    let read_only = in_shell(&mount::OWN, &mounted("ro"), dir.path(), 1);
    assert!(read_only.contains("choose a directory that can be written"), "{read_only}");
}
