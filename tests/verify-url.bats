#!/usr/bin/env bats
# Keys of others, published at a URL: when they are fetched, how often, and what a web server that
# is bad, slow or gone can do. nginx is the one that publishes them, over TLS. For how long an
# answer is fresh is in test_freshness.c and test_key_age.c.

load lib/fastcgi
load lib/ca
load lib/web

setup_file() {
    fastcgi_init
    CTL=${AUTHSERVER_BUILD:-$BATS_TEST_DIRNAME/../build}/authserverctl
    WEB=$WORK/web
    export CTL WEB
    ca_create "$WORK/ca"
    install -m 0755 "$CTL" "$WORK"
    for name in first second; do
        openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$WORK/$name"
        "$CTL" mint -k "$WORK/$name" --set algorithm=ES256 --issuer https://idp.example alice \
            >"$WORK/$name.token"
        "$CTL" jwks -k "$WORK/$name" --set algorithm=ES256 >"$WORK/$name.json"
    done
    nginx_start
}

teardown_file() {
    web_stop
    fastcgi_clean
}

setup() {
    fastcgi_begin
    AT=$WEB/sets/$BATS_TEST_NUMBER
    URL=https://localhost:$(<"$WEB/port")/sets/$BATS_TEST_NUMBER
    mkdir -m 0755 "$AT"
    FIRST=$(<"$WORK/first.token")
    SECOND=$(<"$WORK/second.token")
}

teardown() { fastcgi_end; }

# --- the web server ---------------------------------------------------------------

nginx_start() {
    mkdir -p "$WEB/sets"
    web_start <<NGINX
        root $WEB;
        location ~ /drip\$ { limit_rate 20; }
        location ~ /moved\$ { return 302 keys; }
        location ~ /page\$ { default_type text/html; }
NGINX
}

# publish NAME...: the set has the keys of these.
publish() {
    local name files=()

    for name in "$@"; do
        files+=("$WORK/$name.json")
    done
    jq -sc '{keys: map(.keys[])}' "${files[@]}" >"$AT/new"
    mv "$AT/new" "$AT/keys"
}

# fetched COUNT [NAME]: so often this test's set has been asked for.
fetched() {
    local count

    count=$(grep -c -F "GET /sets/$BATS_TEST_NUMBER/${2:-keys} " "$WEB/access") || true
    [ "$count" -eq "$1" ] || { echo "fetched $count times"; return 1; }
}

# --- authserver -------------------------------------------------------------------

# idp [LINE]...: lines of a section whose keys are at $URL/keys, if there is no other URL.
idp() {
    [[ $* == *keys-url* ]] || set -- "keys-url = \"$URL/keys\"" "$@"
    IDP=('verify "idp" {' "ca-file = \"$CA/ca.crt\"" "$@" '}')
}

# show TOKEN [PATH]: asks whether it is good.
show() {
    local path=${2:-/api/validate} method=POST

    [ "$path" = /api/validate ] || method=GET
    ask REMOTE_USER AUTH_TYPE "HTTP_AUTHORIZATION=Bearer $1" "PATH_INFO=$path" \
        REQUEST_METHOD=$method
}

# good TOKEN, bad TOKEN, unsaid TOKEN: so it is; nobody can say whether.
good() { verdict 200 "$1"; }
bad() { verdict 401 "$1"; }
unsaid() { verdict 503 "$1"; }

verdict() {
    show "$2"
    [ "$STATUS" = "$1" ] || { cat "$DIR/answer"; return 1; }
}

# with_kid KID: a token of the first with another kid, which nobody signed.
with_kid() {
    local header

    header=$(printf '{"alg":"ES256","typ":"JWT","kid":"%s"}' "$1" | basenc --base64url -w0)
    printf '%s.%s' "${header//=/}" "${FIRST#*.}"
}

# check_says PATTERN: authserverctl check finds this, and where.
check_says() {
    "$WORK/authserverctl" check --config "$CONF" >"$DIR/out" 2>&1 && return 1
    grep -q -e "$CONF:[0-9]*: verify 'idp': $1" "$DIR/out" || { cat "$DIR/out"; return 1; }
}

# verify STATUS TOKEN: what authserverctl makes of it.
verify() {
    local status=0

    "$WORK/authserverctl" verify --config "$CONF" <<<"$2" >"$DIR/out" 2>"$DIR/err" || status=$?
    [ "$status" -eq "$1" ] || { echo "exit status $status"; cat "$DIR/out" "$DIR/err"; return 1; }
}

# --- when they are fetched --------------------------------------------------------

@test "keys are fetched when a token first needs them, once for all workers, and then kept" {
    publish first
    idp
    configure 'workers = 2' "${IDP[@]}"
    serve
    find_parts 2
    fetched 0
    mints
    good "$(<"$FILE")"
    fetched 0
    for _ in 1 2 3 4 5 6; do
        good "$FIRST"
    done
    fetched 1
    [ "$BODY" = '{"sub":"alice"}' ]
    good "$(<"$FILE")"
}

