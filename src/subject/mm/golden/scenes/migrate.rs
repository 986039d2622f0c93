//! Scenes of private data and migration.
//!
//! What it is not: a search for schedules.

use super::{FAILING, NO, Scene, Turn, scene};
use crate::subject::mm::tables::Op::*;
use pagerace_core::sync::Kind;

/// Private data holds no reference.
const UNCOUNTED: &[(&str, &str)] = &[("private_ref", "uncounted")];
/// A scan that has its reference.
const SCAN_HOLDS: &[Turn] = &[(1, Kind::Load, 2)];
/// A writer that changed its page and has not looked it up again.
const DIRTY: Turn = (1, Kind::Load, 4);

pub(super) const SCENES: &[Scene] = &[
    scene("set_private", &[(Add, NO), (SetPrivate, NO)]),
    scene("set_private, uncounted", &[(Add, NO), (SetPrivate, NO)]).under(UNCOUNTED),
    scene("set_private, there is some", &[(Add, NO), (SetPrivate, NO), (SetPrivate, NO)]),
    scene("set_private nothing", &[(SetPrivate, NO)]),
    scene("delete, private data", &[(Add, NO), (SetPrivate, NO), (Delete, NO)]),
    scene("delete, private data, uncounted", &[(Add, NO), (SetPrivate, NO), (Delete, NO)])
        .under(UNCOUNTED),
    scene("reclaim, private data", &[(Add, NO), (SetPrivate, NO), (Reclaim, NO)]),
    scene("reclaim, private data, uncounted", &[(Add, NO), (SetPrivate, NO), (Reclaim, NO)])
        .under(UNCOUNTED),
    scene("migrate", &[(Add, NO), (Migrate, NO)]),
    scene("migrate index 1", &[(Add, [0, 1]), (Migrate, [0, 1])]),
    scene("migrate nothing", &[(Migrate, NO)]),
    scene("migrate, may_fail", &[(Add, NO), (Migrate, [FAILING, 0])]),
    scene("migrate, private data", &[(Add, NO), (SetPrivate, NO), (Migrate, NO)]),
    scene("migrate, private data, uncounted", &[(Add, NO), (SetPrivate, NO), (Migrate, NO)])
        .under(UNCOUNTED),
    scene("migrate, a scan holds the page", &[(Add, NO), (Migrate, NO)])
        .with(&[(Scan, NO)], SCAN_HOLDS),
    scene(
        "migrate, private data, a scan holds the page",
        &[(Add, NO), (SetPrivate, NO), (Migrate, NO)],
    )
    .with(&[(Scan, NO)], SCAN_HOLDS),
    scene(
        "migrate, private data, a scan holds the page, uncounted",
        &[(Add, NO), (SetPrivate, NO), (Migrate, NO)],
    )
    .under(UNCOUNTED)
    .with(&[(Scan, NO)], SCAN_HOLDS),
    scene("migrate, made dirty before the freeze", &[(Add, NO), (Migrate, NO)])
        .with(&[(Writeback, NO)], &[(0, Kind::Cas, 1), DIRTY]),
];
