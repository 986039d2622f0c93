//! Budgets, seeds, policies and what else the interface promises.

use pagerace::exec::policy::walk::Walk;
use pagerace::exec::policy::{Expected, Pending, Policy, Start, View};
use pagerace::explore::{self, Explorer, Kind};
use pagerace::sync::atomic::{AtomicUsize, Ordering};
use pagerace::sync::{Arc, Mutex};
use pagerace::thread;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

/// `tasks` tasks of `points` accesses each, to one object, which the parent does not touch.
fn conflict(tasks: usize, points: usize) {
    let shared = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for _ in 0..points {
                    shared.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    tasks.into_iter().for_each(|task| task.join().unwrap());
}

#[test]
fn the_budget_counts_every_execution() {
    let runs = Cell::new(0);
    let count = || {
        runs.set(runs.get() + 1);
        conflict(2, 2);
    };
    let report = Explorer::new().executions(3_000).run(count);
    assert_eq!((report.executions, runs.get()), (3_000, 3_000));
    assert!(report.finding.is_none());
    let report = Explorer::new().executions(u64::MAX).time(Duration::from_millis(50)).run(count);
    assert!(report.executions > 10, "{report:?}");
    assert_eq!(Explorer::new().executions(0).run(count).executions, 0);
}

#[test]
fn one_seed_gives_one_result_and_another_another() {
    let explore = |seed| {
        let report = Explorer::new().seed(seed).run(|| {
            let found = Arc::new(AtomicUsize::new(0));
            let other = Arc::clone(&found);
            let task = thread::spawn(move || {
                for step in 0..6 {
                    let _ = other.compare_exchange(
                        2 * step + 1,
                        2 * step + 2,
                        Ordering::SeqCst,
                        Ordering::SeqCst,
                    );
                }
            });
            for step in 0..6 {
                let _ = found.compare_exchange(
                    2 * step,
                    2 * step + 1,
                    Ordering::SeqCst,
                    Ordering::SeqCst,
                );
            }
            task.join().unwrap();
            assert!(found.load(Ordering::SeqCst) < 9, "they took many turns");
        });
        let finding = report.finding.expect("it is found");
        // It takes eight changes of turn, of which the last comes by itself where the other task ends.
        assert_eq!(finding.schedule.decisions.len(), 7, "{finding}");
        (report.executions, report.points, report.distinct, finding.to_string())
    };
    assert_eq!(explore(1), explore(1));
    assert_ne!(explore(1).0, explore(2).0);
}

#[test]
fn all_interleavings_of_two_tasks_are_met_and_no_other() {
    // Two tasks of two and three conflicting accesses have ten; who is joined first adds none, but where
    // the parent's own points stand does, so it makes none before they have ended.
    let seen = RefCell::new(std::collections::BTreeSet::new());
    Explorer::new().executions(2_000).run(|| {
        let order = Arc::new(Mutex::new(String::new()));
        let tasks = [('a', 2), ('b', 3)].map(|(name, points)| {
            let order = Arc::clone(&order);
            thread::spawn(move || {
                for _ in 0..points {
                    order.lock().unwrap().push(name);
                }
            })
        });
        tasks.into_iter().for_each(|task| task.join().unwrap());
        seen.borrow_mut().insert(order.lock().unwrap().clone());
    });
    assert_eq!(seen.borrow().len(), 10, "{seen:?}");
}

#[test]
fn check_fails_with_the_report_and_passes_without() {
    explore::check(|| conflict(2, 1));
    let failed = catch_unwind(|| {
        explore::check(|| {
            let task = thread::spawn(|| ());
            assert!(task.is_finished(), "it has not begun");
            task.join().unwrap();
        });
    });
    let message = *failed.unwrap_err().downcast::<String>().unwrap();
    assert!(
        message.starts_with("panic in main: it has not begun\n  at tests/explore/api.rs:"),
        "{message}"
    );
}

/// Records what a policy is told.
struct Told(Rc<RefCell<Vec<String>>>, Walk);

impl Policy for Told {
    fn begin(&mut self, start: &Start<'_>) {
        let parents: Vec<_> =
            start.expected.iter().map(|e: &Expected| (e.parent, e.points)).collect();
        let mut objects = start.expected.iter().map(|e| e.objects.len());
        assert!(objects.all(|n| n <= 3), "an atomic, a mutex, a task");
        self.0.borrow_mut().push(format!("begin {parents:?}"));
        self.1.begin(start);
    }

    fn spawned(&mut self, task: usize, parent: usize) {
        self.0.borrow_mut().push(format!("spawned {task} by {parent}"));
    }

    fn choose(&mut self, view: &View<'_>) -> usize {
        self.1.choose(view)
    }

    fn made(&mut self, by: usize, access: &Pending, view: &View<'_>) {
        assert!(view.pending[by].is_none(), "it is not pending any more");
        self.0.borrow_mut().push(format!("{by} {:?} {:?}", access.kind, access.object));
    }
}

#[test]
fn a_policy_is_told_what_is_expected_and_what_is_done() {
    let told = Rc::new(RefCell::new(Vec::new()));
    let policy = Told(Rc::clone(&told), Walk::new(0));
    Explorer::new().policy(policy).executions(2).run(|| conflict(2, 2));
    let told = told.borrow();
    // The parent joins two; each of these has two accesses.
    assert_eq!(
        told[..3],
        ["begin [(None, 2), (Some(0), 2), (Some(0), 2)]", "spawned 1 by 0", "spawned 2 by 0"]
    );
    let made = |line: &str| told.iter().filter(|other| other.as_str() == line).count();
    assert_eq!(made("1 Inc Some(0[0])"), 2, "{told:?}");
    assert_eq!(told.len(), 3 + 4 + 2, "{told:?}");
}

/// Names a task that is not there.
struct Wrong;

impl Policy for Wrong {
    fn begin(&mut self, _: &Start<'_>) {}

    fn choose(&mut self, _: &View<'_>) -> usize {
        200
    }
}

/// Gives up.
struct Panics;

impl Policy for Panics {
    fn begin(&mut self, _: &Start<'_>) {}

    fn choose(&mut self, _: &View<'_>) -> usize {
        panic!("no idea")
    }
}

#[test]
fn a_policy_at_fault_is_no_finding() {
    let message = |policy: Box<dyn Fn() -> Explorer>| {
        let failed =
            catch_unwind(AssertUnwindSafe(|| policy().run(|| conflict(2, 2)))).unwrap_err();
        let owned = failed.downcast_ref::<String>().cloned();
        owned.unwrap_or_else(|| (*failed.downcast_ref::<&str>().unwrap()).to_owned())
    };
    let wrong = message(Box::new(|| Explorer::new().policy(Wrong)));
    assert_eq!(wrong, "the policy chose task 200, which cannot go on");
    assert_eq!(message(Box::new(|| Explorer::new().policy(Panics))), "no idea");
    // Nothing of it is left.
    explore::check(|| conflict(2, 2));
}

#[test]
fn a_closure_that_does_something_else_each_time_is_said_to() {
    let runs = Cell::new(0);
    let report = Explorer::new().run(|| {
        runs.set(runs.get() + 1);
        let lock = Mutex::new(());
        for _ in 0..runs.get() % 7 {
            drop(lock.lock().unwrap());
        }
        assert!(runs.get() % 5 != 0, "every fifth run fails");
    });
    let finding = report.finding.expect("it is found");
    assert!(!finding.replays && finding.to_string().contains("does not do the same twice"));
    // Its near miss: state that outlives a run and changes nothing.
    runs.set(0);
    let finding = Explorer::new().run(|| {
        runs.set(runs.get() + 1);
        panic!("always");
    });
    assert!(finding.finding.expect("it is found").replays);
}

#[test]
fn explorations_do_not_nest_but_run_side_by_side() {
    let report = Explorer::new().run(|| explore::check(|| ()));
    let Kind::Panic { message, .. } = report.finding.expect("it is found").kind else { panic!() };
    assert!(message.starts_with("explorations do not nest"), "{message}");
    let threads: Vec<_> = (0..2)
        .map(|_| {
            std::thread::spawn(|| Explorer::new().executions(500).run(|| conflict(2, 2)).distinct)
        })
        .collect();
    let distinct: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(distinct[0], distinct[1]);
}
