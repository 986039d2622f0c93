# Mutants of collapses. Read by ci/golden-mutants.sh.
mutant "remove: the look at who holds a page that is left" collapse.rs \
    's/self.frame(page).refcount.load(Ordering::Relaxed) == 1/page.0 < u32::MAX/'
mutant "add: a look at the old page before it is frozen" collapse.rs \
    's/if self.freeze(old, UNUSED, Holder::Lookup) {/if self.frame(old).flags.load(Ordering::Acquire) != 0 \&\& self.freeze(old, UNUSED, Holder::Lookup) {/'
mutant "remove: the put of the cache's reference of a page that is taken back" collapse.rs \
    's/self.take_back(cpu, new);/self.frame(new).mapping.store(0, Ordering::Relaxed);/'
