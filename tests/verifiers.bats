#!/usr/bin/env bats
# Programs that are not ours believe what authserver.fcgi mints for them, by the keys that it
# publishes through a real nginx; and they believe no token that was changed, and none of a key
# that was pruned.

load lib/gateway
load lib/http
load lib/ca
load lib/verifiers

ALGORITHMS=(RS512 RS256 PS256 ES256 ES384 EdDSA)

setup_file() {
    export GATEWAY=nginx-fcgi
    gateway_init
    make_certificate
    make_keys
    start main basic.conf "$WORK/keys"
    start tls tls.conf "$WORK/keys"
    start old basic.conf "$WORK/keys.old"
    haproxy_start "http://127.0.0.1:$(port_of main)"
    dovecot_start "http://127.0.0.1:$(port_of main)"
    slurm_start "http://127.0.0.1:$(port_of main)"
    apache_start "http://127.0.0.1:$(port_of main)" "https://localhost:$(port_of tls)"
}

setup() {
    gateway_use main
    http_begin
    TOKEN=$BATS_TEST_TMPDIR/token
    PRUNED=$BATS_TEST_TMPDIR/pruned
    CHANGED=$BATS_TEST_TMPDIR/changed
}

teardown_file() {
    gateway_end
}

# Of what ca_create makes, all that is needed here.
make_certificate() {
    export CA=$WORK/ca
    install -d -m 0755 "$CA"
    ca_authority ca
    ca_sign ca server '/CN=localhost' serverAuth 'DNS:localhost'
}

# --- keys and tokens --------------------------------------------------------------

# make_key FOLDER ALGORITHM WHEN: a private key that starts to sign then.
make_key() {
    local type=() file
    file=$1/$(date -u -d "$3" +%Y%m%dT%H%M%SZ).$2.pem

    case $2 in
    RS* | PS*) type=(RSA -pkeyopt rsa_keygen_bits:2048) ;;
    ES256) type=(EC -pkeyopt ec_paramgen_curve:P-256) ;;
    ES384) type=(EC -pkeyopt ec_paramgen_curve:P-384) ;;
    EdDSA) type=(ED25519) ;;
    esac
    openssl genpkey -quiet -algorithm "${type[@]}" -out "$file"
    chmod 0600 "$file"
    [ "$(id -u)" -ne 0 ] || chown "$AUTH_USER" "$file"
}

