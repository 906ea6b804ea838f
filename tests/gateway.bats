#!/usr/bin/env bats
# authserver behind a web server, from outside. The same tests for every gateway: GATEWAY is
# one of those in lib/gateway.bash; tests/run goes through them.

load lib/gateway
load lib/http

setup_file() {
    GATEWAY=${GATEWAY:-nginx-fcgi}
    export GATEWAY
    gateway_init
    gateway_create main
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

token() {
    "$BATS_TEST_DIRNAME/lib/token" "$@"
}

# The kid that RFC 7638 gives the key, by an implementation that is not ours.
thumbprint() {
    token jwk "$WORK/key.pub" | jose jwk thp -a S256 -i -
}

# --- a token for oneself ----------------------------------------------------------

@test "a caller gets a token for itself by name" {
    request_as alice "$URL/alice"
    minted
    [[ $FILE =~ ^$TOKENS/alice\.[0-9]{19}\.token$ ]]
}

@test "/ is a token for the caller itself" {
    request_as bob "$URL/"
    minted
    [[ $FILE =~ ^$TOKENS/bob\.[0-9]{19}\.token$ ]]
    token claims "$FILE" | token holds "it['sub'] == 'bob'"
}

@test "POST makes a token too" {
    request_as alice -X POST "$URL/alice"
    minted
    request_as alice -X POST -d '' "$URL/"
    minted
}

@test "the body is the path and nothing else, no newline" {
    request_as alice "$URL/alice"
    minted
    [ "$(wc -c <"$BODY")" -eq "${#FILE}" ]
    [ "$(wc -l <"$BODY")" -eq 0 ]
}

@test "the answer is plain text and is not cached" {
    request_as alice "$URL/alice"
    minted
    header Content-Type "text/plain; charset=utf-8"
    header Cache-Control no-store
}

@test "the token file holds the token alone" {
    request_as alice "$URL/alice"
    minted
    [ "$(wc -l <"$FILE")" -eq 0 ]
    grep -qxE '[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+' "$FILE"
}

@test "the token file is for its owner and the configured group" {
    request_as alice "$URL/alice"
    minted
    [ "$(stat -c '%a %U %G %h %F' "$FILE")" = "640 $AUTH_USER $TOKEN_GROUP 1 regular file" ]
}

@test "a subject of 128 bytes with all that the grammar allows is served" {
    local name subject

    # Nobody has that name: what is tested is that it is refused for policy, not for form.
    name=$(printf 'Az09_.@+-%.0s' {1..14})
    subject=${name}xy
    [ "${#subject}" -eq 128 ]
    request_as alice "$URL/$subject"
    refused 403
}

# --- the token --------------------------------------------------------------------

@test "PyJWT verifies the token" {
    request_as alice "$URL/alice"
    minted
    token verify "$WORK/key.pub" "$FILE"
}

@test "jose verifies the token" {
    request_as alice "$URL/alice"
    minted
    token jwk "$WORK/key.pub" >"$BATS_TEST_TMPDIR/jwk"
    jose jws ver -i "$FILE" -k "$BATS_TEST_TMPDIR/jwk" -O "$BATS_TEST_TMPDIR/claims"
    token claims "$FILE" | cmp - "$BATS_TEST_TMPDIR/claims"
}

@test "another key does not verify the token" {
    local other=$BATS_TEST_TMPDIR/other

    request_as alice "$URL/alice"
    minted
    openssl genpkey -quiet -algorithm RSA -out "$other"
    openssl pkey -in "$other" -pubout -out "$other.pub"
    run token verify "$other.pub" "$FILE"
    [ "$status" -ne 0 ]
    [[ $output == *InvalidSignatureError* ]]
}

@test "the header is alg, typ and kid, the kid by RFC 7638" {
    request_as alice "$URL/alice"
    minted
    [ "$(token header "$FILE")" = \
        "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"$(thumbprint)\"}" ]
}

@test "the claims are sub, iss, iat, exp and jti, for 24 hours" {
    local before after claims
    local form='^\{"sub":"alice","iss":"https://first\.example","iat":([0-9]+),"exp":([0-9]+),'
    form+='"jti":"([A-Za-z0-9_-]{16,})"\}$'

    before=$(date +%s)
    request_as alice "$URL/alice"
    after=$(date +%s)
    minted
    claims=$(token claims "$FILE")
    [[ $claims =~ $form ]]
    [ "${BASH_REMATCH[1]}" -ge "$before" ]
    [ "${BASH_REMATCH[1]}" -le "$after" ]
    [ "$((BASH_REMATCH[2] - BASH_REMATCH[1]))" -eq 86400 ]
}

@test "ttl in the query is honoured" {
    local pair

    for pair in 90s=90 90=90 15m=900 24h=86400 %390s=90; do
        request_as alice "$URL/alice?ttl=${pair%=*}"
        minted
        token claims "$FILE" | token holds "it['exp'] - it['iat'] == ${pair#*=}"
    done
}

@test "audience in the query becomes aud" {
    request_as alice "$URL/alice?audience=sts.example%20one&ttl=90s"
    minted
    token claims "$FILE" | token holds "it['aud'] == 'sts.example one'"
}

@test "Accept: application/jwt answers with the token" {
    request_as alice -H 'Accept: application/jwt' "$URL/alice"
    [ "$STATUS" = 200 ]
    header Content-Type application/jwt
    header Cache-Control no-store
    token verify "$WORK/key.pub" "$BODY"
}

@test "Accept: application/json answers with token, type, lifetime and file" {
    local file

    request_as alice -H 'Accept: application/json' "$URL/alice?ttl=90s"
    [ "$STATUS" = 200 ]
    header Content-Type application/json
    header Cache-Control no-store
    token holds "set(it) == {'access_token', 'token_type', 'expires_in', 'token_file'}" \
        <"$BODY"
    token holds "it['token_type'] == 'Bearer' and it['expires_in'] == 90" <"$BODY"
    file=$(new_files)
    token holds "it['token_file'] == '$file'" <"$BODY"
    token holds "it['access_token'] == open('$file').read()" <"$BODY"
}

# --- who may ask ------------------------------------------------------------------

@test "nobody gets a token for somebody else" {
    request_as alice "$URL/bob"
    refused 403
    request_as alice "$URL/root"
    refused 403
    request_as alice -X POST "$URL/bob"
    refused 403
}

@test "names are not folded: another case or a space is somebody else" {
    request_as alice "$URL/ALICE"
    refused 403
    request_as alice "$URL/alice%20"
    refused 400
    request_as alice "$URL/alice."
    refused 403
}

@test "without credentials there is no token" {
    request "$URL/alice"
    refused '401 *:401'
    header WWW-Authenticate
    [ "$(wc -l <"$BODY")" -le 1 ]
    request "$URL/"
    refused '401 *:401'
}

@test "a wrong password, an empty one and an unknown user get no token" {
    local credentials

    for credentials in alice:wrong alice: nobody:opensesame-alice :opensesame-alice :; do
        request -u "$credentials" "$URL/alice"
        refused '401 *:401'
    done
}

@test "a location without authentication makes nobody of any credentials" {
    gateway_create open
    gateway_start open "$(without_authentication)"
    http_begin
    request -u root:x "$URL/root"
    refused 401
    request_as alice "$URL/alice"
    refused 401
    request "$URL/"
    refused 401
    request -H 'Remote-User: alice' -H 'Auth-Type: Basic' "$URL/alice"
    refused 401
    request -H 'Remote_User: alice' -H 'Auth_Type: Basic' "$URL/alice"
    refused 401
    request -H 'X-Remote-User: alice' -H 'X-Forwarded-User: alice' "$URL/alice"
    refused 401
}

without_authentication() {
    case $GATEWAY in
    nginx-*) echo '/auth_basic/d; /AUTH_TYPE /d' ;;
    apache-*) echo 's/Require valid-user/Require all granted/; /Auth[TNU][a-z]*[eE] /d' ;;
    esac
}

