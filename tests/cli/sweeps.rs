//! Sweeps: what they print, keep and say, and how they go on.
//!
//! What it is not: what a sweep finds (`sweep`'s own tests).

use crate::support::{both, directory, expect, expect_line, run, spawn, stderr};
use serde_json::Value;
use std::fs;
use std::io::ErrorKind;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A block that its only CPU allocates and frees.
const BLOCK: &str = "pagerace case v1
subject mm
cpus 1 first 0
history free_pages=v5_9

cpu0:
  p0 = alloc order=1
  free_pages p0
";

fn with_block() -> TempDir {
    let dir = directory();
    fs::write(dir.path().join("block.case"), BLOCK).unwrap();
    dir
}

/// A sweep's object without its time.
fn object(out: &str) -> Value {
    let mut object: Value = serde_json::from_str(out).unwrap();
    assert!(object["seconds"].take().is_number());
    object
}

#[test]
fn a_sweep_of_a_file_shows_what_it_finds_and_keeps_it_if_asked() {
    let dir = with_block();
    let out = expect_line(&dir, 1, "sweep block.case");
    for part in [
        "block.case, at most 20,000 runs each\n",
        "found leak/block/spec (race) in case 1\n",
        "hold frame=0",
        "an injected reference",
        "without an injected reference: leak/block/scan (race)\n\npagerace case v1\n",
        "\nleak/block/spec  race",
    ] {
        assert!(out.contains(part), "no {part:?} in {out}");
    }
    assert!(!dir.path().join("kept").exists());
    let out = expect_line(&dir, 1, "sweep block.case --out kept");
    assert!(out.contains("kept as kept/leak-block-spec.case\n"), "{out}");
    assert!(out.contains("(race), in kept/leak-block-scan.case\n"), "{out}");
    let checked = expect_line(&dir, 0, "corpus check --corpus kept");
    assert!(checked.contains("2 entries, 0 with problems"), "{checked}");
    let out = expect_line(&dir, 0, "sweep block.case --profile current --all");
    assert!(out.ends_with("nothing found\n"), "{out}");
    let out = expect_line(&dir, 0, "sweep block.case --profile current --runs 3");
    assert!(out.contains("cut at 3 runs"), "{out}");
    let out = expect_line(&dir, 0, "minimize kept/leak-block-spec.case");
    assert!(out.contains("expect leak/block/spec race\n"), "{out}");
    // Bytes have no such operation: what is left of the case is no finding.
    expect_line(&dir, 0, "corpus export seeds --corpus kept");
    expect_line(&dir, 0, "replay --bytes seeds/kept-leak-block-spec --profile linux-5.9");
}

