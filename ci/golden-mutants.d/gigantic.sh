# Mutants of gigantic blocks. Read by ci/golden-mutants.sh.
mutant "swap: a tail's count that is frozen and one that is stored" gigantic.rs \
    's/if !self.freeze(tail, 1, Holder::Contig) {/self.store_refs(tail, 0, Holder::Contig); if self.sizes.frames == 0 {/'
mutant "swap: a tail's link and its count when a block is taken apart" gigantic.rs \
    '/fn undo_gigantic/,/^    }/{/compound_head.store(0/{N;s/\( *self.frame.*\)\n\( *self.set_page.*\)/\2\n\1/}}'
mutant "remove: the head's bits when a block is taken apart" gigantic.rs \
    '/flags.fetch_and(!flag::head(order)/d'
