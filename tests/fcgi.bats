#!/usr/bin/env bats
# authserver.fcgi, by a client that speaks FastCGI itself, and by signals.

load lib/fastcgi

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }
setup() { fastcgi_begin; }
teardown() { fastcgi_end; }

# --- how it is started ------------------------------------------------------------

@test "spawn-fcgi starts it in the foreground" {
    serve
    mints
    [[ $FILE =~ ^$TOKENS/alice\.[0-9]{19}\.token$ ]]
}

@test "spawn-fcgi starts it in the background" {
    spawn-fcgi -s "$SOCKET" -P "$DIR/pid" -- "$FCGI" --config "$CONF" >"$DIR/out" 3>&-
    MONITOR=$(cat "$DIR/pid")
    mints
    kill "$MONITOR"
    until_true 5 nobody_left
}

@test "systemd's socket activation starts it" {
    run_server "$CLIENT" listen "$SOCKET" -- "$FCGI" --config "$CONF"
    mints
}

@test "a socket on descriptor 0 starts it" {
    run_server "$CLIENT" listen "$SOCKET" --descriptor 0 -- "$FCGI" --config "$CONF"
    mints
}

@test "--socket makes a socket for the group alone, and takes it away at the end" {
    run_server "$FCGI" --config "$CONF" --socket "$SOCKET"
    [ "$(stat -c '%a %F' "$SOCKET")" = "660 socket" ]
    mints
    stop
    [ ! -e "$SOCKET" ]
}

@test "--socket takes the place of a socket that a dead server left" {
    run_server "$FCGI" --config "$CONF" --socket "$SOCKET"
    kill -KILL "$MONITOR"
    until_true 5 nobody_left
    [ -S "$SOCKET" ]
    run_server "$FCGI" --config "$CONF" --socket "$SOCKET"
    mints
}

@test "--socket leaves a living server and other files alone" {
    serve
    mv "$SOCKET" "$DIR/living"
    timeout 10 "$FCGI" --config "$CONF" --socket "$DIR/living" 2>"$DIR/err" || status=$?
    [ "${status:-0}" -eq 78 ]
    grep -q 'another server listens there$' "$DIR/err"
    # One that we may not connect to is not a dead one.
    chmod 0 "$DIR/living"
    if [ "$(id -u)" -eq 0 ]; then
        chmod 0777 "$DIR"
        refute setpriv --reuid nobody --regid nogroup --clear-groups \
            "$FCGI" --private-key "$KEY" --directory "$TOKENS" --socket "$DIR/living" 2>"$DIR/err"
        grep -q 'another server listens there$' "$DIR/err"
        chmod 0711 "$DIR"
    fi
    mv "$DIR/living" "$SOCKET"
    mints
    stop
    rm "$SOCKET"

    touch "$DIR/file"
    fails_with 78 'exists and is not a socket$' "$FCGI" --config "$CONF" --socket "$DIR/file"
    [ -f "$DIR/file" ]
    fails_with 78 'longer than a socket' "$FCGI" --config "$CONF" \
        --socket "$DIR/$(printf '%0120d' 0)"
    fails_with 78 'No such file or directory$' "$FCGI" --config "$CONF" --socket "$DIR/no/socket"
}

@test "a dead server's socket that cannot be taken away is said" {
    need_root
    client listen "$DIR/stale" --descriptor 0 -- true
    chmod 0755 "$DIR"
    chmod 0666 "$DIR/stale"
    fails_with 78 "$DIR/stale: Permission denied$" \
        "${AS_NOBODY[@]}" "$FCGI" -k "$KEY" --socket "$DIR/stale"
}

@test "a TCP socket is refused without --allow-tcp" {
    fails_with 78 'not a Unix socket.*--allow-tcp$' \
        spawn-fcgi -n -a 127.0.0.1 -p "$((20000 + RANDOM % 10000))" -- "$FCGI" --config "$CONF"
}

@test "a TCP socket serves with --allow-tcp" {
    run_server "$CLIENT" listen 127.0.0.1:0 -- "$FCGI" --config "$CONF" --allow-tcp
    SOCKET=$(grep -x '127\.0\.0\.1:[0-9]*' "$LOG")
    mints
}

@test "without a socket it does not start" {
    fails_with 78 'no listening socket on descriptor 0: ' "$FCGI" --config "$CONF"
    # Meant for another process.
    fails_with 78 'no listening socket on descriptor 0: ' \
        env LISTEN_FDS=1 LISTEN_PID=1 "$FCGI" --config "$CONF"
}

