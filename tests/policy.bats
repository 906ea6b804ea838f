#!/usr/bin/env bats
# The policy file, as authserver.fcgi and authserver.cgi go by it.

load lib/fastcgi

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }
setup() {
    fastcgi_begin
    POLICY=$DIR/rules
    configure "policy = \"$POLICY\""
}
teardown() { fastcgi_end; }


# policy LINE...: writes the rules anew.
policy() {
    printf '%s\n' "$@" >"$DIR/new"
    mv "$DIR/new" "$POLICY"
}

# run_cgi [PARAM]...: one request. Sets STATUS, BODY and EXIT; what it says on stderr is LOG.
run_cgi() {
    EXIT=0
    execute "$CGI" "AUTHSERVER_CONFIG=$CONF" "$@" >"$DIR/answer" 2>"$LOG" </dev/null || EXIT=$?
    read_answer
}

# denied STATUS WHERE: the last request was, the log names the rule, and the client no file.
denied() {
    refused "$1"
    tail -n 1 "$LOG" | grep -q -F -e "($2)"
    refute grep -q -F -e "$DIR" "$DIR/answer"
}

# unserved PATTERN: a 503 that names no file, and the reason in the log.
unserved() {
    refused 503
    refute grep -q -F -e "$DIR" "$DIR/answer"
    [ "$(wc -l <"$LOG")" -eq 1 ]
    logged "$1"
    [ "$EXIT" -ne 0 ]
    [ "$(token_count)" -eq 0 ]
}

@test "the last rule that matches decides, and the log names its line" {
    policy '# who may act for whom' 'permit authenticated as self' '' \
        'permit alice as etl-*' 'deny any as etl-secret'
    run_cgi
    minted
    run_cgi PATH_INFO=/etl-a
    minted
    logged '(subject etl-a, caller alice)$'
    token claim "$FILE" "it['sub'] == 'etl-a' and it['act'] == {'sub': 'alice'}"
    run_cgi PATH_INFO=/etl-secret
    denied 403 "$POLICY:5"
    run_cgi PATH_INFO=/bob
    denied 403 "no rule of $POLICY"
    run_cgi PATH_INFO=/etl-a REMOTE_USER=Alice
    denied 403 "no rule of $POLICY"
    run_cgi AUTH_TYPE REMOTE_USER PATH_INFO=/etl-secret
    denied 401 "$POLICY:5"
    [ "$(token_count)" -eq 2 ]
}

@test "a policy file takes the place of the built-in rules" {
    policy 'permit bob as bob'
    run_cgi
    denied 403 "no rule of $POLICY"
    policy
    run_cgi REMOTE_USER=bob PATH_INFO=/bob
    denied 403 "no rule of $POLICY"
    configure
    run_cgi
    minted
    run_cgi REMOTE_USER=root PATH_INFO=/root
    denied 403 'built-in policy:2'
}

@test "anonymous callers get what a rule gives them, and no more" {
    policy 'permit anonymous as guest ttl 1m'
    run_cgi AUTH_TYPE REMOTE_USER PATH_INFO=/guest
    minted
    token claim "$FILE" "it['exp'] - it['iat'] == 60"
    run_cgi AUTH_TYPE REMOTE_USER
    denied 401 "no rule of $POLICY"
    run_cgi PATH_INFO=/guest
    denied 403 "no rule of $POLICY"
}

@test "ttl and audience are ceilings" {
    policy 'permit alice as self ttl 5m audience okera' 'permit alice as bob audience okera trino'
    run_cgi
    minted
    token claim "$FILE" "it['exp'] - it['iat'] == 300 and it['aud'] == 'okera'"
    run_cgi QUERY_STRING=ttl=301
    denied 403 "$POLICY:1"
    refused 403 'ttl is over the limit of 300 seconds'
    run_cgi QUERY_STRING=audience=trino
    denied 403 "$POLICY:1"
    run_cgi PATH_INFO=/bob
    denied 403 "$POLICY:2"
    refused 403 'name an audience'
    run_cgi PATH_INFO=/bob QUERY_STRING=audience=trino
    minted
    token claim "$FILE" "it['aud'] == 'trino'"
}

@test "a group is one of the host's, and its members are the caller's own" {
    getent group www-data >/dev/null || skip "needs the group www-data"
    policy 'permit :www-data as etl-*' 'permit :nogroup as nobody-*'
    run_cgi REMOTE_USER=www-data PATH_INFO=/etl-a
    minted
    run_cgi REMOTE_USER=www-data PATH_INFO=/nobody-a
    denied 403 "no rule of $POLICY"
    run_cgi REMOTE_USER=alice-has-no-account PATH_INFO=/etl-a
    denied 403 "no rule of $POLICY"
    run_cgi AUTH_TYPE REMOTE_USER=www-data PATH_INFO=/etl-a
    denied 401 "no rule of $POLICY"
    # The signer, which is another process, comes to the same.
    serve
    mints REMOTE_USER=www-data PATH_INFO=/etl-b
    ask REMOTE_USER=www-data PATH_INFO=/nobody-b
    denied 403 "no rule of $POLICY"
}

