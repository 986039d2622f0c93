//! The warm shuttle context: the only place that names shuttle.
//!
//! One shuttle execution has as many tasks as there are CPUs. The first, the *driver*, runs the
//! caller's closure, which may run any number of cases: for each it is CPU 0 while the programs run,
//! hands over to the others as they get their turns, and goes on when all have ended. Stacks come from
//! one pool per OS thread and stack size and are reused from execution to execution.
//!
//! Who runs next is decided before [`hand_over`] is called, so shuttle is entered only for a real
//! switch. Tasks that cannot run are blocked for shuttle as well, so that in
//! [`Scheduling::Shuttle`] one of shuttle's own schedulers can take the decisions instead.
//!
//! What it is not: no panic ever reaches shuttle. Its failure path prints, leaks the stacks, and
//! remembers only the first of two failures whose schedules are equally long.

use shuttle_engine::runtime::execution::{Execution, ExecutionState};
use shuttle_engine::runtime::task::{Task, TaskId};
use shuttle_engine::runtime::thread::continuation::{CONTINUATION_POOL, ContinuationPool};
use shuttle_engine::runtime::thread::switch;
use shuttle_engine::scheduler::{Schedule, Scheduler};
use shuttle_engine::{Config, FailurePersistence, MaxSteps};
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{self, AssertUnwindSafe, Location};
use std::rc::Rc;
use std::sync::Once;

/// A task of the execution, by the number that shuttle gives it too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TaskNumber(pub usize);

/// The one that runs the caller's closure.
pub(crate) const DRIVER: TaskNumber = TaskNumber(0);

