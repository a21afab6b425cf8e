#!/usr/bin/env bash
# Serves a debug build on the demo's data, and builds again what a change touches: the same steps as a release, without
# what makes a release small and fast. A change that does not compile leaves the last build running.
# usage: build/dev.sh [FLAG of `portico serve`]...
set -uo pipefail
cd "$(dirname "$0")/.."

portico=${CARGO_TARGET_DIR:-target}/debug/portico
sources=(app billing server style public Cargo.toml Cargo.lock build)
stamp=$(mktemp)
server=
stop() { [ -z "$server" ] || { kill "$server"; wait "$server"; } 2>/dev/null; server=; }
trap 'stop; rm -f "$stamp"' EXIT
trap 'exit 130' INT TERM HUP

changed() { [ -n "$(find "${sources[@]}" -newer "$stamp" -not -path '*/node_modules*' -print -quit)" ]; }

build() { build/wasm.sh dev && node build/assets.mjs --quick && cargo build --workspace --bin portico; }

first=yes
while :; do
    touch "$stamp"
    if build; then
        stop
        [ -z "$first" ] || "$portico" demo
        first=
        "$portico" serve "$@" &
        server=$!
    fi
    until changed; do sleep 0.5; done
    echo 'dev: something changed'
done