@test "forged identity fields have no effect" {
    local field

    for field in Remote-User Remote_User REMOTE-USER X-Remote-User X-Forwarded-User \
        Http-Remote-User; do
        request -H "$field: alice" -H 'Auth-Type: Basic' -H 'Auth_Type: Basic' "$URL/alice"
        refused '401 *:401'
        request_as alice -H "$field: bob" -H 'Auth-Type: Basic' "$URL/bob"
        refused 403
    done
    request_as alice -H 'Remote-User: bob' -H 'Auth_Type: Negotiate' "$URL/"
    minted
    token claims "$FILE" | token holds "it['sub'] == 'alice'"
}

# --- what needs no password -------------------------------------------------------

@test "keys, metadata and health need no password, and a wrong one does no harm" {
    local path

    for path in /.well-known/jwks.json /.well-known/openid-configuration \
        /.well-known/oauth-authorization-server /-/ready /-/healthy; do
        request "$URL$path"
        [ "$STATUS" = 200 ] || show
        request -u alice:wrong "$URL$path"
        [ "$STATUS" = 200 ] || show
    done
    request "$URL/.well-known/jwks.json"
    header Content-Type application/jwk-set+json || show
    token holds "[k['kid'] for k in it['keys']] == ['$(thumbprint)']" <"$BODY"
    request "$URL/-/ready"
    token holds "it['ready'] is True" <"$BODY"
    no_file
}

