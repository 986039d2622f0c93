# Mutants of page tables that several users share. Read by ci/golden-mutants.sh.
mutant "swap: a table is freed before its mark is taken off" tables.rs \
    '/self.frame(page).flags.fetch_and(!flag::TABLE, Ordering::Relaxed);/{h;d};/self.put_page(cpu, page, Holder::Owner);$/{/^        self/{G}}'
mutant "remove: the put of what a table maps" tables.rs \
    '/self.put_page(cpu, FrameNumber(slot.child.get(lock) - 1), Holder::Owner);/d'
mutant "remove: the look at the count that says whether a table is shared" tables.rs \
    's/let shared = self.frame(page).refcount.load(Ordering::Relaxed) > 1;/let shared = true;/'
