#!/usr/bin/env bats
# What clients of ODAS ask for, in its shapes; /api/get-user is in validate.bats, /api/token in
# refresh.bats.

load lib/fastcgi
load lib/grants

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }

setup() { fastcgi_begin 'odas = true' "state = \"$DIR/state\""; }
teardown() { fastcgi_end; }

CTL=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}/authserverctl

# get [PARAM]...: a token, TOKEN.
get() {
    ask PATH_INFO=/api/get-token REQUEST_METHOD=POST "$@"
    [ "$STATUS" = 200 ] || { cat "$DIR/answer"; return 1; }
    [[ $BODY =~ ^\{\"token\":\"([A-Za-z0-9._-]+)\"\}$ ]]
    TOKEN=${BASH_REMATCH[1]}
}

@test "a caller gets its token, and the same one while enough of its life is left" {
    local first

    serve
    get
    first=$TOKEN
    printf '%s' "$TOKEN" >"$DIR/access"
    token verify "$WORK/key.pub" "$DIR/access"
    claims 'it["sub"] == "alice"'
    get
    [ "$TOKEN" = "$first" ]
    get REMOTE_USER=bob
    printf '%s' "$TOKEN" >"$DIR/access"
    claims 'it["sub"] == "bob"'
    get
    [ "$TOKEN" = "$first" ]
    [ "$(token_count)" = 0 ]
}

@test "another one comes when too little of its life is left" {
    local first

    configure 'odas = true' 'odas-reuse = 80' 'lifetime = "10s"'
    serve
    get
    first=$TOKEN
    printf %s "$first" >"$DIR/first"
    claims_of "$DIR/first"
    until_true 20 changed
    # Which is after two seconds, and not when the first one is over.
    [ "$EPOCHSECONDS" -lt "$(claimed exp)" ]
}

changed() {
    get
    [ "$TOKEN" != "$first" ]
}

@test "no token is given again where that is off, or after it was revoked" {
    local first

    configure 'odas = true' 'odas-reuse = 100'
    serve
    get
    first=$TOKEN
    get
    [ "$TOKEN" != "$first" ]
    stop
    configure 'odas = true' "state = \"$DIR/state\""
    serve
    get
    first=$TOKEN
    printf '%s' "$TOKEN" >"$DIR/shown"
    "$CTL" revoke --config "$CONF" "$DIR/shown"
    get
    [ "$TOKEN" != "$first" ]
}

@test "a profile that renames the identifier is refused where tokens are revoked by it" {
    configure "state = \"$DIR/state\"" 'profile "j" {' 'rename = { "jti=tid" }' '}'
    fails_with 78 "$CONF:[0-9]*: rename: 'jti=tid': with the key state" \
        "$FCGI" --config "$CONF" --socket "$SOCKET"
    "$CTL" check --config "$CONF" >"$DIR/said" 2>&1 && return 1
    grep -q "rename: 'jti=tid'" "$DIR/said"
}

@test "policy is asked each time, and other groups are another token" {
    local first

    echo '{"alice": ["etl"]}' >"$DIR/groups"
    configure 'odas = true' 'groups {' 'resolvers = { "static" }' 'claim = true' 'cache = "1s"' \
        "static { file = \"$DIR/groups\" }" '}'
    serve
    get
    first=$TOKEN
    echo '{"alice": ["etl", "ops"]}' >"$DIR/groups"
    kill -HUP "$MONITOR"
    until_true 100 changed
    printf '%s' "$TOKEN" >"$DIR/access"
    claims 'it["groups"] == ["etl", "ops"]'
    stop
    printf 'deny any as alice\n' >"$DIR/policy"
    configure 'odas = true' "policy = \"$DIR/policy\""
    serve
    ask PATH_INFO=/api/get-token REQUEST_METHOD=POST
    fails 403 access_denied
}

@test "who is asking is said, realm and all" {
    configure 'odas = true' 'realms = { "EXAMPLE.COM" }'
    serve
    ask PATH_INFO=/api/health-authenticated REMOTE_USER=alice@EXAMPLE.COM AUTH_TYPE=Negotiate
    [ "$STATUS" = 200 ] && [ "$BODY" = '{"health":"ok","token":null,"user":"alice@EXAMPLE.COM"}' ]
    ask PATH_INFO=/api/health-authenticated REMOTE_USER AUTH_TYPE
    fails 401 invalid_client
    ask PATH_INFO=/api/get-token REQUEST_METHOD=POST REMOTE_USER AUTH_TYPE
    fails 401 invalid_client
    ask PATH_INFO=/api/get-token
    fails 405 method_not_allowed
}

@test "all of it is off until it is configured" {
    configure
    serve
    ask PATH_INFO=/api/get-token REQUEST_METHOD=POST
    fails 404 not_found
    ask PATH_INFO=/api/health-authenticated
    fails 404 not_found
    ask PATH_INFO=/api/token REQUEST_METHOD=POST CONTENT_TYPE=application/json \
        'text={"username":"alice","password":"x"}'
    fails 404 not_found
}
