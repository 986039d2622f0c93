//! What objects are called: the n-th of their class that was made in the run.
//!
//! An object made outside of runs gets its name in each run when it is first used there.
//!
//! What it is not: an address; none is stored, printed or compared.

use crate::subject::ObjectId;
use std::sync::atomic::{AtomicU64, Ordering};

/// What kind of object it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(in crate::explore) enum Class {
    Atomic,
    Mutex,
    RwLock,
    Condvar,
    Barrier,
    Once,
    Channel,
    Task,
}

impl Class {
    const ALL: [Self; 8] = [
        Self::Atomic,
        Self::Mutex,
        Self::RwLock,
        Self::Condvar,
        Self::Barrier,
        Self::Once,
        Self::Channel,
        Self::Task,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::Mutex => "mutex",
            Self::RwLock => "rwlock",
            Self::Condvar => "condvar",
            Self::Barrier => "barrier",
            Self::Once => "once",
            Self::Channel => "channel",
            Self::Task => "task",
        }
    }
}

/// How an object is called where it is printed: by its class and number. None for a task, which is called
/// what the run calls it.
pub(super) fn object_name(object: ObjectId) -> Option<String> {
    let class = Class::ALL[usize::from(object.class())];
    (class != Class::Task).then(|| format!("{}{}", class.name(), object.instance()))
}

/// A task, as an object.
pub(in crate::explore) fn task_object(task: usize) -> ObjectId {
    let number = u16::try_from(task).expect("tasks are few");
    ObjectId::new(Class::Task as u8, number)
}

/// The part of an object that keeps its name. It need not be compared with others: who runs in a run
/// shares one OS thread.
pub(in crate::explore) struct Name {
    class: Class,
    /// The run that gave it, and the name in it.
    given: AtomicU64,
}

impl Name {
    pub(in crate::explore) const fn new(class: Class) -> Self {
        Self { class, given: AtomicU64::new(0) }
    }
}

/// How many objects of each class a run has.
pub(super) struct Counter {
    run: u32,
    made: [u32; Class::ALL.len()],
}

/// For an object whose number does not fit a name.
const NAMELESS: u32 = u32::MAX;

impl Counter {
    pub fn new() -> Self {
        Self { run: 0, made: [0; Class::ALL.len()] }
    }

    pub fn next_run(&mut self) {
        // Zero is no run. Nothing keeps an object over four thousand million of them.
        self.run = self.run.wrapping_add(1).max(1);
        self.made = [0; Class::ALL.len()];
    }

    /// What `name` names in this run.
    pub fn of(&mut self, name: &Name) -> Option<ObjectId> {
        let given = name.given.load(Ordering::Relaxed);
        let number = if (given >> 32) as u32 == self.run {
            given as u32
        } else {
            let made = &mut self.made[name.class as usize];
            let number = if *made <= u32::from(u16::MAX) { *made } else { NAMELESS };
            *made = made.saturating_add(1);
            name.given.store(u64::from(self.run) << 32 | u64::from(number), Ordering::Relaxed);
            number
        };
        u16::try_from(number).ok().map(|number| ObjectId::new(name.class as u8, number))
    }
}
