//! How many points each operation has at accesses to each class of objects, where nothing is in its way.
//!
//! Written by `PAGERACE_BLESS=1 cargo test golden` from the first scene of each operation; a test
//! compares. What it is not: exact. An operation that fails, or finds more than one page, has others.

/// By operation: classes and counts.
#[rustfmt::skip]
const POINTS: [&[(u8, u16)]; 34] = [
    &[(0, 2), (9, 1), (10, 1)], // alloc
    &[(0, 5), (1, 1), (2, 3), (9, 1), (10, 1)], // alloc_compound
    &[(0, 10), (1, 3), (2, 1), (3, 1), (9, 1), (10, 2)], // alloc_exact
    &[(0, 3)], // split_page
    &[(0, 2), (1, 3), (3, 1), (10, 1), (27, 1)], // free_pages
    &[(0, 6), (1, 9), (3, 3), (10, 3), (27, 3)], // free_exact
    &[(0, 1), (2, 1)], // get_page
    &[(0, 2), (1, 3), (2, 1), (3, 1), (10, 1)], // put_page
    &[(0, 4), (1, 3), (2, 1), (3, 1), (4, 1), (5, 1), (9, 1), (10, 1), (16, 2), (17, 1)], // add
    &[(0, 4), (1, 7), (2, 2), (3, 3), (4, 1), (10, 1), (16, 4), (17, 1)], // delete
    &[(0, 1), (16, 2)], // lookup
    &[(0, 1), (1, 3), (3, 1), (4, 1), (5, 1), (16, 2)], // lookup_lock
    &[(0, 8), (1, 14), (2, 4), (3, 6), (4, 2), (10, 2), (16, 15), (17, 2), (21, 1)], // truncate
    &[(0, 3), (1, 6), (3, 3), (4, 1), (10, 1), (16, 4), (17, 1)], // reclaim
    &[(0, 4), (1, 8), (2, 2), (3, 1), (4, 1), (16, 4)], // writeback
    &[(0, 2), (2, 3)], // scan
    &[(10, 1), (13, 1), (15, 1)], // drain_local
    &[(10, 1), (13, 2), (15, 1)], // drain_all
    &[(21, 2)], // synchronize_rcu
    &[(0, 1), (1, 1), (2, 3), (9, 1), (10, 1)], // alloc_gigantic
    &[(0, 4), (1, 1), (9, 2), (10, 2), (28, 1)], // table_map
    &[(0, 4), (1, 7), (2, 2), (3, 2), (10, 2), (28, 1)], // table_unmap
    &[(0, 3), (1, 4), (2, 1), (3, 1), (4, 1), (16, 2)], // set_private
    &[(0, 9), (1, 12), (2, 2), (3, 4), (4, 2), (5, 1), (9, 1), (10, 2), (16, 4), (17, 1)], // migrate
    &[(0, 7), (1, 9), (2, 1), (3, 4), (4, 2), (5, 1), (9, 1), (10, 2), (16, 4), (17, 1), (30, 1)], // collapse
    &[(0, 1)], // tail_get
    &[(0, 1), (2, 1)], // free_shared
    &[(10, 5), (15, 2), (23, 4), (24, 3), (25, 4), (26, 1)], // offline
    &[(0, 3), (9, 1), (10, 1)], // frag_alloc
    &[(0, 1), (2, 1)], // frag_free
    &[(0, 2), (1, 1), (2, 1), (10, 2), (13, 2)], // poison
    &[(0, 2), (1, 4), (2, 1), (3, 1), (10, 1)], // unpoison
    &[(0, 1), (2, 1)], // share_block
    &[(0, 1), (2, 1)], // tail_put
];

/// Those of the operation of this number.
pub(super) const fn of(op: usize) -> &'static [(u8, u16)] {
    POINTS[op]
}
