//! Files that are no cases, and names that are no text: for each command an error with the path and
//! the next step, exit code 2, and the other files have their turn.
//!
//! What it is not: all that can be wrong in a text; the tests of the text form have that.

use crate::support::{LEAK, both, directory, expect, run, small, stderr, stdout, with_leak};
use std::fs::{self, File};
use std::path::Path;
use tempfile::TempDir;

/// Makes a bad file of a path.
type Make = fn(&Path);

/// Bad files by name.
const BAD: [(&str, Make); 9] = [
    ("empty", |path| fs::write(path, "").unwrap()),
    ("foreign", |path| fs::write(path, [0x7f, b'E', b'L', b'F', 0, 255]).unwrap()),
    ("truncated", |path| fs::write(path, &LEAK[..LEAK.len() / 3 + 4]).unwrap()),
    ("damaged", |path| fs::write(path, LEAK.replace("free_pages p0", "free_pagse p0")).unwrap()),
    ("newer", |path| fs::write(path, LEAK.replace("case v1", "case v2")).unwrap()),
    ("other", |path| fs::write(path, LEAK.replace("subject mm", "subject mn")).unwrap()),
    ("escape", |path| fs::write(path, LEAK.replace("by hand", "by \x1b[2Jhand")).unwrap()),
    ("folder", |path| fs::create_dir(path).unwrap()),
    // Sparse: takes no space.
    ("huge", |path| File::create(path).unwrap().set_len(1 << 30).unwrap()),
];

fn bytes_of(path: &Path) -> Option<Vec<u8>> {
    (path.is_file() && path.metadata().unwrap().len() < 1 << 20).then(|| fs::read(path).unwrap())
}

fn names_the_file(text: &str, file: &str, command: &[&str]) {
    assert!(text.starts_with("error: ") && text.contains(file), "{command:?}: {text}");
    assert!(text.contains("next: ") || text.contains("help: "), "{command:?}: {text}");
}

#[test]
fn bad_files_are_refused_with_their_path_and_a_next_step() {
    let dir = directory();
    let missing: (&str, Make) = ("missing", |_| ());
    for (name, make) in BAD.into_iter().chain([missing]) {
        let file = format!("{name}.case");
        make(&dir.path().join(&file));
        let before = bytes_of(&dir.path().join(&file));
        let commands: [&[&str]; 4] = [
            &["replay", &file],
            &["show", &file],
            &["minimize", &file, "-o", &file],
            &["corpus", "add", &file, "--corpus", "kept"],
        ];
        for command in commands {
            let (out, err) = both(&dir, 2, command);
            names_the_file(&err, &file, command);
            assert!(out.is_empty(), "{command:?}");
        }
        assert_eq!(bytes_of(&dir.path().join(&file)), before);
    }
    assert_eq!(fs::read_dir(dir.path().join("kept")).unwrap().count(), 0, "nothing was kept");
}

#[test]
fn bad_files_among_others_do_not_keep_those_from_being_replayed() {
    let dir = with_leak();
    let (out, err) = both(&dir, 2, &["replay", "gone.case", "small.case", "leak.case"]);
    names_the_file(&err, "gone.case", &["replay"]);
    assert!(out.contains("small.case: as expected") && out.contains("leak.case: shows"), "{out}");
}

/// A store with a good entry before and after the place of a bad one.
fn store_around() -> TempDir {
    let dir = with_leak();
    fs::create_dir(dir.path().join("kept")).unwrap();
    let loose = small(&dir).replace("\n  scan", "\n    scan");
    fs::write(dir.path().join("kept/a.case"), &loose).unwrap();
    // The same programs and another promise, so that no two entries promise the same.
    let passes = small(&dir).replace("free_pages=v5_9", "free_pages=v6_2");
    let line = passes.lines().find(|line| line.starts_with("expect")).unwrap();
    let schedule = passes.find("schedule:").unwrap();
    let passes = passes[..schedule].replace(line, "expect pass");
    fs::write(dir.path().join("kept/z.case"), passes).unwrap();
    expect(&dir, 0, &["corpus", "fmt", "--corpus", "kept"]);
    expect(&dir, 0, &["corpus", "check", "--corpus", "kept"]);
    fs::write(dir.path().join("kept/a.case"), loose).unwrap();
    dir
}

