#!/usr/bin/env bats
# The ways in which Apache finds out who is asking, besides htpasswd files: apache/ldap.conf
# against a slapd, apache/kerberos.conf against a KDC, and what apache/mtls.conf alone can be
# told; each run as it is shipped. TLS and client certificates are in tls.bats.

load lib/gateway
load lib/http
load lib/ca
load lib/auth
load lib/slapd
load lib/kdc

setup_file() {
    export GATEWAY=apache-proxy-fcgi
    auth_init
    slapd_start "$WORK/slapd"
    kdc_start "$WORK/kdc"
    start ldap ldap.conf
    start kerberos kerberos.conf '' 'realms = {"EXAMPLE.ORG"}' \
        'hosts = {"localhost", "127.0.0.1", "gateway.example.org"}'
}

teardown() {
    auth_teardown
}

teardown_file() {
    kdc_stop
    slapd_stop
    gateway_end
}

# start NAME SHIPPED [EDIT] [LINE]...: an instance that runs apache/SHIPPED. Where the shipped
# files name a directory and its CA, those of the tests are put.
start() {
    local name=$1 file=$2 edit=${3:-}

    shift "$(($# < 3 ? $# : 3))"
    gateway_create "$name" "$@"
    echo search >"$WORK/$name/etc/ldap-password"
    install -m 0640 -g "$(id -g "$WEB_USER")" "$KDC/http.keytab" "$WORK/$name/etc/http.keytab"
    auth_start "$name" "$file" "s|ldaps://ldap\.example\.org|$SLAPD_URL|
        s|/etc/ssl/certs/ca-certificates\.crt|$CA/ca.crt|
        s|^\( *GssapiCredStore\) keytab:.*|&\n\1 rcache:file2:$WORK/$name/web/rcache|
        $edit"
}

# --- LDAP -------------------------------------------------------------------------

@test "LDAP: a user gets a token for itself and for nobody else" {
    at ldap
    request_as alice "$URL/alice"
    minted
    of alice
    request_as bob "$URL/"
    minted
    of bob
    request_as alice "$URL/bob"
    refused 403
    request_as alice "$URL/root"
    refused 403
}

@test "LDAP: a wrong password, none, and an unknown user get no token" {
    local credentials

    at ldap
    for credentials in alice:wrong "alice:$PASSWORD-bob" "nobody:$PASSWORD-alice" \
        ":$PASSWORD-alice" :; do
        request -u "$credentials" "$URL/alice"
        refused '401 *:401'
    done
    request "$URL/alice"
    refused '401 *:401'
}

@test "LDAP: an empty password is no password, though the directory binds with it" {
    local dn=uid=alice,ou=people,dc=example,dc=org

    at ldap
    # The directory takes it for an anonymous bind, and says that all went well.
    LDAPTLS_CACERT=$CA/ca.crt ldapwhoami -x -H "$SLAPD_URL" -D "$dn" -w '' | grep -qx anonymous
    request -u alice: "$URL/alice"
    refused '401 *:401'
    request -H "Authorization: Basic $(printf 'alice:\0' | base64)" "$URL/alice"
    refused '401 *:401'
    request -H "Authorization: Basic $(printf alice | base64)" "$URL/alice"
    refused '401 *:401'
}

@test "threat: hostile user names: LDAP takes metacharacters of filters for a wrong name" {
    local name

    at ldap
    for name in '*' 'a*' 'alice*' '*)(uid=*' ')(uid=*' 'alice)(uid=*' 'alice))(|(uid=*' '\2a' \
        'alice\00' '(uid=alice)' 'alice)(objectClass=*' '&' '|(uid=alice)' '!' "\\" \
        'uid=alice,ou=people,dc=example,dc=org'; do
        request -u "$name:$PASSWORD-alice" "$URL/alice"
        refused '401 *:401'
        request -u "$name:$PASSWORD-alice" "$URL/"
        refused '401 *:401'
    done
    # The filters that came to the directory had one name each, with its characters escaped.
    grep -qF 'filter="(&(objectClass=inetOrgPerson)(uid=\2A))"' "$SLAPD/log"
    must_not grep -F 'uid=*' "$SLAPD/log"
}

