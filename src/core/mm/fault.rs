//! Planted faults: mistakes inside the primitives, one at a time, for testing the oracles.
//!
//! Only in builds with the feature `faults`; each is also off there until it is planted. At least
//! three for each class of finding.
//!
//! What it is not: history. None of these ever was in Linux in this form.

macro_rules! faults {
    ($($variant:ident, $name:literal, $class:literal, $doc:literal;)*) => {
        /// A planted fault.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Fault {
            $(#[doc = $doc] $variant),*
        }

        impl Fault {
            /// All of them: the fault, its name, the class of finding it must lead to, and what it
            /// does.
            pub const ALL: &'static [(Self, &'static str, &'static str, &'static str)] =
                &[$((Self::$variant, $name, $class, $doc)),*];
        }
    };
}

faults! {
    SkipListInsert, "skip-list-insert", "leak", "a single page that comes back to the buddy lists is not put on one";
    OverflowLoses, "overflow-loses", "leak", "a block that leaves a per-CPU list never reaches the buddy lists";
    RetryKeepsReference, "retry-keeps-reference", "leak", "a lookup that starts over keeps the reference it took in vain";
    ExpandLosesHalf, "expand-loses-half", "leak", "the second page of a halved block is not put on a list";
    FreeTwice, "free-twice", "double-free", "free_pages frees a block of several frames again when it is done";
    TailsAnyway, "tails-anyway", "double-free", "free_pages frees the tails also if its put was the last";
    ReclaimFreesTwice, "reclaim-frees-twice", "double-free", "reclaim frees the frozen page twice";
    HalvesFreed, "halves-freed", "double-free", "a block of several frames goes to the buddy lists as two halves";
    DrainKeeps, "drain-keeps", "overlap", "a drained block stays on its per-CPU list";
    WrongOrder, "wrong-order", "overlap", "a single page is freed as order 1 although its buddy is in use";
    MergeAllocated, "merge-allocated", "overlap", "a single page merges with its buddy whether that is free or not";
    PcpSteals, "pcp-steals", "overlap", "an allocation takes a block off another CPU's list as if it were its own";
    MergeSkipped, "merge-skipped", "not-coalesced", "single pages do not merge";
    MergeStopsEarly, "merge-stops-early", "not-coalesced", "merging stops one order below the largest";
    ExchangeNoMerge, "exchange-no-merge", "not-coalesced", "blocks that leave a per-CPU list do not merge";
    DrainSkipsOne, "drain-skips-one", "not-drained", "draining leaves the last page of a list there";
    DrainLooksOnly, "drain-looks-only", "not-drained", "draining looks at a list and gives nothing back";
    DrainOneBatch, "drain-one-batch", "not-drained", "draining gives back one batch only";
    TagKept, "tag-kept", "accounting", "a freed block stays accounted for";
    TagTwice, "tag-twice", "accounting", "the tails of a block that is split are accounted for once more";
    TailsUncounted, "tails-uncounted", "accounting", "free_pages does not account for the tails that it frees after its put";
    LostGet, "lost-get", "refcount", "a reference is taken by a load and a store";
    ScanPutsTwice, "scan-puts-twice", "refcount", "a walker drops its reference twice";
    SplitSetsTwice, "split-sets-twice", "refcount", "split_page sets the counts of the tails once more when they are live";
    NoReload, "no-reload", "lookup", "a lookup does not look at the slot again";
    NoRecheck, "no-recheck", "lookup", "a lookup with lock does not look at the mapping again";
    StaleIndex, "stale-index", "lookup", "a lookup takes slot 0 of the node for any index";
    MappingKept, "mapping-kept", "bad-page", "a page that leaves the cache keeps its mapping";
    FreedLocked, "freed-locked", "bad-page", "reclaim frees the page locked";
    LinkForgotten, "link-forgotten", "bad-page", "the last frame of a compound block is not linked to its head";
    BuddyUnlocked, "buddy-unlocked", "unlocked", "the zone lock is released before the block is put on its list";
    PagesUnlocked, "pages-unlocked", "unlocked", "a mapping's pages are counted after the tree lock is released";
    PcpUnlocked, "pcp-unlocked", "unlocked", "draining looks at the count without the list's lock";
    SleepUnderTreeLock, "sleep-under-tree-lock", "sleeping-in-atomic", "deleting waits for writeback when it has the tree lock, not before";
    SleepWithoutPreemption, "sleep-without-preemption", "sleeping-in-atomic", "a lookup waits for the page lock with preemption off";
    SleepUnderNodeLock, "sleep-under-node-lock", "sleeping-in-atomic", "the grace period is waited for under the node lock";
    ZoneThenPcp, "zone-then-pcp", "lock-order", "draining takes the zone lock before the list's";
    NodeThenTree, "node-then-tree", "lock-order", "freeing nodes takes a tree lock under the node lock";
    TreeAndZone, "tree-and-zone", "lock-order", "deleting takes the zone lock under the tree lock, draining the other way round";
    NodeAndZone, "node-and-zone", "lock-order", "growing a tree takes the zone lock under the node lock, shrinking it the other way round";
    NodeFreedAtOnce, "node-freed-at-once", "rcu", "a node can be used again as soon as it is out of its tree";
    GraceSkipped, "grace-skipped", "rcu", "nodes are freed without waiting for readers";
    QuietIgnored, "quiet-ignored", "rcu", "the pool hands out nodes given up before others, while readers are inside";
    UnlockNoWake, "unlock-no-wake", "deadlock", "unlocking a page wakes nobody";
    WaiterUnannounced, "waiter-unannounced", "deadlock", "a waiter sleeps without setting the waiters bit";
    WritebackNoWake, "writeback-no-wake", "deadlock", "the end of writeback wakes nobody";
    PageLocksCrossed, "page-locks-crossed", "deadlock", "writing a page locks its neighbour too, in either order";
    RetryNeverReloads, "retry-never-reloads", "livelock", "a lookup that was refused tries the same page again, whatever the slot holds";
    MismatchNeverReloads, "mismatch-never-reloads", "livelock", "a lookup that found the slot changed tries the same page again";
    RelocksSamePage, "relocks-same-page", "livelock", "a lookup whose page left the cache locks it again until it is back";
    MismatchPanics, "mismatch-panics", "panic", "a lookup asserts that the slot has not changed";
    FreezeMustSucceed, "freeze-must-succeed", "panic", "reclaim asserts that nobody else uses the page";
    MergePastEnd, "merge-past-end", "panic", "the buddy of a block of the largest order is looked up past the end of the table";
}
