#!/usr/bin/env bats
# TLS in front of Basic, and client certificates: tls.conf and mtls.conf of each server, run as
# they are shipped. The same tests for both: GATEWAY is nginx-fcgi or apache-proxy-fcgi;
# tests/run goes through them.

load lib/gateway
load lib/http
load lib/ca
load lib/auth

setup_file() {
    GATEWAY=${GATEWAY:-nginx-fcgi}
    export GATEWAY
    auth_init
    start tls tls.conf
    start mtls mtls.conf
}

teardown() {
    auth_teardown
}

teardown_file() {
    gateway_end
}

# start NAME SHIPPED [EDIT]: an instance that runs the server's file of that name.
start() {
    gateway_create "$1"
    auth_start "$@"
}

# Without a certificate there is no answer of authserver: nginx says 403, Apache ends the
# handshake.
refused_without_certificate() {
    case $GATEWAY in
    nginx-*)
        request "$@"
        refused '403 *:403'
        ;;
    *)
        must_not curl -s -o "$BODY" "$@"
        no_file
        ;;
    esac
}

# --- TLS in front of Basic --------------------------------------------------------

@test "TLS: a user gets a token for itself and for nobody else" {
    at tls
    request_as alice "$URL/alice"
    minted
    of alice
    request_as alice "$URL/bob"
    refused 403
    request -u alice:wrong "$URL/alice"
    refused '401 *:401'
    request "$URL/alice"
    refused '401 *:401'
}

@test "TLS: without it there is no answer of authserver" {
    at tls
    request_as alice "http://localhost:${URL##*:}/alice"
    refused '400 *:400'
    request_as alice "http://localhost:${URL##*:}/-/healthy"
    refused '400 *:400'
}

@test "TLS: versions before 1.2 are not spoken, and the certificate is the configured one" {
    at tls
    must_not openssl s_client -connect "127.0.0.1:${URL##*:}" -servername localhost -tls1_1 \
        -cipher 'ALL:@SECLEVEL=0' </dev/null
    openssl s_client -connect "127.0.0.1:${URL##*:}" -servername localhost -tls1_2 \
        -CAfile "$CA/ca.crt" -verify_hostname localhost -verify_return_error </dev/null
    must_not curl -s --cacert "$CA/other.crt" "$URL/-/healthy"
}

@test "threat: forged identity headers have no effect, with TLS" {
    local fields

    at tls
    mapfile -t fields < <(forged bob)
    request "${fields[@]}" "$URL/bob"
    refused '401 *:401'
    request_as alice "${fields[@]}" "$URL/bob"
    refused 403
}

@test "TLS: a client certificate is no identity where none is asked for" {
    at tls
    request_with alice "$URL/alice"
    refused '401 *:401'
    request_with bob -u "alice:$PASSWORD-alice" "$URL/bob"
    refused 403
}

@test "threat: web page, DNS rebinding: with TLS they get nothing" {
    at tls
    request_as alice -H 'Host: evil.example' "$URL/alice"
    refused 403
    request_as alice -H "Origin: $URL" "$URL/alice"
    refused 403
    request_as alice -H 'Sec-Fetch-Site: cross-site' "$URL/alice"
    refused 403
    request_as alice --connect-to "evil.example:443:localhost:${URL##*:}" -k \
        https://evil.example/alice
    refused 403
}

@test "TLS: the listener is on loopback only" {
    at tls
    on_loopback_only
}

# --- client certificates ----------------------------------------------------------

@test "certificates: a caller gets a token for the name in it and for no other" {
    at mtls
    request_with alice "$URL/alice"
    minted
    of alice
    request_with bob "$URL/"
    minted
    of bob
    request_with alice "$URL/bob"
    refused 403
}

@test "threat: client certificate not verified: without one there is no token" {
    at mtls
    refused_without_certificate "$URL/alice"
    if [[ $GATEWAY == nginx-* ]]; then
        header Cache-Control no-store
        [ "$(wc -l <"$BODY")" -eq 1 ]
    fi
    refused_without_certificate -u "alice:$PASSWORD-alice" "$URL/alice"
    request_as alice "http://localhost:${URL##*:}/alice"
    refused '400 *:400'
}

@test "threat: client certificate not verified: self-signed, expired, another CA's, a server's" {
    local certificate

    at mtls
    for certificate in selfsigned expired foreign server; do
        refused_by_tls "$certificate" "$URL/alice" --next "$URL/" \
            --next -u "alice:$PASSWORD-alice" "$URL/alice"
    done
    # The same command gets a token with a good one.
    request_with alice "$URL/alice"
    minted
}

@test "threat: client certificate not verified: one that the web server lets in is nobody" {
    local certificate fields lax='s/SSLVerifyClient  *require/SSLVerifyClient optional_no_ca/
        s/Require ssl-verify-client/Require all granted/'

    [[ $GATEWAY == apache-* ]] || lax='s/ssl_verify_client .*/ssl_verify_client optional_no_ca;/'
    start mtls-lax mtls.conf "$lax"
    at mtls-lax
    for certificate in selfsigned foreign; do
        request_with "$certificate" "$URL/alice"
        refused 401
        request_with "$certificate" "$URL/"
        refused 401
    done
    request "$URL/alice"
    refused 401
    mapfile -t fields < <(forged alice)
    request "${fields[@]}" "$URL/alice"
    refused 401
    request_with selfsigned "${fields[@]}" "$URL/alice"
    refused 401
    request_with alice "$URL/alice"
    minted
}

@test "threat: forged identity headers have no effect, with certificates" {
    local fields

    at mtls
    mapfile -t fields < <(forged bob)
    refused_without_certificate "${fields[@]}" "$URL/bob"
    request_with alice "${fields[@]}" "$URL/bob"
    refused 403
    request_with alice -u "bob:$PASSWORD-bob" "$URL/bob"
    refused 403
    request_with alice "${fields[@]}" "$URL/"
    minted
    of alice
}

@test "certificates: a name inside of another part of the subject is not the caller's" {
    at mtls
    # nginx has the subject in one line, and takes none in which a name could be another's.
    if [[ $GATEWAY == nginx-* ]]; then
        request_with comma "$URL/bob"
        refused 401
        request_with comma "$URL/"
        refused 401
    else
        request_with comma "$URL/bob"
        refused 403
        request_with comma "$URL/"
        minted
        of janedoe
    fi
}

@test "certificates: the listener is on loopback only" {
    at mtls
    on_loopback_only
}

@test "no log holds a token, a password or a byte of a private key" {
    local name logs=("$WORK"/*/log)

    at tls
    request_as alice "$URL/alice"
    at mtls
    request_with alice -H 'Accept: application/jwt' "$URL/alice"
    request_with alice -H "Authorization: Bearer $(cat "$BODY")" "$URL/alice"
    grep -rq 'Generated token' "${logs[@]}"
    must_not grep -rn eyJ "${logs[@]}"
    must_not grep -rn "$PASSWORD-alice" "${logs[@]}"
    for name in alice server; do
        must_not grep -rnF "$(sed -n 2p "$CA/$name.key")" "${logs[@]}"
    done
}
