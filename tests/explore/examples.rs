//! Ten programs of the kind that shuttle's documentation and tests show, written afresh with std's shapes:
//! each with its bug, which is found, and without, which is silent.

use crate::{find, silent};
use pagerace::explore::Kind;
use pagerace::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use pagerace::sync::mpsc::{channel, sync_channel};
use pagerace::sync::{Arc, Barrier, Condvar, Mutex, RwLock};
use pagerace::thread;
use std::collections::VecDeque;

/// The first example of all: the parent looks before the child has written.
fn looks_without_joining(joins: bool) {
    let lock = Arc::new(Mutex::new(0));
    let other = Arc::clone(&lock);
    let child = thread::spawn(move || *other.lock().unwrap() = 1);
    if joins {
        child.join().unwrap();
    }
    assert_eq!(*lock.lock().unwrap(), 1, "the child has written");
}

#[test]
fn example_1_a_value_is_read_before_it_is_written() {
    let finding = find(|| looks_without_joining(false));
    assert_eq!(finding.signature, "panic assertion `left == right` failed: the child has written");
    assert!(finding.schedule.decisions.is_empty(), "it shows by itself");
    silent(|| looks_without_joining(true));
}

/// Two tasks add to a counter, in two steps or in one.
fn adds(at_once: bool) {
    let count = Arc::new(AtomicUsize::new(0));
    let add = move |count: &AtomicUsize| {
        if at_once {
            count.fetch_add(1, Ordering::SeqCst);
        } else {
            let seen = count.load(Ordering::SeqCst);
            count.store(seen + 1, Ordering::SeqCst);
        }
    };
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let count = Arc::clone(&count);
            thread::spawn(move || add(&count))
        })
        .collect();
    tasks.into_iter().for_each(|task| task.join().unwrap());
    assert_eq!(count.load(Ordering::SeqCst), 2, "both have added");
}

#[test]
fn example_2_an_addition_is_lost() {
    let finding = find(|| adds(false));
    assert_eq!(finding.schedule.decisions.len(), 1, "{finding}");
    silent(|| adds(true));
}

/// Two locks, taken in the same order or not.
fn two_locks(same_order: bool) {
    let locks = Arc::new((Mutex::new(()), Mutex::new(())));
    let other = Arc::clone(&locks);
    let task = thread::spawn(move || {
        let (a, b) = if same_order { (&other.0, &other.1) } else { (&other.1, &other.0) };
        let _first = a.lock().unwrap();
        let _second = b.lock().unwrap();
    });
    {
        let _first = locks.0.lock().unwrap();
        let _second = locks.1.lock().unwrap();
    }
    task.join().unwrap();
}

#[test]
fn example_3_locks_are_taken_in_opposite_orders() {
    let finding = find(|| two_locks(false));
    assert_eq!(finding.signature, "deadlock mutex0.lock mutex1.lock");
    let Kind::Deadlock(waits) = &finding.kind else { panic!("{finding}") };
    let told: Vec<_> = waits
        .iter()
        .map(|w| format!("{} {} {:?}", w.task, w.what, w.holders[0].to_string()))
        .collect();
    assert_eq!(told, ["main mutex1.lock \"main/1\"", "main/1 mutex0.lock \"main\""]);
    silent(|| two_locks(true));
}

/// A queue with room for one, two who put and two who take, and one condition for all.
fn bounded_buffer(notify_all: bool) {
    let buffer = Arc::new((Mutex::new(VecDeque::new()), Condvar::new()));
    let mut tasks = Vec::new();
    for number in 0..4 {
        let buffer = Arc::clone(&buffer);
        tasks.push(thread::spawn(move || {
            let (queue, changed) = &*buffer;
            let notify = || if notify_all { changed.notify_all() } else { changed.notify_one() };
            let mut queue = queue.lock().unwrap();
            if number % 2 == 0 {
                while queue.len() == 1 {
                    queue = changed.wait(queue).unwrap();
                }
                queue.push_back(number);
            } else {
                while queue.is_empty() {
                    queue = changed.wait(queue).unwrap();
                }
                queue.pop_front();
            }
            notify();
        }));
    }
    tasks.into_iter().for_each(|task| task.join().unwrap());
}

