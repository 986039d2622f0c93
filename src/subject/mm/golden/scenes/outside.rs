//! Scenes of users of memory that somebody else allocated.
//!
//! What it is not: a search for schedules.

use super::{ALL, FOUR, NO, PAIR, Scene, scene};
use crate::subject::mm::tables::Op::{Alloc, FreeShared, TailGet};

pub(super) const SCENES: &[Scene] = &[
    scene("tail_get, first page", &[(Alloc, FOUR), (TailGet, NO)]),
    scene("tail_get, last page", &[(Alloc, FOUR), (TailGet, ALL)]),
    scene("tail_get, last page, plain", &[(Alloc, FOUR), (TailGet, ALL)])
        .under(&[("tail_get", "plain")]),
    scene("free_shared order 0", &[(Alloc, NO), (FreeShared, NO)]),
    scene("free_shared order 1", &[(Alloc, PAIR), (FreeShared, NO)]),
    scene("free_shared order 1, both free", &[(Alloc, PAIR), (FreeShared, NO)])
        .under(&[("multi_holder", "both_free")]),
];
