//! Scenes of page tables that several users share.
//!
//! What it is not: a search for schedules.

use super::{FAILING, FOUR, NO, PAIR, Scene, scene};
use crate::subject::mm::tables::Op::{Alloc, Scan, TableMap, TableUnmap};
use pagerace_core::sync::Kind;

/// By the reference count of the table.
const COUNTED: &[(&str, &str)] = &[("table_sharing", "refcount")];
/// A scan of the table that has its reference.
const SCAN_HOLDS: &[(usize, Kind, usize)] = &[(1, Kind::Load, 2)];

pub(super) const SCENES: &[Scene] = &[
    scene("table_map, new", &[(TableMap, NO)]),
    scene("table_map, may_fail", &[(TableMap, [FAILING, 0])]),
    scene(
        "table_map, no memory for what it maps",
        &[(Alloc, FOUR), (Alloc, PAIR), (Alloc, NO), (TableMap, NO)],
    ),
    scene("table_map, shared", &[(TableMap, NO), (TableMap, NO)]),
    scene("table_map, shared, by the reference count", &[(TableMap, NO), (TableMap, NO)])
        .under(COUNTED),
    scene("table_unmap, last", &[(TableMap, NO), (TableUnmap, NO)]),
    scene("table_unmap, last, by the reference count", &[(TableMap, NO), (TableUnmap, NO)])
        .under(COUNTED),
    scene("table_unmap, shared", &[(TableMap, NO), (TableMap, NO), (TableUnmap, NO)]),
    scene(
        "table_unmap, shared, by the reference count",
        &[(TableMap, NO), (TableMap, NO), (TableUnmap, NO)],
    )
    .under(COUNTED),
    scene("table_unmap, a scan holds the table", &[(TableMap, NO), (TableUnmap, NO)])
        .with(&[(Scan, NO)], SCAN_HOLDS),
    scene(
        "table_unmap, a scan holds the table, by the reference count",
        &[(TableMap, NO), (TableUnmap, NO)],
    )
    .under(COUNTED)
    .with(&[(Scan, NO)], SCAN_HOLDS),
];
