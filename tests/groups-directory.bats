#!/usr/bin/env bats
# authserver.fcgi in front of a real directory: how often it is asked, and what a directory that
# hangs or is gone does to requests. What a look-up finds is in groups-ldap.bats.

load lib/gateway
load lib/fastcgi
load lib/ca
load lib/slapd

setup_file() {
    fastcgi_init
    ca_create "$WORK/ca"
    slapd_start "$WORK/slapd"
}

teardown_file() {
    slapd_stop
    fastcgi_clean
}

setup() {
    fastcgi_begin
    (umask 077 && echo search >"$DIR/password" && cp "$CA/ca.crt" "$DIR/ca.crt")
    echo 'permit any groups-of *' >"$DIR/rules"
    echo 'permit authenticated as self' >>"$DIR/rules"
    configure "policy = \"$DIR/rules\"" 'profile "g" { groups = true }' 'groups {' \
        'resolvers = { "ldap" }' 'cache = 2s' 'ldap {' "uri = { \"$SLAPD_URL\" }" \
        "ca-file = \"$DIR/ca.crt\"" 'bind-dn = "cn=search,dc=example,dc=org"' \
        "password-file = \"$DIR/password\"" 'base = "ou=people,dc=example,dc=org"' \
        'group-base = "dc=example,dc=org"' 'timeout = 1s' '}' '}'
    : >"$SLAPD/log"
}

teardown() {
    kill -CONT "$(cat "$SLAPD/pid" 2>/dev/null)" 2>/dev/null || slapd_run
    fastcgi_end
}


g=QUERY_STRING=profile=g

# searches COUNT: so many searches for alice's entry have arrived.
searches() {
    [ "$(grep -c 'filter="(uid=alice)"' "$SLAPD/log")" -eq "$1" ]
}

milliseconds() {
    local began=${EPOCHREALTIME/./}

    "$@"
    TOOK=$(((${EPOCHREALTIME/./} - began) / 1000))
}

@test "a thousand first requests at once for one user are one search, for all workers" {
    sed -i -e '1i workers = 3' -e 's/cache = 2s/cache = 60s/' "$CONF"
    serve
    client flight "$SOCKET" 1000 PATH_INFO=/api/groups/alice >"$DIR/flight"
    [ "$(sort "$DIR/flight" | uniq -c | tr -s ' ')" = ' 1000 200
 1 sent' ]
    searches 1
    mints $g
    token claim "$FILE" "it['groups'] == ['staff']"
    searches 1
}

@test "a connection is kept between look-ups" {
    serve
    mints $g
    sleep 2.2
    mints $g
    searches 2
    [ "$(grep -c 'BIND dn="cn=search,dc=example,dc=org" method' "$SLAPD/log")" -eq 1 ]
}

@test "threat: a directory that hangs is a 503 within its timeout, and holds up nobody else" {
    serve
    mints
    kill -STOP "$(<"$SLAPD/pid")"
    milliseconds ask $g
    refused 503
    at_most "$TOOK" 1500 # a second, half a second more
    [ "$(token_count)" -eq 1 ]
    milliseconds mints
    at_most "$TOOK" 500
    kill -CONT "$(<"$SLAPD/pid")"
    until_true 10 mints $g
}

@test "threat: a directory that is gone is a 503 at once, and is found again when it is back" {
    serve
    mints $g
    slapd_stop
    sleep 2.2
    milliseconds ask $g
    refused 503
    at_most "$TOOK" 900
    logged 'Refused with 503: .*groups from ldap'
    refute grep -q 'search' "$DIR/answer"
    slapd_run
    until_true 10 mints $g
}