@test "threat: aliases: with LDAP the caller is the one in the directory's spelling" {
    local name

    at ldap
    for name in ALICE Alice 'alice ' ' alice'; do
        request -u "$name:$PASSWORD-alice" "$URL/"
        minted
        of alice
        request -u "$name:$PASSWORD-alice" "$URL/ALICE"
        refused 403
        request -u "$name:wrong" "$URL/alice"
        refused '401 *:401'
    done
}

@test "threat: aliases: without AuthLDAPRemoteUserAttribute, ALICE is not alice" {
    start ldap-typed ldap.conf '/AuthLDAPRemoteUserAttribute/d'
    at ldap-typed
    request -u "ALICE:$PASSWORD-alice" "$URL/alice"
    refused 403
    request -u "ALICE:$PASSWORD-alice" "$URL/"
    minted
    of ALICE
    request_as alice "$URL/alice"
    minted
    of alice
}

@test "LDAP: Require ldap-group keeps out who is not in the group" {
    start ldap-group ldap.conf '/^ *Require valid-user/d
        s/# \(Require ldap-group\)/\1/'
    at ldap-group
    request_as alice "$URL/alice"
    minted
    of alice
    request_as bob "$URL/bob"
    refused '401 *:401'
    [ -z "$(new_files)" ]
}

@test "LDAP: Require ldap-user keeps out who is not named" {
    start ldap-user ldap.conf '/^ *Require valid-user/d
        s/# \(Require ldap-user\)/\1/'
    at ldap-user
    request_as bob "$URL/bob"
    minted
    of bob
    request_as janedoe "$URL/janedoe"
    refused '401 *:401'
}

@test "LDAP: a directory whose certificate is another's is not asked" {
    start ldap-trust ldap.conf "s|$CA/ca\.crt|$CA/other.crt|"
    at ldap-trust
    request_as alice "$URL/alice"
    refused '500 *:500'
    header Retry-After
}

@test "threat: forged identity headers have no effect, with LDAP" {
    local fields

    at ldap
    mapfile -t fields < <(forged bob)
    request "${fields[@]}" "$URL/bob"
    refused '401 *:401'
    request_as alice "${fields[@]}" "$URL/bob"
    refused 403
    request_as alice "${fields[@]}" "$URL/"
    minted
    of alice
}

@test "LDAP: the listener is on loopback only" {
    at ldap
    on_loopback_only
}

# --- Kerberos ---------------------------------------------------------------------

negotiate() {
    request --negotiate -u : "$@"
}

@test "Kerberos: a ticket gets a token for its user and for nobody else" {
    at kerberos
    kdc_login alice
    negotiate "$URL/alice"
    minted
    of alice
    negotiate "$URL/bob"
    refused 403
    kdc_login bob
    negotiate "$URL/"
    minted
    of bob
}

