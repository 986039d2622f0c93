//! `pagerace::thread`: what std's threads do, these do.

use crate::{find, silent};
use pagerace::explore::Kind;
use pagerace::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use pagerace::sync::mpsc::channel;
use pagerace::sync::{Arc, Mutex};
use pagerace::thread;
use std::panic::resume_unwind;
use std::time::Duration;

#[test]
fn a_panic_is_what_join_returns() {
    silent(|| {
        let task = thread::spawn(|| -> u32 { panic!("on purpose") });
        let payload = task.join().unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"on purpose"));
        let task = thread::spawn(|| -> u32 { panic!("{:?}", thread::current().name()) });
        assert_eq!(task.join().unwrap_err().downcast_ref::<String>().unwrap(), "None");
        assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
    });
}

#[test]
fn a_panic_that_nobody_handles_is_a_finding_of_the_one_that_panicked() {
    let by_unwrap = find(|| thread::spawn(|| panic!("first")).join().unwrap());
    let by_raising = find(|| {
        thread::spawn(|| panic!("first")).join().unwrap_or_else(|payload| resume_unwind(payload));
    });
    let detached = find(|| drop(thread::spawn(|| panic!("first"))));
    let not_joined = find(|| std::mem::forget(thread::spawn(|| panic!("first"))));
    // It holds up another, which is not what is told.
    let in_the_way = find(|| {
        let (sender, receiver) = channel::<()>();
        let kept = sender.clone();
        let task = thread::spawn(move || {
            let _sender = sender;
            panic!("first");
        });
        let _ = (receiver.recv(), kept, task);
    });
    for finding in [by_unwrap, by_raising, detached, not_joined, in_the_way] {
        assert_eq!(finding.signature, "panic first");
        let Kind::Panic { task, place, .. } = &finding.kind else { panic!("{finding}") };
        assert_eq!(task.to_string(), "main/1");
        assert!(place.as_ref().unwrap().starts_with("tests/explore/threads.rs:"), "{place:?}");
    }
}

#[test]
fn a_poisoned_mutex_is_as_in_std() {
    silent(|| {
        let lock = Arc::new(Mutex::new(1));
        let other = Arc::clone(&lock);
        let task = thread::spawn(move || {
            let _held = other.lock().unwrap();
            panic!("while it is held");
        });
        assert!(task.join().is_err());
        assert!(lock.is_poisoned());
        assert_eq!(*lock.lock().unwrap_err().into_inner(), 1);
        lock.clear_poison();
        assert!(lock.lock().is_ok());
    });
}

#[test]
fn tasks_without_handles_may_be_left_waiting_and_others_may_not() {
    let leave = |detach: bool| {
        let (sender, receiver) = channel::<()>();
        let kept = Arc::new(sender);
        let other = Arc::clone(&kept);
        let task = thread::spawn(move || {
            let _other = other;
            receiver.recv()
        });
        if detach {
            drop(task);
        } else {
            std::mem::forget(task);
        }
    };
    silent(|| leave(true));
    assert_eq!(find(|| leave(false)).signature, "deadlock channel0.recv");
}

#[test]
fn parking_waits_for_a_token_that_is_kept() {
    let park = |unpark_always: bool| {
        let ready = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&ready);
        let sleeper = thread::spawn(move || {
            if !other.load(Ordering::SeqCst) {
                thread::park();
            }
        });
        if unpark_always {
            ready.store(true, Ordering::SeqCst);
            sleeper.thread().unpark();
        } else {
            // Looks asleep.
            ready.store(true, Ordering::SeqCst);
            let _ = sleeper.thread().id();
        }
        sleeper.join().unwrap();
    };
    silent(|| park(true));
    assert_eq!(find(|| park(false)).signature, "deadlock join park");
}

#[test]
fn a_parked_task_with_a_timeout_goes_on() {
    silent(|| {
        thread::park_timeout(Duration::from_secs(1));
        thread::sleep(Duration::from_secs(1));
        thread::current().unpark();
        thread::park();
    });
}

#[test]
fn tasks_know_who_they_are() {
    silent(|| {
        let main = thread::current();
        assert_eq!((main.name(), main.id()), (Some("main"), thread::current().id()));
        let named = thread::Builder::new().name("worker".to_owned()).stack_size(1);
        let task = named.spawn(|| thread::current().name().map(str::to_owned)).unwrap();
        assert_ne!(task.thread().id(), main.id());
        assert_eq!(task.join().unwrap().as_deref(), Some("worker"));
    });
}

#[test]
fn scoped_tasks_borrow_and_are_waited_for() {
    silent(|| {
        let mut parts = [1, 2, 3];
        let sum = AtomicUsize::new(0);
        let joined = thread::scope(|scope| {
            for part in &mut parts {
                let sum = &sum;
                scope.spawn(move || {
                    sum.fetch_add(*part, Ordering::SeqCst);
                    *part = 0;
                });
            }
            scope.spawn(|| 5).join().unwrap()
        });
        assert_eq!((sum.load(Ordering::SeqCst), parts, joined), (6, [0, 0, 0], 5));
    });
}

#[test]
fn a_scoped_task_that_panics_panics_the_scope_unless_it_is_joined() {
    silent(|| {
        let joined = thread::scope(|scope| scope.spawn(|| panic!("told")).join().is_err());
        assert!(joined);
        let task =
            thread::spawn(|| thread::scope(|scope| drop(scope.spawn(|| panic!("handed on")))));
        assert!(task.join().is_err());
    });
    let finding = find(|| {
        thread::scope(|scope| {
            scope.spawn(|| panic!("first"));
        });
    });
    assert_eq!(finding.signature, "panic first", "{finding}");
}

#[test]
fn scoped_tasks_unwind_before_what_they_borrow_is_gone() {
    let finding = find(|| {
        let lock = Mutex::new(vec![1]);
        let other = Mutex::new(());
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut held = lock.lock().unwrap();
                let _other = other.lock().unwrap();
                held.push(2);
            });
            let _other = other.lock().unwrap();
            let _held = lock.lock().unwrap();
        });
    });
    assert_eq!(finding.signature, "deadlock mutex0.lock mutex1.lock");
}
