# Mutants of taking memory offline. Read by ci/golden-mutants.sh.
mutant "remove: a freed block of an isolated pageblock goes past the list" pcp.rs \
    's/if self.peek_block_type(block) == ISOLATE {/if self.peek_block_type(block) > ISOLATE {/'
mutant "remove: the lists are switched off" offline.rs \
    's/self.set_pcp_high(0);/{}/'
mutant "remove: a list that is switched off gives back what comes to it" pcp.rs \
    's/self.give_back(list, if high > 0 { self.sizes.pcp_batch } else { usize::MAX });/self.give_back(list, self.sizes.pcp_batch);/'
mutant "remove: draining again in each turn" offline.rs \
    '/relax::<B>(&watched);/{n;d}'
mutant "remove: a page in use ends it" offline.rs \
    's/if count.load(Ordering::Relaxed) > 0 {/if count.load(Ordering::Relaxed) > 99 {/'
mutant "remove: undoing the isolation" offline.rs \
    's/self.set_range_type(first, MOVABLE);/{}/'
