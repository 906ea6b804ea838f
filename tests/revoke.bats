#!/usr/bin/env bats
# Revocation (RFC 7009): a token that was revoked is good for nothing, wherever it is shown, from
# that moment on.

load lib/fastcgi
load lib/grants

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }

setup() {
    fastcgi_begin
    LINES_ALL=('revocation = true' 'introspection = true' 'grants = { "token-exchange" }' 'exchange-own = true'
        "state = \"$DIR/state\"" 'workers = 3')
    configure "${LINES_ALL[@]}"
}

teardown() { fastcgi_end; }

CTL=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}/authserverctl

# revoke TOKEN [PARAM]...: by nobody in particular.
revoke() {
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/oauth2/revoke REQUEST_METHOD=POST \
        CONTENT_TYPE=application/x-www-form-urlencoded "text=token=$1" "${@:2}"
}

validate() {
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/validate REQUEST_METHOD=POST \
        "HTTP_AUTHORIZATION=Bearer $1"
}

@test "a token that is revoked is refused by every worker and every face at once" {
    local shown other

    serve
    mints
    shown=$(<"$FILE")
    mints
    other=$(<"$FILE")
    validate "$shown"
    [ "$STATUS" = 200 ]
    revoke "$shown"
    [ "$STATUS" = 200 ] && [ -z "$BODY" ]
    for _ in {1..20}; do # there are three workers
        validate "$shown"
        [ "$STATUS" = 401 ]
        [ "$BODY" = '{"error":"invalid_token","error_description":"the token is not valid"}' ]
    done
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/authorize "HTTP_AUTHORIZATION=Bearer $shown"
    [ "$STATUS" = 401 ]
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/get-user "HTTP_AUTHORIZATION=Bearer $shown"
    [ "$STATUS" = 401 ]
    ask PATH_INFO=/oauth2/introspect REQUEST_METHOD=POST \
        CONTENT_TYPE=application/x-www-form-urlencoded "text=token=$shown"
    [ "$BODY" = '{"active":false}' ]
    grant grant_type=urn:ietf:params:oauth:grant-type:token-exchange "subject_token=$shown" \
        subject_token_type=urn:ietf:params:oauth:token-type:jwt
    fails 400 invalid_request
    validate "$other"
    [ "$STATUS" = 200 ]
    logged 'Revoked a token of alice, jti '
    logged 'the token is not valid: .*revoked'
    refute grep -q eyJ "$LOG"
}

@test "what authserverctl revokes is seen without a word to the server" {
    local shown

    serve
    mints
    shown=$(<"$FILE")
    cat "$FILE" >"$DIR/shown"
    "$CTL" verify --config "$CONF" "$DIR/shown"
    "$CTL" revoke --config "$CONF" "$DIR/shown"
    validate "$shown"
    [ "$STATUS" = 401 ]
    refute "$CTL" verify --config "$CONF" "$DIR/shown" 2>"$DIR/said"
    grep -q 'the token is not valid: .*revoked' "$DIR/said"
    # Once more is no mistake.
    "$CTL" revoke --config "$CONF" "$DIR/shown"
    mints PATH_INFO=/bob REMOTE_USER=bob
    shown=$(<"$FILE")
    "$CTL" revoke --config "$CONF" --subject bob
    validate "$shown"
    [ "$STATUS" = 401 ]
    mints
    validate "$(<"$FILE")"
    [ "$STATUS" = 200 ]
}

@test "what is no good token is revoked in its own way: 200 (RFC 7009, 2.2)" {
    serve
    for text in x.y.z x "$(printf 'A%.0s' {1..88})" eyJhbGciOiJub25lIn0.e30.; do
        revoke "$text" REMOTE_USER=alice AUTH_TYPE=Basic
        [ "$STATUS" = 200 ]
    done
    revoke ""
    fails 400 invalid_request
    revoke x "text=token=x&token=y"
    fails 400 invalid_request
    revoke x CONTENT_TYPE=text/plain
    fails 415 invalid_request
    refute find "$DIR/state/revoked" -type f -name 'token.*' | grep -q .
}

@test "a revocation that cannot be written or read is no success" {
    serve
    mints
    rmdir "$DIR/state/revoked"
    revoke "$(<"$FILE")"
    fails 503 temporarily_unavailable
}

# signed CLAIMS: a token by the key of another party, with a Python expression of claims; now is
# the time.
signed() {
    token run "$WORK/other" <<-END
	import sys, time, jwt
	now = int(time.time())
	claims = {"sub": "alice", "iss": "https://idp.example", "exp": now + 600}
	claims.update($1)
	print(jwt.encode(claims, open(sys.argv[1]).read(), algorithm="RS512"), end="")
	END
}

@test "threat: another party's token with our issuer and identifier revokes it alone" {
    local shown said theirs again

    configure "${LINES_ALL[@]}" 'verify "idp" {' "public-key = \"$WORK/other.pub\"" \
        'algorithm = "RS512"' '}'
    serve
    mints
    shown=$(<"$FILE")
    cat "$FILE" >"$DIR/access"
    claims 'it["iss"] == "https://first.example"'
    said=$(token claims "$DIR/access")
    again=$(signed "{**$said, 'groups': ['x']}")
    theirs=$(signed "$said")
    revoke "$theirs"
    [ "$STATUS" = 200 ]
    validate "$theirs"
    [ "$STATUS" = 401 ]
    validate "$again"
    [ "$STATUS" = 401 ]
    validate "$shown"
    [ "$STATUS" = 200 ]
    # The same by who may revoke whatever there is.
    printf '%s' "$theirs" >"$DIR/theirs"
    "$CTL" revoke --config "$CONF" "$DIR/theirs"
    validate "$shown"
    [ "$STATUS" = 200 ]
    "$CTL" revoke --config "$CONF" --force "$DIR/theirs"
    validate "$shown"
    [ "$STATUS" = 401 ]
}

@test "a token that ends with time itself is revoked" {
    local shown

    configure "${LINES_ALL[@]}" 'verify "idp" {' "public-key = \"$WORK/other.pub\"" \
        'algorithm = "RS512"' '}'
    serve
    for exp in 2**63-1 2**63-60 253402300800; do
        shown=$(signed "{'exp': $exp, 'jti': 'of $exp'}")
        validate "$shown"
        [ "$STATUS" = 200 ]
        revoke "$shown"
        [ "$STATUS" = 200 ]
        validate "$shown"
        [ "$STATUS" = 401 ]
    done
    shown=$(signed "{'exp': 2**63-1}")
    printf '%s' "$shown" >"$DIR/shown"
    "$CTL" revoke --config "$CONF" "$DIR/shown" >"$DIR/said"
    grep -q 'remembered until 9223372036854775807$' "$DIR/said"
    validate "$shown"
    [ "$STATUS" = 401 ]
}

@test "it is off until it is configured, and the metadata says so" {
    configure "state = \"$DIR/state\""
    serve
    revoke x.y.z
    fails 404 not_found
    ask PATH_INFO=/.well-known/oauth-authorization-server
    holds '"revocation_endpoint" not in it'
    stop
    configure "${LINES_ALL[@]}"
    serve
    ask PATH_INFO=/.well-known/oauth-authorization-server
    holds 'it["revocation_endpoint"] == "https://first.example/oauth2/revoke"'
    stop
    configure 'revocation = true'
    fails_with 78 'revocation wants state' "$FCGI" --config "$CONF" --socket "$SOCKET"
}
