//! `pagerace::sync`: what std's types do, these do, and what std leaves open the schedule decides.

use crate::{find, silent};
use pagerace::explore::Explorer;
use pagerace::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicUsize, Ordering, fence,
};
use pagerace::sync::mpsc::{RecvTimeoutError, TryRecvError, TrySendError, channel, sync_channel};
use pagerace::sync::{Arc, Barrier, Condvar, Mutex, Once, OnceLock, RwLock, TryLockError};
use pagerace::thread;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

/// The different outcomes of a closure.
fn outcomes<T: Ord>(closure: impl Fn() -> T) -> BTreeSet<T> {
    let seen = RefCell::new(BTreeSet::new());
    let report = Explorer::new().executions(500).run(|| {
        let outcome = closure();
        seen.borrow_mut().insert(outcome);
    });
    if let Some(finding) = report.finding {
        panic!("{finding}");
    }
    seen.into_inner()
}

#[test]
fn atomics_do_as_in_std() {
    silent(|| {
        let order = Ordering::AcqRel;
        let int = AtomicI64::new(5);
        assert_eq!(int.fetch_add(1, order), 5);
        assert_eq!(int.fetch_sub(10, order), 6);
        assert_eq!(int.fetch_max(3, order), -4);
        assert_eq!(int.fetch_min(1, order), 3);
        assert_eq!(int.fetch_xor(3, order), 1);
        assert_eq!(int.fetch_or(4, order), 2);
        assert_eq!(int.fetch_and(12, order), 6);
        assert_eq!(int.swap(9, order), 4);
        let double = |n: i64| n.checked_mul(2);
        assert_eq!(int.fetch_update(Ordering::SeqCst, Ordering::SeqCst, double), Ok(9));
        assert_eq!(int.compare_exchange_weak(1, 2, order, Ordering::Relaxed), Err(18));
        fence(Ordering::SeqCst);
        assert_eq!(int.into_inner(), 18);
        let mut byte = AtomicU8::new(255);
        assert_eq!(byte.fetch_add(2, order), 255);
        *byte.get_mut() += 1;
        assert_eq!(byte.load(Ordering::Acquire), 2);
        let flag = AtomicBool::default();
        assert!(!flag.fetch_or(true, order) && flag.fetch_xor(true, order));
        assert!(!flag.fetch_and(true, order));
        let mut value = 3;
        let pointer = AtomicPtr::new(&raw mut value);
        let old = pointer.swap(std::ptr::null_mut(), order);
        assert_eq!(
            pointer.compare_exchange(old, old, order, Ordering::Relaxed),
            Err(std::ptr::null_mut())
        );
        pointer.store(old, Ordering::Release);
        assert_eq!(pointer.load(Ordering::Acquire), old);
    });
}

#[test]
fn a_lock_that_is_tried_is_taken_or_not() {
    let seen = outcomes(|| {
        let lock = Arc::new(Mutex::new(0));
        let other = Arc::clone(&lock);
        let task = thread::spawn(move || match other.try_lock() {
            Ok(mut value) => {
                *value += 1;
                true
            }
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Poisoned(_)) => unreachable!("nobody panics"),
        });
        let mut held = lock.lock().unwrap();
        *held += 1;
        thread::yield_now();
        drop(held);
        let took = task.join().unwrap();
        assert_eq!(*lock.lock().unwrap(), 1 + i32::from(took));
        took
    });
    assert_eq!(seen.len(), 2);
}

