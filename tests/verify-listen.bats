#!/usr/bin/env bats
# The TCP socket for mod_authnz_fcgi, where tokens are verified and nothing else is done, asked
# as FastCGI and not by a web server; Apache is in authorizer.bats.

load lib/fastcgi

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }
teardown() { fastcgi_end; }

# An address of this test's own: all of 127.0.0.0/8 is this host.
setup() {
    VERIFY=127.$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)):9005
    fastcgi_begin "verify-listen = \"$VERIFY\"" 'profile "g" { groups = true }' 'groups {' \
        'resolvers = { "static" }' "static { file = \"$WORK/groups\" }" '}'
    echo '{"alice": ["etl", "data science"], "root": []}' >"$WORK/groups"
}

# at ADDRESS COMMAND...: with another socket than the web server's.
at() {
    local SOCKET=$1

    shift
    "$@"
}

there() { at "$VERIFY" ask "$@"; }

# judge [PARAM]...: as mod_authnz_fcgi asks, with the token of FILE.
judge() {
    there role=authorizer PATH_INFO CONTENT_LENGTH "HTTP_AUTHORIZATION=Bearer $(<"$FILE")" "$@"
}

# has LINE: of the last answer's header.
has() { grep -qx -e "$1"$'\r' "$DIR/answer" || { cat "$DIR/answer"; return 1; }; }

@test "an authorizer has variables for a good token, and nothing else that a client would see" {
    serve
    mints QUERY_STRING=profile=g
    judge REQUEST_METHOD=POST REMOTE_USER=root AUTH_TYPE=Basic
    [ "$STATUS" = 200 ] && [ -z "$BODY" ]
    has 'Variable-AUTH_SUBJECT: alice'
    has 'Variable-AUTH_GROUPS: etl,data%20science'
    grep -q '^Variable-AUTH_JTI: [A-Za-z0-9_-]*'$'\r' "$DIR/answer"
    refute grep -v -e ^Status: -e ^Variable- -e ^$'\r' "$DIR/answer"
}

@test "an authorizer refuses: 401 and 403, with what is wanted" {
    serve
    mints QUERY_STRING=profile=g
    there role=authorizer PATH_INFO
    refused 401 'a token is missing'
    has 'WWW-Authenticate: Bearer realm="authserver"'
    there role=authorizer PATH_INFO "HTTP_AUTHORIZATION=Bearer $(<"$FILE")x"
    refused 401 '^the token is not valid$'
    has 'WWW-Authenticate: Bearer realm="authserver", error="invalid_token"'
    judge 'AUTHSERVER_GROUPS=staff, data science'
    [ "$STATUS" = 200 ]
    judge AUTHSERVER_GROUPS=staff
    refused 403 '^the token has none of the groups'
    has 'WWW-Authenticate: Bearer realm="authserver", error="insufficient_scope"'
    logged 'path authorizer: the token has none of the groups that are required: it is alice'
    refute grep -q eyJ "$LOG"
}

@test "validate and authorize are answered there too" {
    serve
    mints
    there PATH_INFO=/api/validate REQUEST_METHOD=POST "HTTP_AUTHORIZATION=Bearer $(<"$FILE")"
    [ "$STATUS" = 200 ] && [ "$BODY" = '{"sub":"alice"}' ]
    there PATH_INFO=/api/authorize "HTTP_AUTHORIZATION=Bearer $(<"$FILE")"
    [ "$STATUS" = 204 ]
    has 'X-Auth-Subject: alice'
}

@test "a connection carries one request, whatever it asks for" {
    serve
    run client stream "$VERIFY" 2
    [ "${lines[0]}" = 403 ]
    [[ $output == *Closed* ]]
}

@test "threat: nobody is believed there, and nothing is minted or told" {
    local path

    serve
    for path in /root /alice / /.well-known/jwks.json /api/groups/alice /api/get-user \
        /api/token /oauth2/token /oauth2/introspect /oauth2/revoke /-/healthy /-/ready; do
        for method in GET POST; do
            there "PATH_INFO=$path" "REQUEST_METHOD=$method" REMOTE_USER=root AUTH_TYPE=Basic
            [[ $STATUS == 40[34] ]] || { echo "$method $path"; cat "$DIR/answer"; return 1; }
        done
    done
    there REMOTE_USER=root AUTH_TYPE=peer
    refused 403
    [ "$(token_count)" -eq 0 ]
}

