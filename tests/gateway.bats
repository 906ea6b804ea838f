#!/usr/bin/env bats
# authserver behind a web server, from outside. The same tests for every gateway: GATEWAY is
# one of those in lib/gateway.bash; tests/run goes through them.

load lib/gateway
load lib/http

setup_file() {
    GATEWAY=${GATEWAY:-nginx-fcgi}
    export GATEWAY
    gateway_init
    # Of whom no test but that of the flood asks for anything.
    htpasswd -bB -C 4 "$WORK/htpasswd" carol "$PASSWORD-carol" 2>/dev/null
    gateway_create main
    gateway_start main
    # The kid that RFC 7638 gives the key, by an implementation that is not ours.
    THUMBPRINT=$(jose jwk thp -a S256 -i "$WORK/key.jwk")
    export THUMBPRINT
}

setup() {
    gateway_use main
    http_begin
}

teardown_file() {
    gateway_end
}

# --- a token for oneself ----------------------------------------------------------

@test "a caller gets a token for itself by name" {
    request_by_curl -u "alice:$PASSWORD-alice" "$URL/alice"
    minted
    [[ $FILE =~ ^$TOKENS/alice\.[0-9]{19}\.token$ ]]
}

@test "/ is a token for the caller itself" {
    request_as bob "$URL/"
    minted
    [[ $FILE =~ ^$TOKENS/bob\.[0-9]{19}\.token$ ]]
    claims_of "$FILE"
    [ "$(claimed sub)" = bob ]
}

@test "POST makes a token too" {
    request_by_curl -u "alice:$PASSWORD-alice" -X POST "$URL/alice"
    minted
    request_as alice -X POST -d '' "$URL/"
    minted
}

@test "the body is the path and nothing else, no newline, as plain text that is not cached" {
    request_as alice "$URL/alice"
    minted
    [ "$(wc -c <"$BODY")" -eq "${#FILE}" ]
    [ "$(wc -l <"$BODY")" -eq 0 ]
    header Content-Type "text/plain; charset=utf-8"
    header Cache-Control no-store
}

@test "the token file holds the token alone, for its owner and the configured group" {
    local token

    request_as alice "$URL/alice"
    minted
    IFS= read -rd '' token <"$FILE" || true
    [[ $token =~ ^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$ ]]
    [ "$(stat -c '%s %a %U %G %h %F' "$FILE")" = \
        "${#token} 640 $AUTH_USER $TOKEN_GROUP 1 regular file" ]
}

@test "a subject of 128 bytes with all that the grammar allows is served" {
    local name subject

    # Nobody has that name: what is tested is that it is refused for policy, not for form.
    printf -v name 'Az09_.@+-%.0s' {1..14}
    subject=${name}xy
    [ "${#subject}" -eq 128 ]
    request_as alice "$URL/$subject"
    refused 403
}

# --- the token --------------------------------------------------------------------

@test "PyJWT and jose verify the token" {
    request_as alice "$URL/alice"
    minted
    token verify "$WORK/key.pub" "$FILE"
    verified_by_jose key.jwk "$FILE"
    # The claims that it verified are those that are in the file.
    claims_of "$FILE"
    [ "$VERIFIED" = "$CLAIMS" ]
}

# verified_by_jose JWK FILE: sets VERIFIED to the claims.
verified_by_jose() {
    VERIFIED=$(jose jws ver -i "$2" -k "$WORK/$1" -O -)
}

@test "another key does not verify the token" {
    request_as alice "$URL/alice"
    minted
    run verified_by_jose rsa/key.jwk "$FILE"
    [ "$status" -ne 0 ]
    [[ $output == 'Signature validation failed!' ]]
}

@test "the header is alg, typ and kid, the kid by RFC 7638" {
    local header

    request_as alice "$URL/alice"
    minted
    IFS=. read -r header _ <"$FILE" || true
    base64url_text header "$header"
    [ "$header" = "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"$THUMBPRINT\"}" ]
}

@test "the claims are sub, iss, iat, exp and jti, for 24 hours" {
    local before after
    local form='^\{"sub":"alice","iss":"https://first\.example","iat":([0-9]+),"exp":([0-9]+),'
    form+='"jti":"([A-Za-z0-9_-]{16,})"\}$'

    before=$EPOCHSECONDS
    request_as alice "$URL/alice"
    after=$EPOCHSECONDS
    minted
    claims_of "$FILE"
    [[ $CLAIMS =~ $form ]]
    [ "${BASH_REMATCH[1]}" -ge "$before" ]
    [ "${BASH_REMATCH[1]}" -le "$after" ]
    [ "$((BASH_REMATCH[2] - BASH_REMATCH[1]))" -eq 86400 ]
}

@test "ttl in the query is honoured" {
    local pair form='"iat":([0-9]+),"exp":([0-9]+),'

    for pair in 90s=90 90=90 15m=900 24h=86400 %390s=90; do
        request_as alice "$URL/alice?ttl=${pair%=*}"
        minted
        claims_of "$FILE"
        [[ $CLAIMS =~ $form ]]
        [ "$((BASH_REMATCH[2] - BASH_REMATCH[1]))" -eq "${pair#*=}" ]
    done
}