@test "every other path needs a password, however it is written" {
    local path

    for path in /alice / /-/ /-/readyx /-/ready/ /-/healthy/x /-/other /.well-known \
        /x/.well-known/jwks.json /.well-knownx/jwks.json /-x/ready \
        /-/ready/../alice /.well-known/../alice /.well-known/%2e%2e/alice \
        /.well-known/jwks.json/../../alice /-/../alice /.WELL-KNOWN/jwks.json '/alice?/-/ready' \
        '/alice#/.well-known/' '/alice;/.well-known/x'; do
        request -g "$URL$path"
        refused '401 *:401'
    done
}

@test "below the public paths there is no token" {
    local path

    for path in /.well-known/ /.well-known/alice /.well-known/jwks.json/alice \
        /.well-known//alice; do
        request "$URL$path"
        refused '404 *:404'
        request_as alice "$URL$path"
        refused '404 *:404'
    done
}

# --- web pages --------------------------------------------------------------------

@test "a Host that is not a loopback name is refused" {
    local host

    for host in evil.example evil.example:5001 127.0.0.1.evil.example localhost.evil.example \
        10.0.0.1 127.0.0.2 xlocalhost; do
        request_as alice -H "Host: $host" "$URL/alice"
        refused 403
    done
}

@test "a request without Host is refused" {
    request_raw "GET /alice HTTP/1.0\r\n$(raw_credentials)\r\n\r\n"
    refused 403
    request_raw "GET /alice HTTP/1.1\r\nConnection: close\r\n$(raw_credentials)\r\n\r\n"
    refused '403 *:400'
}

@test "loopback names are served, with and without port" {
    local host

    for host in localhost 127.0.0.1 '[::1]' "localhost:${URL##*:}" '[::1]:5001' LocalHost; do
        request_as alice -H "Host: $host" "$URL/alice"
        minted
    done
}

@test "an Origin is refused, whatever it is" {
    local origin

    for origin in http://evil.example null "$URL" http://localhost; do
        request_as alice -H "Origin: $origin" "$URL/alice"
        refused 403
    done
    request_as alice -H 'Origin;' "$URL/alice"
    refused 403
}

@test "Sec-Fetch-Site other than none and same-origin is refused" {
    local site

    for site in cross-site same-site bogus; do
        request_as alice -H "Sec-Fetch-Site: $site" "$URL/alice"
        refused 403
    done
    for site in none same-origin; do
        request_as alice -H "Sec-Fetch-Site: $site" "$URL/alice"
        minted
    done
}

@test "a page is refused before it learns who is logged in" {
    request_as alice -H 'Origin: http://evil.example' "$URL/bob"
    refused 403
    must_not grep -q -e alice -e bob "$BODY"
}

# --- bad paths --------------------------------------------------------------------

