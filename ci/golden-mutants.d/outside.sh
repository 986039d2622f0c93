# Mutants of users of memory that somebody else allocated. Read by ci/golden-mutants.sh.
mutant "remove: the put of a block's second user" outside.rs \
    's/MultiHolder::OneFrees => self.put_page(cpu, block, Holder::Owner),/MultiHolder::OneFrees => {}/'
mutant "swap: a reference that may be refused and a plain one" outside.rs \
    's/TailGet::Checked => self.try_get(page, Holder::Net),/TailGet::Checked => { self.get_page(page, Holder::Net); true }/'
mutant "remove: the put of a page that was taken from somebody's block" outside.rs \
    '/self.put_page(cpu, page, Holder::Net);/d'
