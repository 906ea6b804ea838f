#!/usr/bin/env bats
# authserver.fcgi: how it is started, and its requests, by a client that speaks FastCGI itself. What
# becomes of its processes is in monitor.bats.

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