@test "a start that fails says why in one line, with the status of sysexits" {
    local start=("$FCGI" --config "$CONF" --socket "$SOCKET")

    fails_with 66 "$DIR/none: No such file" "${start[@]}" --private-key "$DIR/none"
    fails_with 66 "$DIR/none: No such file" "$FCGI" --config "$DIR/none" --socket "$SOCKET"
    fails_with 78 "group 'nowhere' does not exist" "${start[@]}" --group nowhere
    fails_with 78 'a key of type RSA cannot sign with ES256$' "${start[@]}" -a ES256
    fails_with 78 "algorithm 'HS256' does not exist" "${start[@]}" -a HS256
    fails_with 78 "command line: unknown key 'wrong'" "${start[@]}" --set wrong=1
    fails_with 78 'no private key: ' "$FCGI" -d "$TOKENS" --socket "$SOCKET"

    chmod 0777 "$TOKENS"
    fails_with 78 "$TOKENS: .*chmod o-w" "${start[@]}"
    chmod 0750 "$TOKENS"
    ln -s "$TOKENS" "$DIR/link"
    fails_with 78 "$DIR/link: is a symbolic link" "${start[@]}" -d "$DIR/link"
    mkdir -m 0777 "$DIR/open"
    chmod 0777 "$DIR/open"
    fails_with 78 "$DIR/open: others may write it" "${start[@]}" -d "$DIR/open/tokens"
    [ ! -e "$DIR/open/tokens" ]

    configure '' 'lifetime = "forever"'
    fails_with 78 "$CONF:5: lifetime: 'forever' is not a duration" "${start[@]}"
    configure 'unknown = "1"'
    fails_with 78 "$CONF:4: .*unknown" "${start[@]}"
    configure
    chmod 0666 "$CONF"
    fails_with 78 "$CONF: others may write it" "${start[@]}"
    nobody_left
}

@test "an unknown flag is a usage error" {
    local status=0

    "$FCGI" --wrong 2>"$DIR/err" || status=$?
    [ "$status" -eq 64 ]
    grep -q -e '--wrong' "$DIR/err"
}

@test "--help and --version" {
    "$FCGI" --help >"$DIR/out"
    grep -q -e '--socket' "$DIR/out"
    grep -q -e '--private-key' "$DIR/out"
    [[ $("$FCGI" --version) == "authserver.fcgi "[0-9]* ]]
}

@test "a key that others can read gets one warning" {
    serve
    refute logged 'can read the private key'
    stop
    rm "$SOCKET"
    chmod 0644 "$KEY"
    serve
    mints
    [ "$(times_logged "can read the private key $KEY: chmod 0600 it$")" -eq 1 ]
}

# --- requests ---------------------------------------------------------------------

@test "a param that comes twice is refused" {
    local param

    serve
    for param in REMOTE_USER=alice REMOTE_USER=root AUTH_TYPE=Basic PATH_INFO=/alice \
        REQUEST_METHOD=GET HTTP_HOST=localhost QUERY_STRING= CONTENT_LENGTH=; do
        ask "+$param"
        refused 400 "${param%%=*} twice"
    done
    [ "$(token_count)" -eq 0 ]
    # What is not used may come as it likes.
    mints +HTTP_X_ANY=1 +HTTP_X_ANY=2
}

@test "REMOTE_USER counts beside AUTH_TYPE alone" {
    serve
    ask AUTH_TYPE
    refused 401
    ask AUTH_TYPE=
    refused 401
    ask AUTH_TYPE REMOTE_USER HTTP_REMOTE_USER=alice HTTP_AUTH_TYPE=Basic
    refused 401
    ask REMOTE_USER
    refused 401
    [ "$(token_count)" -eq 0 ]
    mints
}

@test "what is not a FastCGI request is hung up on, and the service goes on" {
    serve
    find_parts
    local worker=${WORKERS[0]}

    client malformed "$SOCKET"
    find_parts
    [ "${WORKERS[0]}" = "$worker" ]
    logged 'sent no well-formed FastCGI request$'
}

@test "a body over 64 KiB is refused" {
    serve
    ask body=65537
    refused 413
    ask body=1000000 CONTENT_LENGTH=1000000
    refused 413
    ask CONTENT_LENGTH=65537
    refused 413
    # As large as may be: it is read, though a mint has no use for it.
    ask body=65536 CONTENT_LENGTH=65536
    refused 400
    [ "$(token_count)" -eq 0 ]
    mints
}