@test "a kid that nobody knows has them fetched anew, but once in a while, whoever asks" {
    local i

    publish first
    idp
    configure 'workers = 2' "${IDP[@]}"
    serve
    find_parts 2
    good "$FIRST"
    publish second
    good "$SECOND"
    fetched 2
    for ((i = 0; i < 16; i++)); do
        bad "$(with_kid "unknown-$i")"
    done
    good "$SECOND"
    fetched 2
    logged "The keys of 'idp' have changed"
}

@test "a key that is taken back is not believed any more once the others are fetched" {
    publish first second
    idp
    configure "${IDP[@]}"
    serve
    good "$FIRST"
    good "$SECOND"
    fetched 1
    publish second
    bad "$(with_kid unknown)"
    fetched 2
    bad "$FIRST"
    good "$SECOND"
}

@test "keys that cannot be fetched, or are no good, leave those that are there in use" {
    publish first
    idp
    configure "${IDP[@]}"
    serve
    good "$FIRST"
    # Cut in the middle.
    head -c 100 "$AT/keys" >"$AT/new" && mv "$AT/new" "$AT/keys"
    bad "$SECOND"
    fetched 2
    good "$FIRST"
    logged "The keys of 'idp' are those of [0-9]* seconds ago, and are fetched again in 5: .*not JSON"
    refute logged "no token by them is valid"
}

@test "without keys nobody can say whether a token is good, and other tokens are not held up" {
    idp
    configure "${IDP[@]}"
    serve
    mints
    unsaid "$FIRST"
    show "$FIRST" /api/authorize
    [ "$STATUS" = 503 ]
    grep -q '^Retry-After: ' "$DIR/answer"
    refute grep -q -F -e "$URL" "$DIR/answer"
    logged "The keys of 'idp' cannot be fetched, and no token by them is valid: .*status 404"
    good "$(<"$FILE")"
    # What no key could make good.
    bad x.y.z
    bad "${FIRST%.*}."
    # Not asked for again and again.
    fetched 1
    publish first
    INTERVAL=0.5 until_true 9 good "$FIRST"
    logged "The keys of 'idp' can be fetched again"
    fetched 2
}

@test "authserverctl verify fetches what a token needs" {
    publish first
    idp 'issuer = {"https://idp.example"}'
    configure "${IDP[@]}"
    verify 0 "$FIRST"
    grep -q '"sub": "alice"' "$DIR/out"
    verify 1 "$SECOND"
    grep -q 'the token is not valid: ' "$DIR/err"
    fetched 2
    "$CTL" mint -k "$KEY" --issuer https://first.example alice >"$DIR/own"
    verify 0 "$(<"$DIR/own")"
    fetched 2
    rm "$AT/keys"
    verify 69 "$FIRST"
    grep -q 'whether the token is valid cannot be said now: .*status 404' "$DIR/err"
}

@test "a CGI program fetches them, too" {
    publish first
    idp
    configure "${IDP[@]}"
    GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST PATH_INFO=/api/validate HTTP_HOST=localhost \
        HTTP_AUTHORIZATION="Bearer $FIRST" AUTHSERVER_CONFIG=$CONF "$CGI" \
        </dev/null >"$DIR/answer"
    read_answer
    [ "$BODY" = '{"sub":"alice"}' ]
}

@test "a service that publishes keys of its own is one that another believes" {
    local port provider

    # Its nginx is the one of these tests; what it serves is what the service serves.
    serve
    mints
    provider=$FILE
    ask PATH_INFO=/.well-known/jwks.json
    printf '%s' "$BODY" >"$AT/keys"
    port=$(<"$provider")
    stop
    idp 'audience = "*"' 'issuer = {"https://first.example"}'
    KEY=$WORK/second
    configure 'algorithm = ES256' "${IDP[@]}"
    serve
    good "$port"
}

# --- what a web server can do -----------------------------------------------------

@test "a redirect is not followed, a page is no set, too much is refused, and a private key" {
    local name reason

    publish first
    cp "$AT/keys" "$AT/page"
    head -c 300000 /dev/zero | tr '\0' ' ' | cat "$AT/keys" - >"$AT/big"
    jq -c '.keys[0] += {d: "AA"}' "$AT/keys" >"$AT/private"
    jq -c '.keys[0].use = "enc"' "$AT/keys" >"$AT/useless"
    while IFS='|' read -r name reason; do
        idp "keys-url = \"$URL/$name\""
        configure "${IDP[@]}"
        verify 69 "$FIRST"
        grep -q -e "$reason" "$DIR/err" || { echo "$name"; cat "$DIR/err"; return 1; }
    done <<'CASES'
moved|status 302
page|not application/json
big|Maximum file size exceeded
private|it has 'd', of a private key
useless|no key in it says that it verifies signatures
CASES
    fetched 0
}

