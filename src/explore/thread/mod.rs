//! What `std::thread` has, for closures under exploration: change the import, keep the code.
//!
//! A thread is a task of the run. Starting one is no point: it may begin at the next point of whoever
//! started it. A run has at most 256, the first included; asking for more fails as if the system had no
//! more to give.
//!
//! A destructor that waits (that joins, say) does so also where a run is cut. Then the others unwind first,
//! and a join finds that its task has no result, which is an error.
//!
//! A run ends when all its tasks have. If those that are left wait and nobody can go on, that is a
//! deadlock, unless nobody has a handle to any of them. A panic is what `join` returns; where no join
//! does, it is a finding, and so is the first task's.
//!
//! What it is not: `thread_local!`. All tasks of a run share one thread of the system and its variables,
//! which also keep their values from run to run.

mod park;
mod scope;

pub use park::{Thread, ThreadId, current, park, park_timeout};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use std::thread::{Result, panicking};

use super::run::{State, end_of};
use super::world::{self, Cut, Job, World, announce_task};
use pagerace_core::sync::{Backend as _, Controlled, Kind, Waiting};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a task ended, once it has.
type Packet<T> = Mutex<Option<Result<T>>>;

fn open<T>(packet: &Packet<T>) -> MutexGuard<'_, Option<Result<T>>> {
    packet.lock().unwrap_or_else(PoisonError::into_inner)
}

fn world() -> &'static World {
    world::current()
        .expect("threads of `pagerace::thread` live under exploration: `explore::check`")
}

/// A task that was started, and what is known of it.
struct Started<T> {
    task: usize,
    thread: Thread,
    packet: Arc<Packet<T>>,
}

impl<T> Started<T> {
    /// Starts a task that does `work`, which must outlive it.
    fn new<'a>(
        name: Option<String>,
        work: impl FnOnce() -> T + 'a,
        extend: impl FnOnce(Box<dyn FnOnce() + 'a>) -> Job,
    ) -> io::Result<Self>
    where
        T: 'a,
    {
        let world = world();
        let packet = Arc::new(Packet::new(None));
        let kept = Arc::clone(&packet);
        let job = extend(Box::new(move || {
            let result = match catch_unwind(AssertUnwindSafe(work)) {
                Ok(value) => Ok(value),
                Err(payload) => match world.panicked(payload) {
                    Some(payload) => Err(payload),
                    // The run was cut.
                    None => return,
                },
            };
            *open(&kept) = Some(result);
        }));
        let Some(task) = world.spawn(job) else {
            return Err(io::Error::other("a run has at most 256 tasks"));
        };
        Ok(Self { task, thread: Thread::of(world, task, name), packet })
    }

    fn is_finished(&self, at: &'static Location<'static>) -> bool {
        announce_task(self.task, "is_finished", at);
        Controlled::before(end_of(self.task), Kind::Load, Ordering::SeqCst);
        Controlled::after(0, 0);
        world().run.borrow().state(self.task) == State::Ended
    }

    fn join(&self, at: &'static Location<'static>) -> Result<T> {
        announce_task(self.task, "join", at);
        Controlled::before(end_of(self.task), Kind::Wait, Ordering::SeqCst);
        while world().run.borrow().state(self.task) != State::Ended {
            Controlled::wait(&[end_of(self.task)], Waiting::Sleep);
        }
        Controlled::after(0, 1);
        world().run.borrow_mut().joined(self.task);
        // Only of a task that was cut there is no result.
        open(&self.packet).take().unwrap_or_else(|| Err(Box::new(Cut)))
    }
}

/// A handle to a task; dropping it lets the task go on by itself.
pub struct JoinHandle<T>(Started<T>);

impl<T> JoinHandle<T> {
    /// Waits for the task to end, and gives what it returned.
    ///
    /// # Errors
    /// What it panicked with.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.0.join(Location::caller())
    }

    /// Whether the task has ended.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished(Location::caller())
    }

    /// What the task is called, and how to wake it.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.0.thread
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(world) = world::current() {
            world.run.borrow_mut().detach(self.0.task);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

/// Starts a task.
///
/// # Panics
/// If the run has 256 already.
#[track_caller]
pub fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().spawn(work).expect("failed to spawn thread")
}

/// Starts a task with a name.
#[derive(Default, Debug)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// One that names nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { name: None }
    }

    /// Names the task.
    #[must_use]
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// Has no effect: all tasks of an exploration have stacks of one size.
    #[must_use]
    pub const fn stack_size(self, bytes: usize) -> Self {
        let _ = bytes;
        self
    }

    /// Starts the task.
    ///
    /// # Errors
    /// If the run has 256 already.
    pub fn spawn<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        Started::new(self.name, work, |job| job).map(JoinHandle)
    }
}

/// Lets others go on, if any can.
pub fn yield_now() {
    if let Some(world) = world::current() {
        world.yield_now();
    }
}

/// Lets others go on, if any can: no time passes.
pub fn sleep(time: Duration) {
    let _ = time;
    yield_now();
}