#[test]
fn readers_share_and_writers_do_not() {
    let both_read = outcomes(|| {
        let shared = Arc::new((RwLock::new(()), AtomicUsize::new(0)));
        let other = Arc::clone(&shared);
        let most = Arc::new(AtomicUsize::new(0));
        let other_most = Arc::clone(&most);
        let read = |shared: &(RwLock<()>, AtomicUsize), most: &AtomicUsize| {
            let _held = shared.0.read().unwrap();
            most.fetch_max(1 + shared.1.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
            assert!(shared.0.try_write().is_err() && shared.0.try_read().is_ok());
            shared.1.fetch_sub(1, Ordering::SeqCst);
        };
        let task = thread::spawn(move || read(&other, &other_most));
        read(&shared, &most);
        task.join().unwrap();
        most.load(Ordering::SeqCst)
    });
    assert_eq!(both_read, BTreeSet::from([1, 2]));
    silent(|| {
        let shared = Arc::new(RwLock::new(0));
        let other = Arc::clone(&shared);
        let task = thread::spawn(move || {
            let mut held = other.write().unwrap();
            *held += 1;
            thread::yield_now();
            *held += 1;
        });
        assert!([0, 2].contains(&*shared.read().unwrap()));
        task.join().unwrap();
    });
}

#[test]
fn any_waiter_may_be_woken_and_only_one_is() {
    let woken = outcomes(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut waiting = shared.0.lock().unwrap();
                    *waiting += 1;
                    drop(shared.1.wait(waiting).unwrap());
                })
            })
            .collect();
        while *shared.0.lock().unwrap() < 3 {
            thread::yield_now();
        }
        shared.1.notify_one();
        while !tasks.iter().any(thread::JoinHandle::is_finished) {
            thread::yield_now();
        }
        let ended: Vec<_> = tasks.iter().map(thread::JoinHandle::is_finished).collect();
        assert_eq!(ended.iter().filter(|&&ended| ended).count(), 1, "one notification wakes one");
        shared.1.notify_all();
        tasks.into_iter().for_each(|task| task.join().unwrap());
        ended
    });
    assert_eq!(woken.len(), 3);
}

#[test]
fn two_notifications_wake_two() {
    silent(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut waiting = shared.0.lock().unwrap();
                    *waiting += 1;
                    drop(shared.1.wait(waiting).unwrap());
                })
            })
            .collect();
        while *shared.0.lock().unwrap() < 2 {
            thread::yield_now();
        }
        shared.1.notify_one();
        shared.1.notify_one();
        tasks.into_iter().for_each(|task| task.join().unwrap());
    });
}

#[test]
fn a_wait_with_a_timeout_ends_either_way_and_is_no_deadlock() {
    let seen = outcomes(|| {
        let shared = Arc::new((Mutex::new(()), Condvar::new()));
        let other = Arc::clone(&shared);
        let task = thread::spawn(move || other.1.notify_one());
        let held = shared.0.lock().unwrap();
        let (held, result) = shared.1.wait_timeout(held, Duration::from_secs(3600)).unwrap();
        drop(held);
        task.join().unwrap();
        result.timed_out()
    });
    assert_eq!(seen.len(), 2);
    silent(|| {
        let (lock, condvar) = (Mutex::new(0), Condvar::new());
        let held = lock.lock().unwrap();
        let result = condvar.wait_timeout_while(held, Duration::ZERO, |n| *n == 0).unwrap().1;
        assert!(result.timed_out(), "nobody would wake it");
    });
}

#[test]
fn a_barrier_lets_all_go_at_once_every_time() {
    silent(|| {
        let barrier = Arc::new(Barrier::new(2));
        let other = Arc::clone(&barrier);
        let task = thread::spawn(move || (0..2).filter(|_| other.wait().is_leader()).count());
        let mine = (0..2).filter(|_| barrier.wait().is_leader()).count();
        assert_eq!(task.join().unwrap() + mine, 2);
    });
}

