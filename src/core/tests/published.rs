//! Fields that are written under a lock and read without it, and waits for several of them.
//!
//! What it is not: the executor. A hook of its own records what it is told.

use pagerace_core::event::Event;
use pagerace_core::sync::{
    Access, AtomicU32, Controlled, CpuId, Hook, Kind, MAX_WATCHED, Native, Ordering, Published,
    SpinLock, Waiting, Watch, relax,
};
use std::cell::{Cell, RefCell};

type Field = Published<Controlled, u32>;

/// Records accesses and events. At a wait it changes a field, as another CPU would.
#[derive(Default)]
struct Notes {
    accesses: RefCell<Vec<(usize, Kind)>>,
    values: RefCell<Vec<(u64, u64)>>,
    unlocked: Cell<usize>,
    waits: RefCell<Vec<Vec<usize>>>,
    changes: Cell<Option<&'static AtomicU32<Controlled>>>,
}

impl Hook for Notes {
    fn before(&self, access: Access) {
        self.accesses.borrow_mut().push((access.addr, access.kind));
    }
    fn after(&self, old: u64, new: u64) {
        self.values.borrow_mut().push((old, new));
    }
    fn fails(&self) -> bool {
        false
    }
    fn wait(&self, addrs: &[usize], waiting: Waiting) {
        assert_eq!(waiting, Waiting::Change);
        self.waits.borrow_mut().push(addrs.to_vec());
        self.changes.get().expect("there is something to wait for").store(1, Ordering::Relaxed);
    }
    fn wake(&self, _: usize) {}
    fn event(&self, event: Event) {
        if let Event::Unlocked { .. } = event {
            self.unlocked.set(self.unlocked.get() + 1);
        }
    }
    fn outcome(&self, _: usize) {}
    fn cpu(&self) -> CpuId {
        CpuId::new(0)
    }
}

fn notes() -> &'static Notes {
    Box::leak(Box::default())
}

#[test]
fn a_store_and_an_unlocked_load_are_accesses_and_a_look_under_the_lock_is_none() {
    let notes = notes();
    let _hook = Controlled::install(notes);
    let (lock, field) = (SpinLock::<Controlled>::new(), Field::new(7));
    let at = field.addr();
    {
        let _held = lock.lock();
        assert_eq!(field.get(&lock), 7);
        field.set(&lock, 9);
        assert_eq!(field.get(&lock), 9);
    }
    assert_eq!(field.load(), 9);
    let of_field = |access: &&(usize, Kind)| access.0 == at;
    let accesses = notes.accesses.borrow();
    let kinds: Vec<Kind> = accesses.iter().filter(of_field).map(|access| access.1).collect();
    assert_eq!(kinds, [Kind::Store, Kind::Load]);
    assert!(notes.values.borrow().contains(&(7, 9)) && notes.values.borrow().contains(&(9, 9)));
    assert_eq!(notes.unlocked.get(), 0);
}

#[test]
fn without_the_lock_only_the_load_is_allowed() {
    let notes = notes();
    let _hook = Controlled::install(notes);
    let (lock, field) = (SpinLock::<Controlled>::new(), Field::new(0));
    field.load();
    assert_eq!(notes.unlocked.get(), 0);
    field.get(&lock);
    assert_eq!(notes.unlocked.get(), 1);
    field.set(&lock, 1);
    assert_eq!(notes.unlocked.get(), 2);
}

#[test]
fn a_wait_ends_when_any_of_the_watched_changes() {
    let notes = notes();
    let _hook = Controlled::install(notes);
    let field = Field::new(3);
    let words: &'static [AtomicU32<Controlled>; 5] =
        Box::leak(Box::new([const { AtomicU32::new(0) }; 5]));
    notes.changes.set(Some(&words[4]));
    let [a, b, c, d, e] = words.each_ref().map(|word| (word, 0));
    let watched: [&dyn Watch; MAX_WATCHED] = [&(&field, 3), &a, &b, &c, &d, &e];
    relax::<Controlled>(&watched);
    let waits = notes.waits.borrow();
    assert_eq!(*waits, [watched.map(Watch::addr).to_vec()], "one wait, named after the first");
    // Nothing to wait for.
    relax::<Controlled>(&watched);
    relax::<Controlled>(&[&(&field, 4)]);
    assert_eq!(waits.len(), 1);
}

#[test]
#[should_panic(expected = "one to MAX_WATCHED")]
fn a_wait_for_nothing_is_a_mistake() {
    relax::<Native>(&[]);
}