@test "audience in the query becomes aud" {
    request_as alice "$URL/alice?audience=sts.example%20one&ttl=90s"
    minted
    claims_of "$FILE"
    [ "$(claimed aud)" = 'sts.example one' ]
}

@test "Accept: application/jwt answers with the token" {
    request_by_curl -u "alice:$PASSWORD-alice" -H 'Accept: application/jwt' "$URL/alice"
    [ "$STATUS" = 200 ]
    header Content-Type application/jwt
    header Cache-Control no-store
    verified_by_jose key.jwk "$BODY"
}

@test "Accept: application/json answers with token, type, lifetime and file" {
    local file

    request_as alice -H 'Accept: application/json' "$URL/alice?ttl=90s"
    [ "$STATUS" = 200 ]
    header Content-Type application/json
    header Cache-Control no-store
    file=$(new_files)
    jq -e --rawfile token "$file" --arg file "$file" '. == {access_token: $token,
        token_type: "Bearer", expires_in: 90, token_file: $file} or error(tostring)' "$BODY"
}

# --- who may ask ------------------------------------------------------------------

@test "without credentials there is no token" {
    local lines

    request "$URL/alice"
    refused '401 *:401'
    header WWW-Authenticate
    mapfile -t lines <"$BODY"
    [ "${#lines[@]}" -le 1 ]
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
    cp "$BODY" "$BODY.jwks"
    request "$URL/-/ready"
    jq -es --arg kid "$THUMBPRINT" '[.[0].keys[].kid] == [$kid] and .[1].ready == true or error(tostring)' \
        "$BODY.jwks" "$BODY"
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

# --- bad paths --------------------------------------------------------------------

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

@test "a bad percent escape is refused" {
    request_as alice "$URL/alice%"
    refused '400 *:400'
    request_as alice "$URL/alice%2"
    refused '400 *:400'
    request_as alice "$URL/alice%zz"
    refused '400 *:400'
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
    printf -v query 'a%.0s' {1..300}
    request_as alice "$URL/alice?audience=$query"
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
    local long

    printf -v long '%065536d' 0
    request_as alice -H "X-Long: $long" "$URL/alice"
    refused '400 *:400'
}

many_fields() {
    local i

    for i in {1..1000}; do
        fields+=(-H "X-Many-$i: 0123456789012345678901234567890123456789")
    done
}

@test "hundreds of header fields are refused" {
    local fields=()

    many_fields
    request_as alice "${fields[@]}" "$URL/alice"
    refused '400 *:400'
}

# --- groups -----------------------------------------------------------------------

@test "groups of users are for those whom a rule lets read them, and the refusal is JSON" {
    request_as alice "$URL/api/groups/alice"
    [ "$STATUS" = 403 ]
    header Content-Type application/json
    cp "$BODY" "$BODY.first"
    request_as alice -X POST "$URL/api/groups/alice"
    [ "$STATUS" = 405 ]
    jq -es '[.[].error] == ["access_denied", "method_not_allowed"] or error(tostring)' \
        "$BODY.first" "$BODY"
}

# --- many at once, reload, stop ---------------------------------------------------

# times_alice COUNT NAME: what curl -K needs to ask as often; the answers go to 1.NAME and so on.
times_alice() {
    local i

    for ((i = 1; i <= $1; i++)); do
        printf 'url = "%s/alice"\noutput = "%s/%s.%s"\n' "$URL" "$BATS_TEST_TMPDIR" "$i" "$2"
    done
}

# answers COUNT NAME: these files, a newline after each.
answers() {
    local i answer

    for ((i = 1; i <= $1; i++)); do
        IFS= read -rd '' answer <"$BATS_TEST_TMPDIR/$i.$2" || true
        printf '%s\n' "$answer"
    done
}

@test "200 mints at once give 200 files, and all of them verify" {
    local at_once=200

    # A process for each: on a busy machine 200 of them together take longer than the gateway waits.
    case $GATEWAY in
    apache-cgi | nginx-fcgiwrap) at_once=$((20 / ${PATIENCE:-1})) ;;
    esac

    times_alice 200 path >"$BATS_TEST_TMPDIR/config"
    curl -s -Z --parallel-immediate --parallel-max "$at_once" -m 60 -w '%{http_code}\n' \
        -u "alice:$PASSWORD-alice" -K "$BATS_TEST_TMPDIR/config" \
        >"$BATS_TEST_TMPDIR/statuses"
    [ "$(sort "$BATS_TEST_TMPDIR/statuses" | uniq -c | tr -s ' ')" = ' 200 200' ] || {
        sort "$BATS_TEST_TMPDIR/statuses" | uniq -c
        return 1
    }
    answers 200 path | sort -u >"$BATS_TEST_TMPDIR/paths"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/paths")" -eq 200 ]
    new_files | cmp - "$BATS_TEST_TMPDIR/paths"
    mapfile -t paths <"$BATS_TEST_TMPDIR/paths"
    token verify "$WORK/key.pub" "${paths[@]}"
}

