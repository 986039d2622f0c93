# Mutants of taking memory offline. Read by ci/golden-mutants.sh.
mutant "remove: a freed block of an isolated pageblock goes past the list" pcp.rs \
    's/if self.peek_block_type(block) == ISOLATE {/if self.peek_block_type(block) > ISOLATE {/'
mutant "remove: the lists are switched off" offline.rs \
    's/self.disable_pcp();/{}/'
mutant "swap: switching the lists off and draining them" pcp.rs \
    '/self.set_pcp_high(0);/{N;s/\(.*\)\n\(.*\)/\2\n\1/}'
mutant "remove: a list that is switched off keeps nothing" pcp.rs \
    's/if list.pages.get(&list.lock) >= high {/if high > 0 \&\& list.pages.get(\&list.lock) >= high {/'
mutant "remove: draining again in each turn" offline.rs \
    '/relax::<B>(&watched);/{n;d}'
mutant "remove: a page in use ends it" offline.rs \
    's/if count.load(Ordering::Relaxed) > 0 {/if count.load(Ordering::Relaxed) > 99 {/'
mutant "remove: undoing the isolation" offline.rs \
    's/self.set_range_type(first, MOVABLE);/{}/'
