#!/usr/bin/env bats
# Groups from a directory: authserver-resolver against a slapd. What no real server does is in
# unit/test_source_ldap.c.

load lib/gateway
load lib/ca
load lib/slapd
load lib/directory

setup_file() {
    export WORK RESOLVER
    RESOLVER=${AUTHSERVER_BUILD:-$BATS_TEST_DIRNAME/../build}/authserver-resolver
    WORK=$(mktemp -d "${GATEWAY_TMPDIR:-${TMPDIR:-/tmp}}/directory.XXXXXX")
    ca_create "$WORK/ca"
    directory_ldif >"$WORK/more.ldif"
    slapd_start "$WORK/slapd" "$WORK/more.ldif" \
        'access to dn.subtree=ou=open,dc=example,dc=org by * read'
}

teardown_file() {
    slapd_stop
    rm -rf "${WORK:?}"
}

setup() {
    quick
    umask 077
    DIR=$BATS_TEST_TMPDIR
    printf 'search\nnot this\n' >"$DIR/password"
    : >"$SLAPD/log"
}

# ask STATUS USER ['KEY = VALUE']...: looks the user up; what is printed is in $output. The keys are
# those of a working section ldap but for the ones given; without a value a key is left out.
ask() {
    local wanted=$1 user=$2 line name
    local -A keys=(
        [uri]="{\"$SLAPD_URL\"}"
        [ca-file]="\"$CA/ca.crt\""
        [bind-dn]='"cn=search,dc=example,dc=org"'
        [password-file]="\"$DIR/password\""
        [base]='"ou=members,dc=example,dc=org"'
    )

    shift 2
    for line in "$@"; do
        keys[${line%% = *}]=${line#* = }
    done
    {
        printf 'groups {\nresolvers = {ldap}\nldap {\n'
        for name in "${!keys[@]}"; do
            [ -z "${keys[$name]}" ] || printf '%s = %s\n' "$name" "${keys[$name]}"
        done
        printf '}\n}\n'
    } >"$DIR/conf"
    status=0
    output=$(timeout -k 1 20 "$RESOLVER" --config "$DIR/conf" --show "$user" --json 2>&1) || status=$?
    [ "$status" -eq "$wanted" ] || { echo "$user: exit status $status: $output"; return 1; }
}

# groups NAME...: these are all groups of the answer, in any order.
groups() {
    local wanted

    wanted=$(printf '%s\n' "$@" | sort)
    [ "$(jq -r '.groups[]' <<<"$output" | sort)" = "$wanted" ] || { echo "$output"; return 1; }
}

says() {
    [[ $output == *"$1"* ]] || { echo "$output"; return 1; }
}

logged() {
    grep -F -e "$1" "$SLAPD/log" >/dev/null || { cat "$SLAPD/log"; return 1; }
}

not_logged() {
    ! grep -F -e "$1" "$SLAPD/log"
}

readonly SEARCH='group-base = "ou=groups,dc=example,dc=org"'
readonly MEMBER_OF='attribute = memberOf'

# --- users and groups -------------------------------------------------------------

@test "LDAP groups: DNs in an attribute give the values of their first RDNs" {
    ask 0 ann "$MEMBER_OF"
    # Unescaped, and lower case as every name of a directory.
    groups engineers 'data, science+ai'
}

@test "LDAP groups: values of an attribute that are no DNs are names" {
    ask 0 ann 'attribute = employeeType'
    groups 'plain group' 'not a'
}

@test "LDAP groups: groups that have the user's DN as a member are found" {
    ask 0 ann "$SEARCH"
    groups engineers
    logged 'filter="(member=uid=ann,ou=members,dc=example,dc=org)"'
}

@test "LDAP groups: groups that have the user's name as a member are found" {
    ask 0 ann "$SEARCH" 'group-filter = "(&(objectClass=posixGroup)(memberUid={0}))"'
    groups posix-a
}

@test "LDAP groups: another attribute may name a group" {
    ask 0 ann "$SEARCH" 'group-filter = "(memberUid={0})"' 'group-name = gidNumber'
    groups 5000
}

@test "LDAP groups: a group without the attribute that names it is a failure" {
    ask 69 ann "$SEARCH" 'group-name = description'
    says "has no 'description'"
}

@test "LDAP groups: attribute and search together are merged" {
    ask 0 ann "$MEMBER_OF" "$SEARCH" 'group-filter = "(|(member={1})(memberUid={0}))"'
    groups engineers 'data, science+ai' posix-a
}

@test "LDAP groups: nested finds the groups of groups, and a loop ends" {
    ask 0 ann "$SEARCH" 'nested = true'
    groups engineers all-staff everyone
    [ "$(grep -c 'SRCH base="ou=groups' "$SLAPD/log")" -eq 4 ]
}

@test "LDAP groups: ten groups of groups are followed, eleven are a failure" {
    ask 0 deep "$SEARCH" 'nested = true'
    [ "$(jq '.groups | length' <<<"$output")" -eq 10 ]
    ask 69 deeper "$SEARCH" 'nested = true'
    says 'more than 10 groups of groups'
}

@test "LDAP groups: without nested a group's groups are not the user's" {
    ask 0 deep "$SEARCH"
    groups chain-1
}

@test "LDAP groups: a user in no group is known and has none" {
    ask 0 ben "$SEARCH" "$MEMBER_OF"
    [ "$(jq -c '[.known, .groups]' <<<"$output")" = '[true,[]]' ]
}

@test "LDAP groups: an unknown user is unknown" {
    ask 1 nobody-here "$SEARCH" "$MEMBER_OF"
    [ "$(jq -c '[.known, .groups]' <<<"$output")" = '[false,[]]' ]
}

@test "LDAP groups: two entries for one user are a failure" {
    ask 0 dup "$SEARCH"
    ask 69 dup "$SEARCH" 'base = "dc=example,dc=org"' 'filter = "(&(objectClass=inetOrgPerson)(uid={0}))"'
    says 'more than one entry'
}

@test "LDAP groups: many entries for one user are a failure" {
    ask 69 x "$SEARCH" 'filter = "(|(uid={0})(objectClass=inetOrgPerson))"'
    says 'more than one entry'
}

@test "LDAP groups: e-mail address and namespace come from their attributes" {
    ask 0 ann "$SEARCH" 'email = mail' 'namespace = departmentNumber'
    [ "$(jq -c '[.email, .namespace]' <<<"$output")" = '["ann@example.org","ns-ann"]' ]
    ask 0 ben "$SEARCH" 'email = mail' 'namespace = departmentNumber'
    [ "$(jq -c '[.email, .namespace]' <<<"$output")" = '[null,null]' ]
}

@test "LDAP groups: an address that is too long or not clean is a failure" {
    ask 69 long "$SEARCH" 'email = mail'
    says "'mail' is longer than 254 bytes"
    ask 69 dirty "$SEARCH" 'email = description'
    says 'control characters'
    ask 69 dirty 'attribute = description'
    says 'control characters'
}

@test "LDAP groups: only what is asked for is read of an entry" {
    ask 0 ann "$SEARCH"
    logged 'SRCH attr=1.1'
    ask 0 ann "$MEMBER_OF" 'email = mail'
    logged 'SRCH attr=memberOf mail'
}

@test "LDAP groups: a base that does not exist is a failure, not an unknown user" {
    ask 69 ann "$MEMBER_OF" 'base = "ou=nowhere,dc=example,dc=org"'
    says 'does not exist'
    ask 69 ann 'group-base = "ou=nowhere,dc=example,dc=org"'
    says 'does not exist'
}

@test "LDAP groups: a server that refers to another one is a failure" {
    ask 69 dora "$MEMBER_OF" 'base = "ou=refs,dc=example,dc=org"'
    says 'refers to other servers'
    ask 69 nobody-here "$MEMBER_OF" 'base = "ou=refs,dc=example,dc=org"'
}

# --- hostile names ----------------------------------------------------------------

@test "threat: LDAP injection: hostile names find nobody, and come escaped" {
    local name count=0

    # Name and, as slapd writes filters, what it must have understood.
    while IFS=$'\t' read -r name filter; do
        : >"$SLAPD/log"
        name=$(printf '%b' "${name//\\/\\\\}")
        ask 1 "$name" "$SEARCH" "$MEMBER_OF" || return 1
        logged "filter=\"(uid=$filter)\"" || return 1
        [ "$(grep -c SRCH.base "$SLAPD/log")" -eq 1 ]
        count=$((count + 1))
    done <<'NAMES'
*	\2A
a*	a\2A
*n*	\2An\2A
)(uid=*	\29\28uid=\2A
ann)(uid=*	ann\29\28uid=\2A
ann))(|(uid=*	ann\29\29\28|\28uid=\2A
admin)(|(uid=*	admin\29\28|\28uid=\2A
(uid=ann)	\28uid=ann\29
*)(objectclass=*	\2A\29\28objectclass=\2A
\2a	\5C2a
\28	\5C28
ann\00	ann\5C00
\61nn	\5C61nn
\	\5C
\\	\5C\5C
ann\	ann\5C
&	&
|(uid=ann)	|\28uid=ann\29
!	!
!(uid=x)	!\28uid=x\29
uid=ann,ou=members,dc=example,dc=org	uid=ann,ou=members,dc=example,dc=org
ann,ben	ann,ben
ann"	ann"
'ann'	'ann'
ann;x	ann;x
{0}	{0}
{1}	{1}
ann#	ann#
ann<x>	ann<x>
ännchen	\C3\A4nnchen
NAMES
    [ "$count" -ge 30 ]
}

@test "threat: LDAP injection: long names, control characters and what is no UTF-8 find nobody" {
    local name

    for name in "$(printf 'a%.0s' {1..128})" "$(printf '*%.0s' {1..128})" \
        "$(printf '(%.0s' {1..128})" $'ann\x01' $'ann\n' $'a\tn' $'ann\xff' $'\xc0\xaann'; do
        ask 1 "$name" "$SEARCH" "$MEMBER_OF"
    done
}

@test "threat: LDAP injection: a DN with every special character is found as a member" {
    ask 0 odd "$SEARCH"
    groups 'odd (names)'
}

@test "LDAP groups: a name in UTF-8 is found" {
    ask 0 Straße "$SEARCH"
}

@test "threat: aliases: with name, a user is known in the directory's spelling alone" {
    local name

    # It is the directory that compares.
    ask 0 ANN "$MEMBER_OF"
    for name in ANN Ann 'ann ' ' ann'; do
        ask 1 "$name" "$MEMBER_OF" "$SEARCH" 'name = uid' 'email = mail'
        [ "$(jq -c '[.groups, .email]' <<<"$output")" = '[[],null]' ]
    done
    ask 0 ann "$MEMBER_OF" 'name = uid'
    groups engineers 'data, science+ai'
}

# --- connections ------------------------------------------------------------------

@test "LDAP groups: by ldaps, StartTLS, ldapi and in the clear on loopback" {
    ask 0 ann "$MEMBER_OF"
    ask 0 ann "$MEMBER_OF" "uri = {\"$SLAPD_PLAIN_URL\"}"
    not_logged 'STARTTLS'
    ask 0 ann "$MEMBER_OF" "uri = {\"$SLAPD_PLAIN_URL\"}" 'start-tls = true'
    logged 'STARTTLS'
    ask 0 ann "$MEMBER_OF" "uri = {\"$SLAPD_LOCAL_URL\"}"
}

@test "LDAP groups: without bind-dn the bind is anonymous" {
    ask 0 carl 'attribute = employeeType' 'bind-dn = ' 'password-file = ' \
        'base = "ou=open,dc=example,dc=org"'
    groups opened
    ask 69 ann "$MEMBER_OF" 'bind-dn = ' 'password-file = '
}

@test "LDAP groups: a wrong password is a failure, and nothing is searched" {
    echo 'wrong-word' >"$DIR/password"
    ask 69 carl "$MEMBER_OF" "uri = {\"$SLAPD_URL\", \"$SLAPD_PLAIN_URL\"}" \
        'base = "ou=open,dc=example,dc=org"'
    says 'check bind-dn and password-file: Invalid credentials'
    [[ $output != *wrong-word* ]]
    not_logged 'SRCH'
    # Nor is it tried at the next server.
    [ "$(grep -c 'RESULT tag=97 err=49' "$SLAPD/log")" -eq 1 ]
}

@test "LDAP groups: a server that refuses is passed over for the next" {
    ask 0 ann "$MEMBER_OF" "uri = {\"ldap://127.0.0.1:9\", \"$SLAPD_URL\"}"
    groups engineers 'data, science+ai'
}

@test "LDAP groups: a server whose certificate is not trusted is passed over for the next" {
    ask 0 ann "$MEMBER_OF" "uri = {\"$SLAPD_OTHER_URL\", \"$SLAPD_URL\"}"
}

@test "LDAP groups: when no server answers, each one's reason is told" {
    ask 69 ann "$MEMBER_OF" "uri = {\"ldap://127.0.0.1:9\", \"ldapi://%2Fnonexistent\"}"
    says 'ldap://127.0.0.1:9: the server cannot be connected: Connection refused; then: ldapi://%2Fnonexistent: the server cannot be connected: No such file'
}

@test "LDAP groups: a certificate of another CA is not trusted" {
    ask 69 ann "$MEMBER_OF" "ca-file = \"$CA/other.crt\""
    says 'TLS failed'
    ask 69 ann "$MEMBER_OF" 'ca-file = '
    says 'TLS failed'
    ask 69 ann "$MEMBER_OF" "ca-file = \"$CA/other.crt\"" "uri = {\"$SLAPD_PLAIN_URL\"}" \
        'start-tls = true'
    says 'TLS failed'
    not_logged 'BIND'
}

@test "LDAP groups: a certificate of another host is not trusted" {
    ask 69 ann "$MEMBER_OF" "uri = {\"$SLAPD_OTHER_URL\"}"
    says 'TLS failed'
    not_logged 'BIND'
}

@test "threat: LDAP: the environment and ldaprc cannot turn the check of certificates off" {
    printf 'TLS_REQCERT never\nTLS_CACERT %s\nURI %s\n' "$CA/ca.crt" "$SLAPD_URL" >"$DIR/ldaprc"
    cp "$DIR/ldaprc" "$DIR/.ldaprc"
    cd "$DIR"
    export HOME=$DIR LDAPCONF=$DIR/ldaprc LDAPTLS_REQCERT=never LDAPTLS_CACERT=$CA/ca.crt
    ask 69 ann "$MEMBER_OF" "ca-file = \"$CA/other.crt\""
    says 'TLS failed'
    ask 69 ann "$MEMBER_OF" "uri = {\"$SLAPD_OTHER_URL\"}"
    says 'TLS failed'
}

@test "LDAP groups: where StartTLS is refused, nothing is sent" {
    slapd_stop
    cp "$SLAPD/slapd.conf" "$DIR/slapd.conf"
    sed -i '/^TLS/d' "$SLAPD/slapd.conf"
    SLAPD_URL=${SLAPD_URL/ldaps/ldap} slapd_run
    : >"$SLAPD/log"
    ask 69 ann "$MEMBER_OF" "uri = {\"$SLAPD_PLAIN_URL\"}" 'start-tls = true'
    slapd_stop
    cp "$DIR/slapd.conf" "$SLAPD/slapd.conf"
    says 'the server refused StartTLS'
    not_logged 'BIND dn'
    not_logged 'SRCH'
    slapd_run
}

@test "LDAP groups: a server that is stopped is a failure, and one that is back is asked" {
    slapd_stop
    ask 69 ann "$MEMBER_OF"
    says 'Connection refused'
    slapd_run
    ask 0 ann "$MEMBER_OF"
}

# within MILLISECONDS COMMAND... A second of it is what a busy machine takes to start programs.
within() {
    local most=$1 began=${EPOCHREALTIME/[.,]/}

    shift
    "$@"
    [ $(((${EPOCHREALTIME/[.,]/} - began) / 1000)) -le "$most" ]
}

@test "hanging LDAP server: a failure within the timeout and half a second" {
    local pid uri failed=0

    pid=$(<"$SLAPD/pid")
    kill -STOP "$pid"
    for uri in "$SLAPD_URL" "$SLAPD_PLAIN_URL" "$SLAPD_LOCAL_URL"; do
        within 2500 ask 69 ann "$MEMBER_OF" "uri = {\"$uri\"}" 'timeout = 1s' || failed=1
        says 'the server did not answer in time' || failed=1
    done
    within 2500 ask 69 ann "$MEMBER_OF" "uri = {\"$SLAPD_PLAIN_URL\"}" 'timeout = 1s' \
        'start-tls = true' || failed=1
    # Several that hang have no more time together.
    within 2500 ask 69 ann "$MEMBER_OF" \
        "uri = {\"$SLAPD_URL\", \"$SLAPD_PLAIN_URL\", \"$SLAPD_LOCAL_URL\"}" 'timeout = 1s' || failed=1
    kill -CONT "$pid"
    [ "$failed" -eq 0 ]
    ask 0 ann "$MEMBER_OF"
}

# --- configuration ----------------------------------------------------------------

@test "threat: LDAP: a password is not sent in the clear to another machine" {
    local uri

    for uri in ldap://ldap.example.org ldap://192.0.2.1 'ldap://[2001:db8::1]:389' \
        ldap://128.0.0.1 ldap://localhost.example.org; do
        ask 78 ann "$MEMBER_OF" "uri = {\"$SLAPD_URL\", \"$uri\"}"
        says "uri: '$uri': the password of bind-dn would go over the network in the clear: use ldaps://, or start-tls = true"
    done
}

@test "threat: LDAP: groups come in the clear from another machine only where that is accepted" {
    local nobody=('bind-dn = ' 'password-file = ')

    ask 78 ann "$MEMBER_OF" "${nobody[@]}" 'uri = {"ldap://192.0.2.1"}'
    says "uri: 'ldap://192.0.2.1': anybody on the way could change the groups: use ldaps://, or start-tls = true"
    ask 69 ann "$MEMBER_OF" "${nobody[@]}" 'uri = {"ldap://192.0.2.1"}' 'insecure = true' 'timeout = 1s'
    ask 78 ann "$MEMBER_OF" 'uri = {"ldap://192.0.2.1"}' 'insecure = true'
    says 'the password of bind-dn would go over the network in the clear'
}

@test "LDAP groups: what is wrong in the configuration is told at the start" {
    local line wanted

    while IFS='|' read -r line wanted; do
        ask 78 ann "$MEMBER_OF" "$SEARCH" "${line//@/$DIR}" || return 1
        says "groups: ldap: ${wanted//@/$DIR}" || return 1
    done <<'LINES'
uri = {"http://127.0.0.1"}|uri: 'http://127.0.0.1': want ldaps://, ldap:// or ldapi://
uri = {"127.0.0.1"}|uri: '127.0.0.1': want ldaps://, ldap:// or ldapi://
uri = {"cldap://127.0.0.1"}|uri: 'cldap://127.0.0.1': want ldaps://, ldap:// or ldapi://
uri = {"ldaps://"}|uri: 'ldaps://': it has no host, or no path
uri = {"ldapi://"}|uri: 'ldapi://': it has no host, or no path
uri = {"ldapi://slapd"}|uri: 'ldapi://slapd': want the socket's path
uri = {"ldaps://h/dc=x"}|uri: 'ldaps://h/dc=x': the base has a key of its own
uri = {"ldaps://h/??sub"}|uri: 'ldaps://h/??sub': want scheme://host:port and no more
base = "people"|base: 'people' is no DN
group-base = "groups"|group-base: 'groups' is no DN
filter = "(uid={0}"|filter: '(uid={0}': character 9: a parenthesis is not closed
filter = "(&(uid={0})(dn={1}))"|filter: '(&(uid={0})(dn={1}))': character 16: want {0}
group-filter = "(member={1})(x={2})"|group-filter: '(member={1})(x={2})': character 13: more behind
ca-file = "/dev/null"|ca-file: /dev/null: not a regular file
ca-file = "@/password"|ca-file: @/password: has no certificate in PEM
password-file = "/dev/null"|password-file: /dev/null: not a regular file
LINES
}

@test "LDAP groups: files that cannot be read are told at the start" {
    ask 66 ann "$MEMBER_OF" 'ca-file = "/nonexistent"'
    says 'ca-file: /nonexistent: No such file'
    ask 66 ann "$MEMBER_OF" 'password-file = "/nonexistent"'
    says 'password-file: /nonexistent: No such file'
}

@test "LDAP groups: a password file that is empty, or that others may write, is refused" {
    printf '\nsearch\n' >"$DIR/password"
    ask 78 ann "$MEMBER_OF"
    says "password-file: $DIR/password: its first line is empty"
    printf 'search\n' >"$DIR/password"
    chmod 0620 "$DIR/password"
    ask 78 ann "$MEMBER_OF"
    says 'others may write it'
}
