//! Three bugs of the classic kinds: found, made small, kept in a file, replayed from it, and silent once
//! corrected. And what is no such file.

use crate::{find, silent};
use pagerace::explore::{self, Explorer, Finding, Kind, ReplayError, Schedule};
use pagerace::sync::mpsc::channel;
use pagerace::sync::{Arc, Condvar, Mutex, RwLock};
use pagerace::thread;
use std::fs;
use std::path::PathBuf;

/// Finds a bug, keeps its schedule, and replays it from the file; then the corrected closure is silent,
/// and the schedule fails on it. Returns the finding and what the file says.
fn found_kept_and_replayed(
    name: &str,
    closure: impl Fn(bool),
    most_decisions: usize,
) -> (Finding, String) {
    let report = Explorer::new().seed(1).name(name).run(|| closure(false));
    let finding = report.finding.expect("it is found");
    assert!(finding.replays, "{finding}");
    assert!(finding.schedule.decisions.len() <= most_decisions, "{finding}");
    let directory = tempfile::tempdir().unwrap();
    let path = finding.schedule.save_in(directory.path()).unwrap();
    assert_eq!(path, directory.path().join(format!("{name}.schedule")));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
    let again = explore::replay(&path, || closure(false)).unwrap();
    assert_eq!((&again.kind, &again.signature), (&finding.kind, &finding.signature));
    assert!(again.replays);
    silent(|| closure(true));
    let corrected = explore::replay(&path, || closure(true)).unwrap_err();
    assert!(
        matches!(corrected, ReplayError::Silent { .. } | ReplayError::NotReached(_)),
        "{corrected}"
    );
    (finding, fs::read_to_string(path).unwrap())
}

/// The waiter looks at the flag before it takes the lock that the notifier sets it under.
fn lost_wake_up(corrected: bool) {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&shared);
    let waiter = thread::spawn(move || {
        let (ready, changed) = &*other;
        if corrected {
            let ready = ready.lock().unwrap();
            drop(changed.wait_while(ready, |ready| !*ready).unwrap());
        } else if !*ready.lock().unwrap() {
            drop(changed.wait(ready.lock().unwrap()).unwrap());
        }
    });
    let (ready, changed) = &*shared;
    *ready.lock().unwrap() = true;
    changed.notify_one();
    waiter.join().unwrap();
}

#[test]
fn a_lost_wake_up_is_found_kept_and_replayed() {
    let (finding, text) = found_kept_and_replayed("lost-wake-up", lost_wake_up, 2);
    assert_eq!(finding.signature, "deadlock condvar0.wait join");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..3],
        ["pagerace-schedule 1", "name lost-wake-up", "expect deadlock condvar0.wait join"]
    );
    assert_eq!(Schedule::parse(&text).unwrap(), finding.schedule);
}

/// Two readers that each want to write, and keep what they read.
fn upgrade(corrected: bool) {
    let lock = Arc::new(RwLock::new(0));
    let adds = move |lock: &RwLock<i32>| {
        let seen = lock.read().unwrap();
        let value = *seen;
        if corrected {
            drop(seen);
            let mut lock = lock.write().unwrap();
            *lock = value.max(*lock) + 1;
        } else {
            let mut lock = lock.write().unwrap();
            *lock = value + 1;
        }
    };
    let other = Arc::clone(&lock);
    let task = thread::spawn(move || adds(&other));
    adds(&lock);
    task.join().unwrap();
}

#[test]
fn an_upgrade_of_a_read_lock_is_found_kept_and_replayed() {
    let (finding, _) = found_kept_and_replayed("upgrade", upgrade, 1);
    let Kind::Deadlock(waits) = &finding.kind else { panic!("{finding}") };
    assert!(waits.iter().any(|wait| wait.what == "rwlock0.write"), "{finding}");
}

/// A request and the word to stop on two channels, or on one: the server may see the second first.
fn out_of_order(corrected: bool) {
    let (requests, inbox) = channel();
    let (stop, stopped) = channel();
    let server = thread::spawn(move || {
        let mut served = 0;
        loop {
            if stopped.try_recv().is_ok() {
                if corrected {
                    served += inbox.try_iter().count();
                }
                return served;
            }
            match inbox.try_recv() {
                Ok(()) => served += 1,
                Err(_) => thread::yield_now(),
            }
        }
    });
    requests.send(()).unwrap();
    stop.send(()).unwrap();
    assert_eq!(server.join().unwrap(), 1, "the request came first");
}

#[test]
fn a_wrong_order_of_channels_is_found_kept_and_replayed() {
    let (finding, _) = found_kept_and_replayed("channel-order", out_of_order, 2);
    assert_eq!(finding.signature, "panic assertion `left == right` failed: the request came first");
}