# Of each algorithm a key whose successor has signed for two days, with tokens of two
# minutes: it is expired. RS256 and ES256 have one that has only retired, too, and one that comes next.
make_keys() {
    local algorithm

    install -d -m 0755 "$WORK/keys" "$WORK/keys.old" "$WORK/keys.late"
    install -d -m 0750 "$WORK/tokens.late"
    for algorithm in "${ALGORITHMS[@]}"; do
        make_key "$WORK/keys" "$algorithm" '-30 days'
    done
    cp -p "$WORK"/keys/* "$WORK/keys.old/"
    for algorithm in "${ALGORITHMS[@]}"; do
        make_key "$WORK/keys" "$algorithm" '-2 days'
    done
    install -m 0600 "$WORK"/keys/* "$WORK/keys.late/"
    for algorithm in RS256 ES256; do
        make_key "$WORK/keys" "$algorithm" '-5 minutes'
        make_key "$WORK/keys" "$algorithm" '1 day'
    done
}

# What the profiles of the verifiers are.
profiles() {
    printf '%s\n' 'lifetime = 2m' 'hosts = {"localhost", "127.0.0.1"}' \
        'profile "pyjwt" { audience = {"pyjwt"} }' \
        'profile "jose" { audience = {"jose"} }' \
        'profile "node" { algorithm = "ES256" audience = {"node"} nbf = true }' \
        'profile "node-ps256" { algorithm = "PS256" audience = {"node"} }' \
        'profile "node-eddsa" { algorithm = "EdDSA" audience = {"node"} }' \
        'profile "haproxy" { algorithm = "RS256" }' \
        'profile "haproxy-es256" { algorithm = "ES256" }' \
        'profile "dovecot" { algorithm = "RS256" audience = {"mail"} }' \
        'profile "slurm" { algorithm = "RS256" claims = "{ \"sun\": \"${subject}\" }" }' \
        'profile "mod_oauth2" { algorithm = "RS256" audience = {"apache"} }' \
        'profile "mod_auth_openidc" { algorithm = "ES256" audience = {"apache"} }' \
        'profile "all" { algorithm = "RS256" audience = {"apache"} claims = "{ \"sun\": \"${subject}\" }" }'
    printf 'profile "%s" { algorithm = "%s" audience = {"any"} }\n' RS512 RS512 RS256 RS256 \
        PS256 PS256 ES256 ES256 ES384 ES384 EdDSA EdDSA
}

# start NAME SHIPPED KEYS: authserver.fcgi with a folder of keys, behind nginx/SHIPPED.
start() {
    local lines folder=$WORK/shipped-$1/nginx

    mapfile -t lines < <(profiles)
    gateway_create "$1" "${lines[@]}"
    sed -i "s|^private-key = .*|private-key = \"$3\"|" "$WORK/$1/etc/authserver.conf"
    ca_install "$1"
    install -d -m 0755 "$folder"
    cp "$SOURCE"/nginx/authserver_* "$folder/"
    cp "$SOURCE/nginx/$2" "$folder/basic.conf"
    SOURCE=$WORK/shipped-$1 gateway_start "$1"
}

# mint INSTANCE PROFILE FILE
mint() {
    request_as alice -H 'Accept: application/jwt' \
        "http://127.0.0.1:$(port_of "$1")/alice?profile=$2"
    [ "$STATUS" = 200 ] || show
    cp "$BODY" "$3"
}

# refuses PATTERN VERIFIER FILE: it does, and for that reason.
refuses() {
    if "$2" "$3"; then
        echo "$2 believed it"
        return 1
    fi
    grep -q -e "$1" "$SAID" || {
        echo "$2 said something else than '$1':"
        cat "$SAID"
        return 1
    }
}

# judges VERIFIER PROFILE CHANGED PRUNED: it believes what is minted with the profile, and refuses,
# with words like these, a token whose signature or claims were changed, and one of the key that
# was pruned.
judges() {
    mint main "$2" "$TOKEN"
    "$1" "$TOKEN" || {
        cat "$SAID" "$LOG"/*
        return 1
    }
    change_signature
    refuses "$3" "$1" "$CHANGED"
    change_claims
    refuses "$3" "$1" "$CHANGED"
    mint old "$2" "$PRUNED"
    [ "$(token header "$PRUNED" | sed 's/"kid.*//')" = "$(token header "$TOKEN" | sed 's/"kid.*//')" ]
    refuses "$4" "$1" "$PRUNED"
}

# Another first character of the signature: the last one has bits that are not used.
change_signature() {
    awk -F. -v OFS=. '{ $3 = (substr($3, 1, 1) == "A" ? "B" : "A") substr($3, 2); printf "%s", $0 }' \
        "$TOKEN" >"$CHANGED"
    [ "$(wc -c <"$TOKEN")" -eq "$(wc -c <"$CHANGED")" ]
    must_not cmp -s "$TOKEN" "$CHANGED"
}

# alice becomes root.
change_claims() {
    local claims
    claims=$(token claims "$TOKEN" | sed 's/"sub":"alice"/"sub":"root"/' | basenc --base64url -w 0)

    awk -F. -v OFS=. -v claims="${claims%%=*}" '{ $2 = claims; printf "%s", $0 }' "$TOKEN" >"$CHANGED"
    token claims "$CHANGED" | grep -q '"sub":"root"'
}

# handed_over FILE PROFILE: a token by a node to which the newest key has not come yet. It
# signs with the one before, which has retired elsewhere.
handed_over() {
    local conf=$WORK/late.conf

    sed -e "s|^private-key = .*|private-key = \"$WORK/keys.late\"|" \
        -e "s|^directory = .*|directory = \"$WORK/tokens.late\"|" "$CONF" >"$conf"
    "$BUILD/tests/lib/ask" --execute "$WORK/bin/authserver.cgi" \
        "AUTHSERVER_CONFIG=$conf" HTTP_ACCEPT=application/jwt "QUERY_STRING=profile=$2" |
        sed '1,/^\r$/d' >"$1"
    grep -qxE '[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+' "$1"
}

# --- the verifiers ----------------------------------------------------------------