@test "a flood of one user's meets 429 with Retry-After, and the others are served" {
    local statuses=$BATS_TEST_TMPDIR/statuses sum

    # Wrong passwords: what the web server refuses by itself comes fast from every gateway. On a
    # machine that takes three seconds for the first of them, they are not yet a flood.
    times_alice 700 said >"$BATS_TEST_TMPDIR/config"
    for _ in 1 2 3 4; do
        curl -s -Z --parallel-max 50 -w '%{http_code} %header{retry-after}\n' -u carol:wrong \
            -K "$BATS_TEST_TMPDIR/config" >>"$statuses"
        ! grep -q 429 "$statuses" || break
    done
    request_as alice "$URL/alice"
    minted
    sum=$(sort "$statuses" | uniq -c)
    echo "$sum"
    # The burst that is allowed was answered.
    [[ $sum =~ ^\ *([0-9]+)\ 401\ $'\n'\ *[0-9]+\ 429\ 1$ ]]
    [ "${BASH_REMATCH[1]}" -ge 400 ]
    # What it says is a reason, in one line.
    grep -hq 'too many requests: try again in a second' "$BATS_TEST_TMPDIR"/*.said
    must_not grep -l '<html>' "$BATS_TEST_TMPDIR"/*.said
    until_true 10 serves carol
}

@test "a changed configuration is taken up while requests run, and none is lost" {
    local statuses=$BATS_TEST_TMPDIR/statuses stop=$BATS_TEST_TMPDIR/stop askers=() issuer

    ask_until "$stop" >"$statuses.1" 3>&- &
    askers+=("$!")
    ask_until "$stop" >"$statuses.2" 3>&- &
    askers+=("$!")
    for issuer in second third fourth first; do
        sed -i "s|https://[a-z]*\.example|https://$issuer.example|" "$CONF"
        gateway_reload
        INTERVAL=0.02 until_true 20 issuer_is "https://$issuer.example" || {
            : >"$stop"
            cat "$LOG"/*
            return 1
        }
    done
    # However quick that was.
    INTERVAL=0.02 until_true 120 longer "$statuses.1" 10
    INTERVAL=0.02 until_true 120 longer "$statuses.2" 10
    : >"$stop"
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
    # shellcheck disable=SC2034 # for the request
    local HEADERS=$1.headers.$BASHPID BODY=$1.body.$BASHPID STATUS

    while [ ! -e "$1" ]; do
        if request_as alice "$URL/alice" >&2; then
            echo "$STATUS"
        else
            echo failed
        fi
    done
}

# longer FILE LINES
longer() {
    local lines

    mapfile -t lines <"$1"
    [ "${#lines[@]}" -gt "$2" ]
}

issuer_is() {
    request_as alice -H 'Accept: application/jwt' "$URL/alice"
    [ "$STATUS" = 200 ] || show
    claims_of "$BODY"
    [[ $CLAIMS == '{"sub":"alice","iss":"'"$1"'",'* ]]
}

@test "while no token can be made the answer is 503 with Retry-After" {
    local expected=503

    # mod_fcgid has no other answer for a program that does not start.
    [ "$GATEWAY" != apache-fcgid ] || expected=500
    gateway_break
    request_as alice "$URL/alice"
    [ "$STATUS" = "$expected" ] || show
    header Retry-After || show
    [ "$VALUE" -ge 1 ]
    [ "$(wc -l <"$BODY")" -le 1 ] || show
    no_file
    gateway_repair
    until_true 20 serves alice
}

# serves USER
serves() {
    request_as "$1" "$URL/$1"
    [ "$STATUS" = 200 ]
}

# --- secrets ----------------------------------------------------------------------

@test "no log holds a token, a password, credentials or a byte of the key" {
    local user credentials secrets logs=("$WORK"/*/log)

    request_as alice -H 'Accept: application/jwt' "$URL/alice"
    request_as alice "$URL/bob"
    request_as alice "$URL/alice?ttl=25h"
    request_as alice -H "Authorization: Bearer $(cat "$BODY")" "$URL/alice"
    request -u "alice:$PASSWORD-bob" "$URL/alice"
    request_as alice --data-binary "$PASSWORD-alice" "$URL/alice"
    request_as bob "$URL/%0a"
    # The log is there and is of these requests.
    grep -rq 'Generated token' "${logs[@]}"
    secrets=(eyJ)
    for user in alice bob; do
        base64_of credentials "$user:$PASSWORD-$user"
        secrets+=("$PASSWORD-$user" "$credentials")
    done
    mapfile -t -O "${#secrets[@]}" secrets < <(grep -v -e ---- "$WORK/key.pem")
    must_not grep -rnF "${secrets[@]/#/-e}" "${logs[@]}"
    must_not grep -rniE 'authorization: *(basic|bearer)' "${logs[@]}"
}
