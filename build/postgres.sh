#!/usr/bin/env bash
# A throwaway PostgreSQL for tests: reached by a socket only, durable not at all (for benchmarks: POSTGRES_DURABLE=1).
# usage: build/postgres.sh with -- COMMAND...   run COMMAND with PORTICO_TEST_POSTGRES set, then stop and remove it
#        build/postgres.sh start                start one and print its URL
#        build/postgres.sh stop URL             stop and remove that one
#        build/postgres.sh find                 print where PostgreSQL's programs are
set -euo pipefail

find_bin() {
    local initdb
    initdb=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -1)
    [ -n "$initdb" ] || initdb=$(command -v initdb) || { echo "postgres: PostgreSQL is not installed" >&2; return 1; }
    dirname "$(readlink -f "$initdb")"
}

# initdb refuses root, and whoever runs it must reach the folder: hence directly under /tmp, owned by that user. A short
# path, too, since a socket's may have 107 bytes.
as_owner() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }

start() {
    bin=$(find_bin)
    sweep
    dir=$(as_owner mktemp -d /tmp/portico-pg.XXXXXX)
    local loose="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    [ -z "${POSTGRES_DURABLE:-}" ] || loose=
    as_owner "$bin/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$log" 2>&1 &&
        as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start >>"$log" 2>&1 -o \
            "-k $dir -c listen_addresses='' $loose -c max_connections=300" ||
        { cat "$log" "$dir/log" >&2 || true; stop "$dir"; echo "postgres: could not start" >&2; exit 1; }
    url="postgres:///postgres?host=$dir&user=postgres"
}

stop() {
    as_owner "$(find_bin)/pg_ctl" -D "$1/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$1"
}

# What a killed run could not remove.
sweep() {
    local left
    for left in /tmp/portico-pg.*/owner; do
        [ -e "$left" ] && ! kill -0 "$(cat "$left")" 2>/dev/null && stop "${left%/owner}"
    done || true
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
case ${1:-} in
    find) find_bin ;;
    start) start && echo "$url" ;;
    stop)
        dir=$(sed -n 's/.*[?&]host=\(\/tmp\/portico-pg\.[A-Za-z0-9]*\).*/\1/p' <<<"${2:-}")
        [ -n "$dir" ] || { echo "postgres: stop which? (the URL that start printed)" >&2; exit 2; }
        stop "$dir"
        ;;
    with)
        [ "${2:-}" = -- ] && shift 2 || shift
        start
        trap 'stop "$dir"; rm -f "$log"' EXIT
        trap 'exit 130' INT TERM HUP
        echo $$ >"$dir/owner"
        PORTICO_TEST_POSTGRES=$url "$@"
        ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
