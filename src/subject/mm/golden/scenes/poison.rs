//! Scenes of pages that are taken out of use and given back.
//!
//! What it is not: a search for schedules.

use super::{ALL, NO, Program, Scene, Turn, scene};
use crate::subject::mm::tables::Op::{Alloc, FreePages, Poison, Scan, Unpoison};
use pagerace_core::sync::Kind::{Dec, Lock};

const DISSOLVED: &[(&str, &str)] = &[("hwpoison_inc", "dissolved")];
const POISON: Program = &[(Poison, NO)];
/// The page was seen on the buddy lists and not taken off them.
const SEEN: &[Turn] = &[(0, Lock, 4)];

pub(super) const SCENES: &[Scene] = &[
    scene("poison", &[(Poison, ALL)]),
    scene("poison, with lists", &[(Poison, ALL)]).lists(2),
    scene("poison, page in use", &[(Alloc, NO), (Poison, NO)]),
    scene("poison, page parked", &[(Alloc, NO), (FreePages, NO), (Poison, NO)]).lists(2),
    scene("poison, page allocated before it is taken off", POISON).with(&[(Alloc, NO)], SEEN),
    scene("poison, page allocated before it is taken off, dissolved", POISON)
        .under(DISSOLVED)
        .with(&[(Alloc, NO)], SEEN),
    scene("poison, page parked before it is taken off", &[(Poison, [1, 0])])
        .lists(2)
        .with(&[(Alloc, NO)], SEEN),
    scene("poison, page parked before it is taken off, dissolved", &[(Poison, [1, 0])])
        .lists(2)
        .under(DISSOLVED)
        .with(&[(Alloc, NO)], SEEN),
    scene("unpoison", &[(Poison, ALL), (Unpoison, NO)]),
    scene("unpoison, a walker has a reference", &[(Poison, NO), (Unpoison, NO)])
        .with(&[(Scan, NO)], &[(1, Dec, 1)]),
];
