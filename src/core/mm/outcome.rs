//! What a campaign counts: situations that `mm` reports as it meets them, by number.
//!
//! What it is not: a finding. Each of these is legal; a silent run is worth little unless they occur.

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        #[expect(
            non_camel_case_types,
            clippy::upper_case_acronyms,
            reason = "only numbers the constants"
        )]
        enum Number { $($name),* }

        $($(#[$doc])* pub const $name: usize = Number::$name as usize;)*
        /// The names of all of them, each at its number.
        pub const NAMES: &[&str] = &[$($text),*];
    };
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
    /// Reclaim froze the page.
    FREEZE_SUCCEEDED = "freeze-succeeded";
    /// Reclaim found more references than its own and the cache's.
    FREEZE_FAILED = "freeze-failed";
    /// Reclaim found a frozen page dirty and gave its references back.
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
