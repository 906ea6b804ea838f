#!/usr/bin/env bats
# Passwords at the token endpoint, checked by a real directory: from the request over worker,
# resolver and authserver-password to slapd, and back. What a check comes to is in password.bats.

load lib/gateway
load lib/ca
load lib/slapd
load lib/fastcgi
load lib/grants

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
    checked_by_ldap 'delay = 2s' 'timeout = 2s'
    (umask 077 && echo search >"$DIR/search")
    : >"$SLAPD/log"
}

# checked_by_ldap LINE...: which go into the section password.
checked_by_ldap() {
    configure 'grants = { "password" }' "state = \"$DIR/state\"" \
        'password "ldap" {' "uri = \"$SLAPD_URL\"" "ca-file = \"$CA/ca.crt\"" \
        'bind-dn = "cn=search,dc=example,dc=org"' "password-file = \"$DIR/search\"" \
        'base = "ou=people,dc=example,dc=org"' 'tries = 1000' "$@" '}'
}

teardown() {
    kill -CONT "$(cat "$SLAPD/pid")"
    fastcgi_end
}

# enter USER PASSWORD: what the password grant says; TOOK is the milliseconds.
enter() {
    local began=${EPOCHREALTIME/./}

    grant_as "" grant_type=password "username=$1" "password=$2"
    TOOK=$(((${EPOCHREALTIME/./} - began) / 1000))
}

@test "password grant: right is a token; wrong and unknown are one error, after the delay" {
    local answer

    serve
    enter alice "$PASSWORD-alice"
    access
    claims 'it["sub"] == "alice"'
    enter alice wrong
    fails 400 invalid_grant
    [ "$TOOK" -ge 2000 ]
    answer=$BODY
    enter nobody-here "$PASSWORD-alice"
    fails 400 invalid_grant
    [ "$TOOK" -ge 2000 ]
    [ "$BODY" = "$answer" ]
    refute grep -rqa -e "$PASSWORD-alice" "$LOG" "$WORK/slapd/log" "$DIR/state"
}

@test "password grant: those who wait for wrong hold up nobody" {
    local pids=()

    checked_by_ldap 'delay = 6s' 'timeout = 30s'
    serve
    for _ in {1..20}; do
        "$ASK" "$SOCKET" PATH_INFO=/oauth2/token REQUEST_METHOD=POST REMOTE_USER AUTH_TYPE \
            CONTENT_TYPE=application/x-www-form-urlencoded \
            'text=grant_type=password&username=bob&password=wrong' >>"$DIR/wrong" 3>&- &
        pids+=("$!")
    done
    until_true 10 slapd_refused 16
    enter alice "$PASSWORD-alice"
    [ "$STATUS" = 200 ]
    # That somebody is still waiting shows that it did not.
    [ ! -s "$DIR/wrong" ]
    wait "${pids[@]}"
    [ "$(grep -c invalid_grant "$DIR/wrong")" -eq 20 ]
}

slapd_refused() { [ "$(grep -c 'RESULT tag=97 err=49' "$SLAPD/log")" -ge "$1" ]; }

@test "password grant: a directory that hangs is a 503 within the timeout, and no log has the password" {
    serve
    kill -STOP "$(cat "$SLAPD/pid")"
    enter alice "$PASSWORD-alice"
    [ "$STATUS" = 503 ]
    # Half a second beside the timeout.
    at_most "$TOOK" 2500
    kill -CONT "$(cat "$SLAPD/pid")"
    enter alice "$PASSWORD-alice"
    [ "$STATUS" = 200 ]
    refute grep -qa -e "$PASSWORD-alice" "$LOG"
}

@test "password grant: a resolver that ends over a question is a 503, and the next is answered" {
    checked_by_ldap 'delay = 2s' 'timeout = 30s'
    serve
    find_parts
    kill -STOP "$(cat "$SLAPD/pid")"
    "$ASK" "$SOCKET" PATH_INFO=/oauth2/token REQUEST_METHOD=POST REMOTE_USER AUTH_TYPE \
        CONTENT_TYPE=application/x-www-form-urlencoded \
        "text=grant_type=password&username=alice&password=$PASSWORD-alice" >"$DIR/lost" 3>&- &
    until_true 10 pgrep -P "$RESOLVER" -x authserver-pass
    kill -KILL "$RESOLVER"
    wait $!
    grep -q '^Status: 503 ' "$DIR/lost"
    # What it had started has ended with it.
    until_true 5 refute pgrep -f "authserver-password .*$DIR"
    kill -CONT "$(cat "$SLAPD/pid")"
    until_true 10 answered_again
    refute grep -qa -e "$PASSWORD-alice" "$LOG"
}

answered_again() {
    enter alice "$PASSWORD-alice"
    [ "$STATUS" = 200 ]
}
