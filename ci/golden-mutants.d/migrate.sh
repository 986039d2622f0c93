# Mutants of private data and migration. Read by ci/golden-mutants.sh.
mutant "remove: the reference of private data" private.rs \
    's/PrivateRef::Counted => self.add_ref(page, Holder::Private),/PrivateRef::Counted => {}/'
mutant "remove: giving private data up before a page leaves the cache" private.rs \
    's/if flags & flag::PRIVATE != 0 {/if flags == u32::MAX {/'
mutant "remove: moving the dirty bit to the new page" migrate.rs \
    '/to.flags.fetch_or(flag::DIRTY, Ordering::Relaxed);/d'
mutant "remove: giving the old page its references back" migrate.rs \
    '/self.unfreeze(old, expected - 1, Holder::Lookup);/d'