@test "a request that comes in many small pieces is answered" {
    serve
    [ "$(client pieces "$SOCKET" 1)" = 200 ]
    [ "$(client pieces "$SOCKET" 7 "HTTP_X_LONG=$(printf '%020000d' 0)")" = 200 ]
    [ "$(client pieces "$SOCKET" 100 body=65000 CONTENT_LENGTH=65000)" = 400 ]
    # What is not read of this one must not come before the next.
    [ "$(client pieces "$SOCKET" 100 body=70000 CONTENT_LENGTH=70000)" = 413 ]
    [ "$(client pieces "$SOCKET" 1)" = 200 ]
}

@test "a body that CONTENT_LENGTH does not announce is refused as well" {
    serve
    ask body=1
    refused 400
}

@test "a peer that does not read its answers holds up nobody" {
    serve
    background deaf deaf "$SOCKET"
    until_true 20 says "$DIR/deaf" over
    [ "$(timeout 1.5 "$CLIENT" stream "$SOCKET" 1)" = 200 ]
    finish "$JOB" || true
}

@test "params of nearly 64 KiB are read" {
    serve
    mints "HTTP_X_LONG=$(printf '%065000d' 0)"
}

@test "a kept connection carries one request after the other" {
    serve
    client stream "$SOCKET" 300 >"$DIR/statuses"
    [ "$(sort "$DIR/statuses" | uniq -c | tr -s ' ')" = ' 300 200' ]
    [ "$(token_count)" -eq 300 ]
}

tasks() {
    cat /proc/"$MONITOR"/task/*/children | wc -w
    threads "${WORKERS[0]}"
    threads "$SIGNER"
}

@test "64 idle kept connections cost no process and no thread" {
    serve
    find_parts
    tasks >"$DIR/before"
    background kept kept "$SOCKET" 64
    until_true 10 says "$DIR/kept" kept
    tasks | diff "$DIR/before" -
    # And they hold up nobody.
    mints
    finish "$JOB"
    [ "$(grep -c '^200$' "$DIR/kept")" -eq 64 ]
}

@test "requests wait for the signer together, and hold up no other" {
    serve
    find_parts
    kill -STOP "$SIGNER"
    background flight flight "$SOCKET" 20
    until_true 5 says "$DIR/flight" sent
    # While they wait, what needs no signature is answered at once.
    ask PATH_INFO=/bob
    refused 403
    ask PATH_INFO=/-/healthy
    [ "$BODY" = ok ]
    refute says "$DIR/flight" 200
    [ "$(token_count)" -eq 0 ]
    kill -CONT "$SIGNER"
    wait "$JOB"
    [ "$(grep -c '^200$' "$DIR/flight")" -eq 20 ]
    [ "$(token_count)" -eq 20 ]
}

@test "clients that do not wait for their answer do no harm" {
    serve
    find_parts
    local worker=${WORKERS[0]}

    kill -STOP "$SIGNER"
    background flight flight "$SOCKET" 20
    until_true 5 says "$DIR/flight" sent
    kill -KILL "$JOB"
    wait "$JOB" || true
    kill -CONT "$SIGNER"
    mints
    client stream "$SOCKET" 20 >"$DIR/statuses"
    [ "$(uniq "$DIR/statuses")" = 200 ]
    find_parts
    [ "${WORKERS[0]}" = "$worker" ]
}

# suspend PID: returns once every thread of it has stopped.
suspend() {
    kill -STOP "$1"
    until_true 5 stopped "$1"
}
stopped() { ! grep -h '^State:' "/proc/$1/task/"*/status | grep -qv 'T (stopped)'; }

# asked PID: whether the socket between worker and signer holds something for it to read.
asked() {
    ss -Hxp | awk -v pid="pid=$1," '$1 == "u_seq" && $3 > 0 && index($0, pid) { n++ }
        END { exit !n }'
}

@test "an event of a connection that is over does not end the one that takes its place" {
    local first

    serve
    find_parts
    background first fresh "$SOCKET" 1
    first=$JOB
    until_true 5 says "$DIR/first" connected
    # One that came later is answered, so that one was accepted.
    mints
    suspend "$SIGNER"
    kill -TERM "$first"
    until_true 5 asked "$SIGNER"
    # What the worker hears at once: the answer that ends the first connection, the
    # connection that takes its place, and that the first one's peer is gone.
    suspend "${WORKERS[0]}"
    kill -CONT "$SIGNER"
    until_true 5 asked "${WORKERS[0]}"
    background second fresh "$SOCKET" 1
    until_true 5 says "$DIR/second" connected
    kill -KILL "$first"
    wait "$first" || true
    kill -CONT "${WORKERS[0]}"
    mints
    finish "$JOB"
    says "$DIR/second" 200
}

