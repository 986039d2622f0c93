//! Waiting that is explicit: wait queues on a word, and the end of a retry loop's turn.
//!
//! What it is not: a timeout (nothing here gives up), or fair (which of the woken goes first is the
//! schedule's business).

use super::{AtomicI32, AtomicU32, AtomicUsize, Backend, Kind, Ordering, Waiting};

/// The most objects that one turn of a retry loop watches.
pub const MAX_WATCHED: usize = 6;

/// An object that a retry loop read, with the value it saw.
pub trait Watch {
    /// The object's address.
    fn addr(&self) -> usize;
    /// Whether the object still holds the value seen.
    fn unchanged(&self) -> bool;
}

macro_rules! watch {
    ($($name:ident: $t:ty),*) => {$(
        impl<B: Backend> Watch for (&$name<B>, $t) {
            #[inline]
            fn addr(&self) -> usize {
                self.0.addr()
            }
            #[inline]
            fn unchanged(&self) -> bool {
                self.0.peek() == self.1
            }
        }
    )*};
}
watch!(AtomicI32: i32, AtomicU32: u32, AtomicUsize: usize);

/// Ends a turn of a retry loop: the task cannot get further until one of the watched objects holds
/// something else than the loop saw. Returns at once if one already does. The first of them is what the
/// wait is named after.
///
/// Natively it gives the processor away once and returns.
///
/// # Panics
/// If nothing is watched, or more than [`MAX_WATCHED`].
pub fn relax<B: Backend>(watched: &[&dyn Watch]) {
    let mut addrs = [0; MAX_WATCHED];
    assert!(!watched.is_empty() && watched.len() <= MAX_WATCHED, "one to MAX_WATCHED objects");
    for (addr, object) in addrs.iter_mut().zip(watched) {
        *addr = object.addr();
    }
    while watched.iter().all(|w| w.unchanged()) {
        B::wait(&addrs[..watched.len()], Waiting::Change);
        if !B::CONTROLLED {
            return;
        }
    }
}

/// Sleeps on `word` while `must_wait` holds of it: queued and checked in one step, then asleep until
/// [`wake`] names the word, then checked again.
///
/// Wakes are not remembered: one that comes before the sleeper queued itself is lost, which is why
/// the check comes after the queueing. Natively the word is polled.
pub fn wait_on<B: Backend>(word: &AtomicU32<B>, must_wait: impl Fn(u32) -> bool) {
    loop {
        B::before(word.addr(), Kind::Wait, Ordering::Acquire);
        let seen = if B::CONTROLLED {
            word.peek()
        } else {
            // A real load, so that the waker's release is acquired.
            word.load(Ordering::Acquire)
        };
        B::after(u64::from(seen), u64::from(seen));
        if !must_wait(seen) {
            return;
        }
        B::wait(&[word.addr()], Waiting::Sleep);
    }
}

/// Wakes all who sleep on `word`.
pub fn wake<B: Backend>(word: &AtomicU32<B>) {
    B::before(word.addr(), Kind::Wake, Ordering::Release);
    let value = u64::from(word.peek());
    B::after(value, value);
    B::wake(word.addr());
}