@test "dot segments never name a subject" {
    request_as alice "$URL/.."
    refused '400 *:400'
    request_as alice "$URL/../alice"
    refused '400 *:400'
    request_as alice "$URL/%2e%2e"
    refused '400 *:400'
    request_as alice "$URL/%2e%2e%2falice"
    refused '404 nginx-*:400 apache-*:404'
    request_as alice "$URL/%2e%2e/alice"
    refused '400 *:400'
    request_as alice "$URL/..."
    refused 400
    request_as alice "$URL/..alice"
    refused 400
}

@test "an encoded slash is not part of a name" {
    request_as alice "$URL/%2f"
    refused '404 apache-*:404'
    request_as alice "$URL/alice%2f"
    refused '404 apache-*:404'
    request_as alice "$URL/alice%2f..%2fbob"
    refused '403 apache-*:404'
}

@test "two slashes, and one at the end, are other paths" {
    request_as alice "$URL//"
    refused '404 apache-*:404'
    request_as alice "$URL//alice"
    refused '404 apache-*:404'
    request_as alice --request-target "http://localhost//alice" "$URL"
    refused '404 apache-*:404'
    request_as alice "$URL/alice/"
    refused 404
    request_as alice "$URL/alice//"
    refused '404 apache-*:404'
    request_as alice "$URL/-//healthy"
    refused '404 apache-*:404'
    request_as alice "$URL/alice/bob"
    refused 404
}

@test "a NUL byte is refused" {
    request_as alice "$URL/alice%00"
    refused '400 nginx-*:400 apache-*:404'
    request_as alice "$URL/%00"
    refused '400 nginx-*:400 apache-*:404'
}

@test "control bytes are refused" {
    local byte

    for byte in %01 %09 %0a %0d %0d%0a %1b %7f; do
        request_as alice "$URL/alice$byte"
        refused 400
    done
}

@test "bytes above 127 are refused, encoded and raw" {
    local byte

    for byte in %80 %ff %c3%a4 %c0%af %e2%80%ae; do
        request_as alice "$URL/alice$byte"
        refused 400
    done
    request_raw "GET /alice\\377 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n$(
        raw_credentials)\r\n\r\n"
    refused '400 apache-*:400'
}

@test "metacharacters of shells, LDAP, SQL and URLs are refused" {
    local name

    for name in 'alice;id' 'alice%20bob' '$(id)' '`id`' 'alice%7Cid' 'alice&' 'alice*' '(uid=x)' \
        "alice'" 'alice%22' 'alice%5cbob' 'alice%25' 'alice%3f' 'alice%23' 'alice,bob' 'a:b' \
        'a=b' '~alice' '-alice' '.alice' '@alice' '+alice' '!alice'; do
        request_as alice "$URL/$name"
        refused 400
    done
}

@test "a bad percent escape is refused" {
    request_as alice "$URL/alice%"
    refused '400 *:400'
    request_as alice "$URL/alice%2"
    refused '400 *:400'
    request_as alice "$URL/alice%zz"
    refused '400 *:400'
}

@test "an overlong subject is refused" {
    request_as alice "$URL/$(printf 'a%.0s' {1..129})"
    refused 400
    request_as alice "$URL/$(printf 'a%.0s' {1..300})"
    refused 400
    request_as alice "$URL/$(printf 'a%.0s' {1..3000})"
    refused 400
    request_as alice "$URL/$(printf 'a%.0s' {1..8000})"
    refused '400 *:414'
}

# --- bad queries ------------------------------------------------------------------

@test "an unknown query parameter is refused" {
    local query

    for query in foo=1 'ttl=90s&foo=1' 'foo=1&ttl=90s' TTL=90s =1 tt=1 ttll=1 subject=bob; do
        request_as alice "$URL/alice?$query"
        refused 400
    done
}

@test "a repeated query parameter is refused" {
    local query

    for query in 'ttl=90s&ttl=90s' 'ttl=90s&ttl=10s' 'audience=a&audience=a' 'ttl=90s&%74tl=1'; do
        request_as alice "$URL/alice?$query"
        refused 400
    done
}

