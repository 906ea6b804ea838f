#!/usr/bin/env bats
# What reads tokens asks authserver whether they are good: directly here, through nginx in
# auth-request.bats. Which tokens are good is in verify.bats and in the unit tests.

load lib/fastcgi

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }

setup() {
    fastcgi_begin
    echo '{"alice": ["etl", "Data Science"], "bob": []}' >"$DIR/groups"
    GROUPS_LINES=('profile "g" { groups = true }' 'groups {' 'resolvers = { "static" }'
        "static { file = \"$DIR/groups\" }" '}')
    configure "${GROUPS_LINES[@]}"
}

teardown() { fastcgi_end; }


# with TOKEN PATH [PARAM]...: a request that shows the token, from nobody else.
with() {
    local shown=$1 path=$2

    shift 2
    ask REMOTE_USER AUTH_TYPE "HTTP_AUTHORIZATION=Bearer $shown" "PATH_INFO=$path" "$@"
}

validate() { with "$1" /api/validate REQUEST_METHOD=POST; }

# field NAME VALUE: the last answer has this field.
field() { grep -qx -e "$1: $2"$'\r' "$DIR/answer" || { cat "$DIR/answer"; return 1; }; }

# not_valid: the one answer for every token that is not good.
not_valid() {
    [ "$STATUS" = 401 ] || { cat "$DIR/answer"; return 1; }
    field WWW-Authenticate 'Bearer realm="authserver", error="invalid_token"'
    [ "$BODY" = '{"error":"invalid_token","error_description":"the token is not valid"}' ]
}

@test "our own token is good, and whose it is is said" {
    serve
    mints
    validate "$(<"$FILE")"
    [ "$STATUS" = 200 ] && [ "$BODY" = '{"sub":"alice"}' ]
    field Content-Type application/json
    field Cache-Control no-store
    with "$(<"$FILE")" /api/get-user
    [ "$STATUS" = 200 ] && [ "$BODY" = '{"user":"alice"}' ]
}

@test "what is no good token has one answer, and the log the reason" {
    local shown

    serve
    mints
    shown=$(<"$FILE")
    for bad in x x.y.z "$shown." "${shown%?}" "${shown}A" "$(cut -d. -f1-2 "$FILE")." \
        "$(cut -d. -f1-2 "$FILE")"; do
        validate "$bad"
        not_valid
    done
    refute grep -q -F -e "$shown" -e "${shown##*.}" "$LOG"
    logged 'Refused with 401: caller .*, path /api/validate: the token is not valid: '
}

@test "no token is a 401 that says what is wanted" {
    serve
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/validate REQUEST_METHOD=POST
    [ "$STATUS" = 401 ]
    field WWW-Authenticate 'Bearer realm="authserver"'
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/validate REQUEST_METHOD=POST \
        'HTTP_AUTHORIZATION=Basic YWxpY2U6eA=='
    [ "$STATUS" = 401 ]
    field WWW-Authenticate 'Bearer realm="authserver"'
    # Whom the web server authenticated does not matter.
    ask PATH_INFO=/api/validate REQUEST_METHOD=POST
    [ "$STATUS" = 401 ]
}

@test "the scheme is bearer in any case" {
    serve
    mints
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/get-user "HTTP_AUTHORIZATION=bEARER  $(<"$FILE")"
    [ "$STATUS" = 200 ]
}

@test "methods are those of the protocol" {
    serve
    mints
    with "$(<"$FILE")" /api/validate
    [ "$STATUS" = 405 ]
    field Allow POST
    with "$(<"$FILE")" /api/authorize REQUEST_METHOD=POST
    [ "$STATUS" = 405 ]
}

@test "a verifier may ask by any host name; a page that shows a token learns no more than it knew" {
    serve
    mints
    with "$(<"$FILE")" /api/validate REQUEST_METHOD=POST HTTP_HOST=tokens.example.org \
        HTTP_ORIGIN=https://app.example.org
    [ "$STATUS" = 200 ]
}

@test "authorize: 204 with subject, groups and identifier in header fields, and no body" {
    serve
    mints QUERY_STRING=profile=g
    with "$(<"$FILE")" /api/authorize
    [ "$STATUS" = 204 ] && [ -z "$BODY" ]
    field X-Auth-Subject alice
    field X-Auth-Groups 'etl,data%20science'
    field X-Auth-Jti "$(token claims "$FILE" | jq -r .jti)"
    mints
    with "$(<"$FILE")" /api/authorize
    field X-Auth-Groups ''
}

