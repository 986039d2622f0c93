//! Scenes of fragments.
//!
//! What it is not: a search for schedules.

use super::{ALL, FAILING, NO, Scene, scene};
use crate::subject::mm::tables::Op::{Alloc, FragAlloc, FragFree};

pub(super) const SCENES: &[Scene] = &[
    scene("frag_alloc", &[(FragAlloc, NO)]),
    scene("frag_alloc, stored", &[(FragAlloc, NO)]).under(&[("set_count", "store")]),
    scene("frag_alloc, no memory", &[(Alloc, ALL), (FragAlloc, NO)]),
    scene("frag_alloc, may_fail", &[(FragAlloc, [FAILING, 0])]),
    scene("frag_free", &[(FragAlloc, NO), (FragFree, NO)]),
    scene("frag_free, last", &[(FragAlloc, NO), (FragFree, NO), (FragFree, NO)]),
];
