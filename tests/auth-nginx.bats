#!/usr/bin/env bats
# The ways in which nginx finds out who is asking, besides htpasswd files, and TLS in front:
# nginx/pam.conf, nginx/tls.conf and nginx/mtls.conf, each run as it is shipped.

load lib/gateway
load lib/http
load lib/ca

setup_file() {
    export GATEWAY=nginx-fcgi
    gateway_init
    ca_create "$WORK/ca"
    export CURL_CA_BUNDLE=$CA/ca.crt
    start tls tls.conf
    start mtls mtls.conf
    if [ "$(id -u)" -eq 0 ]; then
        start pam pam.conf
    fi
}

teardown() {
    case ${AT##*/} in
    tls | mtls | pam | '') ;;
    *) gateway_stop "${AT##*/}" ;;
    esac
}

teardown_file() {
    gateway_end
}

# start NAME SHIPPED [EDIT] [LINE]...: an instance that runs nginx/SHIPPED. gateway.bash runs
# basic.conf: for this it is given a folder in which SHIPPED goes by that name.
start() {
    local name=$1 file=$2 edit=${3:-} folder=$WORK/shipped-$1/nginx

    shift "$(($# < 3 ? $# : 3))"
    gateway_create "$name" "$@"
    ca_install "$name"
    [ "$file" != pam.conf ] || accounts "$name"
    install -d -m 0755 "$folder"
    cp "$SOURCE/nginx/authserver_params" "$SOURCE/nginx/authserver_server" "$folder/"
    cp "$SOURCE/nginx/$file" "$folder/basic.conf"
    SOURCE=$WORK/shipped-$name gateway_start "$name" "$edit"
}

# at NAME: the instance that a test is about.
at() {
    gateway_use "$1"
    case $1 in
    pam*) ;;
    *) URL=https://localhost:${URL##*:} ;;
    esac
    http_begin
}

# of SUBJECT: whose token was made. What comes after it in a test must make another, or none.
of() {
    local claims

    claims=$(cut -d. -f2 "$FILE" | basenc --base64url -d 2>/dev/null || true)
    [[ $claims == "{\"sub\":\"$1\","* && $claims != *'"act"'* ]] || {
        echo "expected a token of $1: $claims"
        return 1
    }
    http_begin
}

# Everything that a client may try to say about itself, as curl's arguments.
forged() {
    local field

    for field in Remote-User Remote_User X-Remote-User X-Forwarded-User Remote-Ident; do
        printf '%s\n' -H "$field: $1"
    done
    for field in Auth-Type Auth_Type X-Auth-Type; do
        printf '%s\n' -H "$field: tls-client"
    done
    for field in X-SSL-Client-Verify SSL-Client-Verify Ssl_Client_Verify; do
        printf '%s\n' -H "$field: SUCCESS"
    done
    for field in X-SSL-Client-S-DN SSL-Client-S-DN X-SSL-Client-DN; do
        printf '%s\n' -H "$field: CN=$1"
    done
    for field in X-SSL-Client-CN X-SSL-Client-S-DN-CN SSL-Client-S-DN-CN; do
        printf '%s\n' -H "$field: $1"
    done
    printf '%s\n' -H "X-SSL-Client-Cert: $(tr -d '\n' <"$CA/alice.crt")"
}

# All that the server listens on.
on_loopback_only() {
    local addresses

    addresses=$(ss -Hltnp | grep -F "pid=$(cat "$AT/pid/web")," | awk '{ print $4 }')
    [ "$addresses" = "127.0.0.1:${URL##*:}" ] || {
        echo "$addresses"
        return 1
    }
}

# --- PAM --------------------------------------------------------------------------

