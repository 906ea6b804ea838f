#!/usr/bin/env bats
# authserverctl verify: tokens of our own, and tokens that PyJWT and jose have signed, which are not
# ours; and what authserverctl check says of the keys that are trusted.

load lib/quick

setup_file() {
    quick
    umask 022
    make_pair "$BATS_FILE_TMPDIR/rsa" RSA -pkeyopt rsa_keygen_bits:2048
    make_pair "$BATS_FILE_TMPDIR/other" RSA -pkeyopt rsa_keygen_bits:2048
    make_pair "$BATS_FILE_TMPDIR/P-256" EC -pkeyopt ec_paramgen_curve:P-256
    make_pair "$BATS_FILE_TMPDIR/P-384" EC -pkeyopt ec_paramgen_curve:P-384
    make_pair "$BATS_FILE_TMPDIR/P-521" EC -pkeyopt ec_paramgen_curve:P-521
    make_pair "$BATS_FILE_TMPDIR/ed25519" ED25519
}

setup() {
    quick
    CTL=${AUTHSERVER_BUILD:-$BATS_TEST_DIRNAME/../build}/authserverctl
    DIR=$BATS_TEST_TMPDIR
    PAIRS=$BATS_FILE_TMPDIR
    CONF=$DIR/conf
    umask 022
    unset JWT_PUBLIC_KEY JWT_ALGORITHM JWT_USER_CLAIM_KEY
    : >"$CONF"
}

# make_pair PATH ALGORITHM...: PATH.pem and PATH.pub.
make_pair() {
    openssl genpkey -quiet -algorithm "${@:2}" -out "$1.pem"
    openssl pkey -in "$1.pem" -pubout -out "$1.pub"
    chmod 0600 "$1.pem"
}

# pair_of ALGORITHM: the path of the pair that signs with it.
pair_of() {
    case $1 in
    ES256) echo "$PAIRS/P-256" ;;
    ES384) echo "$PAIRS/P-384" ;;
    ES512) echo "$PAIRS/P-521" ;;
    EdDSA) echo "$PAIRS/ed25519" ;;
    *) echo "$PAIRS/rsa" ;;
    esac
}

# pyjwt ALGORITHM [HEADERS [CLAIMS]]: a token of PyJWT's for alice, with Python expressions of
# more headers and claims; now is the time.
pyjwt() {
    token run "$1" "$(pair_of "$1").pem" <<END
import sys, time
import jwt
now = int(time.time())
claims = {"sub": "alice", "iat": now, "exp": now + 60}
claims.update(${3:-{\}})
claims = {name: value for name, value in claims.items() if value is not None}
print(jwt.encode(claims, open(sys.argv[2]).read(), algorithm=sys.argv[1], headers=${2:-{\}}))
END
}

# verify STATUS ARGUMENT...: the token is on stdin; $output is stdout, $errors stderr.
verify() {
    local wanted=$1

    shift
    status=0
    output=$("$CTL" verify --config "$CONF" "$@" 2>"$DIR/errors") || status=$?
    errors=$(<"$DIR/errors")
    [ "$status" -eq "$wanted" ] || { echo "exit status $status: $output $errors"; return 1; }
    # One line, and no claims, where it is not valid.
    [ "$status" -eq 0 ] || { [ -z "$output" ] && [ "$(wc -l <"$DIR/errors")" -eq 1 ]; }
    [ "$status" -ne 0 ] || [ -z "$errors" ]
}

says() {
    [[ $errors == "authserverctl: "*"$1"* ]] || { echo "$errors"; return 1; }
}

# The claim of $output, by jq.
claim() {
    jq -r ".$1" <<<"$output"
}

# section NAME LINE...: a section verify in the configuration.
section() {
    printf 'verify "%s" {\n' "$1" >>"$CONF"
    printf '    %s\n' "${@:2}" '}' >>"$CONF"
}

# --- our own ----------------------------------------------------------------------

@test "what mint signs is valid, from stdin, a file or an argument" {
    echo "private-key = \"$PAIRS/rsa.pem\"" >"$CONF"
    "$CTL" mint --config "$CONF" --groups a,b alice >"$DIR/token"
    verify 0 <"$DIR/token"
    [ "$(claim sub)" = alice ] && [ "$(claim groups[1])" = b ]
    token claims "$DIR/token" | jq -S . >"$DIR/wanted"
    jq -S . <<<"$output" | cmp - "$DIR/wanted"
    verify 0 - <"$DIR/token"
    verify 0 "$DIR/token" </dev/null
    verify 0 "$(<"$DIR/token")" </dev/null
    printf '%s' "$(<"$DIR/token")" | verify 0
}