# both_write COUNT: so often at least each of the workers has: files, answers and log lines.
both_write() {
    local worker

    for worker in "${WORKERS[@]}"; do
        [ "$(awk '/syscw/ { print $2 }' "/proc/$worker/io")" -ge "$1" ] || return 1
    done
}

@test "two workers share the load, and one serves while the other does not" {
    local worker

    configure 'workers = "2"'
    serve
    find_parts 2
    from_here
    background load load "$SOCKET" 8
    further 400 'Generated token'
    # On a busy machine one of them may be the only one that runs for a while.
    until_true 20 both_write 100
    finish "$JOB"
    [[ $(cat "$DIR/load") =~ ^[0-9]+\ 200$ ]]
    for worker in "${WORKERS[@]}"; do
        kill -STOP "$worker"
        mints
        mints
        kill -CONT "$worker"
    done
}

# --- peers ------------------------------------------------------------------------

@test "another user's process is hung up on, whatever the socket's mode" {
    need_root
    serve
    chmod 0666 "$SOCKET"
    run "${AS_NOBODY[@]}" "$ASK" "$SOCKET"
    [ "$status" -eq 3 ]
    [ "$output" = "closed after 0 bytes" ]
    [ "$(token_count)" -eq 0 ]
    [ "$(times_logged "which 'peers' does not list\$")" -eq 1 ]
    mints
}

@test "a user that peers lists is served" {
    need_root
    configure 'peers = { "nobody" }'
    serve
    chmod 0666 "$SOCKET"
    run "${AS_NOBODY[@]}" "$ASK" "$SOCKET"
    [ "$status" -eq 0 ]
    [[ $output == "Status: 200 "* ]]
    [ "$(token_count)" -eq 1 ]
}

# --- deaths -----------------------------------------------------------------------

# enough COUNT: that many tokens were made.
enough() { [ "$(times_logged 'Generated token')" -ge "$1" ]; }

# from_here: what further waits for is logged from here on.
from_here() {
    [ -n "${FOLLOWED:-}" ] || exec {FOLLOWED}<"$LOG"
    FURTHER=0
    REST=
    further_logged 1 '' || true
    FURTHER=0
}

# further COUNT TEXT: waits until as many lines with this text were logged. It is asked while there
# is load, and starts no process.
further() { INTERVAL=0.01 until_true 10 further_logged "$@"; }

further_logged() {
    local line

    while IFS= read -ru "$FOLLOWED" line; do
        [[ $REST$line != *"$2"* ]] || FURTHER=$((FURTHER + 1))
        REST=
    done
    # A line that is not yet whole.
    REST+=$line
    [ "$FURTHER" -ge "$1" ]
}

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

# --- the secret -------------------------------------------------------------------

@test "the same user cannot read the memory of our processes, and no core is left" {
    local pid

    need_root
    not_with address "its leak checker traces our processes"
    chmod 0700 "$DIR"
    chown -R nobody "$DIR"
    run_server "${AS_NOBODY[@]}" \
        "$FCGI" --config "$CONF" --socket "$SOCKET"
    find_parts
    mints
    for pid in "$MONITOR" "$SIGNER" "${WORKERS[@]}"; do
        refute "${AS_NOBODY[@]}" head -c 0 "/proc/$pid/mem"
        refute "${AS_NOBODY[@]}" head -c 0 "/proc/$pid/environ"
        [ "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$pid/limits")" = "0 0" ]
        [ "$(cat "/proc/$pid/coredump_filter")" = 00000000 ]
    done
    # It is not for want of a right that any process of that user has over another.
    "${AS_NOBODY[@]}" sleep 60 &
    pid=$!
    until_true 5 grep -q sleep "/proc/$pid/comm"
    "${AS_NOBODY[@]}" head -c 0 "/proc/$pid/mem"
    kill "$pid"
}

@test "the key is in the signer's memory alone" {
    local prime

    need_root
    not_with any "it has memory that is too large to be searched"
    serve
    find_parts
    mints
    prime=$(openssl rsa -in "$WORK/key" -noout -text | sed '1,/^prime1:/d; /^prime2:/,$d' |
        tr -d ' :\n')
    prime=${prime#00}
    [ "${#prime}" -eq 256 ]
    client has "$SIGNER" "$prime"
    # Memory that is neither written to swap (lo) nor to a core (dd).
    grep -qE '^VmFlags: .* lo .*\<dd\>' "/proc/$SIGNER/smaps"
    refute client has "${WORKERS[0]}" "$prime"
    refute client has "$MONITOR" "$prime"
}
