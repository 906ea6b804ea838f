#!/usr/bin/env bats
# nginx as a sidecar with no authentication, and the bounds that nginx puts on everybody.

load lib/gateway
load lib/http

setup_file() {
    export GATEWAY=nginx-sidecar
    gateway_init
    gateway_create main 'permit-anonymous = true'
    gateway_start main
}

setup() {
    gateway_use main
    http_begin
}

teardown() {
    [ "$AT" = "$WORK/main" ] || gateway_stop "${AT##*/}"
}

teardown_file() {
    gateway_end
}

@test "without credentials there is a token for any subject" {
    request "$URL/janedoe"
    minted
    token verify "$WORK/key.pub" "$FILE"
    token claim "$FILE" "it['sub'] == 'janedoe'"
}

@test "credentials are not looked at" {
    request -u foo:bar "$URL/janedoe"
    minted
    token claim "$FILE" "it['sub'] == 'janedoe' and 'act' not in it"
    request -u :  "$URL/janedoe"
    minted
}

@test "/ names nobody, and is refused" {
    request "$URL/"
    refused 400
    request -u foo:bar "$URL/"
    refused 400
}

@test "one authserver is another's source of groups" {
    local conf=$BATS_TEST_TMPDIR/conf

    gateway_create api-1 "policy = \"$WORK/api-1/rules\"" 'groups {' \
        'resolvers = { "static" }' "static { file = \"$WORK/api-1/groups\" }" '}'
    echo 'permit anonymous groups-of *' >"$WORK/api-1/rules"
    echo '{"janedoe": ["analysts", "etl"], "nobody": []}' >"$WORK/api-1/groups"
    chmod 0644 "$WORK/api-1/rules" "$WORK/api-1/groups"
    gateway_start api-1
    gateway_use api-1
    cat >"$conf" <<CONF
groups {
    resolvers = { "rest" }
    rest { url = "$URL/api/groups/" }
}
CONF
    "$BUILD/authserverctl" groups --config "$conf" janedoe >"$BATS_TEST_TMPDIR/out"
    grep -qx 'janedoe: analysts, etl' "$BATS_TEST_TMPDIR/out"
    "$BUILD/authserverctl" groups --config "$conf" nobody | grep -qx 'nobody: no groups'
    run "$BUILD/authserverctl" groups --config "$conf" carol
    [ "$status" -eq 1 ]
    [[ $output == *'carol: no source knows the user' ]]
    http_begin
    request "$URL/janedoe"
    refused 401
}

@test "a web page gets nothing" {
    request -H 'Host: evil.example' "$URL/janedoe"
    refused 403
    request -H 'Origin: http://evil.example' "$URL/janedoe"
    refused 403
    request -H 'Sec-Fetch-Site: cross-site' "$URL/janedoe"
    refused 403
}

@test "an absolute request line counts more than Host" {
    request_raw 'GET http://evil.example/janedoe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
    refused 403
}

@test "without permit-anonymous nobody gets a token" {
    gateway_create strict
    gateway_start strict
    http_begin
    request "$URL/janedoe"
    refused 401
    request -u foo:bar "$URL/janedoe"
    refused 401
}

@test "a flood meets 429 with Retry-After, and normal use goes on after it" {
    local request

    gateway_create flood 'permit-anonymous = true'
    gateway_start flood
    http_begin
    for request in {1..1500}; do
        printf 'url = "%s/janedoe?unknown=%s"\noutput = "/dev/null"\n' "$URL" "$request"
    done >"$BATS_TEST_TMPDIR/config"
    curl -s -Z --parallel-max 50 -w '%{http_code} %header{retry-after}\n' \
        -K "$BATS_TEST_TMPDIR/config" | sort | uniq -c >"$BATS_TEST_TMPDIR/statuses"
    cat "$BATS_TEST_TMPDIR/statuses"
    [ "$(awk '{ print $2, $3 }' "$BATS_TEST_TMPDIR/statuses")" = $'400 \n429 1' ]
    # The burst that is allowed was served.
    [ "$(awk '$2 == 400 { print $1 }' "$BATS_TEST_TMPDIR/statuses")" -ge 400 ]
    until_true 10 serves
}

serves() {
    request "$URL/janedoe"
    [ "$STATUS" = 200 ]
}
