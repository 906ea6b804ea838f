#!/usr/bin/env bats
# The profiles that are shipped: each is accepted, and makes the token that its comment promises.

load lib/fastcgi

setup_file() {
    fastcgi_init
    PROFILES=$(cd "$BATS_TEST_DIRNAME/.." && pwd)/deploy/examples/profiles.conf
    KEYS=$WORK/keys
    export PROFILES KEYS
    mkdir -m 0700 "$KEYS"
    # For RS512, RS256 and ES256; the first is of no name's algorithm, but of the configuration's.
    install -m 0600 "$WORK/key" "$KEYS/20200101T000000Z.pem"
    install -m 0600 "$WORK/other" "$KEYS/20200101T000000Z.RS256.pem"
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
        -out "$KEYS/20200101T000000Z.ES256.pem"
    chmod 0600 "$KEYS"/*
}
teardown_file() { fastcgi_clean; }
setup() {
    fastcgi_begin
    printf '%s\n' '{ "alice": { "email": "alice@example.org" } }' >"$DIR/attributes"
    chmod 0644 "$DIR/attributes"
}
teardown() { fastcgi_end; }

# with_profiles [LINE]...: a configuration that ends in those that are shipped.
with_profiles() {
    configure "attributes = \"$DIR/attributes\"" "$@"
    sed -i "s|^private-key.*|private-key = \"$KEYS\"|" "$CONF"
    cat "$PROFILES" >>"$CONF"
}

names() { sed -n 's/^profile "\(.*\)" {$/\1/p' "$PROFILES"; }

# asks NAME [QUERY]: sets FILE to the token file; QUERY begins with "&".
asks() { mints "QUERY_STRING=profile=$1${2:-}"; }

header() { token header "$FILE" | token holds "($1)"; }
claims() { token claim "$FILE" "($1)"; }

# shape NAME ALGORITHM EXPRESSION: the header, what all tokens have in common, and what is this
# profile's own.
shape() {
    asks "$1"
    header "it['alg'] == '$2' and it['typ'] == 'JWT' and len(it['kid']) == 43 and len(it) == 3"
    claims "it['iss'] == 'https://first.example' and it['sub'] == 'alice' and isinstance(it['exp'], int)"
    claims "$3"
}

@test "every shipped profile is accepted, and is in a test below" {
    local name count=0

    with_profiles
    serve
    for name in $(names); do
        asks "$name"
        grep -q "^    shape $name " "$BATS_TEST_FILENAME" || { echo "$name"; return 1; }
        count=$((count + 1))
    done
    [ "$count" -ge 10 ]
}

@test "okera, slurm, dovecot and docker-registry get what they insist on" {
    with_profiles
    serve
    shape okera RS512 '"aud" not in it and it["exp"] - it["iat"] == 86400'
    shape slurm RS256 'it["sun"] == "alice"'
    shape dovecot RS256 'it["aud"] == "dovecot" and it["email"] == "alice@example.org"'
    shape docker-registry RS256 'it["aud"] == "registry.example.org" and it["nbf"] == it["iat"] and
        it["access"] == [{"type": "repository", "name": "alice/app", "actions": ["pull", "push"]}]'
}

@test "aws, azure and gcp get the audiences that they know" {
    with_profiles
    serve
    shape aws RS256 'it["aud"] == "sts.amazonaws.com" and it["exp"] - it["iat"] == 3600'
    shape azure RS256 'it["aud"] == "api://AzureADTokenExchange"'
    shape gcp RS256 'it["exp"] - it["iat"] <= 86400 and it["aud"] ==
        "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"'
}

@test "vault, kubernetes and trino get what they insist on" {
    with_profiles
    serve
    shape vault ES256 'it["aud"] == "vault" and it["exp"] - it["iat"] == 600'
    shape kubernetes RS256 'it["aud"] == ["kubernetes", "https://kubernetes.default.svc"]'
    shape trino RS256 'it["aud"] == "trino" and it["preferred_username"] == "alice"'
}

@test "a shipped profile gives no other audience and no longer life than it says" {
    with_profiles
    serve
    asks kubernetes '&audience=kubernetes'
    claims 'it["aud"] == "kubernetes"'
    ask QUERY_STRING='profile=aws&audience=vault'
    refused 403 'this audience is not allowed'
    ask QUERY_STRING='profile=vault&ttl=11m'
    refused 403 'over the limit of 600 seconds'
    asks vault '&ttl=1m'
    claims 'it["exp"] - it["iat"] == 60'
}

@test "the published keys verify the tokens of all profiles, by an implementation that is not ours" {
    local name

    with_profiles
    serve
    ask PATH_INFO=/.well-known/jwks.json
    printf '%s' "$BODY" >"$DIR/jwks"
    token holds 'sorted(k["alg"] for k in it["keys"]) == ["ES256", "RS256", "RS512"]' <"$DIR/jwks"
    for name in $(names); do
        asks "$name"
        jose jws ver -i "$FILE" -k "$DIR/jwks" -O /dev/null
    done
}

@test "without a key for RS256 the start is refused, and the profile is named" {
    with_profiles
    sed -i "s|^private-key.*|private-key = \"$KEY\"|" "$CONF"
    fails_with 78 "authserver.conf:[0-9]*: profile 'slurm': no key signs with RS256 now" \
        "$FCGI" --config "$CONF" --socket "$SOCKET"
}

@test "policy says who may have which of the shipped profiles" {
    printf '%s\n' 'permit alice as self profile aws gcp' >"$DIR/rules"
    with_profiles "policy = \"$DIR/rules\""
    serve
    asks aws
    ask QUERY_STRING=profile=azure
    refused 403 'this profile is not allowed'
    ask
    refused 403 'name a profile: ?profile=NAME'
}
