//! Scenes of memory that goes offline.
//!
//! What it is not: a search for schedules.

use super::{ALL, NO, Program, Scene, Turn, scene};
use crate::subject::mm::tables::Op::{Alloc, FreePages, Offline};
use pagerace_core::sync::Kind::{Load, Lock, TryLock};

const ONCE: &[(&str, &str)] = &[("offline", "drain_once")];
const LOOP: &[(&str, &str)] = &[("offline", "drain_loop")];
const USED: Program = &[(Alloc, NO), (Offline, NO)];
const FREED: Program = &[(Alloc, NO), (FreePages, NO), (Offline, NO)];
const FREES: Program = &[(Alloc, NO), (FreePages, NO)];
/// CPU 1 has taken a block off the lists and not counted it.
const TAKEN: &[Turn] = &[(1, Load, 1)];
/// CPU 1 has a block with no count and not put it on the buddy lists.
const GIVEN_UP: &[Turn] = &[(1, Lock, 2)];
/// CPU 1 has looked at the type of the block and not parked it.
const NOT_PARKED: &[Turn] = &[(1, TryLock, 2)];

pub(super) const SCENES: &[Scene] = &[
    scene("offline", &[(Offline, ALL)]),
    scene("offline, page in use", USED),
    scene("offline, somebody else at it", &[(Offline, NO)]).with(&[(Offline, NO)], &[(1, Lock, 1)]),
    scene("offline, page being allocated", &[(Offline, NO)]).with(&[(Alloc, NO)], TAKEN),
    scene("offline, page being freed", &[(Offline, NO)]).with(FREES, GIVEN_UP),
    scene("offline, pages parked", FREED).lists(1),
    scene("offline, pages parked, drained once", FREED).lists(1).under(ONCE),
    scene("offline, pages parked, drained in a loop", FREED).lists(1).under(LOOP),
    scene("offline, page being parked", &[(Offline, NO)]).lists(1).with(FREES, NOT_PARKED),
    scene("offline, page being parked, drained in a loop", &[(Offline, NO)])
        .lists(1)
        .under(LOOP)
        .with(FREES, NOT_PARKED),
    scene("free_pages order 0, with lists, offlined meanwhile", FREES)
        .lists(1)
        .with(&[(Offline, NO)], &[(1, Load, 1)]),
    scene("alloc order 0, list switched off", &[(Alloc, NO), (FreePages, NO), (Alloc, NO)])
        .lists(2)
        .with(&[(Offline, NO)], &[(1, Lock, 3)]),
    scene("free_pages order 0, list switched off", FREES)
        .lists(2)
        .with(&[(Offline, NO)], &[(1, Lock, 4)]),
];
