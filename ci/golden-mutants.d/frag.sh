# Mutants of fragments. Read by ci/golden-mutants.sh.
mutant "swap: a count that is added to and one that is stored" frag.rs \
    's/SetCount::Add => self.add_refs(page, FRAG_BIAS - 1, /SetCount::Add => self.store_refs(page, FRAG_BIAS, /'
mutant "remove: the put of a fragment" frag.rs \
    '/self.put_page(cpu, page, Holder::Owner);/d'
