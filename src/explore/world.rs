//! Runs closures as tasks of a warm shuttle context, and is the hook that their accesses call.
//!
//! There is one world per OS thread. In an execution of the engine's, its driver is the first task of
//! each run; every other task has a stack of its own, which idles between runs and takes what the next
//! run starts. More are added when a run needs them.
//!
//! A run is cut by unwinding, as everywhere here: each task leaves from its next call of the hook, one
//! after the other, with [`Cut`]; while it unwinds, its accesses are made and nothing is decided. A
//! destructor that has to wait meanwhile lets the others unwind first.
//!
//! What it is not: it decides nothing; [`Run`] does. Nothing of a run is borrowed while tasks switch.

mod sites;

use super::run::{Announced, MAIN, Name, Run, State, Step, task_object};
use super::thread::Thread;
use crate::exec::Scheduling;
use crate::exec::engine::{self, DRIVER, TaskNumber};
use crate::exec::policy::TaskSet;
use pagerace_core::event::Event;
use pagerace_core::sync::{Access, Controlled, CpuId, Hook, Waiting};
use sites::Sites;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, Location};
use std::thread::panicking;

/// The payload that cuts a run.
pub(super) struct Cut;

/// What a task runs.
pub(super) type Job = Box<dyn FnOnce()>;

/// A panic as it travels.
pub(super) type Payload = Box<dyn Any + Send>;

thread_local! {
    /// The world of this OS thread. It is leaked: stacks may point to it.
    static WORLD: Cell<Option<&'static World>> = const { Cell::new(None) };
    /// The same while an execution is open.
    static CURRENT: Cell<Option<&'static World>> = const { Cell::new(None) };
}

/// See the top of this file.
pub(super) struct World {
    pub run: RefCell<Run>,
    /// What the running task says of its next access.
    announced: Cell<Announced>,
    /// What tasks say of themselves, made when they are first asked.
    pub threads: RefCell<Vec<Option<Thread>>>,
    /// What tasks that have not begun will run.
    jobs: RefCell<Vec<Option<Job>>>,
    /// The tasks of the engine's that there are besides the driver.
    workers: Cell<usize>,
    stack: Cell<usize>,
    stop: Cell<bool>,
    /// The tasks that unwind.
    unwinding: Cell<TaskSet>,
    /// How often the run has raised [`Cut`].
    raised: Cell<u32>,
    /// How often destructors had to wait since a task last ended.
    stalled: Cell<usize>,
    /// A panic of the policy's.
    fault: RefCell<Option<Payload>>,
    sites: Sites,
}

/// How often a run may raise [`Cut`]: once for each task, unless they catch it.
const MOST_RAISED: u32 = 100_000;

/// Ends the process where a run can neither go on nor end.
fn give_up(why: &str, next: &str) -> ! {
    eprintln!("pagerace: while a run was being cut, {why}.\n  next: {next}");
    std::process::abort();
}

