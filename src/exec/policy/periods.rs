//! Periods (Wen, Cai, Yuan, Fu, Cao, Cai, ICSE 2022): schedules enumerated by how often they interrupt a
//! task. First the runs in which tasks follow one another in each of their orders, then those with one
//! interruption at each place, then with two, and so on: run number `n` is the n-th of them.
//!
//! A *period* is a stretch in which one task runs. Where it is interrupted is a number of accesses, which
//! comes from what is expected of all tasks; a task that ends before is followed by the next period's.
//!
//! What it is not: complete. The order of tasks that follow each other without an interruption is one of
//! its rotations, and an interruption past the end of a run changes nothing.

use super::api::{Pending, Policy, Start, View};
use super::lengths::Lengths;

/// The most interruptions; after those with so many it starts anew.
const MOST: u32 = 3;
/// The accesses that a run is taken to have of which nothing is known.
const UNKNOWN: u64 = 16;

/// At this access of the run another task goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Interruption {
    at: u64,
    /// How many tasks further, of those that could go on.
    further: usize,
}

/// The state of the enumeration.
#[derive(Clone, Default, Debug)]
pub struct Periods {
    /// Which schedule; the next run has the next one.
    number: u64,
    interruptions: Vec<Interruption>,
    /// Which task goes first.
    first: usize,
    /// How many tasks there are.
    tasks: usize,
    /// How many accesses were made, and how many interruptions have been.
    made: u64,
    passed: usize,
    lengths: Lengths,
}

impl Periods {
    /// The enumeration from its beginning.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next run has the schedule of this number.
    pub const fn set_number(&mut self, number: u64) {
        self.number = number;
    }

    /// Reads the interruptions from the number: how many there are, who is first, where they are and
    /// who goes on.
    fn decode(&mut self) {
        let total: u64 = (0..self.lengths.tasks()).map(|task| self.lengths.own(task)).sum();
        let places = if self.lengths.tasks() == 0 { UNKNOWN } else { total.max(1) };
        let others = (self.tasks - 1).max(1) as u64;
        let mut number = self.number;
        let mut level = 0;
        let mut size = self.tasks as u64;
        while number >= size {
            number -= size;
            level = (level + 1) % (MOST + 1);
            size = (places * others).saturating_pow(level).saturating_mul(self.tasks as u64);
        }
        self.interruptions.clear();
        self.first = (number % self.tasks as u64) as usize;
        number /= self.tasks as u64;
        for _ in 0..level {
            let further = 1 + (number % others) as usize;
            number /= others;
            self.interruptions.push(Interruption { at: 1 + number % places, further });
            number /= places;
        }
        self.interruptions.sort_unstable_by_key(|i| i.at);
    }
}

/// The `further`-th task after `last` of those that could go on, in a circle.
fn after(view: &View<'_>, last: usize, further: usize) -> usize {
    let behind = view.enabled.iter().filter(|&task| task > last);
    let before = view.enabled.iter().filter(|&task| task <= last);
    behind.chain(before).cycle().nth(further - 1).expect("some task is enabled")
}

impl Policy for Periods {
    fn begin(&mut self, start: &Start<'_>) {
        self.lengths.begin(start.expected, |task| task.points);
        self.tasks = start.expected.len().max(2);
        (self.made, self.passed) = (0, 0);
        self.decode();
        self.number += 1;
    }

    fn choose(&mut self, view: &View<'_>) -> usize {
        if let Some(chosen) = view.standing() {
            return chosen;
        }
        if self.made == 0 {
            let nth = self.first % view.enabled.len();
            return view.enabled.iter().nth(nth).expect("nth is below their number");
        }
        let due = self.interruptions.get(self.passed).filter(|i| i.at <= self.made);
        if let Some(&Interruption { further, .. }) = due {
            self.passed += 1;
            return after(view, view.last, further);
        }
        if view.enabled.has(view.last) { view.last } else { after(view, view.last, 1) }
    }

    fn made(&mut self, _: usize, _: &Pending, _: &View<'_>) {
        self.made += 1;
    }
}