@test "every published key of a directory verifies: next, active and retired, but none that expired" {
    local when keys=$DIR/keys

    mkdir -m 0700 "$keys"
    for when in '-10 days' '-3 days' '-1 hour' '+1 day'; do
        make_pair "$DIR/key" EC -pkeyopt ec_paramgen_curve:P-256
        install -m 0600 "$DIR/key.pem" "$keys/$(date -u -d "$when" +%Y%m%dT%H%M%SZ).pem"
    done
    printf '%s\n' "private-key = \"$keys\"" 'algorithm = ES256' 'lifetime = 2h' >"$CONF"
    set -- 1 0 0 0
    for key in "$keys"/*; do
        "$CTL" mint --set algorithm=ES256 --set lifetime=1h -k "$key" alice >"$DIR/token"
        verify "$1" <"$DIR/token"
        shift
    done
}

@test "our own tokens have the issuer that is configured, and an audience only where it is" {
    echo "private-key = \"$PAIRS/rsa.pem\"" >"$CONF"
    "$CTL" mint --config "$CONF" --issuer https://other.example alice >"$DIR/token"
    "$CTL" mint --config "$CONF" --audience okera alice >"$DIR/for"
    verify 0 <"$DIR/token"
    verify 1 --issuer https://tokens.example.org <"$DIR/token"
    says "its iss is 'https://other.example', which is not expected"
    verify 1 <"$DIR/for"
    says 'it has an aud, and no audience is configured'
    verify 0 --set verify-audience=vault,okera <"$DIR/for"
    verify 0 --set verify-audience=okera <"$DIR/token"
    verify 0 --set 'verify-audience=*' <"$DIR/for"
    verify 1 --set verify-audience=vault <"$DIR/for"
    says 'its aud is not expected'
}

# --- others' ----------------------------------------------------------------------

@test "tokens of PyJWT are valid by the PEM of every algorithm, and by no other key" {
    local algorithm

    for algorithm in RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA; do
        : >"$CONF"
        section "$algorithm" "public-key = \"$(pair_of "$algorithm").pub\"" "algorithm = $algorithm"
        pyjwt "$algorithm" >"$DIR/token"
        verify 0 <"$DIR/token"
        [ "$(claim sub)" = alice ]
    done
    : >"$CONF"
    section other "public-key = \"$PAIRS/other.pub\"" 'algorithm = RS256'
    pyjwt RS256 >"$DIR/token"
    verify 1 <"$DIR/token"
    says 'the token is not valid: its signature is wrong'
    pyjwt RS512 >"$DIR/token"
    verify 1 <"$DIR/token"
    says 'the token is not valid: no key for it: alg RS512, kid none'
}

@test "tokens of jose are valid by the JWK Set that it makes" {
    local algorithm now
    now=$(date +%s)

    for algorithm in RS256 PS384 ES256 ES512; do
        jose jwk gen -i "{\"alg\":\"$algorithm\",\"kid\":\"k-$algorithm\"}" -o "$DIR/$algorithm.jwk"
        jq -n --argjson now "$now" '{sub: "alice", iat: $now, exp: ($now + 60)}' |
            jose jws sig -I - -k "$DIR/$algorithm.jwk" -c -o "$DIR/$algorithm.token" \
                -s "{\"protected\":{\"alg\":\"$algorithm\",\"kid\":\"k-$algorithm\"}}"
    done
    jose jwk pub -s -i "$DIR/RS256.jwk" -i "$DIR/PS384.jwk" -i "$DIR/ES256.jwk" \
        -i "$DIR/ES512.jwk" -o "$DIR/set"
    section idp "keys = \"$DIR/set\""
    for algorithm in RS256 PS384 ES256 ES512; do
        verify 0 <"$DIR/$algorithm.token"
        [ "$(claim sub)" = alice ]
    done
    # The whole of a pair in it is a secret in the wrong place.
    jq -s '{keys: .}' "$DIR/RS256.jwk" >"$DIR/set"
    verify 78 <"$DIR/RS256.token"
    says "key 1: it has 'd', of a private key"
    [[ $errors == *"$CONF:"*"verify 'idp'"* ]]
}

@test "sections say the issuer, the audience and who the user is" {
    section partner "public-key = \"$PAIRS/rsa.pub\"" 'algorithm = rsa256' \
        'issuer = {"https://a.example", "https://b.example"}' 'audience = {"okera"}' \
        'user-claim = preferred_username'
    pyjwt RS256 '{}' '{"iss": "https://b.example", "aud": ["x", "okera"], "preferred_username": "al"}' \
        >"$DIR/token"
    verify 0 <"$DIR/token"
    pyjwt RS256 '{}' '{"iss": "https://c.example", "aud": "okera", "preferred_username": "al"}' |
        { verify 1; says "its iss is 'https://c.example'"; }
    pyjwt RS256 '{}' '{"iss": "https://a.example", "aud": "x", "preferred_username": "al"}' |
        { verify 1; says 'its aud is not expected'; }
    pyjwt RS256 '{}' '{"iss": "https://a.example", "preferred_username": "al"}' |
        { verify 1; says 'it has no aud'; }
    pyjwt RS256 '{}' '{"iss": "https://a.example", "aud": "okera"}' |
        { verify 1; says 'it has no preferred_username'; }
}

@test "the lists of ODAS are matched by position, from flags and from its environment" {
    local keys=$PAIRS/other.pub,$PAIRS/rsa.pub

    pyjwt RS512 >"$DIR/token"
    verify 0 --set "jwt-public-key=$keys" --set jwt-algorithm=RSA256,RSA512 <"$DIR/token"
    verify 1 --set "jwt-public-key=$keys" --set jwt-algorithm=RSA512,RSA256 <"$DIR/token"
    says 'its signature is wrong'
    export JWT_PUBLIC_KEY=$keys JWT_ALGORITHM=RSA256,RSA512
    verify 0 <"$DIR/token"
    verify 1 --set jwt-algorithm=RSA512,RSA256 <"$DIR/token"
    JWT_ALGORITHM=RSA512
    verify 78 <"$DIR/token"
    says 'jwt-public-key has 2 items and jwt-algorithm 1'
    JWT_ALGORITHM=RSA256,RSA512
    pyjwt RS512 '{}' '{"email": "alice@example.org"}' >"$DIR/token"
    JWT_USER_CLAIM_KEY=email verify 0 <"$DIR/token"
    JWT_USER_CLAIM_KEY=upn verify 1 <"$DIR/token"
    says 'it has no upn'
}

# --- what is not valid ------------------------------------------------------------

@test "times that do not hold are told, to the skew that is configured" {
    section partner "public-key = \"$PAIRS/ed25519.pub\"" 'algorithm = EdDSA'
    pyjwt EdDSA '{}' '{"iat": now - 99, "exp": now - 30}' >"$DIR/token"
    verify 0 <"$DIR/token"
    verify 1 --set skew=0 <"$DIR/token"
    says 'it expired at '
    pyjwt EdDSA '{}' '{"iat": now - 99, "exp": now - 90}' | { verify 1; says 'it expired at '; }
    pyjwt EdDSA '{}' '{"nbf": now + 90}' | { verify 1; says 'its nbf is in the future'; }
    pyjwt EdDSA '{}' '{"iat": now + 90}' | { verify 1; says 'its iat is in the future'; }
    pyjwt EdDSA '{}' '{"exp": None}' | { verify 1; says 'it has no exp'; }
    pyjwt EdDSA '{}' '{"exp": now + 60.5}' | { verify 1; says 'its exp is not an integer'; }
}

@test "forged tokens are not valid: other algorithms, keys of their own, other forms" {
    section partner "public-key = \"$PAIRS/rsa.pub\"" 'algorithm = RS256'
    pyjwt RS256 >"$DIR/token"
    token run "$DIR" "$PAIRS" <<'END'
import base64, hashlib, hmac, json, sys, time
out, pairs = sys.argv[1:]
b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
now = int(time.time())
claims = b64(json.dumps({"sub": "root", "exp": now + 60}).encode())
public = open(pairs + "/rsa.pub", "rb").read()

def forge(name, header, sign):
    head = b64(json.dumps(header).encode()) + "." + claims
    open(f"{out}/forged.{name}", "w").write(head + "." + sign(head.encode()))

secret = lambda head: b64(hmac.new(public, head, hashlib.sha256).digest())
forge("hs256", {"alg": "HS256"}, secret)
forge("rs256-by-hmac", {"alg": "RS256"}, secret)
for none in ("none", "None", "nOnE"):
    forge(none, {"alg": none}, lambda head: "")
    forge(none + "-signed", {"alg": none}, lambda head: "AA")
forge("null", {"alg": None}, secret)
forge("jku", {"alg": "RS256", "jku": "http://127.0.0.1:1/"}, secret)
forge("kid-path", {"alg": "HS256", "kid": "/dev/null"},
      lambda head: b64(hmac.new(b"", head, hashlib.sha256).digest()))
good = open(out + "/token").read().strip()
head, payload, signature = good.split(".")
for name, text in {
    "padding": good + "=", "blank": good + " ", "newlines": good + "\n\n", "plus": good.replace("-", "+", 1) + "+",
    "four": good + "." + signature, "two": head + "." + payload, "empty": "", "json": json.dumps({"payload": payload}),
    "unsigned": head + "." + payload + ".", "swapped": head + "." + claims + "." + signature,
    "bearer": "Bearer " + good, "quoted": '"' + good + '"', "long": good + "A" * 20000,
}.items():
    open(f"{out}/forged.{name}", "w").write(text)
END
    verify 0 <"$DIR/token"
    [ "$(find "$DIR" -name 'forged.*' | wc -l)" -eq 24 ]
    for file in "$DIR"/forged.*; do
        verify 1 <"$file" || { echo "${file##*/}"; return 1; }
    done
}

