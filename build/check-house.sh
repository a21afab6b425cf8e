#!/usr/bin/env bash
# The rules of this house that no linter knows: prints every place that breaks one, and fails if there is any.
set -euo pipefail
cd "$(dirname "$0")/.."

broken=0
refuse() { # refuse MESSAGE FINDINGS
    [ -n "$2" ] || return 0
    printf 'house: %s\n%s\n' "$1" "$2" | sed '2,$s/^/    /' >&2
    broken=1
}

# Lines of code (not of comment) that match a pattern: found PATTERN ENDING FOLDER...
found() {
    local folders=()
    for folder in "${@:3}"; do [ -d "$folder" ] && folders+=("$folder"); done
    [ ${#folders[@]} = 0 ] || grep -rnP --include="*.$2" --exclude-dir=node_modules "^(?!\s*//).*$1" "${folders[@]}" || true
}
refuse "money knows no floats" "$(found '\b(f32|f64)\b' rs billing/src)"
refuse "SQL is a constant text with parameters" "$(
    found '\bAssertSqlSafe\b' rs billing/src
    found '\bformat!\(\s*r?#*"\s*(?i:select|insert|update|delete|with)\b' rs billing/src
)"
refuse "nothing is left undone" "$(found '\b(todo|unimplemented)!' rs billing app server)"
refuse "no test is left out" "$(
    found '#\[ignore' rs billing app server
    found '\b(test|it|describe)(\.\w+)*\.(only|skip|fixme)\b' ts end2end
)"

long=$(find billing app server end2end -name node_modules -prune -o \( -name '*.rs' -o -name '*.ts' \) -print0 | xargs -0 wc -l | awk '$2 != "total" && $1 > 400')
refuse "a file has at most 450 lines" "$(awk '$1 > 450' <<<"$long")"
awk '$1 && $1 <= 450 { print "house: getting long: " $2 " (" $1 " lines)" }' <<<"$long" >&2

ours() { find . -name node_modules -prune -o -path ./target -prune -o -name "$1" -print; }
refuse "lock files and settings name no registry" "$(
    ours package-lock.json | xargs grep -nE '"resolved"|https?://[^"]*registry' || true
    ours .npmrc | xargs grep -nE 'registry *=|https?://' || true
    grep -nE 'index-url|https?://' end2end/requirements.txt || true
    grep -nE '^source = ' Cargo.lock | grep -v 'registry+https://github.com/rust-lang/crates.io-index"$' || true
)"
exit $broken
