//! Scenes of drains that look at a list without its lock.
//!
//! What it is not: a search for schedules.

use super::{NO, Program, Scene, Turn, scene};
use crate::subject::mm::tables::Op::{Alloc, DrainAll, DrainLocal, FreePages, Offline};
use pagerace_core::sync::Kind::{Lock, Store};

const PEEK: &[(&str, &str)] = &[("pcp_drain", "unlocked_peek")];
/// CPU 1 has linked a batch and not counted it.
const UNCOUNTED: &[Turn] = &[(1, Store, 1)];
/// CPU 1 frees what it took: its last store counts the freed block.
const FREES: Program = &[(Alloc, NO), (FreePages, NO)];
const FREED_UNCOUNTED: &[Turn] = &[(1, Store, 5)];

pub(super) const SCENES: &[Scene] = &[
    scene("drain_local, peek", &[(Alloc, NO), (DrainLocal, NO)]).lists(2).under(PEEK),
    scene("drain_local, peek, list empty", &[(DrainLocal, NO)]).lists(2).under(PEEK),
    scene("drain_all, peek", &[(Alloc, NO), (DrainAll, NO)]).lists(2).under(PEEK),
    scene("drain_all, peek, refill not counted yet", &[(DrainAll, NO)])
        .lists(2)
        .under(PEEK)
        .with(&[(Alloc, NO)], UNCOUNTED),
    scene("drain_all, locked, refill not counted yet", &[(DrainAll, NO)])
        .lists(2)
        .with(&[(Alloc, NO)], UNCOUNTED),
    scene("drain_all, peek, freed block not counted yet", &[(DrainAll, NO)])
        .lists(1)
        .under(PEEK)
        .with(FREES, FREED_UNCOUNTED),
    scene("drain_all, peek, list in use", &[(DrainAll, NO)])
        .lists(2)
        .under(PEEK)
        .with(&[(Alloc, NO)], &[(1, Lock, 1)]),
    scene("offline, peek", &[(Offline, NO)]).lists(2).under(PEEK),
];
