#!/usr/bin/env bash
# Installs what Portico needs beyond Rust, Node, Python and a C compiler. Each step looks first, and is silent and quick
# when there is nothing to do.
# usage: build/setup.sh build | run | lint | test | dev | STEP...     (steps: see the end of this file)
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${PORTICO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portico}
mkdir -p "$cache"

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null; }

# Clones share the cache, so only one at a time sets up. The lock's descriptor is closed for what may outlive us.
exec 9>"$cache/setup.lock"
flock -n 9 || { say "waiting for another setup to finish"; flock 9; }

# --- Debian packages

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else
        has sudo || fail "not root and no sudo: as root, run: $*"
        sudo "$@"
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confold "$@" 9>&- >&2
}

# A new machine has no package lists and an old one may have stale ones; a source of somebody else's that does not
# answer is no reason to stop.
install() {
    has apt-get || fail "please install: $* (no apt-get here)"
    say "installing $*"
    apt_get update || true
    apt_get install -y --no-install-recommends "$@" || fail "apt-get could not install: $*"
}

# --- Steps

basics() {
    local command
    for command in cargo rustc node npm cc; do has "$command" || fail "$command is missing (needed: Rust 1.95, Node 20, a C compiler)"; done
    node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || fail "Node 20 or newer is needed, this is $(node -v)"
}

wasm-target() { build/wasm-target.sh; }

# Tools that run for a second need not be optimized for minutes.
quick=(env -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
    cargo install --root "$cache/tools" --force)

# The front end's glue is made by the very version that app was compiled against.
wasm-bindgen() {
    local version
    version=$(awk '$0 == "name = \"wasm-bindgen\"" { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)
    [ "$("$cache/tools/bin/wasm-bindgen" --version 2>/dev/null)" = "wasm-bindgen $version" ] && return
    say "building wasm-bindgen $version (some minutes, once)"
    # Its own lock may name a crate too new for the registry to serve.
    "${quick[@]}" wasm-bindgen-cli --version "$version" --locked || "${quick[@]}" wasm-bindgen-cli --version "$version" ||
        fail "wasm-bindgen-cli $version did not build"
}

# Cuts the front end into what every page needs and what one page needs.
wasm-split() {
    local version=0.2.4
    [ "$(cat "$cache/tools/wasm-split-cli.version" 2>/dev/null)" = "$version" ] && [ -x "$cache/tools/bin/wasm-split-cli" ] && return
    say "building wasm-split-cli $version (a minute, once)"
    "${quick[@]}" wasm_split_cli_support --version "$version" --locked --features build-binary || fail "wasm-split-cli $version did not build"
    echo "$version" >"$cache/tools/wasm-split-cli.version"
}

npm_ci() {
    cmp -s "$1/package-lock.json" "$1/node_modules/.installed" && return
    say "installing the node modules of $1/"
    (cd "$1" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error) >&2 || fail "npm ci failed in $1/"
    cp "$1/package-lock.json" "$1/node_modules/.installed"
}
node-build() { npm_ci build; }
node-tests() { npm_ci end2end; }
node-shop() { npm_ci docs/shop; }

rust-lints() {
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
    say "adding rustfmt and clippy"
    rustup component add rustfmt clippy || fail "rustup could not add rustfmt and clippy"
}

chromium() {
    [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || install chromium fonts-liberation
}

# Load, and how much of it, for the benchmark.
wrk() {
    # The step has the name of the program.
    { type -P wrk && type -P curl; } >/dev/null || install wrk curl
}

# What reads documents as others do.
poppler() { type -P pdftotext >/dev/null || install poppler-utils; }

# What breaks a running program: its system calls, its clock, its disk.
faults() {
    { type -P strace && type -P faketime && type -P mkfs.ext4; } >/dev/null || install strace faketime e2fsprogs
    postgres
}

postgres() {
    build/postgres.sh find >/dev/null 2>&1 && return
    # The tests start a cluster of their own; Debian's package would make and start one more.
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        printf 'create_main_cluster = false\n' | as_root install -D -m 644 /dev/stdin /etc/postgresql-common/createcluster.conf
    install postgresql
}

python() {
    local venv=$cache/python
    cmp -s end2end/requirements.txt "$venv/installed" && "$venv/bin/python" -c '' 2>/dev/null && return
    has python3 || fail "python3 is missing"
    say "installing the Python packages of end2end/"
    # Debian keeps venv's own pip in a package apart.
    rm -rf "$venv" && python3 -m venv "$venv" >/dev/null 2>&1 || { install python3-venv && rm -rf "$venv" && python3 -m venv "$venv"; }
    "$venv/bin/python" -m pip install -q --disable-pip-version-check -r end2end/requirements.txt || fail "pip could not install end2end/requirements.txt"
    cp end2end/requirements.txt "$venv/installed"
}

for step in "$@"; do
    case $step in
        build) basics; wasm-target; node-build; wasm-bindgen; wasm-split ;;
        run) basics; wasm-target; node-build; node-shop; wasm-bindgen; wasm-split ;;
        bench) basics; wrk; chromium; node-tests ;;
        lint) basics; rust-lints; wasm-target; node-tests ;;
        test) basics; rust-lints; wasm-target; chromium; poppler; postgres; faults; node-build; node-tests; python; wasm-bindgen; wasm-split ;;
        dev) basics; wasm-target; node-build; wasm-bindgen; wasm-split ;;
        basics | wasm-target | wasm-bindgen | wasm-split | node-build | node-tests | node-shop | rust-lints | chromium | poppler | postgres | faults | python | wrk) "$step" ;;
        *) fail "no such step: $step" ;;
    esac
done