@test "PyJWT, which fetches the keys: accepts the profile's token, none changed, none pruned" {
    AUDIENCE=pyjwt
    judges pyjwt_verifies pyjwt InvalidSignatureError 'Unable to find a signing key that matches'
    # It was the key, and nothing else: whoever publishes it is believed.
    gateway_use old
    pyjwt_verifies "$PRUNED"
}

@test "PyJWT accepts every algorithm, and no token for somebody else" {
    local algorithm

    AUDIENCE=any
    for algorithm in "${ALGORITHMS[@]}"; do
        mint main "$algorithm" "$TOKEN"
        token header "$TOKEN" | grep -q "^{\"alg\":\"$algorithm\",\"typ\":\"JWT\",\"kid\":"
        pyjwt_verifies "$TOKEN" || { cat "$SAID"; return 1; }
    done
    AUDIENCE=other
    refuses InvalidAudienceError pyjwt_verifies "$TOKEN"
}

@test "jose, with the JWK Set as it is served: accepts the profile's token, none changed, none pruned" {
    judges jose_verifies jose 'Signature validation failed' 'Signature validation failed'
    gateway_use old
    jose_verifies "$PRUNED"
}

@test "jose for Node, which fetches the keys: the same, with ES256, PS256 and EdDSA" {
    local profile

    AUDIENCE=node
    for profile in node node-ps256 node-eddsa; do
        gateway_use main
        judges node_verifies "$profile" ERR_JWS_SIGNATURE_VERIFICATION_FAILED \
            ERR_JWKS_NO_MATCHING_KEY
        gateway_use old
        node_verifies "$PRUNED"
    done
}

@test "HAProxy, with the keys as PEM files: the same, with RS256 and ES256" {
    judges haproxy_verifies haproxy '^HTTP/1.1 401' '^HTTP/1.1 401'
    judges haproxy_verifies haproxy-es256 '^HTTP/1.1 401' '^HTTP/1.1 401'
    must_not haproxy_verifies /dev/null
}

@test "Apache's mod_oauth2, which fetches the keys: the same" {
    judges mod_oauth2_verifies mod_oauth2 'Token could not be verified' \
        'Token could not be verified'
}

@test "Apache's mod_auth_openidc, which fetches the keys by TLS: the same" {
    judges mod_auth_openidc_verifies mod_auth_openidc 'JWT token could not be validated' \
        'JWT token could not be validated'
}

@test "Apache's modules let in no token that is for somebody else" {
    mint main pyjwt "$TOKEN"
    refuses '^HTTP/1.1 40[13]' mod_oauth2_verifies "$TOKEN"
    refuses '^HTTP/1.1 40[13]' mod_auth_openidc_verifies "$TOKEN"
}

@test "Dovecot, with the keys as files: the same" {
    judges dovecot_verifies dovecot 'Local validation failed: Bad signature' \
        "Local validation failed: RS256 key '[A-Za-z0-9_-]*' not found"
}

@test "Slurm's auth/jwt, with the JWK Set as a file: the same, and the user is the subject" {
    judges slurm_verifies slurm 'failed to verify jwt' 'could not find matching kid'
    # What only the administrator may: the controller says for whom it took the client.
    "$BUILD/tests/lib/ask" "$WORK/main/run/authserver.sock" PATH_INFO=/daemon \
        REMOTE_USER=daemon HTTP_ACCEPT=application/jwt QUERY_STRING=profile=slurm |
        sed '1,/^\r$/d' >"$TOKEN"
    must_not slurm "$TOKEN" scontrol reconfigure
    grep -q "RECONFIGURE RPC from uid=$(id -u daemon)$" "$SAID" || { cat "$SAID"; return 1; }
}

# --- keys that come and go --------------------------------------------------------

@test "a token by a key that retired minutes ago is believed by all" {
    local verifier

    handed_over "$TOKEN" all
    export AUDIENCE=apache
    for verifier in pyjwt node jose haproxy mod_oauth2 mod_auth_openidc dovecot slurm; do
        "${verifier}_verifies" "$TOKEN" || { echo "$verifier"; cat "$SAID"; return 1; }
    done
    # It is that key's.
    mint main all "$CHANGED"
    must_not cmp <(token header "$TOKEN") <(token header "$CHANGED")
}

