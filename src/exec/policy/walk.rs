//! A random walk: at each point a coin says whether another task goes on, any of them.
//!
//! What it is not: uniform over interleavings. The one in which two of three accesses come first is more
//! likely than where all three do.

use super::api::{Policy, Start, View};
use super::draw;

/// The state of a random walk.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// It switches with probability 1 in 2^this; 0: all tasks are equally likely.
    rate: u32,
    seed: u64,
}

impl Walk {
    /// Sets the rate of the runs to come.
    pub(super) const fn set_rate(&mut self, rate: u32) {
        self.rate = rate;
    }

    /// A walk that at each point switches to another task with probability 1 in 2^`rate`. With a rate of
    /// 0 it is each task's turn with the same probability.
    #[must_use]
    pub const fn new(rate: u32) -> Self {
        Self { rate, seed: 0 }
    }
}

impl Policy for Walk {
    fn begin(&mut self, start: &Start<'_>) {
        self.seed = start.seed;
    }

    fn choose(&mut self, view: &View<'_>) -> usize {
        if let Some(chosen) = view.standing() {
            return chosen;
        }
        let mut rng = draw::at(self.seed, view.place, 0);
        let can_stay = view.enabled.has(view.last);
        let others = if self.rate == 0 || !can_stay {
            *view.enabled
        } else {
            let mut others = *view.enabled;
            others.remove(view.last);
            if others.is_empty() || rng.bits() >> (64 - self.rate.min(63)) != 0 {
                return view.last;
            }
            others
        };
        let nth = rng.below(others.len());
        others.iter().nth(nth).expect("nth is below their number")
    }
}
