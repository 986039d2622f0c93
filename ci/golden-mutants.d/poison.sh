# Mutants of poisoning. Read by ci/golden-mutants.sh.
mutant "swap: marking a poisoned page and counting it" poison.rs \
    '/fetch_or(flag::HWPOISON/{N;s/\(.*\)\n\(.*\)/\2\n\1/}'
mutant "remove: poisoning drains the lists" poison.rs \
    '/self.drain_each();/d'
mutant "remove: only a page that was taken off is kept" poison.rs \
    's/HwpoisonInc::TakenOff => taken,/HwpoisonInc::TakenOff => true,/'
mutant "remove: clearing the mark of a page that is given back" poison.rs \
    '/fetch_and(!flag::HWPOISON/d'