@test "authorize: groups that are required" {
    local shown

    serve
    mints QUERY_STRING=profile=g
    shown=$(<"$FILE")
    with "$shown" /api/authorize AUTHSERVER_GROUPS=etl
    [ "$STATUS" = 204 ]
    with "$shown" /api/authorize 'AUTHSERVER_GROUPS=other, data science'
    [ "$STATUS" = 204 ]
    for wanted in other '' ',' etl2 et 'data' 'etl data science'; do
        with "$shown" /api/authorize "AUTHSERVER_GROUPS=$wanted"
        [ "$STATUS" = 403 ] || { echo "$wanted"; return 1; }
        field WWW-Authenticate 'Bearer realm="authserver", error="insufficient_scope"'
    done
    # A client cannot set it, nor take it away.
    with "$shown" /api/authorize AUTHSERVER_GROUPS=other HTTP_AUTHSERVER_GROUPS=etl
    [ "$STATUS" = 403 ]
    with x /api/authorize AUTHSERVER_GROUPS=etl
    [ "$STATUS" = 401 ]
}

@test "a subject that could break a header field is encoded" {
    configure 'permit-anonymous = true' 'subject-pattern = "[^/]*"'
    serve
    mints REMOTE_USER AUTH_TYPE 'PATH_INFO=/John "J, D%" Dö'
    with "$(<"$FILE")" /api/authorize
    [ "$STATUS" = 204 ]
    field X-Auth-Subject 'John%20%22J%2C%20D%25%22%20D%C3%B6'
}

@test "a token of a key that retires is good after a reload, one of a key that is gone is not" {
    mkdir -m 0700 "$DIR/keys"
    install -m 0600 "$WORK/key" "$DIR/keys/20200101T000000Z.pem"
    sed -i "s|^private-key = .*|private-key = \"$DIR/keys\"|" "$CONF"
    serve
    mints
    validate "$(<"$FILE")"
    [ "$STATUS" = 200 ]
    install -m 0600 "$WORK/other" "$DIR/keys/$(date -u -d '-1 hour' +%Y%m%dT%H%M%SZ).pem"
    kill -HUP "$MONITOR"
    until_true 10 logged Reloaded
    validate "$(<"$FILE")"
    [ "$STATUS" = 200 ]
    rm "$DIR/keys/20200101T000000Z.pem"
    kill -HUP "$MONITOR"
    until_true 10 eval '[ "$(times_logged Reloaded)" -eq 2 ]'
    validate "$(<"$FILE")"
    not_valid
}

@test "other issuers' tokens are good where their keys are trusted, and not for others" {
    local shown

    configure 'verify "partner" {' "public-key = \"$DIR/other.pub\"" 'algorithm = RS256' \
        'issuer = { "https://partner.example" }' 'user-claim = "email"' '}'
    install -m 0644 "$WORK/other.pub" "$DIR/other.pub"
    serve
    make_token() { # CLAIMS
        token run "$1" "$WORK/other" <<<'import jwt, sys, json
print(jwt.encode(json.loads(sys.argv[1]), open(sys.argv[2]).read(), algorithm="RS256"))'
    }
    shown=$(make_token "{\"iss\":\"https://partner.example\",\"email\":\"carol@x\",\"exp\":$((EPOCHSECONDS + 60))}")
    validate "$shown"
    [ "$STATUS" = 200 ] && [ "$BODY" = '{"sub":"carol@x"}' ]
    validate "$(make_token "{\"iss\":\"https://first.example\",\"sub\":\"carol\",\"email\":\"c\",\"exp\":$((EPOCHSECONDS + 60))}")"
    not_valid
    validate "$(make_token "{\"iss\":\"https://partner.example\",\"email\":\"carol@x\",\"exp\":$((EPOCHSECONDS - 120))}")"
    not_valid
}

@test "tokens are judged while the signer is away, by the keys that are known" {
    serve
    mints
    validate "$(<"$FILE")"
    find_parts
    kill -STOP "$SIGNER"
    validate "$(<"$FILE")"
    [ "$STATUS" = 200 ]
    # After ten seconds it is asked for its keys again, and does not answer.
    sleep 10.2
    validate "$(<"$FILE")"
    kill -CONT "$SIGNER"
    [ "$STATUS" = 200 ]
}