#[test]
fn example_4_a_bounded_buffer_wakes_the_wrong_one() {
    let finding = find(|| bounded_buffer(false));
    assert_eq!(finding.signature, "deadlock condvar0.wait join", "{finding}");
    silent(|| bounded_buffer(true));
}

/// A ticket is set to null between check and use: the pair of accesses that one change of mind breaks.
fn checked_then_used(in_one_step: bool) {
    let ticket = Arc::new(Mutex::new(Some(7)));
    let other = Arc::clone(&ticket);
    let clears = thread::spawn(move || *other.lock().unwrap() = None);
    if in_one_step {
        if let Some(ticket) = ticket.lock().unwrap().as_ref() {
            assert_eq!(*ticket, 7);
        }
    } else if ticket.lock().unwrap().is_some() {
        assert_eq!(ticket.lock().unwrap().expect("it was there"), 7);
    }
    clears.join().unwrap();
}

#[test]
fn example_5_what_was_checked_is_gone_when_it_is_used() {
    let finding = find(|| checked_then_used(false));
    assert_eq!(finding.signature, "panic it was there");
    assert_eq!(finding.schedule.decisions.len(), 1, "{finding}");
    silent(|| checked_then_used(true));
}

/// A lock of two flags and a turn, with the turn given away before or after the flag is raised.
fn two_flags(flag_first: bool) {
    let shared = Arc::new(([AtomicBool::new(false), AtomicBool::new(false)], AtomicUsize::new(0)));
    let inside = Arc::new(AtomicUsize::new(0));
    let enter = move |me: usize, shared: &([AtomicBool; 2], AtomicUsize), inside: &AtomicUsize| {
        let (flags, turn) = shared;
        if flag_first {
            flags[me].store(true, Ordering::SeqCst);
            turn.store(1 - me, Ordering::SeqCst);
        } else {
            turn.store(1 - me, Ordering::SeqCst);
            flags[me].store(true, Ordering::SeqCst);
        }
        while flags[1 - me].load(Ordering::SeqCst) && turn.load(Ordering::SeqCst) == 1 - me {
            pagerace::hint::spin_loop();
        }
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "only one is inside");
        inside.fetch_sub(1, Ordering::SeqCst);
        flags[me].store(false, Ordering::SeqCst);
    };
    let (other, other_inside) = (Arc::clone(&shared), Arc::clone(&inside));
    let task = thread::spawn(move || enter(1, &other, &other_inside));
    enter(0, &shared, &inside);
    task.join().unwrap();
}

#[test]
fn example_6_a_lock_of_flags_lets_two_in() {
    let finding = find(|| two_flags(false));
    assert_eq!(finding.signature, "panic assertion `left == right` failed: only one is inside");
    silent(|| two_flags(true));
}

/// A pipeline: numbers go through a worker, whose channel is closed at the end, or not.
fn pipeline(closes: bool) {
    let (first, second) = (sync_channel(1), channel());
    let (sender, receiver) = first;
    let worker = thread::spawn(move || {
        for number in receiver {
            second.0.send(number * 2).unwrap();
        }
    });
    let kept = sender.clone();
    for number in 0..3 {
        sender.send(number).unwrap();
    }
    drop(sender);
    if closes {
        drop(kept);
        assert_eq!(second.1.iter().collect::<Vec<i32>>(), [0, 2, 4]);
    } else {
        let got: Vec<i32> = second.1.iter().collect();
        drop((kept, got));
    }
    worker.join().unwrap();
}

#[test]
fn example_7_a_pipeline_is_never_closed() {
    let finding = find(|| pipeline(false));
    assert_eq!(finding.signature, "deadlock channel0.recv channel1.recv");
    assert!(finding.schedule.decisions.is_empty());
    silent(|| pipeline(true));
}

