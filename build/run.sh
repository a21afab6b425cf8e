#!/usr/bin/env bash
# Loads the demo merchant (once), then serves the portal, and the sample shop beside it, until stopped.
# usage: build/run.sh [FLAG of `portico serve`]...
set -euo pipefail
cd "$(dirname "$0")/.."

portico=target/release/portico
"$portico" demo
made=$("$portico" demo --json)
of_demo() { node -p "const made = JSON.parse(process.argv[1]); $1" "$made"; }

PORTICO_URL=${PORTICO_PUBLIC_URL:-http://localhost:3000} PORTICO_KEY=$(of_demo made.secret_key) \
    CUSTOMER=$(of_demo 'Object.values(made.customers)[0]') node docs/shop/shop.mjs &
shop=$!
"$portico" serve "$@" &
server=$!

# Whoever stops this stops both. A signal ends the first wait, but not the server: it answers what it has begun.
trap 'kill -TERM $server $shop 2>/dev/null || true' INT TERM HUP EXIT
wait $server || { kill -0 $server 2>/dev/null && wait $server; }
