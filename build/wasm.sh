#!/usr/bin/env bash
# app as the browser gets it.
# usage: build/wasm.sh build   compile it, cut it into pages, write its glue: target/wasm
#        build/wasm.sh dev     the same, quickly and large
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
    build | dev)
        profile=$([ "$1" = build ] && echo wasm-release || echo dev)
        # Clones may share a target folder, and this file has the same name in all of them: cargo would take another's for ours.
        compiled=$target_dir/wasm32-unknown-unknown/${profile/#dev/debug}/app.wasm
        mkdir -p "${compiled%/*}"
        exec 8>"$compiled.lock"
        flock 8
        [ "$(cat "$compiled.clone" 2>/dev/null)" = "$PWD" ] || cargo clean -q -p app --profile "$profile" --target wasm32-unknown-unknown
        echo "$PWD" >"$compiled.clone"

        # What is cut apart must say where it refers to what.
        cargo rustc "${front[@]}" --profile "$profile" --crate-type cdylib -- -C link-args=--emit-relocs
        [ "$(cat target/wasm/profile 2>/dev/null)" = "$profile" ] && [ target/wasm/profile -nt "$compiled" ] && exit
        rm -rf target/wasm && mkdir -p target/wasm
        RUST_LOG=error "$cache/tools/bin/wasm-split-cli" --out-name portico "$compiled" target/wasm
        "$cache/tools/bin/wasm-bindgen" --target web --no-typescript --keep-lld-exports --out-dir target/wasm --out-name portico target/wasm/portico.wasm
        rm target/wasm/portico.wasm
        echo "$profile" >target/wasm/profile
        ;;
    lint)
        # clippy is rustup's, and cannot use another compiler's library.
        [ -n "${RUSTC:-}" ] || cargo clippy -q "${front[@]}" -- -D warnings
        ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
