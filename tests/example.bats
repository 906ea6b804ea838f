#!/usr/bin/env bats
# deploy/example-service: a service that takes a password, and calls another one with a token.
# AUTHSERVER_BUILD names the build folder.

load lib/quick

setup_file() {
    quick
    export SOURCE=$BATS_TEST_DIRNAME/..
    export BUILD
    BUILD=$(cd "${AUTHSERVER_BUILD:-${BUILD:-$SOURCE/build}}" && pwd)
    # Where nginx's workers can reach the programs; the folders above the clone may be closed.
    PARTS=$(mktemp -d /tmp/authserver-parts.XXXXXX)
    export PARTS
    chmod 0755 "$PARTS"
    install -m 0755 "$BUILD/authserver" "$BUILD/authserver-reap" "$BUILD/authserver.fcgi" "$PARTS"
    export LOG=$PARTS/log
    PORT=$(free_port) SERVICE_PORT=$(free_port) UPSTREAM_PORT=$(free_port)
    export PORT SERVICE_PORT UPSTREAM_PORT
    PYTHONUNBUFFERED=1 "$SOURCE/deploy/example-service/run" "$PARTS" >"$LOG" 2>&1 3>&- </dev/null &
    RUNNING=$!
    export RUNNING
    until_true 20 started_or_ended
    PASSWORD=$(sed -n 's/^Try it: .*alice:\([^ ]*\) .*/\1/p' "$LOG")
    export PASSWORD
}

teardown_file() {
    kill -TERM "$RUNNING" 2>/dev/null || true
    until_true 20 ended || kill -KILL "$RUNNING"
    rm -rf "$PARTS"
}

setup() { quick; }
teardown() { sed 's/^/log: /' "$LOG"; }

free_port() {
    local port
    while :; do
        port=$((10000 + (RANDOM * 32768 + RANDOM) % 20000))
        [ -n "$(ss -Hltn "sport = :$port")" ] || break
    done
    echo "$port"
}

ended() { ! kill -0 "$RUNNING" 2>/dev/null; }
started_or_ended() { grep -q '^Try it' "$LOG" || ended; }

# ask URL [CURLFLAG...]: body in $body, status in $code.
ask() {
    body=$(curl -s --noproxy '*' -w '\n%{http_code}' "${@:2}" "$1")
    code=${body##*$'\n'}
    body=${body%$'\n'*}
}

@test "the line that run prints has the answer of the service behind" {
    line=$(sed -n 's/^Try it: //p' "$LOG")
    [ "$(eval "${line/curl/curl -s}")" = 'Hello alice, this is /report.' ]
}

@test "a wrong password, another scheme and none at all are a 401" {
    ask "http://127.0.0.1:$SERVICE_PORT/report" -u alice:wrong
    [ "$code" = 401 ]
    [[ $body == *'that the users file has'* ]]
    ask "http://127.0.0.1:$SERVICE_PORT/report"
    [ "$code" = 401 ]
    ask "http://127.0.0.1:$SERVICE_PORT/report" -H "Authorization: Bearer $PASSWORD"
    [ "$code" = 401 ]
}

@test "the service behind lets nobody in without a token of the issuer" {
    ask "http://127.0.0.1:$UPSTREAM_PORT/report"
    [ "$code" = 401 ]
    ask "http://127.0.0.1:$UPSTREAM_PORT/report" -u "alice:$PASSWORD"
    [ "$code" = 401 ]
    # Of another subject, with the signature and the key that alice's has.
    token=$(cat "$(curl -s -u "alice:$PASSWORD" "http://127.0.0.1:$PORT/alice")")
    ask "http://127.0.0.1:$UPSTREAM_PORT/report" -H "Authorization: Bearer $token"
    [ "$code" = 200 ]
    IFS=. read -r head claims signature <<<"$token"
    claims=$(printf '%s' "$claims" | tr _- /+ | base64 -d 2>/dev/null | sed 's/"alice"/"bob"/' | basenc --base64url -w0 | tr -d =)
    ask "http://127.0.0.1:$UPSTREAM_PORT/report" -H "Authorization: Bearer $head.$claims.$signature"
    [ "$code" = 401 ]
    # By another key.
    openssl genpkey -quiet -algorithm RSA -out "$BATS_TEST_TMPDIR/key.pem"
    token=$("$BUILD/authserverctl" mint --private-key="$BATS_TEST_TMPDIR/key.pem" \
        --issuer="http://127.0.0.1:$PORT" alice)
    [[ $token == eyJ* ]]
    ask "http://127.0.0.1:$UPSTREAM_PORT/report" -H "Authorization: Bearer $token"
    [ "$code" = 401 ]
}

@test "neither log has a password or a token" {
    ask "http://127.0.0.1:$SERVICE_PORT/report" -u "alice:$PASSWORD"
    [ "$code" = 200 ]
    [ "$(grep -v '^Try it' "$LOG" | grep -cE "eyJ|$PASSWORD")" -eq 0 ]
}

@test "run ends all of it within seconds" {
    kill -TERM "$RUNNING"
    until_true 10 ended
    for port in "$PORT" "$SERVICE_PORT" "$UPSTREAM_PORT"; do
        [ -z "$(ss -Hltn "sport = :$port")" ]
    done
}
