//! A random walk: at each point any of the tasks that could go on is as likely as any other.
//!
//! What it is not: uniform over interleavings. Those in which one task gets through early are more likely
//! than those in which all end late.

use super::api::{Policy, Start, View};
use crate::program::rng::Rng;

/// The state of a random walk.
#[derive(Clone, Debug)]
pub struct Walk(Rng);

impl Walk {
    /// A walk, which every run seeds anew.
    #[must_use]
    pub const fn new() -> Self {
        Self(Rng::new(0))
    }
}

impl Default for Walk {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for Walk {
    fn begin(&mut self, start: &Start<'_>) {
        self.0 = Rng::new(start.seed);
    }

    fn choose(&mut self, view: &View<'_>) -> usize {
        let nth = self.0.below(view.enabled.len());
        view.enabled.iter().nth(nth).expect("nth is below their number")
    }
}