#[test]
fn what_is_done_once_is_done_before_others_go_on() {
    silent(|| {
        let once = Arc::new((OnceLock::new(), Once::new(), AtomicUsize::new(0)));
        let other = Arc::clone(&once);
        let run = |once: &(OnceLock<usize>, Once, AtomicUsize)| {
            let value = *once.0.get_or_init(|| once.2.fetch_add(1, Ordering::SeqCst));
            once.1.call_once(|| {
                once.2.fetch_add(10, Ordering::SeqCst);
            });
            assert!(once.1.is_completed() && once.0.set(5).is_err());
            value
        };
        let task = thread::spawn(move || run(&other));
        assert_eq!(run(&once), task.join().unwrap());
        assert_eq!(once.2.load(Ordering::SeqCst), 11);
    });
    // As in std, a Once whose work panicked panics everybody; the lock may be tried again.
    silent(|| {
        let once = Arc::new((OnceLock::new(), Once::new()));
        let other = Arc::clone(&once);
        let task = thread::spawn(move || other.1.call_once(|| panic!("not done")));
        assert!(task.join().is_err() && !once.1.is_completed());
        let other = Arc::clone(&once);
        assert!(thread::spawn(move || other.1.call_once(|| ())).join().is_err());
        let other = Arc::clone(&once);
        let task = thread::spawn(move || *other.0.get_or_init(|| panic!("no value")));
        assert!(task.join().is_err() && once.0.get().is_none());
        assert_eq!(*once.0.get_or_init(|| 3), 3);
    });
}

#[test]
fn channels_keep_the_order_and_the_end() {
    silent(|| {
        let (sender, receiver) = channel();
        let task = thread::spawn(move || (0..3).for_each(|n| sender.send(n).unwrap()));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        task.join().unwrap();
        let (sender, receiver) = channel();
        drop(receiver);
        assert_eq!(sender.send(7).unwrap_err().0, 7);
    });
    // Between its last message and its end a sender can be seen to be there.
    let seen = outcomes(|| {
        let (sender, receiver) = channel();
        let task = thread::spawn(move || drop(sender.send(()).map(|()| sender)));
        receiver.recv().unwrap();
        let last = receiver.try_recv().unwrap_err() == TryRecvError::Empty;
        task.join().unwrap();
        last
    });
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_channel_with_room_makes_senders_wait() {
    let fits = |room: usize| {
        let (sender, receiver) = sync_channel(room);
        let other = sender.clone();
        let task = thread::spawn(move || {
            other.send(1).unwrap();
            other.send(2).unwrap();
        });
        drop(sender);
        std::mem::forget(receiver);
        task.join().unwrap();
    };
    silent(|| fits(2));
    assert_eq!(find(|| fits(1)).signature, "deadlock channel0.send join");
    silent(|| {
        let (sender, receiver) = sync_channel(1);
        assert!(sender.try_send(1).is_ok());
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        assert_eq!(receiver.recv(), Ok(1));
        drop(receiver);
        assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));
    });
}

#[test]
fn a_channel_without_room_hands_over() {
    silent(|| {
        let (sender, receiver) = sync_channel(0);
        let taken = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&taken);
        let task = thread::spawn(move || {
            sender.send(1).unwrap();
            assert!(other.load(Ordering::SeqCst), "it was taken");
            sender.send(2)
        });
        taken.store(true, Ordering::SeqCst);
        assert_eq!(receiver.recv(), Ok(1));
        drop(receiver);
        assert_eq!(task.join().unwrap().unwrap_err().0, 2);
    });
    let tried = outcomes(|| {
        let (sender, receiver) = sync_channel(0);
        let task = thread::spawn(move || receiver.recv_timeout(Duration::from_millis(1)));
        let sent = sender.try_send(1).is_ok();
        drop(sender);
        let got = task.join().unwrap();
        assert_eq!(sent, got.is_ok());
        assert!(
            sent || matches!(got, Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected))
        );
        got.ok()
    });
    assert_eq!(tried.len(), 2);
}

#[test]
fn objects_made_outside_of_runs_are_named_where_they_are_used() {
    let lock = Arc::new(Mutex::new(0));
    let finding = find(|| {
        let _held = lock.lock().unwrap();
        let _again = lock.lock();
    });
    assert_eq!(finding.signature, "deadlock mutex0.lock");
    assert!(!lock.is_poisoned(), "that a run was cut is no panic of the closure's");
}