@test "a malformed query parameter is refused" {
    local query

    for query in ttl= ttl=0 ttl=0s ttl=-1 ttl=+90 ttl=1.5h ttl=90x ttl=90ss ttl=0x10 ttl=1e3 \
        ttl=%2090 ttl=90%00 ttl=90%0a ttl=9%zz ttl=9% 'ttl=90s;' 'ttl=90s&' '&ttl=90s' \
        'ttl=90s&&audience=a' ttl=9223372036854775808 ttl=99999999999999999999999h audience= \
        audience=a%00b audience=a%0ab; do
        request_as alice "$URL/alice?$query"
        refused 400
    done
    request_as alice "$URL/alice?audience=$(printf 'a%.0s' {1..300})"
    refused 400
}

@test "a query without = is refused, and is no command line" {
    local query

    for query in ttl foo --version --help --permit-anonymous --permit-anonymous+--config+/x -h; do
        request_as alice "$URL/bob?$query"
        refused 400
        request_as alice "$URL/alice?$query"
        refused 400
    done
}

@test "a ttl over the limit is refused" {
    request_as alice "$URL/alice?ttl=25h"
    refused 403
    request_as alice "$URL/alice?ttl=86401"
    refused 403
    request_as alice "$URL/alice?ttl=86400"
    minted
}

# --- bad methods, bodies, header fields -------------------------------------------

@test "methods other than GET and POST are refused with Allow" {
    local method

    for method in PUT DELETE PATCH OPTIONS FOO; do
        request_as alice -X "$method" "$URL/alice"
        refused 405
        header Allow "GET, POST" || show
    done
}

@test "HEAD is refused" {
    request_as alice -I "$URL/alice"
    [ "$STATUS" = 405 ]
    no_file
}

@test "TRACE is refused" {
    request_as alice -X TRACE "$URL/alice"
    refused '405 *:405'
}

@test "a body is refused" {
    request_as alice -d x "$URL/alice"
    refused 400
    request_as alice -d 'ttl=90s' "$URL/alice"
    refused 400
    request_as alice -X GET -d x "$URL/alice"
    refused 400
}

@test "a chunked body is refused" {
    request_as alice -H 'Transfer-Encoding: chunked' -d x "$URL/alice"
    refused 400
}

@test "a body that is just within the bound is refused in time" {
    head -c 65536 /dev/zero >"$BATS_TEST_TMPDIR/body64"
    request_as alice -m 5 -H 'Expect:' --data-binary "@$BATS_TEST_TMPDIR/body64" "$URL/alice"
    refused 400
}

@test "a body of 1 MB is refused" {
    head -c 1000000 /dev/zero >"$BATS_TEST_TMPDIR/megabyte"
    request_as alice --data-binary "@$BATS_TEST_TMPDIR/megabyte" "$URL/alice"
    refused '413 *:413'
    request_as alice -H 'Expect:' --data-binary "@$BATS_TEST_TMPDIR/megabyte" "$URL/alice"
    refused '413 *:413'
}

@test "a header field of 64 KB is refused" {
    request_as alice -H "X-Long: $(printf 'a%.0s' {1..65536})" "$URL/alice"
    refused '400 *:400'
}

@test "hundreds of header fields are refused" {
    local fields=() i

    for i in {1..1000}; do
        fields+=(-H "X-Many-$i: 0123456789012345678901234567890123456789")
    done
    request_as alice "${fields[@]}" "$URL/alice"
    refused '400 *:400'
}

# --- many at once, reload, stop ---------------------------------------------------