@test "Kerberos: where the principal's host is not the server's, --resolve finds it" {
    local port

    at kerberos
    port=${URL##*:}
    kdc_login alice
    negotiate --resolve "gateway.example.org:$port:127.0.0.1" \
        "http://gateway.example.org:$port/alice"
    minted
    of alice
    klist | grep -q HTTP/gateway.example.org@EXAMPLE.ORG
    must_not grep -q HTTP/localhost@EXAMPLE.ORG <(klist)
    # Only a host that is listed is served, whoever asks.
    negotiate -H 'Host: evil.example' --resolve "gateway.example.org:$port:127.0.0.1" \
        "http://gateway.example.org:$port/alice"
    refused 403
}

@test "Kerberos: without a ticket there is no token" {
    at kerberos
    kdc_logout
    request "$URL/alice"
    refused '401 *:401'
    header WWW-Authenticate Negotiate
    negotiate "$URL/alice"
    refused '401 *:401'
    request -H 'Authorization: Negotiate YWxpY2U=' "$URL/alice"
    refused '401 *:401'
    request -H 'Authorization: Negotiate' "$URL/alice"
    refused '401 *:401'
}

@test "Kerberos: passwords are not taken, right or wrong" {
    at kerberos
    kdc_logout
    request_as alice "$URL/alice"
    refused '401 *:401'
    request -u alice: "$URL/alice"
    refused '401 *:401'
    request -u "alice@EXAMPLE.ORG:$PASSWORD-alice" "$URL/alice"
    refused '401 *:401'
}

@test "threat: foreign Kerberos realm: the same name in another realm is refused" {
    at kerberos
    kdc_login alice@EVIL.EXAMPLE
    negotiate "$URL/alice"
    refused 403
    # It was a ticket that Kerberos and Apache had no objection to.
    klist | grep -q HTTP/localhost@EXAMPLE.ORG
    grep -q 'alice@EVIL.EXAMPLE' "$LOG/web.access"
    negotiate "$URL/"
    refused 403
}

@test "Kerberos: another principal of the same person is not the user" {
    at kerberos
    kdc_login alice/admin
    negotiate "$URL/alice"
    refused 403
    negotiate "$URL/admin"
    refused 403
    negotiate "$URL/"
    [ "$STATUS" = 400 ] || [ "$STATUS" = 403 ] || show
    no_file
}

@test "Kerberos: without realms nobody is served" {
    start kerberos-none kerberos.conf
    at kerberos-none
    kdc_login alice
    negotiate "$URL/alice"
    refused 403
    grep -q 'alice@EXAMPLE.ORG' "$LOG/web.access"
    negotiate "$URL/alice@EXAMPLE.ORG"
    refused 403
}

@test "Kerberos: a ticket that was seen on its way is not taken a second time" {
    local sent

    at kerberos
    kdc_login alice
    curl -sv --negotiate -u : -o "$BODY" "$URL/alice" 2>"$HEADERS"
    [ -f "$(cat "$BODY")" ]
    http_files FILES
    sent=$(sed -n 's/\r$//; s/^> \(Authorization: Negotiate .*\)/\1/p' "$HEADERS" | tail -n 1)
    [ "${#sent}" -gt 500 ]
    request -H "$sent" "$URL/alice"
    refused '401 *:401'
}

@test "threat: forged identity headers have no effect, with Kerberos" {
    local fields

    at kerberos
    mapfile -t fields < <(forged bob)
    kdc_logout
    request "${fields[@]}" "$URL/bob"
    refused '401 *:401'
    kdc_login alice
    negotiate "${fields[@]}" "$URL/bob"
    refused 403
    negotiate "${fields[@]}" "$URL/"
    minted
    of alice
}

@test "Kerberos: the listener is on loopback only" {
    at kerberos
    on_loopback_only
}

# --- client certificates ----------------------------------------------------------

@test "threat: client certificate not verified: the location asks for one that is, too" {
    start mtls-location mtls.conf 's/SSLVerifyClient  *require/SSLVerifyClient optional_no_ca/'
    at mtls-location
    request "$URL/alice"
    refused '403 *:403'
    request_with selfsigned "$URL/alice"
    refused '403 *:403'
    request_with alice "$URL/alice"
    minted
}

@test "certificates: the e-mail address as subjectAltName, cut where its domain is listed" {
    start mtls-mail mtls.conf '/^ *ProxyFCGISetEnvIf .*SSL_CLIENT_S_DN_CN/d
        s/# \(ProxyFCGISetEnvIf .*SSL_CLIENT_SAN_Email_0\)/\1/' 'realms = {"example.org"}'
    at mtls-mail
    request_with mail "$URL/alice"
    minted
    of alice
    request_with mail "$URL/bob"
    refused 403
    # Another domain's alice, and a certificate without an address.
    request_with mail-foreign "$URL/alice"
    refused 403
    request_with mail-foreign "$URL/"
    refused 403
    request_with alice "$URL/alice"
    refused 401
}

# --- secrets ----------------------------------------------------------------------

@test "no log holds a token, a password, a ticket or a byte of a private key" {
    local logs=("$WORK"/*/log)

    at ldap
    request_as alice -H 'Accept: application/jwt' "$URL/alice"
    request -u "alice:$PASSWORD-bob" "$URL/alice"
    at kerberos
    kdc_login alice
    negotiate -H 'Accept: application/jwt' "$URL/alice"
    grep -rq 'Generated token' "${logs[@]}"
    must_not grep -rn eyJ "${logs[@]}"
    must_not grep -rn -e "$PASSWORD-alice" -e "$PASSWORD-bob" "${logs[@]}"
    must_not grep -rniE '(negotiate|basic) [a-z0-9+/]{16}' "${logs[@]}"
    must_not grep -rnF "$(sed -n 2p "$CA/server.key")" "${logs[@]}"
}