/// An execution that is open on this OS thread.
pub(super) struct Opened(&'static World);

impl Opened {
    /// # Panics
    /// If one is: a closure under exploration explores.
    fn new(world: &'static World) -> Self {
        assert!(
            CURRENT.get().is_none(),
            "explorations do not nest: this closure is explored itself"
        );
        CURRENT.set(Some(world));
        Self(world)
    }

    /// Runs `body` once, as the first task of a run that [`Run::begin`] has prepared.
    pub fn run(&self, body: &dyn Fn()) {
        self.0.run_once(body);
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// The world in which this code is explored, if it is.
pub(super) fn current() -> Option<&'static World> {
    CURRENT.get()
}

/// Says of the next access, or wait, which object it is to, what it is called, and which line makes it.
#[inline]
pub(super) fn announce(name: &Name, word: &'static str, at: &'static Location<'static>) {
    if let Some(world) = current() {
        let object = world.run.borrow_mut().object(name);
        let site = world.sites.number(at);
        world.announced.set(Announced { object, word: Some(word), at: Some(at), site });
    }
}

/// The same of what is done to a task.
pub(super) fn announce_task(task: usize, word: &'static str, at: &'static Location<'static>) {
    if let Some(world) = current() {
        let object = Some(task_object(task));
        let site = world.sites.number(at);
        world.announced.set(Announced { object, word: Some(word), at: Some(at), site });
    }
}

/// The same for a destructor, which does not know the line.
#[inline]
pub(super) fn announce_drop(name: &Name, word: &'static str) {
    if let Some(world) = current() {
        let object = world.run.borrow_mut().object(name);
        world.announced.set(Announced { object, word: Some(word), at: None, site: 0 });
    }
}

/// The running task.
pub(super) fn me() -> usize {
    current().map_or(MAIN, |world| world.run.borrow().me)
}

/// Gives a new object its name.
pub(super) fn born(name: Name) -> Name {
    if let Some(world) = current() {
        world.run.borrow_mut().object(&name);
    }
    name
}

impl World {
    /// The one of this OS thread.
    pub fn of_this_thread() -> &'static Self {
        WORLD.get().unwrap_or_else(|| {
            let world: &'static Self = Box::leak(Box::new(Self {
                run: RefCell::new(Run::new()),
                announced: Cell::default(),
                threads: RefCell::default(),
                jobs: RefCell::default(),
                workers: Cell::new(0),
                stack: Cell::new(0),
                stop: Cell::new(false),
                unwinding: Cell::default(),
                raised: Cell::new(0),
                stalled: Cell::new(0),
                fault: RefCell::default(),
                sites: Sites::new(),
            }));
            WORLD.set(Some(world));
            world
        })
    }

    /// Opens an execution whose tasks have `stack` bytes and does `work` in it, on such a stack.
    pub fn execute<T>(&'static self, stack: usize, work: impl FnOnce(&Opened) -> T) -> T {
        let opened = Opened::new(self);
        let hook = Controlled::install(self);
        self.workers.set(0);
        self.stack.set(stack);
        self.stop.set(false);
        let mut work = Some(work);
        let mut result = None;
        engine::execute(
            &Scheduling::Case,
            1,
            stack,
            || {
                let work = work.take().expect("the driver runs once");
                result = Some(work(&opened));
            },
            || {
                self.stop.set(true);
                for worker in 1..=self.workers.get() {
                    engine::unblock(TaskNumber(worker));
                }
            },
            |_| (),
        );
        drop(hook);
        result.expect("the driver has run, or its panic was raised")
    }

    fn run_once(&self, body: &dyn Fn()) {
        self.jobs.borrow_mut().clear();
        self.threads.borrow_mut().clear();
        self.unwinding.set(TaskSet::EMPTY);
        self.announced.take();
        self.raised.set(0);
        engine::take_panic();
        engine::set_in_subject(true);
        self.root(body);
        let next = self.ended();
        if let Some(next) = next {
            // Control comes back when all have ended.
            self.resume(next);
        }
        engine::set_in_subject(false);
        if let Some(payload) = self.fault.take() {
            panic::resume_unwind(payload);
        }
    }

    /// The body of every other task of the engine's.
    fn work(&self, index: usize) {
        while !self.stop.get() {
            let job = self.jobs.borrow_mut()[index].take();
            let is_cut = self.run.borrow().is_cut();
            self.root(|| match job {
                // It never began; what it would have used is dropped here.
                Some(job) if is_cut => drop(job),
                Some(job) => job(),
                None => {}
            });
            // Whoever is added must be so while this one can still run for shuttle.
            let next = self.ended().map_or(DRIVER, |next| self.prepare(next));
            engine::block_current();
            engine::hand_over(next);
        }
    }

    /// Runs code under test; its unwinding ends here.
    fn root(&self, work: impl FnOnce()) {
        if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(work)) {
            self.panicked(payload);
        }
    }

    fn ended(&self) -> Option<usize> {
        self.stalled.set(0);
        let mut run = self.run.borrow_mut();
        let mut unwinding = self.unwinding.get();
        unwinding.remove(run.me);
        self.unwinding.set(unwinding);
        run.end()
    }

    /// The running task has panicked, or was cut: then there is nothing to say. Returns the payload
    /// if it was a panic of code under test.
    pub fn panicked(&self, payload: Payload) -> Option<Payload> {
        if payload.is::<Cut>() {
            return None;
        }
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "a payload that is no string".to_owned());
        engine::take_panic();
        if self.run.borrow_mut().panicked(text, engine::take_panic_place()) {
            return Some(payload);
        }
        // The finding would be the policy's own, which is none.
        engine::set_in_subject(true);
        *self.fault.borrow_mut() = Some(payload);
        None
    }

    /// The running task starts one that will do `job`. `None` if there are too many.
    pub fn spawn(&self, job: Job) -> Option<usize> {
        let index = self.run.borrow_mut().spawn()?;
        let mut jobs = self.jobs.borrow_mut();
        jobs.resize_with(index + 1, || None);
        jobs[index] = Some(job);
        Some(index)
    }

    /// Hands control to a task, and returns when the calling one gets it back.
    fn resume(&self, task: usize) {
        engine::hand_over(self.prepare(task));
    }

    /// Sees to it that this task can be handed control.
    fn prepare(&self, task: usize) -> TaskNumber {
        let is_fresh = {
            let mut run = self.run.borrow_mut();
            let is_fresh = run.state(task) == State::Fresh;
            run.took_over(task);
            is_fresh
        };
        if is_fresh && task != MAIN {
            let world = Self::of_this_thread();
            while self.workers.get() < task {
                let worker = self.workers.get() + 1;
                self.workers.set(worker);
                engine::add_task(self.stack.get(), Box::new(move || world.work(worker)));
            }
            engine::unblock(TaskNumber(task));
        }
        TaskNumber(task)
    }

    fn go(&self, step: Step) {
        match step {
            Step::Stay => {}
            Step::Switch(to) => {
                self.resume(to);
                if self.run.borrow().is_cut() {
                    self.leave();
                }
            }
            Step::Leave => self.leave(),
        }
    }

    /// Whether the running task is on its way to its root.
    fn is_leaving(&self) -> bool {
        // Others may unwind too, so that the thread panics says nothing of this task.
        panicking() && self.unwinding.get().has(self.run.borrow().me)
    }

    /// Takes the running task to its root, unless it is on its way already.
    #[cold]
    fn leave(&self) {
        if !self.is_leaving() {
            self.mark_unwinding();
            self.raised.set(self.raised.get() + 1);
            if self.raised.get() > MOST_RAISED {
                give_up(
                    "a task caught its unwinding and tried again, over and over",
                    "let it catch less",
                );
            }
            panic::resume_unwind(Box::new(Cut));
        }
    }

    fn mark_unwinding(&self) {
        let mut unwinding = self.unwinding.get();
        unwinding.insert(self.run.borrow().me);
        self.unwinding.set(unwinding);
    }

    /// The running task waits for `addr` to be told of, or to change; if `timed`, it may be chosen
    /// nevertheless.
    pub fn block(&self, addr: usize, change: bool, timed: bool) {
        self.panics_for_good();
        let step = self.run.borrow_mut().wait(self.announced.take(), addr, change, timed);
        if step == Step::Leave && self.is_leaving() {
            self.let_others_unwind();
        } else {
            self.go(step);
        }
    }

    /// The same for a task whose stack others use: it does not unwind here. Returns when it was told,
    /// or any other time.
    pub fn block_and_stay(&self, addr: usize) {
        self.panics_for_good();
        let step = self.run.borrow_mut().wait(self.announced.take(), addr, false, false);
        match step {
            Step::Stay => {}
            Step::Switch(to) => self.resume(to),
            Step::Leave => self.let_others_unwind(),
        }
    }

    /// No task can be switched to while this one panics: it would take the panic for its own. So a panic
    /// whose destructors have to wait ends the run.
    fn panics_for_good(&self) {
        if panicking() && !self.run.borrow().is_cut() {
            let message = engine::take_panic();
            self.run.borrow_mut().panicked_for_good(message, engine::take_panic_place());
            self.mark_unwinding();
        }
    }

    /// In a run being cut, a destructor has to wait: perhaps for what another task still holds.
    #[cold]
    fn let_others_unwind(&self) {
        let (next, count) = {
            let run = self.run.borrow();
            (run.next_to_unwind(), run.task_count())
        };
        self.stalled.set(self.stalled.get() + 1);
        match next {
            Some(next) if self.stalled.get() <= 2 * count + 2 => self.resume(next),
            _ => {
                give_up(
                    "a destructor waited for what no task would do any more",
                    "let destructors wait for nothing but the end of tasks and what these hold",
                );
            }
        }
    }

    /// The running task lets others go on.
    pub fn yield_now(&self) {
        if panicking() && !self.run.borrow().is_cut() {
            return;
        }
        let step = self.run.borrow_mut().yield_now();
        self.go(step);
    }
}

impl Hook for World {
    fn before(&self, access: Access) {
        let announced = self.announced.take();
        let quiet = panicking();
        let step = self.run.borrow_mut().before(announced, access, quiet);
        self.go(step);
    }

    fn after(&self, old: u64, new: u64) {
        self.run.borrow_mut().after(old, new);
    }

    fn fails(&self) -> bool {
        false
    }

    fn wait(&self, addrs: &[usize], waiting: Waiting) {
        match addrs {
            [addr] => self.block(*addr, waiting == Waiting::Change, false),
            // Whichever changes, it looks again.
            _ => self.yield_now(),
        }
    }

    fn wake(&self, addr: usize) {
        self.run.borrow_mut().wake(addr);
    }

    fn event(&self, _: Event) {}

    fn outcome(&self, _: usize) {}

    fn cpu(&self) -> CpuId {
        CpuId::new(0)
    }
}
