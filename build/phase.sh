#!/usr/bin/env bash
# Runs one phase of a longer job and says how long it took.
# usage: build/phase.sh NAME COMMAND...
set -uo pipefail
name=$1
shift
printf '\n=== %s\n' "$name"
SECONDS=0
"$@"
code=$?
[ $code = 0 ] && printf '=== %s: %d s\n' "$name" $SECONDS || printf '=== %s: FAILED after %d s\n' "$name" $SECONDS
exit $code
