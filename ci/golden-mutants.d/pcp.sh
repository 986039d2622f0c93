# Mutants of the count of a per-CPU list. Read by ci/golden-mutants.sh.
mutant "remove: counting what a refill linked" pcp.rs \
    's/if linked > 0 {/if linked > 99 {/'
mutant "remove: counting what a drain or an overflow moved" pcp.rs \
    's/if moved > 0 {/if moved > 99 {/'
