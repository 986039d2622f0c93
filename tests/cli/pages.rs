//! The pages of the races on record are what the program says, and `ci/race-pages.sh --check` sees it when
//! they are not.
//!
//! What it is not: a judge of what is written by hand there. The cases in it are run by `tests/record.rs`.

use crate::support::{directory, stderr, stdout};
use pagerace::subject::mm::SPEC;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A copy of what the script reads, so that it can be spoilt.
fn tree() -> TempDir {
    let (root, dir) = (Path::new(env!("CARGO_MANIFEST_DIR")), directory());
    for part in ["ci", "docs", "corpus"] {
        copy(&root.join(part), &dir.path().join(part));
    }
    dir
}

fn script(dir: &TempDir, options: &[&str]) -> Output {
    Command::new("bash")
        .arg(dir.path().join("ci/race-pages.sh"))
        .args(options)
        .env("PROGRAM", env!("CARGO_BIN_EXE_pagerace"))
        .output()
        .unwrap()
}

#[track_caller]
fn check(dir: &TempDir, code: i32, words: &str) {
    let output = script(dir, &["--check"]);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{said}");
}

/// Changes a document of the copy.
fn edit(dir: &TempDir, document: &str, from: &str, to: &str) {
    let path = dir.path().join(document);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{document}: {from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

const PAGE: &str = "docs/races/nc-free-leak.md";

#[test]
fn the_pages_show_what_the_program_says() {
    let count = SPEC.races.len();
    check(&tree(), 0, &format!("{count} pages in docs/races/ show what the program says"));
}

#[test]
fn a_stale_page_is_seen_and_written_anew() {
    let dir = tree();
    edit(&dir, PAGE, "\nlost        f1\n", "\nlost        f2\n");
    edit(&dir, PAGE, "## Against the record\n", "## Against the record\n\nBy hand.\n");
    check(&dir, 1, "are stale; run: bash ci/race-pages.sh\n");
    let output = script(&dir, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    check(&dir, 0, &format!("{} pages", SPEC.races.len()));
    let page = fs::read_to_string(dir.path().join(PAGE)).unwrap();
    assert!(page.contains("\nlost        f1\n") && page.contains("\nBy hand.\n"), "{page}");
}

#[test]
fn a_size_that_is_not_the_entry_s_is_seen() {
    let dir = tree();
    edit(
        &dir,
        "docs/races.md",
        "\ncorpus/seed_race/nc-free-leak.case            2 ",
        "\nanother.case  2 ",
    );
    check(&dir, 1, "docs/races.md is stale; run: bash ci/race-pages.sh\n");
}

#[test]
fn a_page_without_its_part_by_hand_is_seen() {
    let dir = tree();
    fs::remove_file(dir.path().join(PAGE)).unwrap();
    check(&dir, 1, "stale");
    assert_eq!(script(&dir, &[]).status.code(), Some(0), "it is written, but for the part by hand");
    check(&dir, 1, "say nothing of the record; write it there");
}

#[test]
fn a_hunt_for_other_races_is_seen() {
    let dir = tree();
    edit(
        &dir,
        "docs/races.md",
        "\nnc-free-leak           free_pages=v5_9    ",
        "\nnc-free-leaks          free_pages=v5_9    ",
    );
    check(&dir, 1, "races on record; run: bash ci/race-pages.sh --hunt\n");
}
