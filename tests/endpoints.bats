#!/usr/bin/env bats
# What verifiers and watchers ask for: the public keys, the metadata, and whether we are ready.

load lib/fastcgi
load lib/clock

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }
setup() { fastcgi_begin; }
teardown() { fastcgi_end; }

# anyone PARAM...: a request of nobody in particular.
anyone() { ask REMOTE_USER AUTH_TYPE "$@"; }

field() { sed -n "s/^$1: \(.*\)\r\$/\1/p" "$DIR/answer"; }

holds() { token holds "$1" <<<"$BODY"; }

KEYS=/.well-known/jwks.json
METADATA=/.well-known/openid-configuration
OAUTH=/.well-known/oauth-authorization-server

@test "the public keys are a JWK Set that verifies our tokens, and need no login" {
    serve
    mints
    anyone PATH_INFO=$KEYS
    [ "$STATUS" = 200 ]
    [ "$(field Content-Type)" = application/jwk-set+json ]
    /usr/bin/python3 - "$FILE" "$BODY" <<'END'
import jwt, sys
token = open(sys.argv[1]).read()
keys = jwt.PyJWKSet.from_json(sys.argv[2])
key = keys[jwt.get_unverified_header(token)["kid"]]
assert jwt.decode(token, key.key, algorithms=["RS512"])["sub"] == "alice"
END
    holds "set(it['keys'][0]) == {'kty', 'n', 'e', 'alg', 'use', 'kid'}"
}

