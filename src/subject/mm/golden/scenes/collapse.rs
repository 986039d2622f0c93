//! Scenes of collapses.
//!
//! What it is not: a search for schedules.

use super::{FAILING, NO, Scene, Turn, scene};
use crate::subject::mm::tables::Op::*;
use pagerace_core::sync::Kind;

/// The page of a failed attempt is used again in any case.
const REUSE: &[(&str, &str)] = &[("collapse", "reuse")];
/// Index 1, which needs a node.
const ONE: [u32; 2] = [0, 1];
/// A lookup with lock before it unlocks.
const LOCK_HELD: &[Turn] = &[(1, Kind::Clear, 1)];

/// Frame 1.
const ONE_FRAME: [u32; 2] = [1, 0];
/// A scan that has its reference.
const SCAN_HOLDS: &[Turn] = &[(1, Kind::Load, 2)];

pub(super) const SCENES: &[Scene] = &[
    scene("collapse, a page", &[(Add, NO), (Collapse, NO)]),
    scene("collapse, a page at index 1", &[(Add, ONE), (Collapse, ONE)]),
    scene("collapse, a hole", &[(Collapse, NO)]),
    scene("collapse, a hole at index 1", &[(Collapse, ONE)]),
    scene("collapse, may_fail", &[(Collapse, [FAILING, 0])]),
    scene("collapse, the old page is held", &[(Add, NO), (Lookup, NO), (Collapse, NO)]),
    scene(
        "collapse, the old page has private data",
        &[(Add, NO), (SetPrivate, NO), (Collapse, NO)],
    ),
    scene("collapse, the old page is locked", &[(Add, NO), (Collapse, NO)])
        .with(&[(LookupLock, NO)], LOCK_HELD),
    scene("collapse, the old page is made dirty before the freeze", &[(Add, NO), (Collapse, NO)])
        // It is found when the new one is not there yet.
        .with(&[(Writeback, NO)], &[(1, Kind::Set, 1), (0, Kind::Cas, 1), (1, Kind::Load, 4)]),
    scene("collapse, a page is left", &[(Add, NO), (Lookup, NO), (Collapse, NO), (Collapse, ONE)]),
    scene(
        "collapse, a page is left, reuse",
        &[(Add, NO), (Lookup, NO), (Collapse, NO), (Collapse, ONE)],
    )
    .under(REUSE),
    // The scan has the new page, which is the second.
    scene(
        "collapse, a page is left that a scan holds",
        &[(Add, NO), (Lookup, NO), (Collapse, NO), (Collapse, ONE)],
    )
    .with(&[(Scan, ONE_FRAME)], SCAN_HOLDS),
    scene(
        "collapse, a page is left that a scan holds, reuse",
        &[(Add, NO), (Lookup, NO), (Collapse, NO), (Collapse, ONE)],
    )
    .under(REUSE)
    .with(&[(Scan, ONE_FRAME)], SCAN_HOLDS),
];