#[test]
fn bad_files_in_a_store_are_named_and_the_other_entries_have_their_turn() {
    for (name, make) in BAD {
        let dir = store_around();
        let file = format!("kept/m-{name}.case");
        make(&dir.path().join(&file));
        let before = bytes_of(&dir.path().join(&file));
        let commands: [(&[&str], &[&str]); 4] = [
            (&["races", "--matrix", "--corpus", "kept"], &["kept/a.case", "kept/z.case"]),
            // `a` is not in canonical form: a mismatch, which being unable to run outweighs.
            (
                &["corpus", "check", "--corpus", "kept"],
                &["kept/a.case: is not in", "kept/z.case: holds", "3 entries, 1 with problems, 1 "],
            ),
            (&["corpus", "fmt", "--corpus", "kept"], &["kept/a.case\n", "2 entries, 1 rewritten"]),
            (&["corpus", "export", "seeds", "--corpus", "kept"], &["2 files in seeds"]),
        ];
        for (command, words) in commands {
            let (out, err) = both(&dir, 2, command);
            names_the_file(&err, &file, command);
            for word in words {
                assert!(out.contains(word), "{command:?}: no {word:?} in {out}");
            }
        }
        assert_eq!(bytes_of(&dir.path().join(&file)), before);
        assert_eq!(fs::read_dir(dir.path().join("seeds")).unwrap().count(), 2);
    }
}

#[test]
fn an_entry_that_replays_wrongly_is_a_mismatch_and_no_error() {
    let dir = store_around();
    let wrong = small(&dir).replace("expect leak/", "expect lead/");
    fs::write(dir.path().join("kept/m.case"), wrong).unwrap();
    let (out, err) = both(&dir, 1, &["corpus", "check", "--corpus", "kept"]);
    assert!(out.contains("kept/m.case: expected `lead/") && err.is_empty(), "{out}{err}");
    fs::write(dir.path().join("kept/n.case"), "").unwrap();
    let (out, err) = both(&dir, 2, &["corpus", "check", "--corpus", "kept"]);
    assert!(out.contains("kept/m.case: expected `lead/"), "{out}");
    assert!(err.contains("kept/n.case"), "{err}");
}

#[test]
fn bad_files_in_place_of_a_store_are_refused() {
    let dir = with_leak();
    for corpus in ["small.case", "missing"] {
        let commands: [&[&str]; 4] = [
            &["races", "--matrix", "--corpus", corpus],
            &["corpus", "check", "--corpus", corpus],
            &["corpus", "fmt", "--corpus", corpus],
            &["corpus", "export", "seeds", "--corpus", corpus],
        ];
        for command in commands {
            let (out, err) = both(&dir, 2, command);
            names_the_file(&err, corpus, command);
            assert!(out.is_empty(), "{command:?}: {out}");
        }
    }
    let (_, err) = both(&dir, 2, &["races", "--matrix"]);
    assert!(err.contains("`--corpus`"), "{err}");
}

#[test]
fn an_entry_that_is_too_large_to_verify_is_refused() {
    let dir = with_leak();
    fs::create_dir(dir.path().join("kept")).unwrap();
    let text = small(&dir);
    let (head, _) = text.split_once("schedule:").unwrap();
    let mut large = format!("{head}schedule:\n");
    for n in 1..=100 {
        large.push_str(&format!("  at cpu0 op1 refcount.load#{n}: run cpu1\n"));
    }
    fs::write(dir.path().join("kept/large.case"), large).unwrap();
    for command in [&["corpus", "check"][..], &["races", "--matrix"]] {
        let command = [command, &["--corpus", "kept"]].concat();
        let (_, err) = both(&dir, 2, &command);
        names_the_file(&err, "kept/large.case", &command);
        assert!(err.contains("too large to verify"), "{err}");
    }
}