/// A cache behind a lock for readers: filled again if it was found empty, or looked at again first.
fn cache(looks_again: bool) {
    let cache = Arc::new(RwLock::new(None));
    let fills = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let (cache, fills) = (Arc::clone(&cache), Arc::clone(&fills));
            thread::spawn(move || {
                if cache.read().unwrap().is_none() {
                    let mut cache = cache.write().unwrap();
                    if !looks_again || cache.is_none() {
                        fills.fetch_add(1, Ordering::SeqCst);
                        *cache = Some(1);
                    }
                }
            })
        })
        .collect();
    tasks.into_iter().for_each(|task| task.join().unwrap());
    assert_eq!(fills.load(Ordering::SeqCst), 1, "it is filled once");
}

#[test]
fn example_8_a_cache_is_filled_twice() {
    let finding = find(|| cache(false));
    assert_eq!(finding.signature, "panic assertion `left == right` failed: it is filled once");
    silent(|| cache(true));
}

/// Tasks publish and then read each other's, with all of them meeting in between, or not.
fn phases(meet: bool) {
    let slots: Arc<[AtomicUsize; 3]> = Arc::default();
    let barrier = Arc::new(Barrier::new(3));
    let tasks: Vec<_> = (0..3)
        .map(|me| {
            let (slots, barrier) = (Arc::clone(&slots), Arc::clone(&barrier));
            thread::spawn(move || {
                slots[me].store(1, Ordering::SeqCst);
                let led = meet && barrier.wait().is_leader();
                let sum: usize = slots.iter().map(|slot| slot.load(Ordering::SeqCst)).sum();
                assert_eq!(sum, 3, "all have published");
                led
            })
        })
        .collect();
    let led =
        tasks.into_iter().filter(|_| true).map(|task| task.join().unwrap()).filter(|&led| led);
    assert_eq!(led.count(), usize::from(meet));
}

#[test]
fn example_9_a_phase_begins_before_the_last_has_ended() {
    let finding = find(|| phases(false));
    assert_eq!(finding.signature, "panic assertion `left == right` failed: all have published");
    silent(|| phases(true));
}

/// A stack of nodes that are taken by comparing the head alone, or the head with a count of changes.
fn stack_with_reuse(counted: bool) {
    // The head: which node is on top, below the count. `next[n]` is what lies below node n. 3 is none.
    let head = Arc::new(AtomicUsize::new(0));
    let next = Arc::new([AtomicUsize::new(1), AtomicUsize::new(2), AtomicUsize::new(3)]);
    let change = move |seen: usize, node: usize| {
        if counted { (seen & !0xff) + 0x100 + node } else { node }
    };
    let pop = move |head: &AtomicUsize, next: &[AtomicUsize; 3]| loop {
        let seen = head.load(Ordering::SeqCst);
        let node = seen & 0xff;
        if node == 3 {
            return None;
        }
        let below = next[node].load(Ordering::SeqCst);
        let new = change(seen, below);
        if head.compare_exchange(seen, new, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return Some(node);
        }
    };
    let push = move |head: &AtomicUsize, next: &[AtomicUsize; 3], node: usize| loop {
        let seen = head.load(Ordering::SeqCst);
        next[node].store(seen & 0xff, Ordering::SeqCst);
        let new = change(seen, node);
        if head.compare_exchange(seen, new, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return;
        }
    };
    let (other_head, other_next) = (Arc::clone(&head), Arc::clone(&next));
    let task = thread::spawn(move || {
        let first = pop(&other_head, &other_next);
        let second = pop(&other_head, &other_next);
        if let Some(first) = first {
            push(&other_head, &other_next, first);
        }
        second
    });
    let mine = pop(&head, &next);
    let theirs = task.join().unwrap();
    let mut out: Vec<usize> = mine.into_iter().chain(theirs).collect();
    while let Some(node) = pop(&head, &next) {
        out.push(node);
        assert!(out.len() <= 3, "no node is handed out twice");
    }
    out.sort_unstable();
    assert_eq!(out, [0, 1, 2], "each node is handed out once");
}

#[test]
fn example_10_a_node_comes_back_while_its_neighbour_was_taken() {
    let finding = find(|| stack_with_reuse(false));
    assert!(finding.signature.contains("node"), "{finding}");
    // Two would do; taking away or moving one of three is not enough to get there.
    assert!(finding.schedule.decisions.len() <= 3, "{finding}");
    silent(|| stack_with_reuse(true));
}
