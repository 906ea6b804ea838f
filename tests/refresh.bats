#!/usr/bin/env bats
# Tokens for passwords, and refresh tokens, against a real directory. Which passwords are right is
# in password.bats, and how families are kept in the unit tests.

load lib/gateway
load lib/fastcgi
load lib/grants
load lib/ca
load lib/slapd

setup_file() {
    fastcgi_init
    ca_create "$WORK/ca"
    slapd_entry uid=leaver,ou=people,dc=example,dc=org 'objectClass: inetOrgPerson' \
        'uid: leaver' 'cn: leaver' 'sn: leaver' "userPassword: $PASSWORD-leaver" >"$WORK/more.ldif"
    slapd_start "$WORK/slapd" "$WORK/more.ldif"
}

teardown_file() {
    slapd_stop
    fastcgi_clean
}

setup() {
    fastcgi_begin
    : >"$SLAPD/log"
    (umask 077 && echo search >"$DIR/search" && cp "$CA/ca.crt" "$DIR/ca.crt")
    accept
}

teardown() {
    # Some test may have stopped or ended it.
    kill -CONT "$(cat "$SLAPD/pid" 2>/dev/null)" 2>/dev/null || true
    kill -0 "$(cat "$SLAPD/pid" 2>/dev/null)" 2>/dev/null || slapd_run
    fastcgi_end
}

# accept [LINE]...: the configuration, with LINEs more.
accept() {
    configure "state = \"$DIR/state\"" 'grants = { "password", "refresh_token" }' 'workers = 2' "$@" \
        'password "ldap" {' "uri = { \"$SLAPD_URL\" }" "ca-file = \"$DIR/ca.crt\"" \
        'bind-dn = "cn=search,dc=example,dc=org"' "password-file = \"$DIR/search\"" \
        'base = "ou=people,dc=example,dc=org"' 'tries = 3' 'window = "1h"' 'delay = 0' \
        'timeout = 30s' '}'
}

# login USER PASSWORD [NAME=VALUE]...: by no client in particular.
login() { grant_as "" grant_type=password "username=$1" "password=$2" "${@:3}"; }

logs_in() {
    login alice "$PASSWORD-alice" "$@"
    access
    refreshed
}