@test "the keys are those that sign, that come next, and that retired, and none that was pruned" {
    local file kids=()

    request "$URL/.well-known/jwks.json"
    [ "$STATUS" = 200 ] || show
    for file in "$WORK"/keys/*; do
        [ -e "$WORK/keys.old/${file##*/}" ] || kids+=("$(thumbprint "$file")")
    done
    [ "${#kids[@]}" -eq 10 ]
    token holds "sorted(k['kid'] for k in it['keys']) == sorted('${kids[*]}'.split())" <"$BODY"
    request "http://127.0.0.1:$(port_of old)/.well-known/jwks.json"
    token holds "len(it['keys']) == 6 and not set(k['kid'] for k in it['keys']) & set('${kids[*]}'.split())" <"$BODY"
}

# The kid that RFC 7638 gives a private key, by implementations that are not ours.
thumbprint() {
    openssl pkey -in "$1" -pubout -out "$BATS_TEST_TMPDIR/public"
    token run "$BATS_TEST_TMPDIR/public" <<'PYTHON'
import base64, hashlib, json, sys
from cryptography.hazmat.primitives import serialization as s
key = s.load_pem_public_key(open(sys.argv[1], "rb").read())
b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
number = lambda n, size: b64(n.to_bytes(size, "big"))
if hasattr(key, "curve"):
    n = key.public_numbers(); size = (key.curve.key_size + 7) // 8
    m = {"crv": "P-%d" % key.curve.key_size, "kty": "EC", "x": number(n.x, size), "y": number(n.y, size)}
elif hasattr(key, "key_size"):
    n = key.public_numbers()
    m = {"e": number(n.e, 3), "kty": "RSA", "n": number(n.n, key.key_size // 8)}
else:
    raw = key.public_bytes(s.Encoding.Raw, s.PublicFormat.Raw)
    m = {"crv": "Ed25519", "kty": "OKP", "x": b64(raw)}
print(b64(hashlib.sha256(json.dumps(m, separators=(",", ":"), sort_keys=True).encode()).digest()))
PYTHON
}

@test "a published key has its public members and no other, whatever its type" {
    request "$URL/.well-known/jwks.json"
    header Content-Type application/jwk-set+json
    token holds "set(it) == {'keys'}" <"$BODY"
    token holds "all(set(k) - {'kty', 'alg', 'use', 'kid'} == set({'RSA': 'n e', 'EC': 'crv x y',
        'OKP': 'crv x'}[k['kty']].split()) for k in it['keys'])" <"$BODY"
    token holds "all(k['use'] == 'sig' for k in it['keys'])" <"$BODY"
    token holds "{(k['kty'], k['alg'], k.get('crv')) for k in it['keys']} == {('RSA', 'RS512', None),
        ('RSA', 'RS256', None), ('RSA', 'PS256', None), ('EC', 'ES256', 'P-256'),
        ('EC', 'ES384', 'P-384'), ('OKP', 'EdDSA', 'Ed25519')}" <"$BODY"
}

@test "the keys may be kept until one is pruned, and who has them is told so without a body" {
    local etag age match

    request "$URL/.well-known/jwks.json"
    header Cache-Control
    [[ $VALUE =~ ^public,\ max-age=([0-9]+)$ ]] || show
    # A key that retired five minutes ago is pruned twelve minutes after it did: when the last of
    # its tokens is over, and ten minutes later.
    age=${BASH_REMATCH[1]}
    [ "$age" -gt 0 ] && [ "$age" -le 420 ]
    header ETag
    etag=$VALUE
    [[ $etag == \"*\" ]]
    for match in "$etag" "W/$etag" "\"other\", $etag" '*'; do
        request -H "If-None-Match: $match" "$URL/.well-known/jwks.json"
        [ "$STATUS" = 304 ] || show
        [ ! -s "$BODY" ]
        header ETag "$etag"
        header Cache-Control
    done
    request -H 'If-None-Match: "other"' "$URL/.well-known/jwks.json"
    [ "$STATUS" = 200 ]
    header ETag "$etag"
    [ -s "$BODY" ]
    # Another server with the same keys says the same.
    request "https://localhost:$(port_of tls)/.well-known/jwks.json" --cacert "$CA/ca.crt"
    header ETag "$etag"
    request -X POST -d '' "$URL/.well-known/jwks.json"
    refused 405
}
