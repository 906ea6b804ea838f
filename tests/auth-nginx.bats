#!/usr/bin/env bats
# The ways in which nginx finds out who is asking, besides htpasswd files: nginx/pam.conf, and
# what nginx/mtls.conf alone can be told; each run as it is shipped. TLS and client certificates
# are in tls.bats.

load lib/gateway
load lib/http
load lib/ca
load lib/auth

setup_file() {
    export GATEWAY=nginx-fcgi
    auth_init
    if [ "$(id -u)" -eq 0 ]; then
        start pam pam.conf
    fi
}

teardown() {
    auth_teardown
}

teardown_file() {
    gateway_end
}

# start NAME SHIPPED [EDIT] [LINE]...: an instance that runs nginx/SHIPPED.
start() {
    local name=$1 file=$2 edit=${3:-}

    shift "$(($# < 3 ? $# : 3))"
    gateway_create "$name" "$@"
    [ "$file" != pam.conf ] || accounts "$name"
    auth_start "$name" "$file" "$edit"
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

# --- client certificates ----------------------------------------------------------

# The e-mail address of the subject names the caller, and its common name nobody.
readonly BY_MAIL='/"~^SUCCESS CN=/d; s/# \("~^SUCCESS emailAddress=\)/\1/
    s/#  *\(\$authserver_mail;\)/\1/'

@test "certificates: the e-mail address of the subject, cut where its domain is listed" {
    start mtls-mail mtls.conf "$BY_MAIL" 'realms = {"example.org"}'
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
    start mtls-foreign mtls.conf "$BY_MAIL" 'realms = {"example.com"}'
    at mtls-foreign
    request_with mail-subject "$URL/alice"
    refused 403
    request_with mail-subject "$URL/"
    refused 403
}
