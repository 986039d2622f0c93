#!/bin/sh
# Which crates carry libFuzzer's edge counters? Only pagerace-core, the code under test.
#
# cargo calls this in place of the compiler, with the compiler as the first argument (.cargo/config.toml).
# cargo-fuzz instruments every crate; the edges of shuttle and of the executor are noise to the engine
# and cost most of the speed. So for every other crate the arguments of LLVM's SanitizerCoverage are
# left out. Sanitizers and `-Cinstrument-coverage` stay. Without such arguments, as in every ordinary
# build, it only calls the compiler. ci/check-coverage-scope.sh proves the effect.
case "$*" in
*sancov-module* | *sanitizer-coverage-*) ;;
*) exec "$@" ;;
esac
case " $* " in
*" --crate-name pagerace_core "*) exec "$@" ;;
esac
for arg; do
    shift
    case $arg in
    -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-*) ;;
    *) set -- "$@" "$arg" ;;
    esac
done
exec "$@"