@test "authserver.cgi judges them too" {
    serve
    mints
    AUTHSERVER_CONFIG=$CONF execute "$CGI" "AUTHSERVER_CONFIG=$CONF" REMOTE_USER AUTH_TYPE \
        PATH_INFO=/api/validate REQUEST_METHOD=POST "HTTP_AUTHORIZATION=Bearer $(<"$FILE")" \
        >"$DIR/answer" 2>/dev/null </dev/null
    read_answer
    [ "$STATUS" = 200 ] && [ "$BODY" = '{"sub":"alice"}' ]
}

@test "the environment of ODAS names keys that are trusted" {
    install -m 0644 "$WORK/other.pub" "$DIR/other.pub"
    JWT_PUBLIC_KEY=$DIR/other.pub JWT_ALGORITHM=RSA512 serve
    token run $((EPOCHSECONDS + 60)) "$WORK/other" >"$DIR/token" <<<'import jwt, sys
print(jwt.encode({"sub": "carol", "exp": int(sys.argv[1])}, open(sys.argv[2]).read(), algorithm="RS512"))'
    validate "$(<"$DIR/token")"
    [ "$STATUS" = 200 ] && [ "$BODY" = '{"sub":"carol"}' ]
    stop
    refute env JWT_PUBLIC_KEY="$DIR/other.pub,$DIR/other.pub" JWT_ALGORITHM=RSA512 \
        timeout 10 "$FCGI" --config "$CONF" --socket "$SOCKET" 2>"$DIR/err"
    grep -q 'jwt-public-key' "$DIR/err"
}

# --- introspection (RFC 7662) -----------------------------------------------------

# introspect BODY [PARAM]...: svc asks.
introspect() {
    local body=$1

    shift
    ask REMOTE_USER=svc PATH_INFO=/oauth2/introspect REQUEST_METHOD=POST \
        CONTENT_TYPE=application/x-www-form-urlencoded "text=$body" "$@"
}

@test "introspection is off until it is configured" {
    serve
    introspect token=x
    refused 404
    with x /.well-known/oauth-authorization-server
    refute grep -q introspection "$DIR/answer"
}

@test "introspection: what a good token says, to whom the web server knows" {
    configure 'introspection = true' "${GROUPS_LINES[@]}"
    serve
    mints QUERY_STRING=profile=g
    introspect "token_type_hint=access_token&token=$(<"$FILE")"
    [ "$STATUS" = 200 ]
    field Content-Type application/json
    field Cache-Control no-store
    token holds "it['active'] is True and it['sub'] == it['username'] == 'alice'" <<<"$BODY"
    token holds "it['token_type'] == 'Bearer' and it['groups'] == ['etl', 'data science']" <<<"$BODY"
    token holds "it['iss'] == 'https://first.example' and it['exp'] > it['iat'] and it['jti']" <<<"$BODY"
    introspect "token=$(<"$FILE")" REMOTE_USER AUTH_TYPE
    [ "$STATUS" = 401 ]
    with x /.well-known/oauth-authorization-server
    [ "$(sed '1,/^\r$/d' "$DIR/answer" | jq -r .introspection_endpoint)" = https://first.example/oauth2/introspect ]
}

@test "introspection: of a bad token that it is not active and nothing else" {
    local bad shown

    configure 'introspection = true'
    serve
    mints
    shown=$(<"$FILE")
    for bad in '' x "${shown%?}" "${shown%%.*}..x" %00 %zz "$(printf 'a%.0s' {1..20000})"; do
        introspect "token=$bad"
        [ "$STATUS" = 200 ] && [ "$BODY" = '{"active":false}' ] || { echo "${bad:0:40}"; cat "$DIR/answer"; return 1; }
    done
    logged 'Introspected for svc: not active: '
    refute grep -q -F -e "${shown##*.}" "$LOG"
}

@test "introspection: what is no request for one is refused" {
    configure 'introspection = true'
    serve
    introspect ''
    refused 400
    introspect 'tokens=x'
    refused 400
    introspect 'token=x&token=x'
    refused 400
    introspect 'token=x' CONTENT_TYPE=application/json
    refused 415
    introspect 'token=x' CONTENT_TYPE
    refused 415
    introspect 'token=x' HTTP_ORIGIN=http://localhost
    refused 403
    # A length that promises more than there is.
    introspect 'token=x' CONTENT_LENGTH=60000
    refused 400
    [[ $BODY == *"ended after 7 bytes of the 60000"* ]]
}
