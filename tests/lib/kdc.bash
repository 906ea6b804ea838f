# shellcheck shell=bash
# Kerberos for tests: two MIT KDCs of two realms that trust each other, each on a loopback port
# of its own, in the foreground of background jobs.
#
# kdc_start DIRECTORY: sets KDC and KRB5_CONFIG, and makes
#   EXAMPLE.ORG   alice, bob, alice/admin, HTTP/localhost, HTTP/gateway.example.org
#   EVIL.EXAMPLE  alice
#   $KDC/http.keytab   the keys of the HTTP principals
# Passwords are $PASSWORD-NAME, as in gateway.bash.
# kdc_login PRINCIPAL: kinit; sets KRB5CCNAME to a cache of that principal's own.
# kdc_stop ends them.
#
# Nothing outside of the directory is read or written: no /etc/krb5.conf, no replay cache in
# /var/tmp, no DNS.

kdc_start() {
    KDC=$1
    export KDC KRB5_CONFIG=$KDC/krb5.conf KRB5RCACHEDIR=$KDC KRB5CCNAME=
    install -d -m 0755 "$KDC"
    kdc_realm EXAMPLE.ORG alice "$PASSWORD-alice" bob "$PASSWORD-bob" \
        alice/admin "$PASSWORD-alice"
    kdc_realm EVIL.EXAMPLE alice "$PASSWORD-alice"
    kdc_admin EXAMPLE.ORG addprinc -randkey HTTP/localhost
    kdc_admin EXAMPLE.ORG addprinc -randkey HTTP/gateway.example.org
    kdc_admin EXAMPLE.ORG ktadd -k "$KDC/http.keytab" HTTP/localhost HTTP/gateway.example.org
}

# What is the same in all of them, for a realm's port.
kdc_config() {
    local realm port

    cat <<CONF
[libdefaults]
default_realm = EXAMPLE.ORG
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[domain_realm]
localhost = EXAMPLE.ORG
gateway.example.org = EXAMPLE.ORG
[realms]
CONF
    for realm in EXAMPLE.ORG EVIL.EXAMPLE; do
        port=$(cat "$KDC/$realm.port" 2>/dev/null || echo 1)
        printf '%s = {\n kdc = 127.0.0.1:%s\n}\n' "$realm" "$port"
    done
}

# kdc_realm REALM [NAME PASSWORD]...
kdc_realm() {
    local realm=$1 attempt port

    shift
    install -d -m 0700 "$KDC/$realm"
    for attempt in 1 2 3; do
        port=$((18000 + RANDOM % 1900))
        echo "$port" >"$KDC/$realm.port"
        kdc_config >"$KRB5_CONFIG"
        cat >"$KDC/$realm/kdc.conf" <<CONF
[kdcdefaults]
kdc_listen = 127.0.0.1:$port
kdc_tcp_listen = 127.0.0.1:$port
[realms]
$realm = {
 database_name = $KDC/$realm/principal
 key_stash_file = $KDC/$realm/stash
 acl_file = $KDC/$realm/acl
 supported_enctypes = aes256-cts:normal
}
[logging]
kdc = FILE:$KDC/$realm/log
CONF
        [ -e "$KDC/$realm/stash" ] || kdc_fill "$realm" "$@"
        setsid env KRB5_KDC_PROFILE="$KDC/$realm/kdc.conf" /usr/sbin/krb5kdc -n -r "$realm" \
            -P "$KDC/$realm/kdc.pid" >>"$KDC/$realm/out" 2>&1 </dev/null 3>&- &
        echo "$!" >"$KDC/$realm/pid"
        ! until_true 12 kdc_ready_or_died "$realm" || ! kdc_ready "$realm" || return 0
        kdc_stop_one "$realm"
    done
    echo "krb5kdc does not start ($attempt attempts):" >&2
    cat "$KDC/$realm/out" "$KDC/$realm/log" >&2
    return 1
}

# The realms' common key lets callers of either into the other: what a foreign caller needs to
# get as far as the web server.
kdc_fill() {
    local realm=$1

    shift
    KRB5_KDC_PROFILE=$KDC/$realm/kdc.conf /usr/sbin/kdb5_util create -s -r "$realm" -W \
        -P master >/dev/null 2>&1
    kdc_admin "$realm" addprinc -pw between krbtgt/EXAMPLE.ORG@EVIL.EXAMPLE
    while [ "$#" -gt 0 ]; do
        kdc_admin "$realm" addprinc -pw "$2" "$1"
        shift 2
    done
}

# kdc_admin REALM COMMAND...: on the database itself.
kdc_admin() {
    local realm=$1

    shift
    KRB5_KDC_PROFILE=$KDC/$realm/kdc.conf /usr/sbin/kadmin.local -r "$realm" "$@" \
        >>"$KDC/$realm/out" 2>&1
}

kdc_ready() {
    kdc_alive "$1" && printf '%s\n' "$PASSWORD-alice" |
        kinit -c "MEMORY:ready" "alice@$1" >/dev/null 2>&1
}

kdc_alive() {
    kill -0 "$(cat "$KDC/$1/pid")" 2>/dev/null
}

kdc_ready_or_died() {
    ! kdc_alive "$1" || kdc_ready "$1"
}

# kdc_login PRINCIPAL [PASSWORD-OF]
kdc_login() {
    local name=${1%@*}

    KRB5CCNAME=FILE:$KDC/cache.${1//\//_}
    export KRB5CCNAME
    name=${2:-${name%/*}}
    printf '%s\n' "$PASSWORD-$name" | kinit "$1" >/dev/null
}

# Nobody is logged in.
kdc_logout() {
    KRB5CCNAME=FILE:$KDC/cache.nobody
    export KRB5CCNAME
}

kdc_stop() {
    local realm

    for realm in EXAMPLE.ORG EVIL.EXAMPLE; do
        kdc_stop_one "$realm"
    done
}

kdc_stop_one() {
    local pid

    pid=$(cat "${KDC:-/nonexistent}/$1/pid" 2>/dev/null) || return 0
    rm -f "$KDC/$1/pid"
    kill -TERM "$pid" 2>/dev/null || true
    until_true 10 gateway_process_gone "$pid" || kill -KILL "$pid"
}