#[test]
fn what_cannot_be_swept_says_why() {
    let dir = with_block();
    fs::write(dir.path().join("wide.case"), BLOCK.replace("cpus 1", "cpus 4")).unwrap();
    let leak = BLOCK.replace("cpus 1", "cpus 2").replace("cpu0:", "cpu1:\n  hold frame=0\ncpu0:");
    fs::write(dir.path().join("held.case"), leak).unwrap();
    for (file, word) in [("wide.case", "3 CPUs"), ("held.case", "already"), ("none", "open it")] {
        let output = run(&dir, &["sweep", file]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        let error = stderr(&output);
        assert!(error.contains(word) && error.contains("next:"), "{error}");
    }
}

#[test]
fn a_sweep_of_one_seed_is_always_the_same() {
    let dir = directory();
    let line = "sweep --random 150 --seed 1 --profile linux-5.9 --json";
    let (first, second) = (expect_line(&dir, 1, line), expect_line(&dir, 1, line));
    assert_eq!(object(&first), object(&second));
    let object = object(&first);
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let documented = "schema version subject seed profile history cpus fields all runs_per_case seconds cases drawn \
         show_by_themselves too_large runs places tried cut findings";
    assert_eq!(keys, documented.split_whitespace().collect::<Vec<_>>());
    assert_eq!((&object["schema"], &object["cases"]), (&1.into(), &150.into()));
    let keys: Vec<&str> =
        object["findings"][0].as_object().unwrap().keys().map(String::as_str).collect();
    let documented = "signature class kind first_case count cpus ops switches entry case concrete";
    assert_eq!(keys, documented.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn a_killed_sweep_goes_on_where_it_was_with_the_same_result() {
    let dir = directory();
    let line = "sweep --random 3000 --seed 1 --profile current --set free_pages=v5_9 --json";
    let whole = object(&expect_line(&dir, 1, line));
    let line = format!("{line} --state state.json");
    let words: Vec<&str> = line.split(' ').collect();
    let state = dir.path().join("state.json");
    let (mut wait, mut killed) = (150, 0);
    loop {
        let mut child = spawn(dir.path(), &words);
        let started = Instant::now();
        let mut ended = None;
        while started.elapsed() < Duration::from_millis(wait) && ended.is_none() {
            std::thread::sleep(Duration::from_millis(5));
            ended = child.try_wait().unwrap();
        }
        if ended.is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // On a busy machine it may have been killed before it wrote anything.
        let left = match fs::read(&state) {
            Err(error) if error.kind() == ErrorKind::NotFound && killed == 0 => None,
            left => Some(left.unwrap()),
        };
        if let Some(left) = left {
            let left: Value = serde_json::from_slice(&left).unwrap();
            assert!(left["done"]["cases"].as_u64().unwrap() <= 3000, "{left}");
            killed += 1;
        }
        wait *= 2;
    }
    assert!(killed > 0, "it was killed at least once with a state to go on from");
    let resumed = object(&expect(&dir, 1, &words));
    assert_eq!(resumed, whole);
    // Once more: nothing is left to do, and more can be asked for.
    assert_eq!(object(&expect(&dir, 1, &words)), whole);
    let more = line.replace("--random 3000", "--random 3020");
    let more = object(&expect_line(&dir, 1, &more));
    let direct = line.replace("--random 3000", "--random 3020").replace(" --state state.json", "");
    assert_eq!(more, object(&expect_line(&dir, 1, &direct)));
}

#[test]
fn without_a_seed_the_same_command_goes_on_with_the_same_one() {
    let dir = directory();
    let line = "sweep --random 3 --state state.json";
    let seed = |out: &str, after: &str| {
        let seed = out.lines().find_map(|line| line.strip_prefix("seed ")).unwrap();
        let (seed, why) = seed.split_once(' ').unwrap();
        assert!(why.starts_with(after), "{out}");
        seed.to_owned()
    };
    let first = expect_line(&dir, 0, line);
    let again = expect_line(&dir, 0, line);
    assert_eq!(seed(&first, "(drawn;"), seed(&again, "(of the state)"));
    assert!(again.contains("\ngoing on after "), "{again}");
}

#[test]
fn a_file_is_gone_on_with_as_well() {
    let dir = with_block();
    let line = "sweep block.case --json --state state.json";
    let first = object(&expect_line(&dir, 1, line));
    let (out, err) = both(&dir, 1, &line.split(' ').collect::<Vec<_>>());
    assert_eq!(object(&out), first);
    assert!(err.contains("going on after "), "{err}");
}

#[test]
fn a_state_that_is_not_this_sweeps_is_left_alone() {
    let dir = with_block();
    let state = dir.path().join("state.json");
    let line = "sweep --random 3 --seed 1 --state state.json";
    expect_line(&dir, 0, line);
    let there = fs::read(&state).unwrap();
    let refused = |line: &str, word: &str| {
        let output = run(&dir, &line.split(' ').collect::<Vec<_>>());
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(word) && error.contains("next:"), "{error}");
    };
    refused("sweep --random 3 --seed 2 --state state.json", "another `seed`: 1 there, 2 here");
    refused("sweep block.case --state state.json", "another `case`");
    assert_eq!(fs::read(&state).unwrap(), there);
    fs::write(&state, &there[..there.len() / 2]).unwrap();
    refused(line, "damaged");
    assert_eq!(fs::read(&state).unwrap(), there[..there.len() / 2]);
    refused("sweep --random 3 --seed 1 --state none/state.json", "none/state.json");
    let mut other: Value = serde_json::from_slice(&there).unwrap();
    other["program"] = "0123456789abcdef".into();
    fs::write(&state, other.to_string()).unwrap();
    refused(line, "of another program");
    // Two processes: the second one is refused, and the first one does not notice.
    fs::write(&state, &there).unwrap();
    let long = "sweep --random 1000000 --seed 3 --state two.json";
    let mut child = spawn(dir.path(), &long.split(' ').collect::<Vec<_>>());
    while !dir.path().join("two.json").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    refused(long, "another process");
    child.kill().unwrap();
    child.wait().unwrap();
}
