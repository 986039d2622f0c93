//! Lock order: no two classes of spin locks are taken in both orders.
//!
//! Verifies: with a lock of class a held, taking one of class b orders a before b; the opposite
//! order elsewhere in the run, or in the campaign for whoever keeps a [`LockOrder`] across runs, is a
//! finding, whether or not it came to a deadlock. Two locks of one class may be held at once only if
//! they are taken in ascending order of their instances. A lock that is only tried for (`trylock`)
//! cannot make anyone wait, so taking it orders nothing; holding it does.
//!
//! Cannot verify: cycles of three or more classes; bit locks in a flags word (their deadlocks are
//! found when they happen); locks that the subject did not name.
//!
//! Needs: accesses to spin locks.
//!
//! Names no frames: locks belong to none. The line of the finding has the lock that was taken last.
//!
//! Signature: `lock-order/CLASS/CLASS`, in alphabetical order.

use super::context::Held;
use super::finding::{Class, Facts, Finding};
use super::scene::{Scene, Verdict, at_the_end};
use crate::subject::{ObjectId, Spec};
use pagerace_core::sync::Kind;

/// Which class of locks was taken under which. Reused from run to run, or kept for a campaign.
#[derive(Clone, Debug, Default)]
pub struct LockOrder {
    /// (held, taken), as indices into the spec's classes; each pair once.
    pairs: Vec<(u8, u8)>,
}

impl LockOrder {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.pairs.clear();
    }

    /// How many pairs are known. The n-th to be entered keeps its place.
    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Enters a pair; the place of the opposite one, if that is known.
    fn enter(&mut self, pair: (u8, u8)) -> Option<usize> {
        if !self.pairs.contains(&pair) {
            self.pairs.push(pair);
        }
        self.pairs.iter().position(|&known| known == (pair.1, pair.0))
    }

    /// Takes in the pairs of a run, and reports the first new one whose opposite is known, with the
    /// place of that. Such a finding belongs to the campaign: no single case need show it.
    pub fn absorb(&mut self, spec: &Spec, run: &Self) -> Option<(Finding, usize)> {
        let mut first = None;
        for &pair in &run.pairs {
            if self.pairs.contains(&pair) {
                continue;
            }
            let opposite = self.enter(pair);
            first = first.or(opposite.map(|place| (pair, place)));
        }
        let (pair, place) = first?;
        let finding = at_the_end(Class::LockOrder, &names(spec, pair), facts())?;
        Some((*finding, place))
    }

    /// Judges a lock that the scene's CPU takes while it holds `held`.
    pub(super) fn taken(
        &mut self,
        scene: &Scene<'_>,
        held: &[Held],
        object: Option<ObjectId>,
        kind: Kind,
    ) -> Verdict {
        let object = object.filter(|_| kind == Kind::Lock)?;
        for before in held.iter().filter_map(|held| held.object) {
            let pair = (before.class(), object.class());
            let wrong = if before.class() == object.class() {
                before.instance() >= object.instance()
            } else {
                self.enter(pair).is_some()
            };
            if wrong {
                return scene.found(Class::LockOrder, &names(scene.spec, pair), facts());
            }
        }
        None
    }
}

fn facts() -> Facts {
    Facts { why: "two locks are taken in both orders", ..Facts::default() }
}

fn names(spec: &Spec, (a, b): (u8, u8)) -> [&'static str; 2] {
    let mut names = [a, b].map(|class| spec.classes[usize::from(class)].name);
    names.sort_unstable();
    names
}
