#!/bin/sh
# Can the toolchain of OSS-Fuzz's base image, Rust 1.91, compile what the fuzz targets are made of?
# Cost: seconds.
#
# Reads what each package says of itself, as there is no such toolchain here to try; whether our own
# code keeps to it, clippy's `incompatible_msrv` says. Asked of all that `fuzz/` pulls in with all its
# features: that has in it the libraries as they are without the command line. Another bound can be
# given as an argument; before the answer is believed, the bound 1.60 must be refused.
. "$(dirname "$0")/common.sh"
BOUND=${1:-1.91}
make_scratch

cargo metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml --all-features \
    --filter-platform "$TARGET_TRIPLE" >"$scratch/metadata" || cannot "cargo metadata"

# One line a package: how it begins, then what it asks for.
grep -oE '"name":"[^"]*","version":"[^"]*","id":|"rust_version":("[^"]*"|null)' "$scratch/metadata" |
    sed -e 's/"name":"\(.*\)","version":"\(.*\)","id":/package \1-\2/' -e 's/"//g' -e 's/:/ /' |
    awk '
        $1 == "package" { if (package != "") exit 1; package = $2 }
        $1 == "rust_version" { if (package == "") exit 1; print package, $2; package = "" }
    ' >"$scratch/packages" || cannot "cargo metadata has another form than expected"
for own in pagerace pagerace-core pagerace-fuzz; do
    grep -q "^$own-[0-9.]* 1" "$scratch/packages" || fail "$own does not state its rust-version"
done

# The packages that ask for more than a bound.
newer_than() {
    while read -r package version; do
        case $version in
        null) continue ;;
        *.*.0) version=${version%.0} ;;
        esac
        [ "$(printf '%s\n' "$version" "$1" | sort -V | tail -n 1)" = "$1" ] ||
            echo "$package asks for $version"
    done <"$scratch/packages"
}

[ -n "$(newer_than 1.60)" ] || cannot "no package asks for more than 1.60: nothing is compared here"
newer=$(newer_than "$BOUND")
silent=$(sed -n 's/ null$//p' "$scratch/packages" | paste -s -d' ')
echo "states none: $(echo "$silent" | wc -w) packages: $silent"
if [ -n "$newer" ]; then
    echo "$newer"
    fail "$(echo "$newer" | wc -l) packages ask for more than Rust $BOUND"
fi
echo "$(wc -l <"$scratch/packages") packages, none asks for more than Rust $BOUND"