# The last answer has a refresh token, REFRESH.
refreshed() {
    [ "$STATUS" = 200 ] || { cat "$DIR/answer"; return 1; }
    [[ $BODY =~ \"refresh_token\":\"([A-Za-z0-9_-]*)\" ]]
    REFRESH=${BASH_REMATCH[1]}
}

refresh() { grant_as "" grant_type=refresh_token "refresh_token=$1"; }

# ended TOKEN: it is taken no more, for one outward reason.
ended() {
    refresh "$1"
    [ "$STATUS" = 400 ]
    [ "$BODY" = "{\"error\":\"invalid_grant\",\"error_description\":\"$GRANT_REFUSED\"}" ] ||
        { echo "$BODY"; return 1; }
}

GRANT_REFUSED='the refresh token is not valid: it has expired, was used or was revoked: log in again'

families() { find "$DIR/state/refresh" -type f -name 'family.*' | wc -l; }

@test "a password gets a token, and a refresh token the next ones" {
    local first

    serve
    logs_in audience=okera ttl=5m
    claims 'it["sub"] == "alice" and it["aud"] == "okera" and it["exp"] - it["iat"] == 300'
    first=$REFRESH
    refresh "$REFRESH"
    access
    refreshed
    [ "$REFRESH" != "$first" ]
    # For what was granted, whoever asks for what.
    claims 'it["sub"] == "alice" and it["aud"] == "okera" and it["exp"] - it["iat"] == 300'
    refresh "$REFRESH"
    access
    refreshed
    [ "$(families)" = 1 ]
    logged 'Issued a token by password: subject alice, caller alice'
    logged 'Issued a token by refresh_token: subject alice, caller alice'
    refute grep -q -F -e eyJ -e "$PASSWORD" -e "$REFRESH" -e "$first" "$LOG"
    refute grep -rq -F -e "$REFRESH" -e "$PASSWORD" "$DIR/state"
}

@test "a wrong password and an unknown user have one answer" {
    local answer user

    serve
    login alice wrong
    fails 400 invalid_grant
    answer=$BODY
    for user in nobody-here 'a%2Ab' '%2A' ' alice' 'alice ' ALICE ../alice; do
        login "$user" "$PASSWORD-alice"
        [ "$STATUS" = 400 ] && [ "$BODY" = "$answer" ] || { echo "$user: $BODY"; false; }
    done
    login alice ""
    fails 400 invalid_request
    login "" "$PASSWORD-alice"
    fails 400 invalid_request
    [ "$(times_logged 'Issued a token')" = 0 ]
    [ "$(families)" = 0 ]
    refute grep -q -F "$PASSWORD" "$LOG"
}

@test "guessing ends at a limit, for the right password too, and for no other user" {
    serve
    login alice a
    login alice b
    login alice c
    fails 400 invalid_grant
    login alice "$PASSWORD-alice"
    fails 429 temporarily_unavailable
    [[ $(<"$DIR/answer") =~ Retry-After:\ ([0-9]+) ]]
    [ "${BASH_REMATCH[1]}" -gt 60 ]
    login bob "$PASSWORD-bob"
    access
    # It outlives the service.
    stop
    serve
    login alice "$PASSWORD-alice"
    fails 429 temporarily_unavailable
    # What is over the limit does not reach the directory.
    [ "$(grep -c 'BIND dn="uid=alice,ou=people,dc=example,dc=org" method' "$SLAPD/log")" = 3 ]
}

@test "a right password forgets the wrong ones before it" {
    serve
    for _ in 1 2 3; do
        login alice a
        login alice b
        fails 400 invalid_grant
        login alice "$PASSWORD-alice"
        access
    done
}

@test "an old refresh token that comes again ends its family, and no other" {
    local first second other

    serve
    logs_in
    other=$REFRESH
    logs_in
    first=$REFRESH
    refresh "$first"
    refreshed
    second=$REFRESH
    ended "$first"
    ended "$second"
    logged 'not valid: .*ended'
    refresh "$other"
    [ "$STATUS" = 200 ]
    ended "${other%????}AAAA"
    ended x
    ended "$(printf 'A%.0s' {1..88})"
}

@test "of fifty at once with one token one gets the next" {
    local n jobs=() body=grant_type=refresh_token

    serve
    logs_in
    for n in {1..50}; do
        "$ASK" "$SOCKET" REMOTE_USER AUTH_TYPE PATH_INFO=/oauth2/token REQUEST_METHOD=POST \
            CONTENT_TYPE=application/x-www-form-urlencoded "text=$body&refresh_token=$REFRESH" \
            >"$DIR/got.$n" 3>&- &
        jobs+=($!)
    done
    wait "${jobs[@]}"
    [ "$(grep -lx 'Status: 200 OK'$'\r' "$DIR"/got.* | wc -l)" = 1 ]
    [ "$(grep -l '"error":"invalid_grant"' "$DIR"/got.* | wc -l)" = 49 ]
}

@test "policy is asked each time, and a refusal ends nothing" {
    local first

    printf 'permit any via password as self\n' >"$DIR/policy"
    accept "policy = \"$DIR/policy\""
    serve
    logs_in
    first=$REFRESH
    printf 'permit any via password as self\ndeny alice as alice\n' >"$DIR/policy"
    kill -HUP "$MONITOR"
    until_true 100 logged ' Reloaded$'
    ended "$first"
    login alice "$PASSWORD-alice"
    fails 403 access_denied
    printf 'permit any via password as self\n' >"$DIR/policy"
    kill -HUP "$MONITOR"
    until_true 100 taken "$first"
}

taken() {
    refresh "$1"
    [ "$STATUS" = 200 ]
}

@test "who is gone from the directory, or was revoked, refreshes no more" {
    serve
    login bob "$PASSWORD-bob"
    refreshed
    "$CTL" revoke --config "$CONF" --subject bob
    ended "$REFRESH"
    logged 'revoked'
    login leaver "$PASSWORD-leaver"
    refreshed
    refresh "$REFRESH"
    refreshed
    slapd_delete uid=leaver,ou=people,dc=example,dc=org
    ended "$REFRESH"
    logged 'the account may not be used any more'
}

CTL=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}/authserverctl

@test "a refresh token is for the client that it was given to" {
    serve
    grant_as portal grant_type=password username=alice "password=$PASSWORD-alice"
    refreshed
    refresh "$REFRESH"
    fails 400 invalid_grant
    grant_as other grant_type=refresh_token "refresh_token=$REFRESH"
    fails 400 invalid_grant
    grant_as portal grant_type=refresh_token "refresh_token=$REFRESH"
    [ "$STATUS" = 200 ]
}

@test "there are no more families than may be, and those that there are go on" {
    local first

    accept 'max-files = 2'
    serve
    logs_in
    first=$REFRESH
    logs_in
    login alice "$PASSWORD-alice"
    fails 429 temporarily_unavailable
    [[ $(<"$DIR/answer") == *Retry-After:* ]]
    logged 'records of the state directory are there'
    [ "$(families)" = 2 ]
    refresh "$first"
    refreshed
    "$CTL" revoke --config "$CONF" --subject bob
    "$CTL" revoke --config "$CONF" --subject carol
    "$CTL" revoke --config "$CONF" --subject dan
}

@test "families end by their life and by being idle" {
    accept 'refresh-idle = "1s"'
    serve
    logs_in
    pause 2.1
    ended "$REFRESH"
    stop
    accept 'refresh-lifetime = "1s"'
    serve
    logs_in
    pause 2.1
    ended "$REFRESH"
    [ "$(times_logged 'refresh token of .*: ')" = 2 ]
}

@test "a directory that is gone is no wrong password, and costs neither a try nor a refresh token" {
    serve
    logs_in
    slapd_stop
    for _ in 1 2 3 4 5; do
        login alice "$PASSWORD-alice"
        fails 503 temporarily_unavailable
    done
    refresh "$REFRESH"
    fails 503 temporarily_unavailable
    slapd_run
    refresh "$REFRESH"
    [ "$STATUS" = 200 ]
    login alice wrong
    fails 400 invalid_grant
    login alice "$PASSWORD-alice"
    [ "$STATUS" = 200 ]
}

@test "an answer that nobody takes leaves the old refresh token good" {
    serve
    logs_in
    kill -STOP "$(<"$SLAPD/pid")"
    "$ASK" "$SOCKET" REMOTE_USER AUTH_TYPE PATH_INFO=/oauth2/token REQUEST_METHOD=POST \
        CONTENT_TYPE=application/x-www-form-urlencoded \
        "text=grant_type=refresh_token&refresh_token=$REFRESH" >/dev/null 3>&- &
    JOBS+=($!)
    until_true 50 asked_slapd
    kill -KILL "${JOBS[-1]}"
    wait "${JOBS[-1]}" || true
    kill -CONT "$(<"$SLAPD/pid")"
    until_true 50 logged 'Issued a token by refresh_token'
    taken "$REFRESH"
}

# The worker waits for what the directory says of the account.
asked_slapd() { [ -n "$(pgrep -P "$(pgrep -P "$MONITOR" authserver-reso)")" ]; }

@test "what was granted at the log-in is not asked for anew" {
    serve
    logs_in
    for field in ttl=5s audience=x profile=p resource=https://x.example; do
        grant_as "" grant_type=refresh_token "refresh_token=$REFRESH" "$field"
        fails 400 invalid_request
    done
    taken "$REFRESH"
}

@test "a refresh token that is revoked ends with its family" {
    accept 'revocation = true'
    serve
    logs_in
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/oauth2/revoke REQUEST_METHOD=POST \
        CONTENT_TYPE=application/x-www-form-urlencoded "text=token=$REFRESH&token_type_hint=refresh_token"
    [ "$STATUS" = 200 ] && [ -z "$BODY" ]
    ended "$REFRESH"
    [ "$(families)" = 0 ]
}

# Whoever is killed in the midst of it: what the client was answered counts, and if it was not
# answered the old one does.
@test "kill -9 of workers while tokens are refreshed never loses a family or makes two of it" {
    local pid live=0

    serve
    logs_in
    for _ in {1..6}; do
        find_parts 2
        "$ASK" "$SOCKET" REMOTE_USER AUTH_TYPE PATH_INFO=/oauth2/token REQUEST_METHOD=POST \
            CONTENT_TYPE=application/x-www-form-urlencoded \
            "text=grant_type=refresh_token&refresh_token=$REFRESH" >"$DIR/answer" 3>&- &
        pid=$!
        pause "0.0$((RANDOM % 3))$((RANDOM % 10))"
        kill -KILL "${WORKERS[@]}" 2>/dev/null || true
        if wait "$pid"; then
            read_answer
            if [ "$STATUS" = 200 ]; then
                refreshed
                live=$((live + 1))
            fi
        fi
        [ "$(families)" = 1 ]
        until_true 100 ready_again
    done
    taken "$REFRESH"
    echo "$live of 6 were answered"
}

ready_again() {
    ask PATH_INFO=/-/healthy
    [ "$STATUS" = 200 ]
}

@test "what ODAS calls SSO_URL: a form or an object, and the token in one" {
    serve
    for row in 'application/json|{"username":"alice","password":"'"$PASSWORD-alice"'"}' \
        "application/x-www-form-urlencoded|username=alice&password=$PASSWORD-alice"; do
        ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/token REQUEST_METHOD=POST \
            "CONTENT_TYPE=${row%%|*}" "text=${row#*|}"
        [ "$STATUS" = 200 ]
        [[ $BODY =~ ^\{\"token\":\"([A-Za-z0-9._-]+)\"\}$ ]]
        printf '%s' "${BASH_REMATCH[1]}" >"$DIR/access"
        token verify "$WORK/key.pub" "$DIR/access"
    done
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/token REQUEST_METHOD=POST \
        CONTENT_TYPE=application/json 'text={"username":"alice","password":"x"}'
    fails 400 invalid_grant
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/token REQUEST_METHOD=POST \
        CONTENT_TYPE=application/json 'text={"username":"alice","password":["x"]}'
    fails 400 invalid_request
    [ "$(families)" = 0 ]
}

@test "what is needed is said at the start" {
    configure 'grants = { "password" }' "state = \"$DIR/state\""
    fails_with 78 'wants a section password' "$FCGI" --config "$CONF" --socket "$SOCKET"
    accept
    sed -i '/^state/d' "$CONF"
    fails_with 78 'grants: password wants state' "$FCGI" --config "$CONF" --socket "$SOCKET"
    configure 'grants = { "refresh_token" }'
    fails_with 78 'refresh_token wants password' "$FCGI" --config "$CONF" --socket "$SOCKET"
    accept
    mkdir -m 0755 "$DIR/state"
    fails_with 78 "$DIR/state" "$FCGI" --config "$CONF" --socket "$SOCKET"
}

@test "the CGI program does the same, one process a request" {
    by_cgi() {
        env -i "AUTHSERVER_CONFIG=$CONF" REQUEST_METHOD=POST PATH_INFO=/oauth2/token \
            HTTP_HOST=localhost CONTENT_TYPE=application/x-www-form-urlencoded \
            "CONTENT_LENGTH=$((${#1} + ${2:-0}))" "$CGI" < <(printf %s "$1") >"$DIR/answer" 2>>"$LOG"
        read_answer
    }
    : >"$LOG"
    # One that ends early, as where a web server's client went away: not a shorter password.
    by_cgi "grant_type=password&username=alice&password=$PASSWORD-alice" 1
    [ "$STATUS" = 400 ]
    by_cgi "grant_type=password&username=alice&password=$PASSWORD-alice"
    access
    claims 'it["sub"] == "alice"'
    refreshed
    by_cgi "grant_type=refresh_token&refresh_token=$REFRESH"
    [ "$STATUS" = 200 ]
    by_cgi "grant_type=refresh_token&refresh_token=$REFRESH"
    fails 400 invalid_grant
    by_cgi "grant_type=password&username=alice&password=x"
    fails 400 invalid_grant
}
