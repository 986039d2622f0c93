//! Reads-from obligations (Wolff, Shi, Duck, Mathur, Roychoudhury, ASPLOS 2024): "this read sees that write",
//! enforced by delaying. Under them accesses go by partial order sampling.
//!
//! A read that has an obligation is held back until the write it is to see was the last one to its object;
//! from then on all other writes to that object are held back until the read was made. Where only accesses
//! that are held back are left, the obligations of this run are given up.
//!
//! Which obligations there are is learned: every read and every write that a run makes may be asked to
//! meet in a later one. Pairs asked for least often come first.
//!
//! What it is not: a promise. An obligation may be impossible, or may become so by what was chosen before.

use super::api::{Pending, Policy, Start, View};
use super::draw;
use super::pos::Pos;
use crate::subject::ObjectId;
use std::collections::BTreeMap;

/// The most obligations of one run.
const MOST: usize = 3;
/// In 256: one more obligation.
const MORE: u16 = 96;

/// "The read at this site of this object sees the write at that one".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Obligation {
    /// Which object.
    pub object: ObjectId,
    /// Where it is read.
    pub read: u32,
    /// Where the value was written; none for what the object held at first.
    pub write: Option<u32>,
}

/// Where an object is read and written, as far as it is known.
#[derive(Clone, Default, Debug)]
struct Known {
    /// Where, and by how many runs the pair with each of `writes` was asked for.
    reads: Vec<u32>,
    writes: Vec<Option<u32>>,
}

/// The state of reads-from obligations.
#[derive(Clone, Default, Debug)]
pub struct Obligations {
    /// Those of every run; if there are none they are drawn from what is known.
    given: Vec<Obligation>,
    known: BTreeMap<ObjectId, Known>,
    /// How often each pair that is known was asked for.
    asked: BTreeMap<Obligation, u32>,
    /// Those of this run that are neither met nor given up.
    open: Vec<Obligation>,
    met: Vec<Obligation>,
    last_write: BTreeMap<ObjectId, u32>,
    order: Pos,
}

impl Obligations {
    /// Obligations that are learned from what runs do. The first run has none.
    #[must_use]
    pub fn learned() -> Self {
        Self::default()
    }

    /// These obligations, in every run.
    #[must_use]
    pub fn given(obligations: &[Obligation]) -> Self {
        Self { given: obligations.to_vec(), ..Self::default() }
    }

    /// Those of the last run that were met.
    #[must_use]
    pub fn met(&self) -> &[Obligation] {
        &self.met
    }

    fn draw(&mut self, seed: u64) {
        let mut rng = draw::at(seed, u64::MAX, 6);
        for _ in 0..=rng.run(MORE, MOST - 1) {
            let Some(least) = self.asked.values().min().copied() else { return };
            let rarest = self.asked.iter().filter(|&(_, &asked)| asked == least);
            let nth = rng.below(rarest.clone().count());
            let Some((&next, _)) = rarest.clone().nth(nth) else { return };
            *self.asked.get_mut(&next).expect("it is one of them") += 1;
            // One read sees one write.
            let taken = |o: &Obligation| (o.object, o.read) == (next.object, next.read);
            if !self.open.iter().any(taken) {
                self.open.push(next);
            }
        }
    }

    /// Whether an obligation keeps `pending` from being made now.
    fn is_held_back(&self, pending: &Pending) -> bool {
        let Some(object) = pending.object else { return false };
        let last = self.last_write.get(&object).copied();
        self.open.iter().filter(|o| o.object == object).any(|o| {
            let ready = last == o.write;
            let is_read = pending.site == o.read;
            if is_read { !ready } else { ready && !pending.kind.is_read() }
        })
    }

    fn learn(&mut self, object: ObjectId, access: &Pending) {
        let known = self
            .known
            .entry(object)
            .or_insert_with(|| Known { reads: Vec::new(), writes: vec![None] });
        let (read, write) = (access.site, Some(access.site));
        // What changes an object reads it as well.
        if !known.reads.contains(&read) {
            known.reads.push(read);
            for &write in &known.writes {
                self.asked.insert(Obligation { object, read, write }, 0);
            }
        }
        if !access.kind.is_read() && !known.writes.contains(&write) {
            known.writes.push(write);
            for &read in &known.reads {
                self.asked.insert(Obligation { object, read, write }, 0);
            }
        }
    }
}

impl Policy for Obligations {
    fn begin(&mut self, start: &Start<'_>) {
        self.order.begin(start);
        self.last_write.clear();
        self.met.clear();
        self.open.clone_from(&self.given);
        if self.given.is_empty() {
            self.draw(start.seed);
        }
    }

    fn choose(&mut self, view: &View<'_>) -> usize {
        let mut order = std::mem::take(&mut self.order);
        let free = |task| !view.pending(task).is_some_and(|pending| self.is_held_back(pending));
        let chosen = order.highest(view, free);
        self.order = order;
        chosen.unwrap_or_else(|| {
            self.open.clear();
            self.order.choose(view)
        })
    }

    fn made(&mut self, by: usize, access: &Pending, view: &View<'_>) {
        self.order.made(by, access, view);
        let Some(object) = access.object else { return };
        let last = self.last_write.get(&object).copied();
        if let Some(at) = self.open.iter().position(|o| (o.object, o.read) == (object, access.site))
        {
            let settled = self.open.swap_remove(at);
            if settled.write == last {
                self.met.push(settled);
            }
        }
        if self.given.is_empty() {
            self.learn(object, access);
        }
        if !access.kind.is_read() {
            self.last_write.insert(object, access.site);
        }
    }
}