@test "more keys than can be passed on are refused, and what else is in a set is left out" {
    publish first
    jq -c '.keys |= [range(64) as $i | .[0] + {kid: ("\($i)" + ("x" * 250))}]' "$AT/keys" >"$AT/many"
    jq -c '.keys[0].x5c = ["A" * 60000] | .extra = 1' "$AT/keys" >"$AT/x5c"
    idp "keys-url = \"$URL/x5c\""
    configure "${IDP[@]}"
    verify 0 "$FIRST"
    idp "keys-url = \"$URL/many\""
    configure "${IDP[@]}"
    verify 0 "$FIRST"
    "$CTL" jwks -k "$WORK/key" --set algorithm=RS256 |
        jq -c '.keys |= [range(64) as $i | .[0] | .n += .n | .kid = "\($i)" + ("x" * 250)]' >"$AT/rsa"
    idp "keys-url = \"$URL/rsa\""
    configure "${IDP[@]}"
    verify 69 "$FIRST"
    grep -q 'its keys take more than 48 KiB' "$DIR/err"
}

@test "a server that drips meets the deadline, and holds up nobody else" {
    publish first
    cp "$AT/keys" "$AT/drip"
    idp "keys-url = \"$URL/drip\"" 'timeout = 2s'
    configure 'verify "other" {' "keys-url = \"$URL/keys\"" "ca-file = \"$CA/ca.crt\"" '}' \
        "${IDP[@]}"
    serve
    mints
    "$ASK" "$SOCKET" REMOTE_USER AUTH_TYPE PATH_INFO=/api/validate REQUEST_METHOD=POST \
        "HTTP_AUTHORIZATION=Bearer $SECOND" >"$DIR/late" 3>&- &
    JOBS+=("$!")
    # Before the deadline, if programs are not slow.
    good "$FIRST"
    good "$(<"$FILE")"
    [ ! -s "$DIR/late" ] || [ "${PATIENCE:-1}" -gt 1 ]
    wait "${JOBS[0]}"
    grep -q '^Status: 503' "$DIR/late"
    logged 'The keys of .idp. cannot be fetched.*timed out'
    fetched 1 drip
}

@test "the server must be whom the authorities say" {
    publish first
    idp "keys-url = \"${URL/localhost/127.0.0.2}/keys\""
    configure "${IDP[@]}"
    verify 69 "$FIRST"
    grep -q 'no alternative certificate subject name matches' "$DIR/err"
    idp
    configure "${IDP[@]/ca.crt/other.crt}"
    verify 69 "$FIRST"
    grep -q 'certificate problem' "$DIR/err"
    fetched 0
}

@test "nothing of the environment says how they are fetched" {
    publish first
    idp
    configure "${IDP[@]}"
    https_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1 verify 0 "$FIRST"
}

# --- configuration ----------------------------------------------------------------

@test "check says what is wrong with a section, and asks nobody" {
    local line reason

    while IFS='|' read -r line reason; do
        configure 'verify "idp" {' "$line" '}'
        check_says "$reason" || { echo "for $line"; return 1; }
    done <<CASES
keys-url = "$URL/keys" keys = "/keys"|give one of public-key, a PEM file, keys, a JWK Set, and keys-url
keys-url = "ftp://localhost/"|keys-url is none of http or https
keys-url = "https://"|keys-url: it has no host
keys-url = "https:///keys"|keys-url: it has no host
keys-url = "https://a b/"|keys-url: Bad hostname
keys-url = "https://u@idp.example/"|keys-url: it has a user name
keys-url = "https://idp.example/#x"|keys-url: it has a fragment
keys-url = "https://idp.example/#"|keys-url: it has a fragment
keys-url = "http://idp.example/"|keys-url: it is not https
keys-url = "http://192.0.2.1/"|keys-url: it is not https
keys-url = "$URL/keys" ca-file = "$DIR/none"|$DIR/none: No such file
CASES
    # The last of them.
    fails_with 66 "$CONF:[0-9]*: verify 'idp': " "$WORK/authserver-resolver" --config "$CONF" --check
    for line in http://127.0.0.1:1/ 'http://[::1]:1/' https://idp.example/; do
        configure 'verify "idp" {' "keys-url = \"$line\"" '}'
        "$WORK/authserverctl" check --config "$CONF" >"$DIR/out"
        grep -q -F "verify: idp, keys at $line, any issuer" "$DIR/out"
    done
    configure 'verify "idp" {' 'keys-url = "http://192.0.2.1/"' 'insecure = true' '}'
    "$WORK/authserverctl" check --config "$CONF" >"$DIR/out"
}
