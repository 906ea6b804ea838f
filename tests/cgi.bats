#!/usr/bin/env bats
# authserver.cgi, run as a web server runs it: by variables alone.

load lib/fastcgi

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }
setup() {
    fastcgi_begin
    PROGRAM=$CGI
}
teardown() { fastcgi_end; }

# run_cgi [PARAM]...: one request. Sets STATUS, BODY and EXIT; what it says on stderr is LOG.
run_cgi() {
    EXIT=0
    execute "$PROGRAM" "AUTHSERVER_CONFIG=$CONF" "$@" \
        >"$DIR/answer" 2>"$LOG" </dev/null || EXIT=$?
    read_answer
}

# wrapped FLAG...: the program is a script that runs it with flags.
wrapped() {
    PROGRAM=$DIR/wrapper
    {
        echo '#!/bin/sh'
        printf 'exec'
        printf ' "%s"' "$CGI" "$@"
        # What a web server makes of a query without "=".
        echo ' "$@"'
    } >"$PROGRAM"
    chmod 0755 "$PROGRAM"
}

# unserved TEXT: a 503 that names no file, while stderr says TEXT in one line.
unserved() {
    refused 503
    refute grep -q -F -e "$DIR" -e "$KEY" "$DIR/answer"
    grep -q '^Retry-After: [0-9]' "$DIR/answer"
    [ "$(wc -l <"$LOG")" -eq 1 ]
    logged "$1"
    [ "$EXIT" -ne 0 ]
    [ "$(token_count)" -eq 0 ]
}


@test "a request gets a token in a file" {
    run_cgi
    minted
    [ "$EXIT" -eq 0 ]
    [[ $FILE =~ ^$TOKENS/alice\.[0-9]{19}\.token$ ]]
    [ "$(stat -c %a "$FILE")" = 640 ]
    token verify "$WORK/key.pub" "$FILE"
}

@test "there is no sandbox, and who requires one is not served" {
    run_cgi PATH_INFO=/-/ready
    [[ $STATUS == 200 && $BODY == *'"sandbox":"none"'* ]]
    configure 'landlock = required'
    run_cgi
    unserved 'authserver.cgi has no sandbox'
}

@test "stdout is a CGI response and nothing else" {
    run_cgi
    minted
    printf '%s\r\n' 'Status: 200 OK' 'Content-Type: text/plain; charset=utf-8' \
        "Content-Length: ${#FILE}" 'Cache-Control: no-store' '' >"$DIR/expected"
    printf '%s' "$FILE" >>"$DIR/expected"
    cmp "$DIR/answer" "$DIR/expected"
    [ "$(wc -l <"$LOG")" -eq 1 ]
    logged "Generated token: $FILE$"

    run_cgi PATH_INFO=/bob
    refused 403
    [ "$(tr -d '\r' <"$DIR/answer" | sed '/^$/,$d' | grep -vc '^[A-Z][A-Za-z-]*: .')" -eq 0 ]
    [ "$(sed -n 's/^Content-Length: \([0-9]*\)\r$/\1/p' "$DIR/answer")" -eq "$((${#BODY} + 1))" ]
}

@test "a wrapper's flags configure it, and come before AUTHSERVER_CONFIG's keys" {
    wrapped --private-key "$KEY" --directory "$TOKENS" --ttl 5m
    run_cgi AUTHSERVER_CONFIG
    minted
    token claim "$FILE" "it['exp'] - it['iat'] == 300"

    configure 'lifetime = "10m"'
    run_cgi
    minted
    token claim "$FILE" "it['exp'] - it['iat'] == 300"
}

@test "a query without = sets no flags, and is refused" {
    local query arguments

    for query in --help --version "--private-key+$WORK/other" "--config+/etc/passwd" alice; do
        run_cgi "QUERY_STRING=$query"
        refused 400 'unknown query parameter'
        # As a web server hands it over (RFC 3875, 4.4).
        IFS=+ read -ra arguments <<<"$query"
        wrapped "${arguments[@]}"
        run_cgi "QUERY_STRING=$query"
        refused 400 'unknown query parameter'
        PROGRAM=$CGI
    done
    [ "$(token_count)" -eq 0 ]
}

@test "query parameters: ttl, and none that is unknown" {
    run_cgi QUERY_STRING=ttl=90s
    minted
    token claim "$FILE" "it['exp'] - it['iat'] == 90"
    run_cgi QUERY_STRING=config=/etc/passwd
    refused 400
    run_cgi 'QUERY_STRING=ttl=90s&ttl=90s'
    refused 400
}

@test "REMOTE_USER counts beside AUTH_TYPE alone" {
    run_cgi AUTH_TYPE
    refused 401
    run_cgi AUTH_TYPE=
    refused 401
    run_cgi REMOTE_USER
    refused 401
    run_cgi AUTH_TYPE REMOTE_USER HTTP_AUTH_TYPE=Basic HTTP_REMOTE_USER=alice
    refused 401
    [ "$(token_count)" -eq 0 ]
}

@test "a variable that comes twice is refused" {
    local param

    for param in REMOTE_USER=alice REMOTE_USER=root AUTH_TYPE=Basic PATH_INFO=/alice; do
        run_cgi "+$param"
        refused 400 "${param%%=*} twice"
    done
    [ "$(token_count)" -eq 0 ]
}

@test "variables that are missing are refused, not guessed" {
    run_cgi PATH_INFO
    refused 404
    run_cgi REQUEST_METHOD
    refused 405
    run_cgi HTTP_HOST
    refused 403
    [ "$(token_count)" -eq 0 ]
    # A request may have no query and no body.
    run_cgi QUERY_STRING CONTENT_LENGTH
    minted
}

@test "a body is refused by its length alone" {
    run_cgi CONTENT_LENGTH=65537
    refused 413
    run_cgi CONTENT_LENGTH=9223372036854775807
    refused 413
    run_cgi CONTENT_LENGTH=99999999999999999999
    refused 400
    run_cgi CONTENT_LENGTH=-1
    refused 400
    run_cgi CONTENT_LENGTH=5
    refused 400
    [ "$(token_count)" -eq 0 ]
}

@test "without a key, a configuration or a directory: 503, and the reason on stderr" {
    rm "$KEY"
    run_cgi
    unserved "$KEY: No such file or directory$"
    head -c 800 "$WORK/other" >"$KEY"
    chmod 0600 "$KEY"
    run_cgi
    unserved "$KEY: not a private key"
    install -m 0600 "$WORK/key" "$KEY"

    run_cgi "AUTHSERVER_CONFIG=$DIR/none"
    unserved "$DIR/none: No such file or directory$"
    run_cgi AUTHSERVER_CONFIG
    unserved 'no private key: '
    configure 'lifetime = "forever"'
    run_cgi
    unserved "$CONF:4: lifetime: 'forever' is not a duration"
    configure 'group = "nowhere"'
    run_cgi
    unserved "group 'nowhere' does not exist"
    configure

    chmod 0777 "$TOKENS"
    run_cgi
    unserved "$TOKENS: .*chmod o-w"
    chmod 0750 "$TOKENS"
    run_cgi
    minted
}

@test "--help and --version" {
    "$CGI" --help | grep -q AUTHSERVER_CONFIG
    [[ $("$CGI" --version) == "authserver.cgi "[0-9]* ]]
}

@test "an unknown flag is a usage error" {
    "$CGI" --wrong 2>"$LOG" || EXIT=$?
    [ "$EXIT" -eq 64 ]
    logged '--wrong'
}
