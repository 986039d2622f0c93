//! The races of the free path, told for people.
//!
//! What it is not: the code, or the variants ([`FreePages`](super::FreePages)).

/// [`FreePages::V5_9`](super::FreePages::V5_9).
pub(super) const NC_FREE_LEAK: &str = "\
A put of `free_pages` that is not the last one frees nothing, and the last one
frees one page, as it cannot know the order.

CPU1 (lookup)                            CPU2
1 loads the slot: P0
                                         2 deletes the page; P0 is freed and merges
                                         3 allocates order 2, not compound: P0..P3
4 takes a reference on P0: 1->2
                                         5 free_pages(P0, 2): puts 2->1, returns
6 reloads the slot: not P0
7 puts P0: 1->0; a single page as far as
  it can know, so frees P0 alone

Symptom: The pages of the block but the first have no owner and are on no list.
Oracle: Conservation: frames that nobody owns and no list has (`leak`).
Introduced: e286781d5f2e (2.6.27)
Fix: e320d3012d25 (5.10, 5.9.2): who is not the last to put frees the tails of
  a block that is not compound.
";

/// [`FreePages::V5_10`](super::FreePages::V5_10).
pub(super) const RACY_PAGEHEAD: &str = "\
Who is not the last to put frees the tails itself, unless the page is the head
of a compound block; it looks after its put.

CPU1 (lookup)                            CPU2
1 loads the slot: P0
                                         2 deletes the page; P0 is freed and merges
                                         3 allocates order 2, compound: P0..P3
4 takes a reference on P0: 1->2
                                         5 free_pages(P0, 2): puts 2->1
6 reloads the slot: not P0
7 puts P0: 1->0; compound, so frees
  P0..P3 and clears the head flag
                                         8 tests the head flag: clear
                                         9 frees P2..P3 and P1 a second time

Symptom: Blocks on the free lists overlap, then pages have two owners (\"Bad
  page state\", mapcount -128).
Oracle: Ownership (`double-free`), and the walk of the free lists (`overlap`).
Introduced: e320d3012d25 (5.10)
Fix: 462a8e08e0e6 (6.2; 6.1.12, 5.15.94, 5.10.168): the head flag is read
  before the put.
";