@test "200 mints at once give 200 files, and all of them verify" {
    local i

    for i in {1..200}; do
        printf 'url = "%s/alice"\noutput = "%s/%s.path"\n' "$URL" "$BATS_TEST_TMPDIR" "$i"
    done >"$BATS_TEST_TMPDIR/config"
    curl -s -Z --parallel-immediate --parallel-max 200 -m 60 -w '%{http_code}\n' \
        -u "alice:$PASSWORD-alice" -K "$BATS_TEST_TMPDIR/config" \
        >"$BATS_TEST_TMPDIR/statuses"
    [ "$(sort "$BATS_TEST_TMPDIR/statuses" | uniq -c | tr -s ' ')" = ' 200 200' ] || {
        sort "$BATS_TEST_TMPDIR/statuses" | uniq -c
        return 1
    }
    for i in {1..200}; do
        cat "$BATS_TEST_TMPDIR/$i.path"
        echo
    done | sort -u >"$BATS_TEST_TMPDIR/paths"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/paths")" -eq 200 ]
    new_files | cmp - "$BATS_TEST_TMPDIR/paths"
    xargs "$BATS_TEST_DIRNAME/lib/token" verify "$WORK/key.pub" <"$BATS_TEST_TMPDIR/paths"
}

@test "a changed configuration is taken up while requests run, and none is lost" {
    local statuses=$BATS_TEST_TMPDIR/statuses stop=$BATS_TEST_TMPDIR/stop askers=() issuer

    gateway_create reload
    gateway_start reload
    http_begin
    ask_until "$stop" >"$statuses.1" 3>&- &
    askers+=("$!")
    ask_until "$stop" >"$statuses.2" 3>&- &
    askers+=("$!")
    for issuer in second third fourth fifth; do
        sed -i "s|https://[a-z]*\.example|https://$issuer.example|" "$CONF"
        gateway_reload
        gateway_until 100 issuer_is "https://$issuer.example"
    done
    touch "$stop"
    wait "${askers[@]}"
    [ "$(cat "$statuses".[12] | sort -u)" = 200 ] || {
        cat "$statuses".[12] | sort | uniq -c
        cat "$LOG"/*
        return 1
    }
    [ "$(cat "$statuses".[12] | wc -l)" -gt 20 ]
}

# Mints until a file exists, and prints the status of each.
ask_until() {
    while [ ! -e "$1" ]; do
        curl -s -m 30 -o /dev/null -w '%{http_code}\n' \
            -u "alice:$PASSWORD-alice" "$URL/alice" || echo failed
    done
}

issuer_is() {
    request_as alice -H 'Accept: application/jwt' "$URL/alice"
    [ "$STATUS" = 200 ] || show
    token claims "$BODY" | token holds "it['iss'] == '$1'"
}

@test "while no token can be made the answer is 503 with Retry-After" {
    local expected=503

    # mod_fcgid has no other answer for a program that does not start.
    [ "$GATEWAY" != apache-fcgid ] || expected=500
    gateway_create broken
    gateway_start broken
    http_begin
    gateway_break
    request_as alice "$URL/alice"
    [ "$STATUS" = "$expected" ] || show
    header Retry-After || show
    [ "$VALUE" -ge 1 ]
    [ "$(wc -l <"$BODY")" -le 1 ] || show
    no_file
    gateway_repair
    gateway_until 100 serves
}

serves() {
    request_as alice "$URL/alice"
    [ "$STATUS" = 200 ]
}

# --- secrets ----------------------------------------------------------------------

@test "no log holds a token, a password, credentials or a byte of the key" {
    local user logs=("$WORK"/*/log)

    request_as alice -H 'Accept: application/jwt' "$URL/alice"
    request_as alice "$URL/bob"
    request_as alice "$URL/alice?ttl=25h"
    request_as alice -H "Authorization: Bearer $(cat "$BODY")" "$URL/alice"
    request -u "alice:$PASSWORD-bob" "$URL/alice"
    request_as alice --data-binary "$PASSWORD-alice" "$URL/alice"
    request_as bob "$URL/%0a"
    # The log is there and is of these requests.
    grep -rq 'Generated token' "${logs[@]}"
    must_not grep -rn eyJ "${logs[@]}"
    for user in alice bob; do
        must_not grep -rn -e "$PASSWORD-$user" \
            -e "$(printf '%s' "$user:$PASSWORD-$user" | base64)" "${logs[@]}"
    done
    must_not grep -rniE 'authorization: *(basic|bearer)' "${logs[@]}"
    must_not grep -rnF "$(grep -v -e ---- "$WORK/key.pem")" "${logs[@]}"
}
