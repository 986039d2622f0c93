//! Scenes of the allocator and of the page cache.
//!
//! What it is not: a search for schedules.

use super::{ALL, FAILING, FOUR, NO, PAIR, Scene, Turn, scene};
use crate::subject::mm::tables::Op;
use pagerace_core::sync::Kind;

pub(super) const SCENES: &[Scene] = {
    use Kind::{Cas, Clear, Dec, Fail, IncNotZero, Load, Lock, Set};
    use Op::*;
    /// Index 1, which needs a node.
    const ONE: [u32; 2] = [0, 1];
    const FAILS: [u32; 2] = [FAILING, 0];
    /// A scan that has its reference.
    const SCAN_HOLDS: Turn = (1, Load, 2);
    /// A lookup between slot and reference.
    const LOOKUP_INSIDE: Turn = (1, IncNotZero, 1);
    /// A lookup with lock before it unlocks.
    const LOCK_HELD: Turn = (1, Clear, 1);
    /// A writer that changed its page and has not looked it up again.
    const DIRTY: Turn = (1, Load, 4);
    /// A writer before its write ends: it has cleared the dirty bit and the page lock.
    const WRITING: Turn = (1, Clear, 3);
    /// A drain that has the list's lock and goes for the zone's.
    const DRAINING: Turn = (1, Lock, 2);
    /// A grace period is over, and the nodes that it was waited for are not back in the pool.
    const WAITED: Turn = (1, Lock, 2);
    const WAITED_FIRST: Turn = (0, Lock, 2);
    /// CPU 0 at its second page.
    const ADDS_AGAIN: Turn = (0, Fail, 2);
    /// CPU 0 before its n-th reference or lock.
    const BEFORE_GET: Turn = (0, IncNotZero, 1);
    const BEFORE_LOCK: Turn = (0, Set, 1);
    &[
        scene("alloc order 0", &[(Alloc, NO)]),
        scene("alloc order 2", &[(Alloc, FOUR)]),
        scene("alloc, no memory", &[(Alloc, FOUR), (Alloc, FOUR), (Alloc, NO)]),
        scene("alloc, may_fail", &[(Alloc, FAILS)]),
        scene("alloc, may_fail, of two blocks", &[(Alloc, FAILS)]).frames(16),
        scene("alloc order 0, list empty", &[(Alloc, NO)]).lists(2),
        scene("alloc order 0, list hit", &[(Alloc, NO), (Alloc, NO)]).lists(2),
        scene("alloc order 0, no memory, with lists", &[(Alloc, ALL), (Alloc, NO)]).lists(2),
        scene("alloc order 1, with lists", &[(Alloc, PAIR)]).lists(2),
        scene("alloc order 0, list in use", &[(Alloc, NO), (Alloc, NO)])
            .lists(2)
            .with(&[(DrainAll, NO)], &[DRAINING]),
        scene(
            "alloc order 0, after an overflow",
            &[(Alloc, NO), (Alloc, NO), (FreePages, NO), (FreePages, NO), (Alloc, NO)],
        )
        .lists(1),
        scene("alloc_compound order 2", &[(AllocCompound, FOUR)]),
        scene("alloc_compound, no memory", &[(Alloc, FOUR), (AllocCompound, ALL)]),
        scene("alloc_exact 3 pages", &[(AllocExact, FOUR)]),
        scene("alloc_exact, no memory", &[(Alloc, ALL), (AllocExact, FOUR)]),
        scene("split_page order 2", &[(Alloc, FOUR), (SplitPage, NO)]),
        scene("free_pages order 0", &[(Alloc, NO), (FreePages, NO)]),
        scene("free_pages order 0, not last", &[(Alloc, NO), (GetPage, NO), (FreePages, NO)]),
        scene("free_pages order 0, to the list", &[(Alloc, NO), (FreePages, NO)]).lists(2),
        scene(
            "free_pages order 0, list overflows",
            &[(Alloc, NO), (Alloc, NO), (FreePages, NO), (FreePages, NO)],
        )
        .lists(1),
        scene(
            "free_pages order 0, list of two batches overflows",
            &[
                (Alloc, NO),
                (Alloc, NO),
                (Alloc, NO),
                (Alloc, NO),
                (FreePages, NO),
                (FreePages, NO),
                (FreePages, NO),
                (FreePages, NO),
            ],
        )
        .lists(2),
        scene("free_pages order 1, list overflows", &[(Alloc, PAIR), (FreePages, NO)]).lists(1),
        scene("free_pages order 0, list in use", &[(Alloc, NO), (FreePages, NO)])
            .lists(2)
            .with(&[(DrainAll, NO)], &[DRAINING]),
        scene("free_pages order 2", &[(Alloc, FOUR), (FreePages, NO)]),
        scene("free_pages order 3, not last", &[(Alloc, ALL), (FreePages, NO)])
            .with(&[(Scan, NO)], &[SCAN_HOLDS]),
        scene("free_pages order 2, not last, with lists", &[(Alloc, FOUR), (FreePages, NO)])
            .lists(2)
            .with(&[(Scan, NO)], &[SCAN_HOLDS]),
        scene("free_pages compound order 2", &[(AllocCompound, FOUR), (FreePages, NO)]),
        scene(
            "free_pages compound order 2, not last",
            &[(AllocCompound, FOUR), (GetPage, NO), (FreePages, NO)],
        ),
        scene("free_exact 3 pages", &[(AllocExact, FOUR), (FreeExact, NO)]),
        scene("get_page order 0", &[(Alloc, NO), (GetPage, NO)]),
        scene("get_page compound", &[(AllocCompound, FOUR), (GetPage, NO)]),
        scene("put_page order 0", &[(Alloc, NO), (PutPage, NO)]),
        scene("put_page order 0, not last", &[(Alloc, NO), (GetPage, NO), (PutPage, NO)]),
        scene("put_page compound", &[(AllocCompound, FOUR), (PutPage, NO)]),
        scene("add index 0", &[(Add, NO)]),
        scene("add index 0, tree has a node", &[(Add, ONE), (Add, NO)]),
        scene("add index 1, tree grows", &[(Add, NO), (Add, ONE)]),
        scene("add index 1, empty tree grows", &[(Add, ONE)]),
        scene("add, no memory", &[(Alloc, ALL), (Add, NO)]),
        scene("add, may_fail", &[(Add, FAILS)]),
        scene("add, index taken", &[(Add, NO), (Add, NO)]),
        scene("add, index taken in a node", &[(Add, ONE), (Add, ONE)]),
        scene("add, the other node", &[(Add, ONE), (Delete, ONE), (Add, ONE)]),
        scene(
            "add, node given up during another's grace period",
            &[(Add, ONE), (Delete, ONE), (Add, ONE)],
        )
        .after(0)
        .with(&[(SynchronizeRcu, NO)], &[WAITED, ADDS_AGAIN]),
        scene(
            "lookup, node taken during a grace period",
            &[(Add, ONE), (Delete, ONE), (SynchronizeRcu, NO), (Lookup, ONE)],
        )
        .after(2)
        .with(&[(Add, ONE)], &[WAITED_FIRST]),
        scene(
            "add, node used again",
            &[(Add, ONE), (Delete, ONE), (Add, ONE), (Delete, ONE), (Add, ONE)],
        ),
        scene("add, no node", &[(Add, ONE), (Delete, ONE), (Add, ONE), (Delete, ONE), (Add, ONE)])
            .after(1)
            .with(&[(Lookup, ONE)], &[LOOKUP_INSIDE]),
        scene("delete index 0", &[(Add, NO), (Delete, NO)]),
        scene("delete index 1, node stays", &[(Add, NO), (Add, ONE), (Delete, ONE)]),
        scene("delete index 1, tree shrinks", &[(Add, ONE), (Delete, ONE)]),
        scene("delete nothing", &[(Delete, NO)]),
        scene("delete, page dirty", &[(Add, NO), (Delete, NO)]).with(&[(Writeback, NO)], &[DIRTY]),
        scene("delete, page under writeback", &[(Add, NO), (Delete, NO)])
            .with(&[(Writeback, NO)], &[WRITING]),
        scene("delete, deleted before it is locked", &[(Add, NO), (Delete, NO)])
            .with(&[(Delete, NO)], &[BEFORE_LOCK]),
        scene("lookup index 0", &[(Add, NO), (Lookup, NO)]),
        scene("lookup index 1", &[(Add, ONE), (Lookup, ONE)]),
        scene("lookup nothing", &[(Lookup, NO)]),
        scene("lookup nothing, head is a page", &[(Add, NO), (Lookup, ONE)]),
        scene("lookup nothing, head is a node", &[(Add, ONE), (Lookup, NO)]),
        scene("lookup, page freed before the reference", &[(Add, NO), (Lookup, NO)])
            .with(&[(Delete, NO)], &[BEFORE_GET]),
        scene("lookup, page allocated again before the reference", &[(Add, NO), (Lookup, NO)])
            .with(&[(Delete, NO), (Alloc, NO)], &[BEFORE_GET]),
        scene("lookup, its reference becomes the last", &[(Add, NO), (Lookup, NO)])
            .with(&[(Delete, NO)], &[(0, Load, 2)]),
        // Reclaim stops at its load after the freeze.
        scene("lookup, page frozen, then reclaimed", &[(Add, NO), (Lookup, NO)])
            .with(&[(Reclaim, NO)], &[BEFORE_GET, (1, Load, 6)]),
        scene("lookup_lock", &[(Add, NO), (LookupLock, NO)]),
        scene("lookup_lock nothing", &[(LookupLock, NO)]),
        scene("lookup_lock, page locked", &[(Add, NO), (LookupLock, NO)])
            .with(&[(LookupLock, NO)], &[LOCK_HELD]),
        scene("lookup_lock, page unlocked before the waiting", &[(Add, NO), (LookupLock, NO)])
            .with(&[(LookupLock, NO)], &[LOCK_HELD, (0, Set, 2)]),
        scene("lookup_lock, someone waits", &[(Add, NO), (LookupLock, NO)])
            .with(&[(LookupLock, NO)], &[(0, Clear, 1)]),
        scene("lookup_lock, deleted before it is locked", &[(Add, NO), (LookupLock, NO)])
            .with(&[(Delete, NO)], &[BEFORE_LOCK]),
        scene("truncate two pages", &[(Add, NO), (Add, ONE), (Truncate, NO)]),
        scene("truncate nothing", &[(Truncate, NO)]),
        scene("reclaim", &[(Add, NO), (Reclaim, NO)]),
        scene("reclaim index 1, tree shrinks", &[(Add, ONE), (Reclaim, ONE)]),
        scene("reclaim nothing", &[(Reclaim, NO)]),
        scene("reclaim, page locked", &[(Add, NO), (Reclaim, NO)])
            .with(&[(LookupLock, NO)], &[LOCK_HELD]),
        scene("reclaim, deleted before it is locked", &[(Add, NO), (Reclaim, NO)])
            .with(&[(Delete, NO)], &[BEFORE_LOCK]),
        scene("reclaim, page dirty", &[(Add, NO), (Reclaim, NO)])
            .with(&[(Writeback, NO)], &[DIRTY]),
        scene("reclaim, freeze refused", &[(Add, NO), (Lookup, NO), (Reclaim, NO)]),
        scene("reclaim, made dirty before the freeze", &[(Add, NO), (Reclaim, NO)])
            .with(&[(Writeback, NO)], &[(0, Cas, 1), DIRTY]),
        scene("writeback", &[(Add, NO), (Writeback, NO)]),
        scene("writeback nothing", &[(Writeback, NO)]),
        scene("writeback, deleted before it is found again", &[(Add, NO), (Writeback, NO)])
            .with(&[(Delete, NO)], &[(0, Load, 4)]),
        scene("writeback, deleted before it is locked", &[(Add, NO), (Writeback, NO)])
            .with(&[(Delete, NO)], &[(0, Set, 2)]),
        scene("writeback, written by another", &[(Add, NO), (Writeback, NO)])
            .with(&[(Writeback, NO)], &[(0, Set, 2)]),
        scene("writeback, page under writeback", &[(Add, NO), (Writeback, NO)])
            .with(&[(Writeback, NO)], &[WRITING]),
        scene("writeback, someone waits", &[(Add, NO), (Writeback, NO)])
            .with(&[(Delete, NO)], &[(0, Clear, 3)]),
        scene("scan a page", &[(Alloc, NO), (Scan, NO)]),
        scene("scan a tail", &[(AllocCompound, FOUR), (Scan, ALL)]),
        scene("scan a free frame", &[(Scan, NO)]),
        scene("scan a tail, block changed before the reference", &[(Scan, ALL)]).with(
            &[(AllocCompound, FOUR), (FreePages, NO), (Alloc, FOUR)],
            &[(1, Dec, 1), BEFORE_GET],
        ),
        scene("drain_local", &[(Alloc, NO), (DrainLocal, NO)]).lists(2),
        scene("drain_local, list empty", &[(DrainLocal, NO)]).lists(2),
        scene("drain_all", &[(Alloc, NO), (DrainAll, NO)]).lists(2),
        scene("drain_all, list in use", &[(DrainAll, NO)])
            .lists(2)
            .with(&[(Alloc, NO)], &[(1, Lock, 1)]),
        scene("synchronize_rcu, no node waits", &[(SynchronizeRcu, NO)]),
        scene("synchronize_rcu", &[(Add, ONE), (Delete, ONE), (SynchronizeRcu, NO)]),
        scene("synchronize_rcu, reader inside", &[(Add, ONE), (Delete, ONE), (SynchronizeRcu, NO)])
            .after(1)
            .with(&[(Lookup, ONE)], &[LOOKUP_INSIDE]),
    ]
};
