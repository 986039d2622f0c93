//! Scenes of users of memory that somebody else allocated.
//!
//! What it is not: a search for schedules.

use super::{ALL, FOUR, NO, PAIR, Program, Scene, scene};
use crate::subject::mm::tables::Op::{Alloc, FreePages, FreeShared, ShareBlock, TailGet, TailPut};

const BOTH_FREE: &[(&str, &str)] = &[("multi_holder", "both_free")];
const SHARED: Program = &[(Alloc, PAIR), (ShareBlock, NO), (FreeShared, NO)];
const OWNER_LAST: Program = &[(Alloc, PAIR), (ShareBlock, NO), (FreeShared, NO), (FreePages, NO)];

pub(super) const SCENES: &[Scene] = &[
    scene("tail_get, first page", &[(Alloc, FOUR), (TailGet, NO)]),
    scene("tail_get, last page", &[(Alloc, FOUR), (TailGet, ALL)]),
    scene("tail_get, last page, plain", &[(Alloc, FOUR), (TailGet, ALL)])
        .under(&[("tail_get", "plain")]),
    scene("tail_put, first page", &[(Alloc, FOUR), (TailGet, NO), (TailPut, NO)]),
    scene("tail_put, last page", &[(Alloc, FOUR), (TailGet, ALL), (TailPut, NO)]),
    scene("tail_put, last page, plain", &[(Alloc, FOUR), (TailGet, ALL), (TailPut, NO)])
        .under(&[("tail_get", "plain")]),
    scene("share_block order 1", &[(Alloc, PAIR), (ShareBlock, NO)]),
    scene("free_shared order 0", &[(Alloc, NO), (ShareBlock, NO), (FreeShared, NO)]),
    scene("free_shared order 1", SHARED),
    scene("free_shared order 1, both free", SHARED).under(BOTH_FREE),
    scene("free_pages order 1, after the second user", OWNER_LAST),
    scene("free_pages order 1, after the second user, both free", OWNER_LAST).under(BOTH_FREE),
];
