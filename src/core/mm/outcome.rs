//! What a campaign counts: situations that `mm` reports as it meets them, by number.
//!
//! What it is not: a finding. Each of these is legal; a silent run is worth little unless they occur.

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $text:literal $(only $switch:literal = $variant:literal)?;)*) => {
        #[expect(
            non_camel_case_types,
            clippy::upper_case_acronyms,
            reason = "only numbers the constants"
        )]
        enum Number { $($name),* }

        $($(#[$doc])* pub const $name: usize = Number::$name as usize;)*
        /// All of them, each at its number: its name, and the switch and the variant without which it cannot
        /// occur.
        pub const ALL: &[(&str, Option<(&str, &str)>)] =
            &[$(($text, outcomes!(@only $($switch, $variant)?))),*];
    };
    (@only) => { None };
    (@only $switch:literal, $variant:literal) => { Some(($switch, $variant)) };
}

outcomes! {
    /// A speculative reference landed on a frame that was freed and allocated again meanwhile.
    TRY_GET_REALLOCATED = "try_get-reallocated";
    /// A speculative reference was refused: the count was zero.
    TRY_GET_REFUSED = "try_get-refused";
    /// The slot held something else after the speculative reference.
    RELOAD_MISMATCH = "reload-mismatch";
    /// The page was no longer cached there once its lock was taken.
    LOCK_MISMATCH = "lock-mismatch";
    /// `put_page` dropped the last reference.
    PUT_LAST = "put-last";
    /// `put_page` left other references.
    PUT_NOT_LAST = "put-not-last";
    /// `free_pages` dropped the last reference.
    FREE_PAGES_LAST = "free_pages-last";
    /// `free_pages` left other references.
    FREE_PAGES_NOT_LAST = "free_pages-not-last";
    /// Two buddies merged to order 1.
    MERGE_1 = "merge-1";
    /// Two buddies merged to order 2.
    MERGE_2 = "merge-2";
    /// Two buddies merged to order 3.
    MERGE_3 = "merge-3";
    /// A per-CPU list had the block.
    PCP_HIT = "pcp-hit";
    /// A per-CPU list was filled from the buddy lists.
    PCP_REFILL = "pcp-refill";
    /// A per-CPU list gave a batch back.
    PCP_OVERFLOW = "pcp-overflow";
    /// A per-CPU list with something on it was drained.
    PCP_DRAIN = "pcp-drain";
    /// The lock of a per-CPU list was taken; the buddy lists served instead.
    PCP_FALLBACK = "pcp-fallback";
    /// A page was frozen.
    FREEZE_SUCCEEDED = "freeze-succeeded";
    /// A page had other references than the freeze expected.
    FREEZE_FAILED = "freeze-failed";
    /// A frozen page got its references back.
    UNFREEZE = "unfreeze";
    /// A task found the page locked and went to wait.
    PAGE_LOCK_WAIT = "page_lock-wait";
    /// A task found the page under writeback and went to wait.
    WRITEBACK_WAIT = "writeback-wait";
    /// The tree's head was replaced by a node.
    TREE_GROW = "tree-grow";
    /// The last entry of a node went, and so did the node.
    TREE_SHRINK = "tree-shrink";
    /// A tree node went through its grace period and can be used again.
    NODE_REUSE = "node-reuse";
    /// A gigantic block was made.
    GIGANTIC_DONE = "gigantic-done";
    /// A frame of the range for a gigantic block was not free.
    GIGANTIC_BUSY = "gigantic-busy";
    /// A page of a gigantic block could not be frozen; it was taken apart again.
    GIGANTIC_UNDO = "gigantic-undo" only "gigantic_prep" = "freeze1";
    /// A page table was made.
    TABLE_NEW = "table-new";
    /// A page table got another user.
    TABLE_SHARED = "table-shared";
    /// A user of a page table left it to others.
    TABLE_UNSHARED = "table-unshared";
    /// The last user of a page table took it apart.
    TABLE_ZAPPED = "table-zapped";
    /// A cached page got private data.
    PRIVATE_SET = "private-set";
    /// A page's private data was given up.
    PRIVATE_RELEASED = "private-released";
    /// A page was moved to another frame.
    MIGRATE_DONE = "migrate-done";
    /// Migration found more references than it expected.
    MIGRATE_BUSY = "migrate-busy";
    /// A collapse put a new page in place.
    COLLAPSE_DONE = "collapse-done";
    /// A collapse took its new page back.
    COLLAPSE_UNDONE = "collapse-undone";
    /// A collapse used the page of the attempt before.
    COLLAPSE_PAGE_KEPT = "collapse-page-kept";
    /// A collapse gave the page of the attempt before up.
    COLLAPSE_PAGE_DROPPED = "collapse-page-dropped" only "collapse" = "release_if_shared";
    /// A user got a reference on a page of somebody's block.
    TAIL_GET_TAKEN = "tail_get-taken";
    /// A user was refused one: the page is not counted.
    TAIL_GET_REFUSED = "tail_get-refused" only "tail_get" = "checked";
    /// A user gave up its reference on a page of somebody's block.
    TAIL_PUT = "tail_put";
    /// A block got a second user.
    BLOCK_SHARED = "block-shared";
    /// The second user of a block was done with it.
    SHARED_FREED = "shared-freed";
    /// A range of frames went offline.
    OFFLINE_DONE = "offline-done";
    /// A range could not go offline.
    OFFLINE_BUSY = "offline-busy";
    /// Offlining waited for a frame.
    OFFLINE_WAITED = "offline-waited";
    /// Isolating a pageblock split a free block around it.
    ISOLATE_SPLIT = "isolate-split";
    /// A block was freed into an isolated pageblock, past the per-CPU lists.
    FREE_TO_ISOLATED = "free-to-isolated";
    /// `free_pages` needed the tag of a block, as its put was not the last.
    TAG_SAMPLED_NOT_LAST = "tag-sampled-not-last";
    /// A fragment allocator gave a page many references at once.
    FRAG_BIASED = "frag-biased";
    /// The last fragment of a page was freed.
    FRAG_LAST = "frag-last";
    /// A page to be poisoned is in use.
    POISON_IN_USE = "poison-in-use";
    /// A page to be poisoned was taken off the buddy lists.
    POISON_TAKEN = "poison-taken";
    /// A page to be poisoned had left the buddy lists before it could be taken off.
    POISON_MISSED = "poison-missed";
    /// A free block was split to get at one page of it.
    POISON_SPLIT = "poison-split";
    /// A poisoned page was given back.
    UNPOISONED = "unpoisoned";
}

/// The outcome of a merge to a block of this order.
#[must_use]
pub const fn merge(order: crate::event::Order) -> usize {
    match order.0 {
        1 => MERGE_1,
        2 => MERGE_2,
        _ => MERGE_3,
    }
}
