//! Runs that end early: deadlocks, livelocks and panics while tasks hold guards, values and channels.

use crate::{find, silent};
use pagerace::explore::{Explorer, Kind};
use pagerace::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use pagerace::sync::mpsc::{Sender, channel};
use pagerace::sync::{Arc, Condvar, Mutex, RwLock};
use pagerace::thread::{self, JoinHandle};
use std::cell::Cell;
use std::sync::atomic::AtomicIsize;

/// Counts what is alive of it.
struct Counted(Arc<AtomicIsize>);

impl Counted {
    fn new(alive: &Arc<AtomicIsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn a_run_that_is_cut_leaks_nothing() {
    let alive = Arc::default();
    let made = Cell::new(0);
    let finding = find(|| {
        made.set(made.get() + 5);
        let lock = Arc::new((Mutex::new(Counted::new(&alive)), Condvar::new(), RwLock::new(())));
        let (sender, receiver) = channel();
        sender.send(Counted::new(&alive)).unwrap();
        let held = Counted::new(&alive);
        let (other, third) = (Arc::clone(&lock), Arc::clone(&lock));
        let kept = Counted::new(&alive);
        let waits = thread::spawn(move || {
            let _kept = kept;
            let _reads = other.2.read().unwrap();
            let guard = other.0.lock().unwrap();
            drop(other.1.wait(guard).unwrap());
        });
        let never_begun = Counted::new(&alive);
        let receives = thread::spawn(move || {
            let (_third, _it) = (third, never_begun);
            receiver.recv().unwrap();
            receiver.recv().map(drop)
        });
        let _guard = lock.0.lock().unwrap();
        waits.join().unwrap();
        drop((sender, held));
        receives.join().unwrap().unwrap();
    });
    assert!(matches!(finding.kind, Kind::Deadlock(_)), "{finding}");
    assert!(made.get() > 0);
    assert_eq!(alive.load(Ordering::SeqCst), 0, "all was dropped");
}

/// A pool whose destructor closes the channel and joins its workers.
struct Pool {
    jobs: Option<Sender<usize>>,
    workers: Vec<JoinHandle<usize>>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

#[test]
fn destructors_that_join_and_lock_work_in_runs_that_are_cut() {
    let finding = find(|| {
        let done = Arc::new(Mutex::new(0));
        let (jobs, inbox) = channel();
        let inbox = Arc::new(Mutex::new(inbox));
        let workers = (0..2)
            .map(|_| {
                let (inbox, done) = (Arc::clone(&inbox), Arc::clone(&done));
                thread::spawn(move || {
                    let mut mine = 0;
                    loop {
                        let job = inbox.lock().unwrap().recv();
                        let Ok(job) = job else { return mine };
                        mine += job;
                        *done.lock().unwrap() += job;
                    }
                })
            })
            .collect();
        let pool = Pool { jobs: Some(jobs), workers };
        pool.jobs.as_ref().unwrap().send(1).unwrap();
        assert_ne!(*done.lock().unwrap(), 1, "the job is not done yet");
        drop(pool);
    });
    assert_eq!(
        finding.signature,
        "panic assertion `left != right` failed: the job is not done yet"
    );
    // The same pool, with nothing to panic of.
    silent(|| {
        let (jobs, inbox) = channel();
        let workers = vec![thread::spawn(move || inbox.iter().sum())];
        drop(Pool { jobs: Some(jobs), workers });
    });
}

/// Takes a lock when it is dropped.
struct Logs(Arc<Mutex<Vec<u32>>>);

impl Drop for Logs {
    fn drop(&mut self) {
        if let Ok(mut log) = self.0.lock() {
            log.push(1);
        }
    }
}

#[test]
fn destructors_may_take_a_lock_that_another_task_holds_when_it_is_cut() {
    let finding = find(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (other, third) = (Arc::clone(&log), Arc::clone(&log));
        let never = Arc::new(Condvar::new());
        let waits = Arc::clone(&never);
        let task = thread::spawn(move || {
            let _held = third.lock().unwrap();
            let gate = Mutex::new(());
            drop(waits.wait(gate.lock().unwrap()).unwrap());
        });
        let _logs = Logs(other);
        task.join().unwrap();
    });
    assert_eq!(finding.signature, "deadlock condvar0.wait join");
}

#[test]
fn a_loop_that_never_ends_is_a_livelock_and_one_that_waits_for_a_turn_is_none() {
    let spins = |ends: bool, yields: bool| {
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        let task = thread::spawn(move || {
            while !other.load(Ordering::SeqCst) {
                if yields {
                    thread::yield_now();
                }
            }
        });
        let third = Arc::clone(&flag);
        let sets = thread::spawn(move || third.store(ends, Ordering::SeqCst));
        while !flag.load(Ordering::SeqCst) {}
        sets.join().unwrap();
        task.join().unwrap();
    };
    let finding = find(|| spins(false, false));
    assert_eq!(finding.signature, "livelock");
    assert!(matches!(finding.kind, Kind::Livelock { .. }));
    assert!(finding.schedule.decisions.is_empty(), "{finding}");
    let report = Explorer::new().executions(300).max_points(5_000).run(|| spins(true, false));
    assert!(report.finding.is_none(), "{}", report.finding.unwrap());
    silent(|| spins(true, true));
}

#[test]
fn a_loop_of_yields_alone_is_a_livelock_too() {
    let finding = find(|| {
        loop {
            thread::yield_now();
        }
    });
    assert_eq!(finding.signature, "livelock");
}

#[test]
fn a_closure_that_catches_the_cut_is_cut_again() {
    let finding = find(|| {
        let lock = Arc::new(Mutex::new(0));
        let other = Arc::clone(&lock);
        let task = thread::spawn(move || {
            let takes = || drop(other.lock());
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(takes));
            assert!(caught.is_err(), "it was cut");
            takes();
            unreachable!("it was cut again");
        });
        let _held = lock.lock().unwrap();
        task.join().unwrap();
    });
    assert_eq!(finding.signature, "deadlock join mutex0.lock");
}

#[test]
fn accesses_of_a_task_that_panics_are_made_and_nothing_is_decided() {
    // The destructor of the value counts while its task unwinds.
    struct Counts(Arc<AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    silent(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let counts = Counts(Arc::clone(&count));
        let task = thread::spawn(move || {
            let _counts = counts;
            panic!("as planned");
        });
        assert!(task.join().is_err());
        assert_eq!(count.load(Ordering::SeqCst), 1);
    });
}

/// Set for the process that is to end.
const CHILD: &str = "PAGERACE_TEST_CHILD";

#[test]
fn a_destructor_that_waits_for_what_nobody_does_ends_the_process_and_says_so() {
    struct Waits(Condvar);
    impl Drop for Waits {
        fn drop(&mut self) {
            let gate = Mutex::new(());
            drop(self.0.wait(gate.lock().unwrap()));
        }
    }
    if std::env::var_os(CHILD).is_some() {
        find(|| {
            let _waits = Waits(Condvar::new());
            panic!("on the way");
        });
    }
    let name = "cuts::a_destructor_that_waits_for_what_nobody_does_ends_the_process_and_says_so";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", name, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        said.contains("a destructor waited for what no task would do any more.\n  next: "),
        "{said}"
    );
}
