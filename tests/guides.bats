#!/usr/bin/env bats
# deploy/guides: the configurations are accepted as they stand, their files are made by
# authserver-keep, and the tokens in them are what the text says: verified by PyJWT with the keys
# that are published. AUTHSERVER_BUILD names the build folder.

load lib/quick

setup_file() {
    quick
    export SOURCE=$BATS_TEST_DIRNAME/.. AT=$BATS_FILE_TMPDIR
    BUILD=$(cd "${AUTHSERVER_BUILD:-${BUILD:-$SOURCE/build}}" && pwd)
    export BUILD
    # The lines of README.md that make the keys, and its document.
    mkdir -m 0700 "$AT/keys" "$AT/kept"
    fenced README.md console | sed -n "s,^# \(authserverctl .*\),\1,p" >"$AT/lines"
    [ "$(wc -l <"$AT/lines")" -eq 3 ]
    sed -i "s,/etc/authserver/keys,$AT/keys,; s,/srv/tokens/.well-known,$AT," "$AT/lines"
    PATH=$BUILD:$PATH bash -e "$AT/lines"
    fenced README.md json >"$AT/openid-configuration"
}

setup() { quick; }

# fenced FILE KIND: what is in the blocks of that kind.
fenced() {
    awk -v kind="$2" '/^```/ { inside = !inside && $0 == "```" kind; next } inside' \
        "$SOURCE/deploy/guides/$1"
}

# keeps GUIDE: its configuration, with only paths and the group changed, and its file.
keeps() {
    CONF=$AT/$1.conf FILE=$AT/kept/$1/token
    mkdir -m 0700 "$AT/kept/$1"
    fenced "$1.md" authserver.conf >"$CONF.shown"
    sed -e "s,/etc/authserver/keys,$AT/keys,; s,/run/authserver-keep/[^/]*/,$AT/kept/$1/," \
        -e "s/^\( *group = \).*/\1\"$(id -gn)\"/" "$CONF.shown" >"$CONF"
    chmod 0600 "$CONF"
    "$BUILD/authserverctl" check --config="$CONF"
    "$BUILD/authserver-keep" -q --config="$CONF"
}

# says TOKEN AUDIENCE ALGORITHM SUBJECT: by the set that was published, and nothing else.
says() {
    /usr/bin/python3 - "$AT/jwks.json" "$AT/openid-configuration" "$@" <<'PYTHON'
import json, sys, time, jwt
keys, metadata, token, audience, algorithm, subject = sys.argv[1:]
metadata = json.load(open(metadata))
header = jwt.get_unverified_header(token)
assert header["alg"] == algorithm in metadata["id_token_signing_alg_values_supported"], header
key = {k.key_id: k for k in jwt.PyJWKSet.from_json(open(keys).read()).keys}[header["kid"]]
claims = jwt.decode(token, key.key, algorithms=[algorithm], audience=audience,
                    issuer=metadata["issuer"], options={"require": ["exp", "iat", "sub"]})
assert claims["sub"] == subject and claims["aud"] == audience, claims
PYTHON
}

@test "AWS: the token, the trust policy and the environment are about one file, subject and audience" {
    keeps aws
    says "$(cat "$FILE")" sts.amazonaws.com RS256 svc-build
    fenced aws.md json | jq -e '.Statement[0] | .Condition.StringEquals == {
        "tokens.example.org:aud": "sts.amazonaws.com", "tokens.example.org:sub": "svc-build"}
        and .Action == "sts:AssumeRoleWithWebIdentity"'
    [ "$(fenced aws.md console | sed -n 's/.*AWS_WEB_IDENTITY_TOKEN_FILE=//p')" = \
        "$(sed -n 's/^ *file = "\(.*\)"/\1/p' "$CONF.shown")" ]
}

@test "Azure: the token and the federated credential are equal, letter by letter" {
    keeps azure
    says "$(cat "$FILE")" api://AzureADTokenExchange RS256 svc-build
    fenced azure.md json | jq -e '.issuer == "https://tokens.example.org" and .subject == "svc-build"
        and .audiences == ["api://AzureADTokenExchange"]'
    [ "$(fenced azure.md console | sed -n 's/.*AZURE_FEDERATED_TOKEN_FILE=//p')" = \
        "$(sed -n 's/^ *file = "\(.*\)"/\1/p' "$CONF.shown")" ]
}

@test "Google Cloud: the credentials' format finds the token in the file, for the provider's audience" {
    keeps google-cloud
    fenced google-cloud.md json >"$AT/google.json"
    [ "$(jq -r .credential_source.file "$AT/google.json")" = \
        "$(sed -n 's/^ *file = "\(.*\)"/\1/p' "$CONF.shown")" ]
    jq -e '.type == "external_account" and .credential_source.format.type == "json"' "$AT/google.json"
    field=$(jq -r .credential_source.format.subject_token_field_name "$AT/google.json")
    says "$(jq -r ".$field" "$FILE")" "https:$(jq -r .audience "$AT/google.json")" RS256 svc-build
}

@test "Vault: the role and its configuration take the token" {
    keeps vault
    shown=$(fenced vault.md console)
    said() { grep -oE "(^| )$1=[^ ]*" <<<"$shown" | head -n 1 | sed 's/^[^=]*=//'; }
    [ "$(said bound_issuer)" = https://tokens.example.org ]
    [ "$(said jwks_url)" = "$(jq -r .jwks_uri "$AT/openid-configuration")" ]
    says "$(cat "$FILE")" "$(said bound_audiences)" "$(said jwt_supported_algs)" "$(said bound_subject)"
    # Vault Agent deletes what it has read unless it is told not to.
    fenced vault.md hcl | grep -q 'remove_jwt_after_reading = false'
}

@test "Prometheus: promtool takes its side, and the file has the token" {
    keeps prometheus
    fenced prometheus.md yaml >"$AT/prometheus.yml"
    sed -i "s,/run/authserver-keep/svc-prometheus/,$AT/kept/prometheus/," "$AT/prometheus.yml"
    promtool check config "$AT/prometheus.yml"
    grep -q "credentials_file: $FILE\$" "$AT/prometheus.yml"
    says "$(cat "$FILE")" metrics RS256 svc-prometheus
    # Which the service that nginx asks lets in as well.
    "$BUILD/authserverctl" verify --config="$CONF" "$(cat "$FILE")"
}

@test "every guide has a configuration, and is named by README.md" {
    cd "$SOURCE/deploy/guides"
    for guide in *.md; do
        [ "$guide" = README.md ] || [ -n "$(fenced "$guide" authserver.conf)" ]
        [ "$guide" = README.md ] || grep -q "($guide)" README.md
    done
}