@test "two schemes at once: via is the caller's AUTH_TYPE" {
    policy 'permit any via negotiate as self ttl 8h' 'permit svc via basic as *' \
        'permit carol via Bearer as self'
    serve
    mints AUTH_TYPE=Negotiate
    mints AUTH_TYPE=NEGOTIATE
    ask AUTH_TYPE=Basic
    denied 403 "no rule of $POLICY"
    mints AUTH_TYPE=Basic REMOTE_USER=svc PATH_INFO=/bob
    ask AUTH_TYPE=Negotiate REMOTE_USER=svc PATH_INFO=/bob
    denied 403 "no rule of $POLICY"
    ask AUTH_TYPE=Basic REMOTE_USER=carol PATH_INFO=/carol
    denied 403 "no rule of $POLICY"
    # What a client says of itself is no scheme.
    ask AUTH_TYPE=Basic HTTP_AUTH_TYPE=Negotiate HTTP_AUTHORIZATION=Negotiate
    denied 403 "no rule of $POLICY"
}

@test "a rule that is wrong stops the start, and its line is told" {
    policy 'permit authenticated as self' 'permit foo as * ttl forever'
    run_cgi
    unserved "$POLICY:2: 'ttl' wants a duration"
    fails_with 78 "$POLICY:2: 'ttl' wants a duration" "$FCGI" --config "$CONF" --socket "$SOCKET"
    rm "$POLICY"
    run_cgi
    unserved "$POLICY: No such file or directory$"
    fails_with 66 "$POLICY: No such file" "$FCGI" --config "$CONF" --socket "$SOCKET"
    configure 'policy = "rules"'
    run_cgi
    unserved "$CONF:4: policy: 'rules' is not an absolute path"
}

@test "a policy that group or others may write is refused" {
    local mode

    policy 'permit authenticated as self'
    for mode in 0660 0602 0666; do
        chmod "$mode" "$POLICY"
        run_cgi
        unserved "$POLICY: others may write it (mode $mode)"
        fails_with 78 "$POLICY: others may write it" "$FCGI" --config "$CONF" --socket "$SOCKET"
    done
    chmod 0644 "$POLICY"
    run_cgi
    minted
}

@test "a policy that belongs to another user is refused" {
    need_root
    policy 'permit authenticated as self'
    chown nobody "$POLICY"
    run_cgi
    unserved "$POLICY: belongs to uid [0-9]*, which could change it"
    fails_with 78 "$POLICY: belongs to uid" "$FCGI" --config "$CONF" --socket "$SOCKET"
}

told_times() { [ "$(times_logged "$1")" -eq "$2" ]; }

@test "SIGHUP takes a good policy, and a broken one leaves the old one in force" {
    policy 'permit authenticated as self'
    serve
    mints
    ask PATH_INFO=/bob
    denied 403 "no rule of $POLICY"

    policy 'permit authenticated as self' 'permit alice as bob'
    ask PATH_INFO=/bob
    denied 403 "no rule of $POLICY"
    kill -HUP "$MONITOR"
    until_true 5 told_times ' Reloaded$' 1
    mints PATH_INFO=/bob

    policy 'deny any as *' 'permit'
    kill -HUP "$MONITOR"
    until_true 5 told_times 'Not reloaded, the old configuration stays: ' 1
    logged "stays: $POLICY:2: who?"
    mints PATH_INFO=/bob

    policy 'permit alice as carol'
    chmod 0666 "$POLICY"
    kill -HUP "$MONITOR"
    until_true 5 told_times 'Not reloaded, the old configuration stays: ' 2
    logged "stays: $POLICY: others may write it"
    mints PATH_INFO=/bob

    chmod 0600 "$POLICY"
    kill -HUP "$MONITOR"
    until_true 5 told_times ' Reloaded$' 2
    ask PATH_INFO=/bob
    denied 403 "no rule of $POLICY"
    mints PATH_INFO=/carol
}

@test "a subject has no more token files at once than its rule lets it" {
    policy 'permit alice as etl* live 2'
    for _ in 1 2; do
        run_cgi PATH_INFO=/etl
        [ "$STATUS" = 200 ]
    done
    run_cgi PATH_INFO=/etl
    refused 429
    grep -q '^Retry-After: 1' "$DIR/answer"
    [ "$(token_count)" -eq 2 ]
    # Another subject's files do not count, nor those of a name that begins alike.
    run_cgi PATH_INFO=/etl.1
    [ "$STATUS" = 200 ]
    find "$TOKENS" -name 'etl.[0-9]*.token' ! -name 'etl.1.*' -delete -quit
    run_cgi PATH_INFO=/etl
    [ "$STATUS" = 200 ]
}

@test "requests in flight get a subject no more token files than its rule lets it have" {
    policy 'permit authenticated as self live 2'
    serve
    find_parts
    kill -STOP "$SIGNER"
    background flight flight "$SOCKET" 5
    until_true 5 says "$DIR/flight" sent
    # One that came later is answered, so those wait for the signer.
    ask PATH_INFO=/-/healthy
    kill -CONT "$SIGNER"
    wait "$JOB"
    [ "$(grep -c '^200$' "$DIR/flight")" -eq 2 ]
    [ "$(grep -c '^429$' "$DIR/flight")" -eq 3 ]
    [ "$(token_count)" -eq 2 ]
}

@test "a subject with all its token files is refused without a signature" {
    policy 'permit authenticated as self live 1'
    serve
    find_parts
    mints
    kill -STOP "$SIGNER"
    ask
    refused 429
}
