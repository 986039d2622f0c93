# Mutants of users of memory that somebody else allocated. Read by ci/golden-mutants.sh.
mutant "remove: the put of a block's second user" outside.rs \
    's/MultiHolder::OneFrees => self.unshare_block(cpu, block),/MultiHolder::OneFrees => {}/'
mutant "remove: the reference of a block's second user" outside.rs \
    's/self.get_page(block, Holder::Owner);/{}/'
mutant "swap: a reference that may be refused and a plain one" outside.rs \
    's/TailGet::Checked => self.try_get(page, Holder::Net),/TailGet::Checked => { self.get_page(page, Holder::Net); true }/'
mutant "remove: the put of a page that was taken from somebody's block" outside.rs \
    '/self.put_page(cpu, page, Holder::Net);/d'
