//! Many tasks.

use crate::find;
use pagerace::explore::Explorer;
use pagerace::sync::atomic::{AtomicUsize, Ordering};
use pagerace::sync::{Arc, Barrier};
use pagerace::thread;
use std::collections::BTreeSet;

/// The most tasks of a run, the first included.
const TASKS: usize = 256;

fn start(others: usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..others)
        .map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || count.fetch_add(1, Ordering::SeqCst))
        })
        .collect();
    let before: BTreeSet<_> = tasks.into_iter().map(|task| task.join().unwrap()).collect();
    assert_eq!(before.len(), others);
    assert_eq!(count.load(Ordering::SeqCst), others);
}

#[test]
fn as_many_tasks_run_as_there_may_be_and_no_more() {
    let report = Explorer::new().executions(30).run(|| start(TASKS - 1));
    assert!(report.finding.is_none(), "{}", report.finding.unwrap());
    assert!(report.distinct >= 25, "{}", report.distinct);
    let finding = find(|| start(TASKS));
    assert!(finding.to_string().contains("a run has at most 256 tasks"), "{finding}");
}

#[test]
fn all_of_them_wait_for_each_other() {
    let meet = |come: usize| {
        let barrier = Arc::new(Barrier::new(TASKS));
        let tasks: Vec<_> = (1..come)
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                thread::spawn(move || barrier.wait().is_leader())
            })
            .collect();
        let mine = barrier.wait().is_leader();
        let led = tasks.into_iter().map(|task| task.join().unwrap()).chain([mine]);
        assert_eq!(led.filter(|&led| led).count(), 1);
    };
    let report = Explorer::new().executions(5).run(|| meet(TASKS));
    assert!(report.finding.is_none(), "{}", report.finding.unwrap());
    let finding = find(|| meet(TASKS - 1));
    assert_eq!(finding.signature, "deadlock barrier0.wait");
}

#[test]
fn tasks_start_tasks_and_are_named_by_who_started_them() {
    let finding = find(|| {
        let task = thread::spawn(|| {
            drop(thread::spawn(|| ()));
            let last = thread::spawn(|| panic!("deep"));
            last.join().unwrap();
        });
        task.join().unwrap();
    });
    assert!(finding.to_string().starts_with("panic in main/1/2: deep\n"), "{finding}");
}
