# Mutants of drains. Read by ci/golden-mutants.sh.
mutant "remove: a drain that passes by a list that seems empty" pcp.rs \
    's/let seems_empty = self.pcp.of(of).pages.load() == 0;/let seems_empty = self.pcp.of(of).pages.load() > 99;/'
mutant "swap: a drain looks under the lock and without it" pcp.rs \
    's/PcpDrain::Locked => false,/PcpDrain::Locked => self.pcp.of(of).pages.load() == 0,/'
