# Mutants of allocation tags. Read by ci/golden-mutants.sh.
mutant "swap: when freeing reads the tag" tag.rs \
    's/TagSample::Before => Some(Tag(self.frame(block).tag.load())),/TagSample::Before => None,/'