/// Writes a file, and gives the error of replaying it.
fn error_of(text: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.schedule");
    fs::write(&path, text).unwrap();
    let error = explore::replay(&path, || ()).unwrap_err();
    error.to_string().replace(path.to_str().unwrap(), "FILE")
}

#[test]
fn what_is_no_schedule_is_refused_with_the_line_and_the_next_step() {
    let cases: [(&[u8], &str, &str); 10] = [
        (b"", "FILE:1:1", "first line is `pagerace-schedule 1`"),
        (b"pagerace case v1\n", "FILE:1:1", "first line of one is `pagerace-schedule 1`"),
        (b"pagerace-schedule 2\nexpect x\n", "FILE:1:1", "this pagerace reads"),
        (b"pagerace-schedule 1\n", "FILE:1:", "add a line `expect"),
        (b"pagerace-schedule 1\nexpect x\nat main pint 1: run main/1\n", "FILE:3:", "write `at"),
        (b"pagerace-schedule 1\nexpect x\nat main point 0: run main/1\n", "FILE:3:15", "from 1"),
        (b"pagerace-schedule 1\nexpect x\nat main point 1: run other\n", "FILE:3:22", "main/1"),
        (b"pagerace-schedule 1\nexpect x\nexpcet y\n", "FILE:3:1", "did you mean `expect`"),
        (
            b"pagerace-schedule 1\nexpect x\nat main end: run main/1\nat main end: run main/2\n",
            "FILE:4:",
            "keep one",
        ),
        (b"\xff\xfe", "FILE", "Schedule::save"),
    ];
    for (text, place, next) in cases {
        let error = error_of(text);
        assert!(error.contains(place) && error.contains(next), "{error}");
    }
    let missing = explore::replay(PathBuf::from("/nowhere/x.schedule"), || ()).unwrap_err();
    assert!(missing.to_string().contains("next: check the path"), "{missing}");
}

#[test]
fn what_a_schedule_does_not_show_is_said() {
    let two = || {
        let task = thread::spawn(|| ());
        task.join().unwrap();
    };
    let replay = |text: &str| explore::replay_text(text, two).unwrap_err().to_string();
    let silent = replay("pagerace-schedule 1\nexpect deadlock join\n");
    assert!(silent.starts_with("nothing went wrong; `deadlock join` was expected"), "{silent}");
    let unreached = replay("pagerace-schedule 1\nexpect x\nat main point 9: run main/1\n");
    assert!(unreached.starts_with("`at main point 9: run main/1` was not reached"), "{unreached}");
    let text = "pagerace-schedule 1\nexpect deadlock join\n";
    let other = explore::replay_text(text, || panic!("something else")).unwrap_err().to_string();
    assert!(
        other.starts_with("`deadlock join` was expected; found instead:\npanic in main"),
        "{other}"
    );
}

#[test]
fn a_report_tells_who_did_what_and_how_to_see_it_again() {
    let finding = find(|| lost_wake_up(false));
    let text = finding.to_string();
    for part in [
        "deadlock: nobody can go on\n  main waits in main/1.join (",
        "\n  main/1 waits in condvar0.wait (",
        "signature   deadlock condvar0.wait join\n",
        "condvar0.notify_one  (tests/explore/stored.rs:",
        ": main goes on, chosen\n",
        "\npagerace-schedule 1\nexpect deadlock condvar0.wait join\nat main point 1: run main/1\n",
        "pagerace::explore::replay(path, closure)",
    ] {
        assert!(text.contains(part), "{part:?} is in\n{text}");
    }
    let schedule = &text[text.find("pagerace-schedule 1").unwrap()..];
    let schedule = &schedule[..schedule.find("\nTo replay").unwrap()];
    explore::replay_text(schedule, || lost_wake_up(false)).expect("the report's schedule replays");
}

#[test]
fn a_schedule_survives_its_text_and_a_file_that_was_there() {
    let text = "pagerace-schedule 1\nname all-of-it\nexpect panic it's # of # \u{e9}\n\
                at main point 12: run main/2/1\nat main/2 wait 1: run main\n\
                at main/10 end: run main/2\n";
    let schedule = Schedule::parse(text).unwrap();
    assert_eq!(schedule.to_string(), text);
    let commented = text.replace("at main/2", "# why\n\nat main/2");
    assert_eq!(Schedule::parse(&commented).unwrap(), schedule);
    let directory = tempfile::tempdir().unwrap();
    let path = schedule.save_in(directory.path()).unwrap();
    let other = Schedule { expect: "livelock".to_owned(), ..schedule };
    other.save(&path).unwrap();
    assert_eq!(Schedule::load(&path).unwrap(), other);
    let nowhere = other.save(directory.path().join("no/such/x.schedule")).unwrap_err();
    assert!(nowhere.to_string().contains("next: "), "{nowhere}");
}