@test "a client that has the keys already is told so" {
    serve
    anyone PATH_INFO=$KEYS
    tag=$(field ETag)
    [[ $tag =~ ^\"[A-Za-z0-9_-]{43}\"$ ]]
    for tags in "$tag" "W/$tag" "\"other\", $tag" '*'; do
        anyone PATH_INFO=$KEYS HTTP_IF_NONE_MATCH="$tags"
        [ "$STATUS" = 304 ]
        [ -z "$BODY" ]
        [ "$(field ETag)" = "$tag" ]
        [ "$(field Cache-Control)" = 'public, max-age=600' ]
        [ -z "$(field Content-Length)" ]
    done
    anyone PATH_INFO=$KEYS HTTP_IF_NONE_MATCH='"other"'
    [ "$STATUS" = 200 ]
}

@test "the keys may be kept until the next change of state, and never longer" {
    mkdir -m 0700 "$DIR/keys"
    now=$(date +%s)
    install -m 0600 "$WORK/key" "$DIR/keys/$(date -ud @$((now - 100)) +%Y%m%dT%H%M%SZ).pem"
    install -m 0600 "$WORK/other" "$DIR/keys/$(date -ud @$((now + 300)) +%Y%m%dT%H%M%SZ).pem"
    configure "private-key = \"$DIR/keys\""
    sed -i '/private-key.*\/key"$/d' "$CONF"
    serve
    anyone PATH_INFO=$KEYS
    holds "len(it['keys']) == 2"
    age=$(field Cache-Control)
    age=${age#public, max-age=}
    [ "$age" -gt 250 ] && [ "$age" -le 300 ]
}

@test "the metadata name the issuer and where its keys are" {
    serve
    for path in $METADATA $OAUTH; do
        anyone PATH_INFO="$path"
        [ "$STATUS" = 200 ]
        [ "$(field Content-Type)" = application/json ]
        holds "it['issuer'] == 'https://first.example'"
        holds "it['jwks_uri'] == 'https://first.example/.well-known/jwks.json'"
        holds "it['id_token_signing_alg_values_supported'] == ['RS512']"
        holds "it['subject_types_supported'] == ['public'] and it['response_types_supported']"
    done
}

@test "an issuer with a path is found before and behind that path" {
    serve --issuer https://first.example/a/b
    for path in $METADATA/a/b /a/b$METADATA $OAUTH/a/b $METADATA; do
        anyone PATH_INFO="$path"
        [ "$STATUS" = 200 ]
        holds "it['issuer'] == 'https://first.example/a/b'"
        holds "it['jwks_uri'] == 'https://first.example/a/b/.well-known/jwks.json'"
    done
    anyone PATH_INFO=/a/b$KEYS
    [ "$STATUS" = 200 ]
    for path in $METADATA/a /a$METADATA /a/b$METADATA/a/b /a/b/-/ready /a/bb$KEYS; do
        anyone PATH_INFO="$path"
        [ "$STATUS" = 404 ]
    done
}

@test "an issuer with a slash at its end is found where it says" {
    serve --issuer https://first.example/t/
    for path in /t$METADATA $METADATA/t /t$KEYS; do
        anyone PATH_INFO="$path"
        [ "$STATUS" = 200 ]
    done
    anyone PATH_INFO=$METADATA
    holds "it['issuer'] == 'https://first.example/t/'"
    holds "it['jwks_uri'] == 'https://first.example/t/.well-known/jwks.json'"
}

@test "an issuer that is no URL has keys but no metadata, and is told what to do" {
    serve --issuer 192.0.2.7
    anyone PATH_INFO=$METADATA
    refused 404 "set 'issuer' to one"
    anyone PATH_INFO=$KEYS
    [ "$STATUS" = 200 ]
}

@test "these resources answer GET alone" {
    serve
    for path in $KEYS $METADATA $OAUTH /-/ready /-/healthy; do
        anyone PATH_INFO="$path" REQUEST_METHOD=POST
        refused 405
        [ "$(field Allow)" = GET ]
    done
}

@test "verifiers and probes may call us by any name, and get no token by it" {
    serve
    for path in $KEYS $METADATA /-/ready /-/healthy; do
        anyone PATH_INFO="$path" HTTP_HOST=auth.example
        [ "$STATUS" = 200 ]
    done
    ask HTTP_HOST=auth.example
    refused 403
}

@test "it is ready while tokens can be had" {
    serve
    anyone PATH_INFO=/-/ready
    [ "$STATUS" = 200 ]
    holds "it == {'ready': True, 'signer': 'ok', 'keys': 'ok', 'directory': 'ok', 'configuration': 'ok', 'sandbox': it['sandbox']}"
    [ "$(field Cache-Control)" = no-store ]
}

@test "it is not ready when the token directory is gone or another one" {
    serve
    mv "$TOKENS" "$TOKENS.old"
    anyone PATH_INFO=/-/ready
    [ "$STATUS" = 503 ]
    holds "it['ready'] is False and it['directory'] == 'gone' and it['signer'] == 'ok'"
    mkdir -m 0750 "$TOKENS"
    anyone PATH_INFO=/-/ready
    [ "$STATUS" = 503 ]
}

@test "it is not ready while no key signs, as when a clock is wrong" {
    mkdir -m 0700 "$DIR/keys"
    install -m 0600 "$WORK/key" "$DIR/keys/$(date -u +%Y%m%dT%H%M%SZ).pem"
    configure "private-key = \"$DIR/keys\""
    sed -i '/private-key.*\/key"$/d' "$CONF"
    # The library that fakes the clock reads a file.
    printf '%s\n' 'seccomp = off' 'landlock = off' >>"$CONF"
    date '+%F %T' >"$DIR/now"
    run_server env LD_PRELOAD="${CLOCK_LIBRARY/.so/MT.so}" \
        FAKETIME_TIMESTAMP_FILE="$DIR/now" FAKETIME_NO_CACHE=1 \
        "$FCGI" --config "$CONF" --socket "$SOCKET"
    anyone PATH_INFO=/-/ready
    [ "$STATUS" = 200 ]
    echo '2020-01-01 00:00:00' >"$DIR/now"
    anyone PATH_INFO=/-/ready
    [ "$STATUS" = 503 ]
    holds "it['ready'] is False and it['keys'] == 'none signs now' and it['signer'] == 'ok'"
    ask
    refused 503
    # Killed, it would leave the library's semaphore behind.
    stop
}

@test "it is not ready while the signer does not answer" {
    serve
    find_parts
    kill -STOP "$SIGNER"
    anyone PATH_INFO=/-/ready
    kill -CONT "$SIGNER"
    [ "$STATUS" = 503 ]
    holds "it['ready'] is False and it['signer'] == 'does not answer'"
    anyone PATH_INFO=/-/ready
    [ "$STATUS" = 200 ]
}

@test "a reload that failed leaves it ready with the old configuration, and shows" {
    serve
    head -c 800 "$WORK/key" >"$KEY"
    kill -HUP "$MONITOR"
    until_true 5 logged "Not reloaded, the old configuration stays: $KEY: "
    anyone PATH_INFO=/-/ready
    [ "$STATUS" = 200 ]
    holds "it['configuration'].startswith('an older one')"
    mints
    token verify "$WORK/key.pub" "$FILE"
    install -m 0600 "$WORK/other" "$KEY"
    kill -HUP "$MONITOR"
    until_true 5 logged ' Reloaded$'
    anyone PATH_INFO=/-/ready
    holds "it['configuration'] == 'ok'"
    mints
    token verify "$WORK/other.pub" "$FILE"
}
