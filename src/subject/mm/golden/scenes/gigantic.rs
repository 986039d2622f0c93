//! Scenes of gigantic blocks.
//!
//! What it is not: a search for schedules.

use super::{FAILING, FOUR, NO, PAIR, Scene, scene};
use crate::subject::mm::tables::Op::{Alloc, AllocGigantic, FreePages, Scan};
use pagerace_core::sync::Kind::{Cas, Load};

const STORED: &[(&str, &str)] = &[("gigantic_prep", "store0")];
const FROZEN_SINGLY: &[(&str, &str)] = &[("gigantic_prep", "freeze1")];

/// Four frames, the upper half of memory.
const UPPER: [u32; 2] = [2, 7];

pub(super) const SCENES: &[Scene] = &[
    scene("alloc_gigantic order 2", &[(AllocGigantic, UPPER)]),
    scene("alloc_gigantic order 2, stored", &[(AllocGigantic, UPPER)]).under(STORED),
    scene("alloc_gigantic order 2, frozen singly", &[(AllocGigantic, UPPER)]).under(FROZEN_SINGLY),
    scene("alloc_gigantic order 0", &[(AllocGigantic, NO)]),
    scene("alloc_gigantic, in use", &[(Alloc, NO), (AllocGigantic, FOUR)]),
    scene("alloc_gigantic, may_fail", &[(AllocGigantic, [FAILING, 0])]),
    scene("alloc_gigantic order 1, undone at once", &[(AllocGigantic, PAIR)])
        .under(FROZEN_SINGLY)
        .with(&[(Scan, [1, 0])], &[(0, Cas, 1), (1, Load, 2)]),
    scene("alloc_gigantic order 2, undone at the last page", &[(AllocGigantic, FOUR)])
        .under(FROZEN_SINGLY)
        .with(&[(Scan, [3, 0])], &[(0, Cas, 3), (1, Load, 2)]),
    scene("free_pages of a gigantic block", &[(AllocGigantic, UPPER), (FreePages, NO)]),
];
