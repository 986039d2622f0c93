//! Stores that are shared, full, or whose writer is killed, at the command line: a clear error or
//! none, and never an entry lost or half written.
//!
//! What it is not: the store's own tests (`tests/store_stress.rs`).

use crate::mount;
use crate::support::{
    directory, expect, expect_line, run, small, spawn, stderr, stdout, with_leak,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A hunt that soon finds several signatures, reduces and keeps them.
fn hunt(seed: u64, executions: u64) -> Vec<String> {
    let line = format!(
        "hunt --seed {seed} --executions {executions} --profile current --set tail_get=plain --set multi_holder=both_free \
         --keep-going --out kept"
    );
    line.split_whitespace().map(str::to_owned).collect()
}

fn words(line: &[String]) -> Vec<&str> {
    line.iter().map(String::as_str).collect()
}

/// The store's files by what they promise: each is whole, and all replay as they promise.
fn whole(dir: &TempDir) -> BTreeMap<String, String> {
    let mut promises = BTreeMap::new();
    for file in fs::read_dir(dir.path().join("kept")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if is_temporary(&name) {
            continue;
        }
        let text = fs::read_to_string(dir.path().join("kept").join(&name)).unwrap();
        let promise =
            text.lines().find_map(|line| line.strip_prefix("expect ")).unwrap().to_owned();
        assert!(
            promises.insert(promise, format!("kept/{name}")).is_none(),
            "{name} is a second one"
        );
    }
    if !promises.is_empty() {
        let files = promises.values().map(String::as_str);
        expect(dir, 0, &std::iter::once("replay").chain(files).collect::<Vec<_>>());
    }
    promises
}

fn is_temporary(name: &str) -> bool {
    name.starts_with('.')
}

fn temporaries(dir: &TempDir) -> usize {
    let files = fs::read_dir(dir.path().join("kept")).unwrap().flatten();
    files.filter(|file| is_temporary(file.file_name().to_str().unwrap())).count()
}

#[test]
fn two_hunts_on_one_store_that_both_find_lose_nothing() {
    let dir = directory();
    for round in 0..2 {
        let hunts = [2 * round, 2 * round + 1].map(|seed| {
            let line = hunt(seed, 30_000);
            spawn(dir.path(), &[&words(&line)[..], &["--json"]].concat())
        });
        let outputs = hunts.map(|child| child.wait_with_output().unwrap());
        let there = whole(&dir);
        assert!(there.len() >= 2, "{there:?}");
        for output in outputs {
            assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
            let object: Value = serde_json::from_str(&stdout(&output)).unwrap();
            for finding in object["findings"].as_array().unwrap() {
                let word = |key: &str| finding[key].as_str().unwrap();
                let promise = format!("{} {}", word("signature"), word("kind"));
                assert_eq!(there[&promise], word("entry"), "{there:?}");
            }
        }
        assert_eq!(temporaries(&dir), 0);
    }
}

#[test]
fn a_store_that_lost_its_hunts_in_the_middle_is_whole() {
    let dir = directory();
    let (mut written, mut unreduced) = (0, 0);
    for moment in 0..50u64 {
        let line = hunt(moment, 10_000_000);
        let mut child = spawn(dir.path(), &words(&line));
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        // It has kept something; the moment is somewhere in what follows.
        let first = said.by_ref().map_while(Result::ok).find(|line| line.starts_with("found "));
        std::thread::sleep(Duration::from_micros((moment * 7919) % 40_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let there = whole(&dir);
        // `found SIGNATURE (KIND) in case...`: said once it is kept.
        for line in first.into_iter().chain(said.map_while(Result::ok)) {
            let Some((signature, rest)) =
                line.strip_prefix("found ").and_then(|line| line.split_once(" ("))
            else {
                continue;
            };
            let Some((kind, _)) = rest.split_once(") in case ") else { continue };
            assert!(there.contains_key(&format!("{signature} {kind}")), "{line}: {there:?}");
            written += 1;
        }
        unreduced += usize::from(there.values().any(|file| {
            fs::read_to_string(dir.path().join(file)).unwrap().contains("Not reduced yet")
        }));
        // Begin again now and then, so that entries are added and not only known.
        if moment % 5 == 4 {
            there.values().for_each(|file| fs::remove_file(dir.path().join(file)).unwrap());
        }
    }
    assert!(written >= 50 && unreduced > 0, "{written} findings, {unreduced} times unreduced");
    // What a writer leaves that is killed in the middle of a write.
    fs::write(dir.path().join("kept/.pagerace-1-0.tmp"), "pagerace ca").unwrap();
    expect(&dir, 1, &words(&hunt(1, 30_000)));
    assert_eq!(temporaries(&dir), 0);
    assert!(!whole(&dir).is_empty());
}

#[test]
fn a_store_that_is_no_directory_ends_the_hunt() {
    let dir = directory();
    fs::write(dir.path().join("file"), "").unwrap();
    let output = run(&dir, &["hunt", "--executions", "1", "--out", "file"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("file: cannot"), "{}", stderr(&output));
}

/// Hunts and minimizes into `kept`, where nothing can be written: both say why and end with 2, what
/// was found is printed, and what was in the store still is.
const INTO_FULL: &str = r#"
"$0" hunt --seed 1 --executions 50000 --profile current --set tail_get=plain --out kept
echo "hunt $?"
"$0" minimize leak.case -o kept/new.case
echo "minimize $?"
"$0" minimize leak.case -o kept/there.case
echo "again $?"
cmp kept/there.case small.case && echo intact
ls -A kept
"#;

/// What [`INTO_FULL`] says after `setup` in a shell that `shell` starts, where `reason` is why.
fn into_full(dir: &TempDir, shell: &[&str], setup: &str, reason: &str) {
    let script = format!("{setup}\n{INTO_FULL}");
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .args(["sh", "-c", &script, env!("CARGO_BIN_EXE_pagerace")])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let (out, err) = (stdout(&output), stderr(&output));
    let case = "this is its case, which the store does not take:\n\npagerace case v1\n";
    for said in ["hunt 2\n", "minimize 2\n", "again 2\n", "intact\n", case] {
        assert!(out.contains(said), "no {said:?} in {out}{err}");
    }
    assert_eq!(err.matches(reason).count(), 3, "{out}{err}");
    assert_eq!(err.matches("error: kept/").count() + err.matches("/kept/").count(), 3, "{err}");
    assert!(!out.contains(".tmp") && !out.contains("new.case"), "{out}");
}

#[test]
fn a_store_that_a_limit_on_file_sizes_closes_is_an_error() {
    let dir = with_leak();
    fs::create_dir(dir.path().join("kept")).unwrap();
    fs::write(dir.path().join("kept/there.case"), small(&dir)).unwrap();
    into_full(&dir, &["env"], "ulimit -f 0", "next: raise the limit on file sizes (`ulimit -f`)");
}

/// Needs a mount of its own.
#[test]
fn a_store_that_is_full_is_an_error() {
    let dir = with_leak();
    let kept = dir.path().join("kept");
    fs::create_dir(&kept).unwrap();
    if !mount::is_possible(&kept) {
        return;
    }
    let setup = format!(
        "{} && cp small.case kept/there.case; cat /dev/zero >kept/filler 2>/dev/null",
        mount::tmpfs("size=64k", &kept)
    );
    into_full(&dir, &mount::OWN, &setup, "next: free some space, or choose another directory");
}

#[test]
fn names_that_an_export_finds_taken_are_left_alone() {
    let dir = with_leak();
    // Two names that become one: `a-b` and `c`, `a` and `b-c`.
    for (store, name) in [("all/a-b", "c"), ("all/a", "b-c")] {
        let line = format!("corpus add small.case --name {name} --corpus {store}");
        expect_line(&dir, 0, &line);
    }
    let other = dir.path().join("all/a/b-c.case");
    let text = fs::read_to_string(&other).unwrap();
    fs::write(
        &other,
        text.replacen("scan frame=", "  scan frame=", 1).replace("frames=4", "frames=8"),
    )
    .unwrap();
    let export = ["corpus", "export", "seeds", "--corpus", "all"];
    let output = run(&dir, &export);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("seeds/a-b-c: the name is taken: all/a-b/c.case is not"), "{said}");
    assert!(said.contains("next: export to an empty directory, or rename the entry"), "{said}");
    assert!(stdout(&output).starts_with("1 file in seeds;"), "{}", stdout(&output));
    fs::remove_file(other).unwrap();
    // Where something else has the name, a link for example, it stays.
    fs::remove_dir_all(dir.path().join("seeds")).unwrap();
    fs::create_dir(dir.path().join("seeds")).unwrap();
    fs::write(dir.path().join("mine"), "mine").unwrap();
    std::os::unix::fs::symlink("../mine", dir.path().join("seeds/a-b-c")).unwrap();
    assert_eq!(run(&dir, &export).status.code(), Some(2));
    assert_eq!(fs::read(dir.path().join("mine")).unwrap(), b"mine");
    fs::remove_file(dir.path().join("seeds/a-b-c")).unwrap();
    // What is there already and the same is no obstacle, and what a killed one left goes away.
    fs::write(dir.path().join("seeds/.pagerace-1-0.tmp"), "x").unwrap();
    for _ in 0..2 {
        assert!(expect(&dir, 0, &export).starts_with("1 file in seeds;"));
    }
    assert_eq!(fs::read_dir(dir.path().join("seeds")).unwrap().count(), 1);
}