# accounts NAME: accounts of an instance's own. alice and bob have a password, janedoe has an
# empty one, and root has one here. The PAM service is the one in the comment of pam.conf.
accounts() {
    local etc=$WORK/$1/accounts user uid=20001

    install -d -m 0755 "$etc" "$etc/pam.d"
    sed -n 's/^# *\(\(auth\|account\) .*pam_.*\)/\1/p' "$SOURCE/nginx/pam.conf" \
        >"$etc/pam.d/authserver"
    [ "$(wc -l <"$etc/pam.d/authserver")" -eq 3 ]
    cp /etc/passwd "$etc/passwd"
    sed "s/^shadow:.*/&,$WEB_USER/; s/:,/:/" /etc/group >"$etc/group"
    install -m 0640 -g shadow /dev/null "$etc/shadow"
    printf 'root:%s:1:0:99999:7:::\n' "$(openssl passwd -6 "$PASSWORD-root")" >>"$etc/shadow"
    for user in alice bob janedoe; do
        printf '%s:x:%s:65534::/nonexistent:/bin/sh\n' "$user" "$uid" >>"$etc/passwd"
        uid=$((uid + 1))
    done
    for user in alice bob; do
        printf '%s:%s:1:0:99999:7:::\n' "$user" "$(openssl passwd -6 "$PASSWORD-$user")"
    done >>"$etc/shadow"
    echo 'janedoe::1:0:99999:7:::' >>"$etc/shadow"
}

# nginx with those accounts, in a mount namespace of its own: nothing of them is to be seen
# from outside, or remains.
eval "$(declare -f gateway_spawn | sed '1s/gateway_spawn/gateway_spawn_as_is/')"
gateway_spawn() {
    local etc=$AT/accounts

    if [ "$1" = web ] && [ -d "$etc" ]; then
        shift
        sed -i '1i load_module /usr/lib/nginx/modules/ngx_http_auth_pam_module.so;' \
            "$AT/web/nginx.conf"
        # shellcheck disable=SC2016 # expanded by the inner shell
        set -- web unshare --mount sh -c 'set -e
            for file in passwd shadow group pam.d; do
                mount --bind "$0/$file" "/etc/$file"
            done
            exec "$@"' "$etc" "$@"
    fi
    gateway_spawn_as_is "$@"
}

pam() {
    [ "$(id -u)" -eq 0 ] || skip "needs root, for accounts in a namespace"
    at pam
}