@test "the web server's socket takes no request for an authorizer" {
    serve
    mints
    ask role=authorizer "HTTP_AUTHORIZATION=Bearer $(<"$FILE")"
    [ "$STATUS" = closed ]
    logged 'Hung up on a peer that sent no well-formed FastCGI request'
    mints
}

@test "an authorizer's request may come in any pieces" {
    local size

    serve
    mints
    for size in 1 8 17 1000; do
        run client pieces "$VERIFY" "$size" role=authorizer "X=$(printf 'x%.0s' {1..9000})" \
            "HTTP_AUTHORIZATION=Bearer $(<"$FILE")"
        [ "$output" = 200 ] || { echo "$size: $output"; return 1; }
    done
}

@test "the end of a body that an authorizer's request may have is not taken for the next one" {
    local only=(REQUEST_METHOD PATH_INFO QUERY_STRING CONTENT_LENGTH REMOTE_USER AUTH_TYPE)

    serve
    for _ in 1 2; do
        # It lies across the end of the 8 KiB that libfcgi reads at once.
        run client pieces "$VERIFY" 40 role=authorizer body=0 "${only[@]}" HTTP_HOST \
            "X=$(printf 'x%.0s' {1..8150})"
        [ "$output" = 401 ]
    done
}

@test "what is no loopback address is refused at the start, with the line" {
    configure 'verify-listen = "0.0.0.0:9005"'
    fails_with 78 "$CONF:4: verify-listen: '0.0.0.0:9005' is not a loopback address and a port" \
        "$FCGI" --config "$CONF" --socket "$SOCKET"
    configure 'verify-listen = "[::]:9005"'
    fails_with 78 "$CONF:4: verify-listen: '\[::\]:9005' is not a loopback address and a port" \
        "$FCGI" --config "$CONF" --socket "$SOCKET"
}

# Holds a port as another program would.
take_port() {
    background taken listen "$1" -- sleep 60
    until_true 10 test -s "$DIR/taken"
}

@test "an address that is taken refuses the start" {
    take_port "$VERIFY"
    fails_with 78 "verify-listen: $VERIFY: Address already in use" \
        "$FCGI" --config "$CONF" --socket "$SOCKET"
}

# held COUNT: so many connections, of those that came, are not hung up on.
held() { [ "$(ss -Htn state established src "$VERIFY" | wc -l)" -eq "$1" ]; }

@test "slow peers: whoever connects and says nothing delays neither socket" {
    local start

    serve
    mints
    background occupied occupy "$VERIFY" 400
    until_true 10 held 256
    start=$SECONDS
    for _ in {1..3}; do
        mints
        judge
        [ "$STATUS" = 200 ]
    done
    # Those that were there first have 10 seconds.
    [ "$((SECONDS - start))" -lt 8 ]
    [ "$(ss -Htn state established src "$VERIFY" | wc -l)" -gt 200 ]
    refute logged 'Hung up'
}

@test "a reload keeps the socket, and whoever waits there" {
    serve
    mints
    background load load "$VERIFY" 4
    for _ in {1..5}; do
        reload
    done
    judge
    [ "$STATUS" = 200 ]
    finish "$JOB"
    # What it asks for is minted on another socket alone; nothing but this answer came.
    [ "$(wc -l <"$DIR/load")" -eq 1 ]
    says "$DIR/load" '[0-9]* 403'
}

@test "a reload moves the socket, closes it, and keeps it where the other address is taken" {
    local before=$VERIFY other

    other=127.$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)):9006
    serve
    mints
    take_port "$other"
    configure "verify-listen = \"$other\""
    kill -HUP "$MONITOR"
    until_true 10 logged "Not reloaded.*verify-listen: $other: Address already in use"
    judge
    [ "$STATUS" = 200 ]
    finish "$JOB" || true
    reload
    VERIFY=$other judge
    [ "$STATUS" = 200 ]
    until_true 10 nobody_at "$before"
    configure
    reload
    until_true 10 nobody_at "$other"
    mints
}

nobody_at() { [ -z "$(ss -Hltn src "$1")" ]; }

# One that has taken effect.
reload() {
    local wanted

    wanted=$(($(times_logged ' Reloaded$') + 1))
    kill -HUP "$MONITOR"
    until_true 10 reloaded "$wanted"
}

reloaded() { [ "$(times_logged ' Reloaded$')" -ge "$1" ]; }

@test "SIGTERM frees the port" {
    serve
    mints
    judge
    [ "$STATUS" = 200 ]
    stop
    nobody_at "$VERIFY"
    : >"$LOG"
    serve
    judge
    [ "$STATUS" = 200 ]
}
