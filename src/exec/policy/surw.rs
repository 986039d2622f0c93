//! Selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury, ASPLOS 2025): uniform over the
//! orders of the accesses to a selected object, or to those of a class.
//!
//! Which task makes the next selected access is drawn beforehand, by how many of them each has left; the
//! others wait at theirs until it has. All other accesses go by random priorities, one for each task
//! between two selected accesses.
//!
//! What it is not: able to hold its promise where a task that is to be next waits for one that is held
//! back. Then another one is drawn.

use super::api::{Expected, Pending, Policy, Start, View};
use super::draw;
use super::lengths::Lengths;
use crate::subject::ObjectId;

/// Which accesses are selected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Select {
    /// Those to one object, drawn for each run among those that at least two tasks are expected to use.
    Drawn,
    /// Those to the objects of this class.
    Class(u8),
    /// Those to this object.
    Object(ObjectId),
}

impl Select {
    fn has(self, object: ObjectId) -> bool {
        match self {
            Self::Drawn => false,
            Self::Class(class) => object.class() == class,
            Self::Object(one) => object == one,
        }
    }

    fn takes(self, pending: Option<&Pending>) -> bool {
        pending.and_then(|pending| pending.object).is_some_and(|object| self.has(object))
    }

    fn count(self, of: &Expected) -> u32 {
        of.objects.iter().filter(|(object, _)| self.has(*object)).map(|(_, n)| n).sum()
    }
}

/// The state of a selectively uniform walk.
#[derive(Clone, Debug)]
pub struct Surw {
    wanted: Select,
    selected: Select,
    seed: u64,
    lengths: Lengths,
    /// Who makes the next selected access.
    next: Option<usize>,
    /// How many have been made or given up: tells draws apart.
    round: u64,
}

impl Surw {
    /// A walk over the orders of these accesses.
    #[must_use]
    pub fn new(select: Select) -> Self {
        Self {
            wanted: select,
            selected: select,
            seed: 0,
            lengths: Lengths::default(),
            next: None,
            round: 0,
        }
    }

    /// Sets what the runs to come select.
    pub(super) const fn set_selected(&mut self, select: Select) {
        self.wanted = select;
    }

    /// The object whose accesses are selected in this run, if it is one.
    #[must_use]
    pub const fn selected(&self) -> Option<ObjectId> {
        match self.selected {
            Select::Object(object) => Some(object),
            Select::Drawn | Select::Class(_) => None,
        }
    }

    /// One of the objects that more than one task uses; each is as likely as the others.
    fn draw_object(&self, expected: &[Expected]) -> Option<ObjectId> {
        let mut shared: Vec<ObjectId> = Vec::new();
        for (task, of) in expected.iter().enumerate() {
            for &(object, _) in &of.objects {
                let others = &expected[task + 1..];
                if !shared.contains(&object) && others.iter().any(|other| other.of(object) > 0) {
                    shared.push(object);
                }
            }
        }
        shared.sort_unstable();
        let mut rng = draw::at(self.seed, u64::MAX, 3);
        (!shared.is_empty()).then(|| rng.pick(&shared))
    }

    fn draw_next(&mut self, tasks: impl Iterator<Item = usize> + Clone) {
        let mut rng = draw::at(self.seed, self.round, 4);
        let weight = |task| self.lengths.left(task);
        self.next = draw::weighted(&mut rng, tasks.filter(|&task| weight(task) > 0), weight);
        self.round += 1;
    }

    fn priority(&self, task: usize) -> u64 {
        draw::at(self.seed, self.round << 16 | task as u64, 5).bits()
    }
}

impl Policy for Surw {
    fn begin(&mut self, start: &Start<'_>) {
        self.seed = start.seed;
        self.selected = match self.wanted {
            Select::Drawn => self.draw_object(start.expected).map_or(Select::Drawn, Select::Object),
            given => given,
        };
        let selected = self.selected;
        self.lengths.begin(start.expected, |task| selected.count(task));
        self.round = 0;
        // Those that are started later are in their parents' numbers.
        let roots = start.expected.iter().enumerate().filter(|(_, of)| of.parent.is_none());
        self.draw_next(roots.map(|(task, _)| task));
    }

    fn spawned(&mut self, task: usize, parent: usize) {
        self.lengths.spawned(task, parent);
        // The access that was to come next may be one of the child's.
        if self.next == Some(parent) {
            self.draw_next([parent, task].into_iter());
        }
    }

    fn choose(&mut self, view: &View<'_>) -> usize {
        let selected = self.selected;
        loop {
            let free =
                |&task: &usize| self.next == Some(task) || !selected.takes(view.pending(task));
            let chosen = view
                .enabled
                .iter()
                .filter(free)
                .max_by_key(|&task| (self.priority(task), usize::MAX - task));
            if let Some(chosen) = chosen {
                return chosen;
            }
            // All are held back: the one that was to be next cannot be.
            let before = self.next;
            self.draw_next(view.enabled.iter());
            if self.next.is_none() || self.next == before {
                return view.enabled.first().expect("some task is enabled");
            }
        }
    }

    fn made(&mut self, by: usize, access: &Pending, _: &View<'_>) {
        if self.selected.takes(Some(access)) {
            self.lengths.made(by);
            let tasks = self.lengths.tasks();
            self.draw_next(0..tasks);
        }
    }
}