@test "PAM: a user gets a token for itself and for nobody else" {
    pam
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

@test "PAM: a wrong password, an empty one, none and an unknown user get no token" {
    local credentials

    pam
    for credentials in alice:wrong "alice:$PASSWORD-bob" alice: "nobody:$PASSWORD-alice" \
        "zzz:$PASSWORD-alice" ":$PASSWORD-alice" :; do
        request -u "$credentials" "$URL/alice"
        refused '401 *:401'
    done
    request "$URL/alice"
    refused '401 *:401'
}

@test "PAM: an account without a password is not one that needs none" {
    local credentials

    pam
    for credentials in janedoe: janedoe:x; do
        request -u "$credentials" "$URL/janedoe"
        refused '401 *:401'
    done
}

@test "PAM: root is no caller, not even with its password" {
    pam
    request_as root "$URL/root"
    refused '401 *:401'
    request_as root "$URL/alice"
    refused '401 *:401'
}

@test "PAM: a wrong password does not keep the others waiting" {
    local before after

    pam
    before=$(date +%s%N)
    for _ in 1 2 3; do
        request -u alice:wrong "$URL/alice"
        refused '401 *:401'
    done
    after=$(date +%s%N)
    # One pause of PAM would be about two seconds.
    [ "$(((after - before) / 1000000))" -lt 3000 ]
}

@test "threat: aliases: PAM takes names as typed" {
    local name

    pam
    for name in ALICE 'alice ' ' alice' alice@ alice@example.org; do
        request -u "$name:$PASSWORD-alice" "$URL/alice"
        refused '401 *:401'
    done
}

@test "threat: hostile user names: PAM takes metacharacters for a wrong name" {
    local name

    pam
    for name in '*' 'alice*' ')(uid=*' '$(id)' '`id`' "alice'" 'alice;id' '../alice' 'alice/../bob' \
        "alice%0a"; do
        request -u "$name:$PASSWORD-alice" "$URL/alice"
        refused '401 *:401'
    done
    request -H "Authorization: Basic $(printf 'alice\nbob:%s-alice' "$PASSWORD" | base64 -w 0)" \
        "$URL/alice"
    refused '401 *:401'
}

@test "threat: forged identity headers have no effect, with PAM" {
    local fields

    pam
    mapfile -t fields < <(forged bob)
    request "${fields[@]}" "$URL/bob"
    refused '401 *:401'
    request_as alice "${fields[@]}" "$URL/bob"
    refused 403
    request_as alice "${fields[@]}" "$URL/"
    minted
    of alice
}

@test "threat: location without authentication: auth_pam left out" {
    pam
    start pam-open pam.conf '/auth_pam/d; /AUTH_TYPE /d'
    at pam-open
    request_as alice "$URL/alice"
    refused 401
    request -u root:x "$URL/root"
    refused 401
}

@test "PAM: no log holds a password" {
    pam
    request_as alice "$URL/alice"
    minted
    of alice
    request -u "alice:$PASSWORD-bob" "$URL/alice"
    refused '401 *:401'
    grep -q 'Generated token' "$LOG"/*
    must_not grep -rn -e "$PASSWORD-alice" -e "$PASSWORD-bob" "$LOG"
}

@test "PAM: the listener is on loopback only, and no account of the tests is left outside" {
    pam
    on_loopback_only
    must_not grep -q '^janedoe:' /etc/passwd
    [ ! -e /etc/pam.d/authserver ] || must_not cmp -s /etc/pam.d/authserver \
        "$AT/accounts/pam.d/authserver"
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
    must_not openssl s_client -connect "localhost:${URL##*:}" -tls1_1 \
        -cipher 'ALL:@SECLEVEL=0' </dev/null
    openssl s_client -connect "localhost:${URL##*:}" -tls1_2 -CAfile "$CA/ca.crt" \
        -verify_hostname localhost -verify_return_error </dev/null
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
    request "$URL/alice"
    refused '403 *:403'
    header Cache-Control no-store
    [ "$(wc -l <"$BODY")" -eq 1 ]
    request_as alice "$URL/alice"
    refused '403 *:403'
    request_as alice "http://localhost:${URL##*:}/alice"
    refused '400 *:400'
}

@test "threat: client certificate not verified: self-signed, expired, another CA's, a server's" {
    local certificate

    at mtls
    for certificate in selfsigned expired foreign server; do
        refused_by_tls "$certificate" "$URL/alice"
        refused_by_tls "$certificate" "$URL/"
        refused_by_tls "$certificate" -u "alice:$PASSWORD-alice" "$URL/alice"
    done
    # The same command gets a token with a good one.
    request_with alice "$URL/alice"
    minted
}

@test "threat: client certificate not verified: one that nginx lets in is nobody" {
    local certificate fields

    start mtls-lax mtls.conf 's/ssl_verify_client .*/ssl_verify_client optional_no_ca;/'
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
    request "${fields[@]}" "$URL/bob"
    refused '403 *:403'
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
    request_with comma "$URL/bob"
    refused 401
    request_with comma "$URL/"
    refused 401
}

@test "certificates: the e-mail address of the subject, cut where its domain is listed" {
    local by_mail='/"~^SUCCESS CN=/d; s/# \("~^SUCCESS emailAddress=\)/\1/
        s/#  *\(\$authserver_mail;\)/\1/'

    start mtls-mail mtls.conf "$by_mail" 'realms = {"example.org"}'
    at mtls-mail
    request_with mail-subject "$URL/alice"
    minted
    of alice
    request_with mail-subject "$URL/bob"
    refused 403
    request_with alice "$URL/alice"
    refused 401
}

@test "threat: foreign realm: the e-mail address of another domain in a certificate is refused" {
    local by_mail='/"~^SUCCESS CN=/d; s/# \("~^SUCCESS emailAddress=\)/\1/
        s/#  *\(\$authserver_mail;\)/\1/'

    start mtls-foreign mtls.conf "$by_mail" 'realms = {"example.com"}'
    at mtls-foreign
    request_with mail-subject "$URL/alice"
    refused 403
    request_with mail-subject "$URL/"
    refused 403
}

@test "certificates: the listener is on loopback only" {
    at mtls
    on_loopback_only
}

@test "no log holds a token or a byte of a private key" {
    local name logs=("$WORK"/*/log) key

    at mtls
    request_with alice -H 'Accept: application/jwt' "$URL/alice"
    request_with alice -H "Authorization: Bearer $(cat "$BODY")" "$URL/alice"
    grep -rq 'Generated token' "${logs[@]}"
    must_not grep -rn eyJ "${logs[@]}"
    for name in alice server; do
        key=$(sed -n 2p "$CA/$name.key")
        must_not grep -rnF "$key" "${logs[@]}"
    done
}
