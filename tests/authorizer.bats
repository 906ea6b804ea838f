#!/usr/bin/env bats
# apache/authnz_fcgi.conf as it is shipped: Apache asks authserver, as a FastCGI authorizer,
# whether the token of a request is good, before it serves a file.

load lib/gateway
load lib/http
load lib/clock

setup_file() {
    export GATEWAY=apache-authnz-fcgi VERIFY
    # An address of this file's own: all of 127.0.0.0/8 is this host.
    VERIFY=127.$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)):9005
    gateway_init
    install -d -m 0755 "$WORK/srv/files/etl"
    echo of-everybody >"$WORK/srv/files/index.html"
    echo of-etl >"$WORK/srv/files/etl/data"
    printf '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\nenv; cat >/dev/null\n' >"$WORK/srv/files/env"
    chmod 0755 "$WORK/srv/files/env"
    printf 'x%.0s' {1..5000} >"$WORK/srv/body"
    echo '{"alice": ["etl", "data science"], "bob": ["staff"]}' >"$WORK/groups"
    chmod 0644 "$WORK/groups"
    gateway_create main "verify-listen = \"$VERIFY\"" 'groups {' 'resolvers = { "static" }' \
        'claim = true' "static { file = \"$WORK/groups\" }" '}'
    # As it is shipped, with a program behind it.
    gateway_start main "s|127\.0\.0\.1:9005|$VERIFY|
        s|/srv/authserver|$WORK/srv|
        \$a Include /etc/apache2/mods-available/cgid.load
        \$a <Location /files/env>\nSetHandler cgi-script\nOptions +ExecCGI\n</Location>"
}

setup() {
    gateway_use main
    http_begin
}

teardown_file() { gateway_end; }

# token_of USER [PARAM]...: sets TOKEN.
token_of() {
    local user=$1

    shift
    TOKEN=$("$BUILD/tests/lib/ask" "$AT/run/authserver.sock" "REMOTE_USER=$user" \
        "PATH_INFO=/$user" HTTP_ACCEPT=application/jwt "$@" | sed '1,/^\r$/d')
    [[ $TOKEN == eyJ* ]]
}

# shown TOKEN PATH [CURL-ARGUMENT]...
shown() {
    local token=$1 path=$2

    shift 2
    request -H "Authorization: Bearer $token" "$@" "$URL$path"
}

# denied STATUS [ERROR]: with what RFC 6750 has a client told.
denied() {
    [ "$STATUS" = "$1" ] || show
    header WWW-Authenticate "Bearer realm=\"authserver\"${2:+, error=\"$2\"}" || show
    header Cache-Control no-store
    must_not grep -e of-everybody -e of-etl "$BODY"
}

@test "a file is served to who has a good token, as if there were no question" {
    token_of alice
    shown "$TOKEN" /files/
    [ "$STATUS" = 200 ] && [ "$(cat "$BODY")" = of-everybody ]
    header X-Served-To alice
    header Content-Type text/html
    must_not header Cache-Control
    must_not grep -i '^variable-' "$HEADERS"
    grep -q ' - alice \[.* "GET /files/ ' "$LOG/web.access"
}

@test "without a token, with a bad one, another's, an old one, a password: 401" {
    token_of alice
    request "$URL/files/"
    denied 401
    shown "${TOKEN%?}" /files/
    denied 401 invalid_token
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$BATS_TEST_TMPDIR/key" \
        2>/dev/null
    chmod 0600 "$BATS_TEST_TMPDIR/key"
    TOKEN=$("$BUILD/authserverctl" mint --private-key "$BATS_TEST_TMPDIR/key" \
        --issuer https://first.example alice)
    shown "$TOKEN" /files/
    denied 401 invalid_token
    TOKEN=$(with_clock -2d "$BUILD/authserverctl" mint \
        --private-key "$AT/etc/key.pem" --issuer https://first.example alice)
    shown "$TOKEN" /files/
    denied 401 invalid_token
    request -u "alice:$PASSWORD-alice" "$URL/files/"
    denied 401
}

@test "a folder of a group is for tokens with that group" {
    token_of alice
    shown "$TOKEN" /files/etl/data
    [ "$STATUS" = 200 ] && [ "$(cat "$BODY")" = of-etl ]
    token_of bob
    shown "$TOKEN" /files/etl/data -H 'AUTHSERVER-GROUPS: staff' -H 'AUTHSERVER_GROUPS: staff'
    denied 403 insufficient_scope
    shown "$TOKEN" /files/
    [ "$STATUS" = 200 ]
}

@test "a program is told whose token it is, and not by the client" {
    token_of alice
    shown "$TOKEN" /files/env -d @"$WORK/srv/body" -H 'AUTH-SUBJECT: root' \
        -H 'Variable-AUTH_SUBJECT: root' -H 'Remote-User: root' -H 'X-Auth-Subject: root'
    [ "$STATUS" = 200 ] || show
    grep -qx AUTH_SUBJECT=alice "$BODY"
    grep -qx REMOTE_USER=alice "$BODY"
    grep -qx 'AUTH_GROUPS=etl,data%20science' "$BODY"
    grep -qx 'AUTH_JTI=[A-Za-z0-9_-]*' "$BODY"
}

@test "nothing else is there, with a token or without" {
    local path

    token_of alice
    for path in / /alice /api/authorize /files; do
        shown "$TOKEN" "$path"
        [ "$STATUS" = 403 ] || show
    done
}

@test "when authserver is stopped, nothing is served" {
    token_of alice
    gateway_stop_one program
    shown "$TOKEN" /files/
    [ "$STATUS" = 500 ] || show
    must_not grep of-everybody "$BODY"
    gateway_start_program
    until_true 10 served
}

served() {
    shown "$TOKEN" /files/
    [ "$STATUS" = 200 ]
}

@test "no log holds a token" {
    token_of alice
    shown "$TOKEN" /files/
    must_not grep -rn eyJ "$LOG"
}
