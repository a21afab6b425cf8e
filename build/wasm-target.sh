#!/usr/bin/env bash
# Gives Rust its standard library for the browser (wasm32-unknown-unknown): from rustup, and where rustup cannot reach
# its server, built from the sources that Debian keeps, without touching the system's own packages.
# Where only Debian's own compiler matches Debian's sources, it is left as $PORTICO_CACHE/debian-rust/rustc for build/wasm.sh.
set -euo pipefail

target=wasm32-unknown-unknown
cache=${PORTICO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portico}
debian=$cache/debian-rust

say() { printf 'setup: %s\n' "$*" >&2; }
has_std() { compgen -G "$1/lib/rustlib/$target/lib/libstd-*.rlib" >/dev/null; }

sysroot=$(rustc --print sysroot)
if has_std "$sysroot" || [ -x "$debian/rustc" ]; then exit; fi

say "adding the $target target"
if command -v rustup >/dev/null && rustup target add "$target" >&2 && has_std "$sysroot"; then exit; fi
say "rustup could not; building it from Debian's sources instead (some minutes, once)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/debs" "$debian"
chmod -R go+rX "$work" && chmod 777 "$work/debs" # apt drops its rights to download

# apt with package lists of its own, so that it needs neither root nor the system's lists.
apt() { "$1" -qq -o Dir::State::lists="$work/lists" -o Dir::Cache="$work" -o Acquire::Retries=3 "${sources[@]}" "${@:2}"; }
fetch() { (cd "$work/debs" && apt apt-get download "$@" >&2); }
unpack() { local deb; for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$1"; done; rm -f "$work"/debs/*.deb; }

# Builds std with the compiler at hand and puts it into that compiler's sysroot, with bitcode, so that LTO can use it.
build_std() {
    mkdir -p "$work/std/src" "$1/lib/rustlib/$target/lib"
    printf '[package]\nname = "std-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n' >"$work/std/Cargo.toml"
    printf '#![no_std]\n' >"$work/std/src/lib.rs"
    (cd "$work/std" && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR=$work/std/target \
        cargo build --release --target "$target" -Zbuild-std=std,panic_abort >&2) || return 1
    rm "$work"/std/target/$target/release/deps/libstd_for_wasm*
    cp "$work"/std/target/$target/release/deps/*.rlib "$1/lib/rustlib/$target/lib/"
}

# The first way: the sources of exactly this compiler's version, which Debian's backports keep.
from_matching_sources() {
    local version mirror package
    version=$(rustc --version | cut -d ' ' -f 2)
    mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1)
    [ -n "$mirror" ] || return 1
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie-backports main\n' "${mirror% }" >"$work/sources.list"
    sources=(-o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null)
    apt apt-get update >&2 || return 1
    package=$(apt apt-cache madison rust-src | awk -v wanted="$version+" 'index($3, wanted) == 1 { print $3; exit }')
    [ -n "$package" ] && fetch "rust-src=$package" && unpack "$work/sources" || return 1
    mkdir -p "$sysroot/lib/rustlib/src/rust"
    cp -r "$work/sources/usr/src/rustc-$version/library" "$sysroot/lib/rustlib/src/rust/"
    build_std "$sysroot"
}

# The second way: Debian's newest compiler together with its own sources, unpacked into the cache.
from_debian_compiler() {
    local libraries
    sources=()
    apt apt-get update >&2 || return 1
    libraries=$(apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances libstd-rust-web-dev |
        grep -E '^lib(std-rust|llvm|edit|z3|xml2|ffi|tinfo|icu|bsd|md)' | sort -u)
    # shellcheck disable=SC2086
    fetch rustc-web rust-web-src $libraries && unpack "$debian" || return 1
    find "$debian/usr/src" -mindepth 2 -maxdepth 2 ! -name library -exec rm -rf {} +
    cat >"$debian/rustc.next" <<-END
		#!/bin/sh
		LD_LIBRARY_PATH="$debian/usr/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "$debian/usr/bin/rustc" "\$@"
	END
    chmod +x "$debian/rustc.next"
    RUSTC=$debian/rustc.next build_std "$debian/usr" && mv "$debian/rustc.next" "$debian/rustc"
}

from_matching_sources || from_debian_compiler || {
    say "no way to get Rust's $target target: neither rustup nor Debian gave it"
    exit 1
}
