//! Who a task is, and parking.

use crate::explore::run::MAIN;
use crate::explore::world::{self, World, announce_task};
use pagerace_core::sync::{Backend as _, Controlled, Kind, Waiting};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A task, as others see it.
#[derive(Clone)]
pub struct Thread(Arc<Inner>);

struct Inner {
    task: usize,
    name: Option<String>,
    /// It was unparked and has not parked since.
    token: AtomicBool,
}

/// Tells the tasks of a run apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ThreadId(usize);

impl Thread {
    /// The one of this task, which is new.
    pub(super) fn of(world: &World, task: usize, name: Option<String>) -> Self {
        let thread = Self(Arc::new(Inner { task, name, token: AtomicBool::new(false) }));
        let mut threads = world.threads.borrow_mut();
        if threads.len() <= task {
            threads.resize_with(task + 1, || None);
        }
        threads[task] = Some(thread.clone());
        thread
    }

    /// Tells it apart.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        ThreadId(self.0.task)
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    fn addr(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Lets it go on from where it is parked, or will park next.
    #[track_caller]
    pub fn unpark(&self) {
        announce_task(self.0.task, "unpark", Location::caller());
        Controlled::before(self.addr(), Kind::Wake, Ordering::SeqCst);
        let was = self.0.token.swap(true, Ordering::Relaxed);
        Controlled::after(u64::from(was), 1);
        Controlled::wake(self.addr());
    }

    fn parked(&self, word: &'static str, at: &'static Location<'static>, timed: bool) {
        announce_task(self.0.task, word, at);
        Controlled::before(self.addr(), Kind::Wait, Ordering::SeqCst);
        let mut got = self.0.token.swap(false, Ordering::Relaxed);
        while !got {
            match world::current() {
                Some(world) if timed => world.block(self.addr(), false, true),
                _ => Controlled::wait(&[self.addr()], Waiting::Sleep),
            }
            got = self.0.token.swap(false, Ordering::Relaxed) || timed;
        }
        Controlled::after(1, 0);
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// The running task.
#[must_use]
pub fn current() -> Thread {
    let world = super::world();
    let me = world.run.borrow().me;
    let known = world.threads.borrow().get(me).cloned().flatten();
    // Only the first task was started by nobody.
    known.unwrap_or_else(|| Thread::of(world, MAIN, Some("main".to_owned())))
}

/// Waits to be unparked.
#[track_caller]
pub fn park() {
    current().parked("park", Location::caller(), false);
}

/// Waits to be unparked, or until the schedule lets the time be over.
#[track_caller]
pub fn park_timeout(time: Duration) {
    // However long it is, the others may take longer.
    let _ = time;
    current().parked("park_timeout", Location::caller(), true);
}
