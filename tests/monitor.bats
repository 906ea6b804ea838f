#!/usr/bin/env bats
# authserver.fcgi's processes: those that are killed, those of another configuration, and their end.

bats_require_minimum_version 1.5.0

load lib/fastcgi

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }
setup() { fastcgi_begin; }
teardown() { fastcgi_end; }

# --- deaths -----------------------------------------------------------------------

# enough COUNT: that many tokens were made.
enough() { [ "$(times_logged 'Generated token')" -ge "$1" ]; }

# kill_often WHICH TIMES: kills the worker or the signer, each time after its predecessor's
# load was taken up again.
kill_often() {
    # shellcheck disable=SC2034 # for until_true
    local INTERVAL=0.01
    local i pid=

    for ((i = 0; i < $2; i++)); do
        from_here
        further 50 'Generated token'
        find_parts
        [ "$1" = worker ] && pid=${WORKERS[0]} || pid=$SIGNER
        kill -KILL "$pid"
        until_true 5 gone "$pid"
    done
    from_here
    further 50 'Generated token'
}

@test "a worker killed under load costs only the requests that it held" {
    local watcher loaders closed

    serve
    find_parts
    local signer=$SIGNER
    background watch watch "$TOKENS"
    watcher=$JOB
    background load load "$SOCKET" 6
    loaders=$JOB
    kill_often worker 5
    finish "$loaders"
    cat "$DIR/load"
    finish "$watcher"
    cat "$DIR/watch"
    # Six clients: no more than six requests are held at a time.
    refute grep -v -e ' 200$' -e ' closed$' "$DIR/load"
    closed=$(sed -n 's/ closed$//p' "$DIR/load")
    [ "${closed:-0}" -le 30 ]
    find_parts
    [ "$SIGNER" = "$signer" ]
    [ "$(times_logged 'Worker .* ended by signal 9; starting another$')" -eq 5 ]
}

@test "a signer killed under load costs no request" {
    local watcher loaders

    serve
    find_parts
    local worker=${WORKERS[0]}
    background watch watch "$TOKENS"
    watcher=$JOB
    background load load "$SOCKET" 8
    loaders=$JOB
    kill_often signer 5
    finish "$loaders"
    cat "$DIR/load"
    finish "$watcher"
    cat "$DIR/watch"
    refute grep -v -e ' 200$' "$DIR/load"
    find_parts
    [ "${WORKERS[0]}" = "$worker" ]
    [ "$(times_logged 'Signer .* ended by signal 9; starting another$')" -eq 5 ]
}

# The parts of one test, which waits for its deadlines once.

hold_requests() {
    client held "$SOCKET" 10 && [ "$(token_count)" -eq 50 ]
}

# The other server loses its signer and its key.
lose_key() {
    local children

    fastcgi_begin
    echo "other $DIR"
    serve
    trap 'kill -KILL "$MONITOR"; rm -rf "$DIR"' EXIT
    mints
    find_parts
    echo garbage >"$KEY"
    kill -KILL "$SIGNER"
    ask
    refused 503 'try again'
    grep -q '^Retry-After: [0-9]' "$DIR/answer"
    children=$(times_logged 'The signer cannot be started: .*not a private key')
    echo "$children starts"
    [ "$children" -ge 2 ]
    [ "$children" -le 10 ]
    install -m 0600 "$WORK/key" "$KEY"
    until_true 10 mints
    until_true 10 parts
}

@test "deadlines: cut and slow requests end by theirs, a lost key by 503 and recovery" {
    local holder loser failed=0

    serve
    hold_requests >"$DIR/holder" 2>&1 3>&- &
    holder=$!
    (set -e; lose_key) >"$DIR/loser" 2>&1 3>&- &
    loser=$!
    wait "$holder" || failed=1
    wait "$loser" || failed=1
    cat "$DIR/holder" "$DIR/loser"
    [ "$failed" -eq 0 ]
    mints
}

# --- reload -----------------------------------------------------------------------


reload() {
    from_here
    kill -HUP "$MONITOR"
    further 1 ' Reloaded'
}

reload_often() {
    local i

    for ((i = 0; i < $1; i++)); do
        reload
    done
}