@test "without a key, without a file, with a file that others may write, it says so" {
    pyjwt RS256 >"$DIR/token"
    verify 78 <"$DIR/token"
    says 'no key to verify with'
    verify 66 "$DIR/none"
    says "$DIR/none: No such file"
    install -m 0666 "$PAIRS/rsa.pub" "$DIR/rsa.pub"
    section partner "public-key = \"$DIR/rsa.pub\"" 'algorithm = RS256'
    verify 78 <"$DIR/token"
    says "$DIR/rsa.pub: others may write it"
    : >"$CONF"
    verify 66 --set "private-key=$DIR/none" <"$DIR/token"
    says "$DIR/none: No such file"
    status=0
    "$CTL" verify a b 2>/dev/null || status=$?
    [ "$status" -eq 64 ]
}

@test "keys that belong to someone else are refused: they could be changed" {
    [ "$(id -u)" -eq 0 ] || skip "needs root to give a file away"
    install -m 0644 -o nobody "$PAIRS/rsa.pub" "$DIR/rsa.pub"
    section partner "public-key = \"$DIR/rsa.pub\"" 'algorithm = RS256'
    pyjwt RS256 | { verify 78; says "$DIR/rsa.pub: belongs to uid $(id -u nobody)"; }
}

# --- check ------------------------------------------------------------------------

