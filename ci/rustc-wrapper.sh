#!/bin/sh
# Which crates carry libFuzzer's edge counters? Only pagerace-core, the code under test.
#
# cargo calls this in place of the compiler, with the compiler as the first argument (.cargo/config.toml).
# cargo-fuzz instruments every crate; the edges of shuttle and of the executor are noise to the engine
# and cost most of the speed. So for every other crate the arguments of LLVM's SanitizerCoverage are
# left out. In the core only edges are counted: what comparisons and indirect calls are traced for is
# mutations of bytes, which these targets seldom make. Sanitizers and `-Cinstrument-coverage` stay. Without
# such arguments, as in every ordinary build, it only calls the compiler. ci/check-coverage-scope.sh proves
# the effect.
case "$*" in
*sancov-module* | *sanitizer-coverage-*) ;;
*) exec "$@" ;;
esac
core=no
case " $* " in
*" --crate-name pagerace_core "*) core=yes ;;
esac
for arg; do
    shift
    case $core$arg in
    no-Cpasses=sancov-module | no-Cllvm-args=-sanitizer-coverage-*) continue ;;
    yes-Cllvm-args=-sanitizer-coverage-trace-compares) continue ;;
    yes-Cllvm-args=-sanitizer-coverage-level=4) arg=-Cllvm-args=-sanitizer-coverage-level=3 ;;
    esac
    set -- "$@" "$arg"
done
exec "$@"