thread_local! {
    /// Who runs after the switch that is about to happen.
    static NEXT: Cell<usize> = const { Cell::new(0) };
    /// See [`open`].
    static OPEN: Cell<usize> = const { Cell::new(0) };
    /// Stack pools, leaked: a stack must outlive every execution that may still hold it. The list of
    /// them is never dropped either, or leak checkers could not see at exit that they are known.
    static POOLS: RefCell<ManuallyDrop<Vec<(usize, &'static ContinuationPool)>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

scoped_tls_hkt::scoped_thread_local!(static mut BODY: for<'a> &'a mut (dyn FnMut() + 'a));

/// Follows [`NEXT`].
struct Handover;

impl Scheduler for Handover {
    fn new_execution(&mut self) -> Option<Schedule> {
        Some(Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        let next = NEXT.get();
        // At the end of an execution the tasks are let out one after the other.
        let chosen = runnable.iter().find(|t| usize::from(t.id()) == next).unwrap_or(&runnable[0]);
        Some(chosen.id())
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// Who decides at points.
#[derive(Clone, Default)]
pub enum Scheduling {
    /// The case, before shuttle is entered.
    #[default]
    Case,
    /// The case, but shuttle is entered at every point: to show that this changes nothing.
    CaseEveryPoint,
    /// This scheduler of shuttle's, at every point; the case's schedule is ignored.
    Shuttle(Rc<RefCell<dyn Scheduler>>),
}

impl std::fmt::Debug for Scheduling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Case => "Case",
            Self::CaseEveryPoint => "CaseEveryPoint",
            Self::Shuttle(_) => "Shuttle",
        })
    }
}

/// Runs `driver` as the driver of a new execution with `tasks` tasks of `stack` bytes, each other of
/// which runs `main(its number)` once it is handed control.
///
/// A panic of `driver` is raised again here, after the execution has ended in an orderly way;
/// `on_end` is called before that, and must make every `main` return when it is resumed.
pub(crate) fn execute(
    scheduling: &Scheduling,
    tasks: usize,
    stack: usize,
    mut driver: impl FnMut(),
    on_end: impl Fn(),
    main: impl Fn(TaskNumber) + Clone + 'static,
) {
    install_once();
    let mut payload = None;
    let mut body = || {
        payload = panic::catch_unwind(AssertUnwindSafe(&mut driver)).err();
        on_end();
        for task in 1..tasks {
            unblock(TaskNumber(task));
        }
    };
    let scheduler: Rc<RefCell<dyn Scheduler>> = match scheduling {
        Scheduling::Shuttle(scheduler) => Rc::clone(scheduler),
        _ => Rc::new(RefCell::new(Handover)),
    };
    let first = Schedule::new(0);
    let spawn = Spawn { tasks, stack };
    let opened = Opened::new();
    PENDING_MAIN.set(Some(Box::new(main_factory(main))));
    CONTINUATION_POOL.set(pool(stack), || {
        BODY.set(&mut body, || {
            let execution = Execution::new(scheduler, first);
            execution.run(&config(stack), move || spawn.run(), Location::caller());
        });
    });
    drop(opened);
    if let Some(payload) = payload {
        panic::resume_unwind(payload);
    }
}

/// How many executions have begun on this OS thread and not ended. They lie one within the other: each
/// puts itself into scoped variables of the thread, and puts back what was there when it ends. So only
/// the one that began last may run, or end.
///
/// Four of shuttle's variables are not put back: the schedule recorded so far, which only a bound on its
/// length looks at (there is none, see [`config`]), the labels and tags of tasks, which nobody sets, and
/// how to end after a failure, which is the same for all.
pub(crate) fn open() -> usize {
    OPEN.get()
}

/// Counts an execution for as long as it is open.
struct Opened;

impl Opened {
    fn new() -> Self {
        OPEN.set(OPEN.get() + 1);
        Self
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        OPEN.set(OPEN.get() - 1);
    }
}

type Main = Box<dyn Fn(usize) -> Box<dyn FnOnce()>>;

thread_local! {
    /// What the other tasks of the execution about to start run. Handed over here because shuttle
    /// wants a first task that is `Send`, which nothing of a single-threaded run needs to be.
    static PENDING_MAIN: RefCell<Option<Main>> = const { RefCell::new(None) };
}

fn main_factory(
    main: impl Fn(TaskNumber) + Clone + 'static,
) -> impl Fn(usize) -> Box<dyn FnOnce()> {
    move |task| {
        let main = main.clone();
        Box::new(move || main(TaskNumber(task)))
    }
}

/// The first task: spawns the others, then is the driver.
struct Spawn {
    tasks: usize,
    stack: usize,
}

impl Spawn {
    fn run(&self) {
        let main = PENDING_MAIN.take().expect("execute() has just put it there");
        NEXT.set(DRIVER.0);
        for task in 1..self.tasks {
            // Idle until a case gives it a program.
            add_task(self.stack, main(task));
        }
        BODY.with(|driver| driver());
    }
}

/// Adds a task to the execution that is open, with the next number. It runs `main` once it is unblocked
/// and handed control; the calling task goes on. Whoever adds tasks sees to it that they end.
pub(crate) fn add_task(stack: usize, main: Box<dyn FnOnce()>) {
    // Shuttle takes this for a point of its own, where whoever runs stays.
    let task = ExecutionState::spawn_thread(main, stack, None, None, Location::caller());
    ExecutionState::with(|s| s.get_mut(task).block(false));
}

fn pool(stack: usize) -> &'static ContinuationPool {
    // The pool hands out whatever stack it has, so each size needs its own.
    POOLS.with_borrow_mut(|pools| {
        if let Some((_, pool)) = pools.iter().find(|(size, _)| *size == stack) {
            return *pool;
        }
        let pool: &'static ContinuationPool = Box::leak(Box::new(ContinuationPool::new()));
        pools.push((stack, pool));
        pool
    })
}

fn config(stack: usize) -> Config {
    let mut config = Config::new();
    config.stack_size = stack;
    config.failure_persistence = FailurePersistence::None;
    // An execution that is parked relies on it: see `open`.
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    config
}

/// Makes `to` the running task; returns when the caller is handed control again.
pub(crate) fn hand_over(to: TaskNumber) {
    NEXT.set(to.0);
    switch();
}

/// The calling task cannot run until [`unblock`] names it.
pub(crate) fn block_current() {
    ExecutionState::with(|s| s.current_mut().block(false));
}

/// `task` can run again.
pub(crate) fn unblock(task: TaskNumber) {
    ExecutionState::with(|s| {
        let task = s.get_mut(TaskId::from(task.0));
        if !task.finished() {
            task.unblock();
        }
    });
}

thread_local! {
    /// Whether code under test is running, whose panics are findings.
    static IN_SUBJECT: Cell<bool> = const { Cell::new(false) };
    /// Whether it has panicked, and with which message.
    static PANICKED: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
    /// The line of code it was raised by, if known.
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Says whether code under test runs from here on; returns what held before.
pub(crate) fn set_in_subject(inside: bool) -> bool {
    IN_SUBJECT.replace(inside)
}

/// Whether a panic was raised by code under test since [`take_panic`].
pub(crate) fn panicked() -> bool {
    PANICKED.get()
}

/// The message of the panic raised by code under test since the last call.
pub(crate) fn take_panic() -> String {
    PANICKED.set(false);
    MESSAGE.take()
}

/// Where the last panic by code under test was raised, if that is known and was not asked before.
pub(crate) fn take_panic_place() -> Option<String> {
    PANICKED_AT.take()
}

/// Shuttle installs its panic hook with its first execution, around whatever hook there is, and
/// never again. So the process starts with one empty execution, after which the hook is ours: quiet
/// for panics of code under test, and what was there before shuttle for all others.
pub(crate) fn install_once() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let original = panic::take_hook();
        let stack = 64 << 10;
        CONTINUATION_POOL.set(pool(stack), || {
            let execution = Execution::new(Rc::new(RefCell::new(Handover)), Schedule::new(0));
            execution.run(&config(stack), || (), Location::caller());
        });
        panic::set_hook(Box::new(move |info| {
            if IN_SUBJECT.get() {
                let text = info.payload_as_str().unwrap_or("a payload that is no string");
                MESSAGE.set(text.to_owned());
                PANICKED_AT.set(info.location().map(|at| format!("{}:{}", at.file(), at.line())));
                PANICKED.set(true);
            } else {
                original(info);
            }
        }));
    });
}