@test "check tells every fault of the keys that are trusted, and what it passes over" {
    printf '%s\n' "private-key = \"$PAIRS/rsa.pem\"" "directory = \"$DIR/tokens\"" >"$CONF"
    jose jwk gen -i '{"alg":"ES256"}' | jose jwk pub -s -i - -o "$DIR/set"
    jq '.keys += [{kty: "RSA", n: "AQ", e: "AQAB"}]' "$DIR/set" >"$DIR/set.more"
    section idp "keys = \"$DIR/set.more\"" 'issuer = {"https://idp.example"}'
    section partner "public-key = \"$PAIRS/rsa.pub\"" 'algorithm = RS256'
    "$CTL" check --config "$CONF" >"$DIR/out"
    grep -qxF 'verify: idp, 1 key, issuer https://idp.example' "$DIR/out"
    grep -qxF 'verify: partner, 1 key, any issuer' "$DIR/out"
    grep -qF "note: $DIR/set.more: key 2: it has no 'alg'" "$DIR/out"
    section private "public-key = \"$PAIRS/rsa.pem\"" 'algorithm = RS256'
    section absent "keys = \"$DIR/none\""
    section curve "public-key = \"$PAIRS/P-256.pub\"" 'algorithm = ES384'
    status=0
    "$CTL" check --config "$CONF" >"$DIR/out" 2>&1 || status=$?
    [ "$status" -eq 1 ]
    grep -qE "conf:[0-9]+: verify 'private': .*rsa.pem: a private key" "$DIR/out"
    grep -qE "conf:[0-9]+: verify 'absent': .*none: No such file" "$DIR/out"
    grep -qE "conf:[0-9]+: verify 'curve': .*its curve is prime256v1" "$DIR/out"
    [ "$(wc -l <"$DIR/out")" -eq 3 ]
}
