# shellcheck shell=bash
# An LDAP server for tests: slapd with a database, ports and a certificate of its own, in the
# foreground of a background job.
#
# slapd_start DIRECTORY [LDIF [CONFIGURATION]]: sets
#   SLAPD_URL          ldaps://127.0.0.1:PORT
#   SLAPD_OTHER_URL    the same server by another address, 127.0.0.2, which its certificate
#                      does not name
#   SLAPD_PLAIN_URL    ldap://127.0.0.1:PORT, with StartTLS
#   SLAPD_LOCAL_URL    ldapi://PATH
# and makes
#   ou=people,dc=example,dc=org   with alice, bob and janedoe; bob is outside of cn=staff
#   cn=search,dc=example,dc=org   the account that searches, with the password "search"
# and what the file LDIF has. The lines of CONFIGURATION go before those that give access.
# Passwords are $PASSWORD-NAME, as in gateway.bash. The certificate is that of ca.bash. The log,
# DIRECTORY/log, has every bind and every search filter.
# slapd_delete DN: that entry is gone.
# slapd_stop ends it; slapd_run starts it again, with the same URLs.

slapd_start() {
    local attempt

    SLAPD=$1
    export SLAPD SLAPD_URL SLAPD_OTHER_URL SLAPD_PLAIN_URL SLAPD_LOCAL_URL
    install -d -m 0700 "$SLAPD" "$SLAPD/data"
    install -m 0644 "$CA/ca.crt" "$CA/server.crt" "$SLAPD/"
    install -m 0600 "$CA/server.key" "$SLAPD/"
    slapd_configuration "${3:-}" >"$SLAPD/slapd.conf"
    {
        slapd_data
        [ -z "${2:-}" ] || cat "$2"
    } >"$SLAPD/data.ldif"
    /usr/sbin/slapadd -q -f "$SLAPD/slapd.conf" -l "$SLAPD/data.ldif"
    for attempt in 1 2 3; do
        SLAPD_URL=ldaps://127.0.0.1:$((32000 + RANDOM % 700))
        SLAPD_OTHER_URL=ldaps://127.0.0.2:${SLAPD_URL##*:}
        SLAPD_PLAIN_URL=ldap://127.0.0.1:$((32000 + RANDOM % 700))
        SLAPD_LOCAL_URL=ldapi://${SLAPD//\//%2F}%2Fldapi
        ! slapd_run || return 0
        slapd_stop
    done
    echo "slapd does not start ($attempt attempts):" >&2
    tail -n 20 "$SLAPD/log" >&2
    return 1
}

slapd_run() {
    setsid /usr/sbin/slapd -d stats -f "$SLAPD/slapd.conf" \
        -h "$SLAPD_URL/ $SLAPD_OTHER_URL/ $SLAPD_PLAIN_URL/ $SLAPD_LOCAL_URL" \
        >>"$SLAPD/log" 2>&1 </dev/null 3>&- &
    echo "$!" >"$SLAPD/pid"
    until_true 12 slapd_answers_or_died && slapd_answers
}

# slapd_configuration LINES
slapd_configuration() {
    cat <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
loglevel stats
TLSCACertificateFile $SLAPD/ca.crt
TLSCertificateFile $SLAPD/server.crt
TLSCertificateKeyFile $SLAPD/server.key
# Some directories take a bind without a password for a success: one that is none
# (RFC 4513, 5.1.2). This is such a one.
allow bind_anon_dn bind_anon_cred
database mdb
maxsize 16777216
suffix dc=example,dc=org
directory $SLAPD/data
rootdn cn=root,dc=example,dc=org
rootpw $PASSWORD-root
$1
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=cn=search,dc=example,dc=org read by * none
CONF
}

slapd_data() {
    local name

    slapd_entry 'dc=example,dc=org' 'objectClass: dcObject' 'objectClass: organization' \
        'o: Example' 'dc: example'
    slapd_entry 'ou=people,dc=example,dc=org' 'objectClass: organizationalUnit' 'ou: people'
    slapd_entry 'cn=search,dc=example,dc=org' 'objectClass: organizationalRole' \
        'objectClass: simpleSecurityObject' 'cn: search' 'userPassword: search'
    for name in alice bob janedoe; do
        slapd_entry "uid=$name,ou=people,dc=example,dc=org" 'objectClass: inetOrgPerson' \
            "uid: $name" "cn: $name" "sn: $name" "userPassword: $PASSWORD-$name"
    done
    slapd_entry 'cn=staff,dc=example,dc=org' 'objectClass: groupOfNames' 'cn: staff' \
        'member: uid=alice,ou=people,dc=example,dc=org'
}

# slapd_entry DN LINE...
slapd_entry() {
    printf 'dn: %s\n' "$1"
    shift
    printf '%s\n' "$@" ''
}

# slapd_delete DN
slapd_delete() {
    ldapdelete -x -H "$SLAPD_LOCAL_URL" -D cn=root,dc=example,dc=org -w "$PASSWORD-root" "$1"
}

# By its own socket: at its port another one, of other tests, may have been first.
slapd_answers() {
    ldapsearch -x -H "$SLAPD_LOCAL_URL" -D cn=search,dc=example,dc=org -w search \
        -b dc=example,dc=org -s base dn >/dev/null 2>&1
}

slapd_answers_or_died() {
    slapd_answers || ! kill -0 "$(cat "$SLAPD/pid")" 2>/dev/null
}

slapd_stop() {
    local pid

    pid=$(cat "${SLAPD:-/nonexistent}/pid" 2>/dev/null) || return 0
    rm -f "$SLAPD/pid"
    kill -TERM "$pid" 2>/dev/null || true
    until_true 10 gateway_process_gone "$pid" || kill -KILL "$pid"
}
