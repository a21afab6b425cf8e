#!/usr/bin/env bash
# app as the browser gets it.
# usage: build/wasm.sh build   compile it and write its glue: target/wasm/portico.js and portico_bg.wasm
#        build/wasm.sh lint    run clippy over it
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${PORTICO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portico}
target_dir=${CARGO_TARGET_DIR:-target}
front=(-p app --lib --features hydrate --target wasm32-unknown-unknown)

# The compiler that build/wasm-target.sh unpacked where rustup had no target to give; rustup's linker serves both.
if [ -x "$cache/debian-rust/rustc" ]; then
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(dirname "$(rustc --print target-libdir)")/bin/rust-lld
    export RUSTC=$cache/debian-rust/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
fi

case ${1:-} in
    build)
        # Clones may share a target folder, and this file has the same name in all of them: cargo would take another's for ours.
        compiled=$target_dir/wasm32-unknown-unknown/wasm-release/app.wasm
        mkdir -p "${compiled%/*}"
        exec 8>"$compiled.lock"
        flock 8
        [ "$(cat "$compiled.clone" 2>/dev/null)" = "$PWD" ] || cargo clean -q -p app --profile wasm-release --target wasm32-unknown-unknown
        echo "$PWD" >"$compiled.clone"

        cargo build "${front[@]}" --profile wasm-release
        [ target/wasm/portico_bg.wasm -nt "$compiled" ] && exit
        "$cache/tools/bin/wasm-bindgen" --target web --no-typescript --out-dir target/wasm --out-name portico "$compiled"
        ;;
    lint)
        # clippy is rustup's, and cannot use another compiler's library.
        [ -n "${RUSTC:-}" ] || cargo clippy -q "${front[@]}" -- -D warnings
        ;;
    *) sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