@test "SIGHUP takes a changed configuration and a new key, and loses no request" {
    local first second third

    serve
    mints
    first=$FILE
    background load load "$SOCKET" 6
    configure 'lifetime = "5m"'
    reload
    mints
    second=$FILE
    install -m 0600 "$WORK/other" "$KEY"
    reload
    mints
    third=$FILE
    reload_often 15
    finish "$JOB"
    cat "$DIR/load"
    refute grep -v -e ' 200$' "$DIR/load"
    # What was made meanwhile.
    token verify "$WORK/key.pub" "$first" "$second"
    claims_of "$second"
    [ "$(($(claimed exp) - $(claimed iat)))" -eq 300 ]
    token verify "$WORK/other.pub" "$third"
    refute cmp -s <(token header "$first") <(token header "$third")
    # The old generations are over.
    until_true 5 parts
}

# serve_births WHAT: with two workers, of children that go wrong as tests/preload/births.c says. The
# third is the second worker; of the first reload, the reading of the configuration is the fourth.
serve_births() {
    not_with any "it has to be loaded before what is preloaded"
    run_server env LD_PRELOAD="$WORK/births.so" BIRTHS="$1" \
        "$FCGI" --config "$CONF" --socket "$SOCKET" --set workers=2
    find_parts 2
}

@test "a reload whose last worker cannot start loses no request, and nothing is made by it" {
    serve_births 'fail 7'
    background load load "$SOCKET" 6
    configure 'lifetime = "5m"'
    kill -HUP "$MONITOR"
    while ! logged 'Not reloaded, the old configuration stays: fork: '; do
        mints
        claims_of "$FILE"
        [ "$(($(claimed exp) - $(claimed iat)))" -ne 300 ]
    done
    finish "$JOB"
    refute grep -v -e ' 200$' "$DIR/load"
    reload
    mints
    claims_of "$FILE"
    [ "$(($(claimed exp) - $(claimed iat)))" -eq 300 ]
}

@test "SIGTERM ends it while a reload waits for a process that does not start" {
    local number

    for number in 4 5 7; do
        serve_births "hang $number"
        kill -HUP "$MONITOR"
        until_true 5 born $((number - 3))
        ends_soon
        logged 'Not reloaded, the old configuration stays: told to end while the '
        until_true 5 nobody_left
        : >"$LOG"
    done
}

# born COUNT: whether the monitor has so many children more than it serves with.
born() {
    local children

    children_of children "$MONITOR"
    [ "${#children[@]}" -ge "$((3 + ($1 > 1 ? $1 - 1 : 1)))" ]
}

@test "SIGTERM ends it while it starts, with status 0" {
    not_with any "it has to be loaded before what is preloaded"
    LD_PRELOAD="$WORK/births.so" BIRTHS='hang 1' setsid \
        "$FCGI" --config "$CONF" --socket "$SOCKET" >>"$LOG" 2>&1 </dev/null 3>&- &
    MONITOR=$!
    until_true 5 born_first
    ends_soon
    until_true 5 nobody_left
}

# ends_soon: with status 0, and before what it waits for has had its 30 seconds.
ends_soon() {
    kill -TERM "$MONITOR"
    until_true 10 gone "$MONITOR"
    wait "$MONITOR"
    MONITOR=
}

born_first() {
    local children

    children_of children "$MONITOR"
    [ "${#children[@]}" -eq 1 ]
}

@test "a request that waits for a source as long as it may outlives a reload" {
    mkdir -m 0755 "$DIR/scripts"
    printf '%s\n' '#!/bin/sh' "touch $DIR/asked" 'sleep 17' "echo '{\"groups\": []}'" \
        >"$DIR/scripts/slow"
    chmod 0755 "$DIR/scripts/slow"
    configure 'groups {' 'resolvers = { "script" }' 'claim = true' \
        "script { directory = \"$DIR/scripts\"" 'files = { "slow" }' 'timeout = 40s' '}' '}'
    serve
    background flight flight "$SOCKET" 1
    until_true 5 says "$DIR/flight" sent
    until_true 5 test -e "$DIR/asked"
    reload
    wait "$JOB"
    grep -qx 200 "$DIR/flight"
    refute logged 'is killed$'
}

# What a web server may just be sending a request on is not closed under it.
@test "connections that are kept outlive the workers that accepted them" {
    local old

    serve --set workers=2
    find_parts 2
    background kept kept "$SOCKET" 400
    until_true 20 says "$DIR/kept" kept
    for _ in 1 2; do
        old=("${WORKERS[@]}")
        reload
        until_true 10 gone "${old[0]}"
        until_true 10 gone "${old[1]}"
        find_parts 2
    done
    finish "$JOB"
    [ "$(grep -c '^200$' "$DIR/kept")" -eq 400 ]
    [ "$(token_count)" -eq 800 ]
}