/// What is printed of a name with an escape sequence, and of its directory.
#[test]
fn names_do_not_reach_the_terminal_as_they_are() {
    let dir = with_leak();
    let odd = "odd\x1b[2J\n";
    fs::create_dir(dir.path().join(odd)).unwrap();
    let path = |name: &str| format!("{odd}/{name}\x1b[31m.case");
    fs::copy(dir.path().join("small.case"), dir.path().join(path("small"))).unwrap();
    fs::copy(dir.path().join("leak.case"), dir.path().join(path("leak"))).unwrap();
    fs::write(dir.path().join(path("bad")), "").unwrap();
    let (small, leak, bad) = (&path("small")[..], &path("leak")[..], &path("bad")[..]);
    let wrong = path("wrong");
    let text = fs::read_to_string(dir.path().join(small)).unwrap();
    fs::write(dir.path().join(&wrong), text.replace("expect leak/", "expect lead/")).unwrap();
    let hunt = "--seed=1 --executions=20000 --profile=current --set=tail_get=plain";
    let hunt: Vec<&str> = ["hunt", "--out", odd].into_iter().chain(hunt.split(' ')).collect();
    let commands: [(i32, &[&str]); 12] = [
        (2, &["replay", bad, small, leak, &wrong]),
        (0, &["show", small]),
        (2, &["show", bad]),
        (2, &["minimize", bad]),
        (2, &["minimize", small, "-o", &format!("{odd}/no/\x1b[2J")]),
        (2, &["corpus", "add", bad, "--corpus", odd]),
        (1, &["corpus", "add", &wrong, "--corpus", odd]),
        (0, &["corpus", "add", small, "--corpus", odd]),
        (2, &["corpus", "check", "--corpus", odd]),
        (2, &["corpus", "fmt", "--corpus", odd]),
        (2, &["races", "--matrix", "--corpus", odd]),
        (1, &hunt),
    ];
    for (code, command) in commands {
        // `both` looks for the escape.
        let (out, err) = both(&dir, code, command);
        assert!(out.contains("odd\u{fffd}[2J") || err.contains("odd\u{fffd}[2J"), "{out}{err}");
    }
    fs::remove_dir_all(dir.path().join(odd)).unwrap();
    fs::create_dir(dir.path().join("kept")).unwrap();
    expect(&dir, 0, &["corpus", "add", "small.case", "--corpus", "kept"]);
    let out = expect(&dir, 0, &["corpus", "export", odd, "--corpus", "kept"]);
    assert!(out.contains("1 file in odd\u{fffd}[2J\u{fffd};"), "{out}");
}

#[test]
fn a_command_that_is_shown_can_be_typed() {
    let dir = with_leak();
    for name in ["-x y.case", "it's.case"] {
        fs::copy(dir.path().join("small.case"), dir.path().join(name)).unwrap();
        let out = expect(&dir, 0, &["show", "--", name]);
        let command = out.lines().find(|line| line.contains(" replay ")).unwrap();
        let output = std::process::Command::new("sh")
            .args(["-c", command])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}: {}", stderr(&output));
    }
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

/// The bytes of a case on which the allocator of 5.9 loses frames, under a history of variants 0.
#[test]
fn bytes_with_a_history_of_their_own_run_under_it() {
    let dir = with_leak();
    expect(&dir, 0, &["corpus", "add", "leak.case", "--name", "one", "--corpus", "kept"]);
    expect(&dir, 0, &["corpus", "export", "seeds", "--corpus", "kept"]);
    let case = fs::read(dir.path().join("seeds/kept-one")).unwrap();
    // `free_pages` is the first switch, and the only one whose oldest variant it needs.
    for (variant, shows) in [(0, "leak/block/"), (2, "Its run shows nothing.")] {
        let record: Vec<u8> = std::iter::once(variant).chain([255; 15]).collect();
        fs::write(dir.path().join("crash"), [&record[..], &case].concat()).unwrap();
        let out = expect(&dir, 0, &["show", "--bytes", "--own-history", "crash"]);
        assert!(out.contains(shows), "{out}");
        if variant == 0 {
            assert!(out.contains("\nhistory free_pages=v5_9\n"), "{out}");
            assert!(out.contains("replay crash --bytes --own-history\n"), "{out}");
        }
    }
}

#[test]
fn bytes_that_have_no_history_of_their_own_are_refused() {
    let dir = directory();
    fs::write(dir.path().join("crash"), [7; 16]).unwrap();
    for (arguments, word) in
        [(&["--bytes", "--own-history"][..], "16 bytes"), (&["--own-history"], "--bytes")]
    {
        let output = run(&dir, &[&["show", "crash"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    }
}

#[test]
fn an_output_that_is_no_file_is_left_alone() {
    let dir = with_leak();
    let output = run(&dir, &["minimize", "leak.case", "-o", "."]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not a plain file"), "{}", stderr(&output));
    assert!(stdout(&output).is_empty());
}