@test "a connection from before SIGHUP gets its request answered after it" {
    serve
    background fresh fresh "$SOCKET" 5
    until_true 5 says "$DIR/fresh" connected
    # One that came later is answered, so those were accepted.
    mints
    reload
    finish "$JOB"
    [ "$(grep -c '^200$' "$DIR/fresh")" -eq 5 ]
}

not_reloaded() { [ "$(times_logged 'Not reloaded, the old configuration stays: ')" -eq "$1" ]; }

@test "SIGHUP with a broken configuration or key leaves the old ones in service" {
    serve
    find_parts
    local signer=$SIGNER

    configure 'lifetime = "forever"'
    kill -HUP "$MONITOR"
    until_true 5 not_reloaded 1
    logged "stays: $CONF:4: lifetime"
    mints
    configure
    head -c 800 "$WORK/other" >"$KEY"
    kill -HUP "$MONITOR"
    until_true 5 not_reloaded 2
    logged "stays: $KEY: not a private key"
    mints
    token verify "$WORK/key.pub" "$FILE"
    configure 'log = "syslog"' 'group = "nowhere"'
    kill -HUP "$MONITOR"
    until_true 5 not_reloaded 3
    mints
    refute logged ' Reloaded$'
    find_parts
    [ "$SIGNER" = "$signer" ]
}

# --- the end ----------------------------------------------------------------------

@test "it ends on SIGTERM when the signer is gone and cannot come back" {
    serve
    find_parts
    head -c 800 "$WORK/key" >"$KEY"
    kill -KILL "$SIGNER"
    until_true 10 logged 'The signer cannot be started: '
    stop
    until_true 5 nobody_left
}

@test "a request whose client has gone before it was looked at makes no token" {
    serve
    find_parts
    kill -STOP "${WORKERS[0]}"
    background flight flight "$SOCKET" 20
    until_true 5 says "$DIR/flight" sent
    kill -KILL "$JOB"
    wait "$JOB" || true
    kill -CONT "${WORKERS[0]}"
    mints
    stop
    [ "$(token_count)" -eq 1 ]
}

@test "SIGTERM answers what is in flight, then ends with status 0" {
    run_server "$FCGI" --config "$CONF" --socket "$SOCKET"
    find_parts
    kill -STOP "$SIGNER"
    background flight flight "$SOCKET" 20
    until_true 5 says "$DIR/flight" sent
    kill -TERM "$MONITOR"
    sleep 0.2
    refute gone "$MONITOR"
    kill -CONT "$SIGNER"
    wait "$JOB"
    [ "$(grep -c '^200$' "$DIR/flight")" -eq 20 ]
    wait "$MONITOR"
    [ ! -e "$SOCKET" ]
    nobody_left
}

ended() { gone "$MONITOR" && nobody_left; }

@test "a signal to the whole process group, as from a terminal, ends it as well" {
    local name

    for name in TERM INT; do
        run_server "$FCGI" --config "$CONF" --socket "$SOCKET"
        find_parts
        kill -STOP "$SIGNER"
        background flight flight "$SOCKET" 5
        until_true 5 says "$DIR/flight" sent
        kill "-$name" -- "-$MONITOR"
        kill -CONT "$SIGNER"
        wait "$JOB"
        [ "$(grep -c '^200$' "$DIR/flight")" -eq 5 ]
        wait "$MONITOR"
        nobody_left
        [ ! -e "$SOCKET" ]
    done
}

@test "connections that are idle or half-sent do not hold up the end" {
    serve
    background kept kept "$SOCKET" 5
    until_true 5 says "$DIR/kept" kept
    background held held "$SOCKET" 10
    until_true 5 enough 20
    kill -TERM "$MONITOR"
    until_true 4 ended
    wait "$MONITOR"
    kill -KILL "${JOBS[@]}"
}

@test "SIGKILL of the monitor leaves no process" {
    serve
    background kept kept "$SOCKET" 5
    until_true 5 says "$DIR/kept" kept
    kill -KILL "$MONITOR"
    until_true 5 nobody_left
    kill -KILL "$JOB"
}
