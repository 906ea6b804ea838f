#!/usr/bin/env bats
# What no log may hold: tokens, keys, passwords, credentials, or lines that others wrote.

load lib/fastcgi

setup_file() {
    fastcgi_init
    openssl pkey -in "$WORK/key" -aes256 -passout pass:opensesame -out "$WORK/encrypted"
}
teardown_file() { fastcgi_clean; }
setup() {
    fastcgi_begin
    printf 'opensesame\n' >"$DIR/passphrase"
    printf 'abracadabra\n' >"$DIR/wrong"
    chmod 0600 "$DIR/passphrase" "$DIR/wrong"
    CREDENTIALS=$(printf 'alice:opensesame' | base64)
}
teardown() { fastcgi_end; }

# no_secret FILE: it holds nothing that a log may not.
no_secret() {
    [ -s "$1" ]
    # The lines of the key files, and any token.
    grep -h -v -e '-----' "$WORK/key" "$WORK/other" "$WORK/encrypted" |
        grep -E '^.{20}' >"$DIR/secrets"
    printf '%s\n' eyJ opensesame abracadabra "$CREDENTIALS" >>"$DIR/secrets"
    refute grep -a -n -F -f "$DIR/secrets" "$1"
}

# Requests of every outcome, all of them with credentials: through "$@".
every_outcome() {
    local with=("HTTP_AUTHORIZATION=Basic $CREDENTIALS" "HTTP_COOKIE=token=opensesame")

    "$@" "${with[@]}"
    "$@" "${with[@]}" HTTP_ACCEPT=application/jwt
    "$@" "${with[@]}" HTTP_ACCEPT=application/json
    "$@" "${with[@]}" PATH_INFO=/bob
    "$@" "${with[@]}" AUTH_TYPE
    "$@" "${with[@]}" +REMOTE_USER=root
    "$@" "${with[@]}" QUERY_STRING=password=opensesame
    "$@" "${with[@]}" QUERY_STRING=ttl=opensesame
    "$@" "${with[@]}" QUERY_STRING=opensesame
    "$@" "${with[@]}" HTTP_HOST=evil.example
    "$@" "${with[@]}" HTTP_ORIGIN=http://evil.example
    "$@" "${with[@]}" REQUEST_METHOD=PUT
    "$@" "${with[@]}" PATH_INFO=/a/b
    "$@" "${with[@]}" CONTENT_LENGTH=100000
}

not_reloaded() { [ "$(times_logged 'Not reloaded')" -eq "$1" ]; }
newer_signer() { parts && [ "$SIGNER" != "$1" ]; }
newer_worker() { parts && [ "${WORKERS[0]}" != "$1" ]; }

@test "the FastCGI program logs no secret, whatever befalls it" {
    local one

    configure "passphrase-file = \"$DIR/passphrase\""
    install -m 0644 "$WORK/encrypted" "$KEY"
    serve
    every_outcome ask
    ask HTTP_ACCEPT=application/jwt
    [[ $BODY == eyJ* ]]
    printf '\1\1garbage opensesame %s' "$BODY" >"$DIR/garbage"
    client raw "$SOCKET" <"$DIR/garbage"

    # Deaths, with requests on their way.
    find_parts
    one=$SIGNER
    kill -STOP "$one"
    background flight flight "$SOCKET" 5
    until_true 5 says "$DIR/flight" sent
    kill -KILL "$one"
    wait "$JOB"
    until_true 5 newer_signer "$one"
    one=${WORKERS[0]}
    kill -KILL "$one"
    until_true 5 newer_worker "$one"
    mints

    # Configurations that are wrong, and keys.
    configure "passphrase-file = \"$DIR/wrong\""
    kill -HUP "$MONITOR"
    until_true 5 not_reloaded 1
    configure 'password = "opensesame"'
    kill -HUP "$MONITOR"
    until_true 5 not_reloaded 2
    head -c 800 "$WORK/other" >"$KEY"
    configure
    kill -HUP "$MONITOR"
    until_true 5 not_reloaded 3
    kill -KILL "$SIGNER"
    until_true 5 logged 'The signer cannot be started'

    logged 'Generated token'
    logged 'Refused with 403'
    no_secret "$LOG"
}

run_cgi() {
    execute "$CGI" "AUTHSERVER_CONFIG=$CONF" "$@" >"$DIR/answer" 2>>"$LOG" </dev/null || true
}

@test "the CGI program logs no secret" {
    configure "passphrase-file = \"$DIR/passphrase\""
    install -m 0644 "$WORK/encrypted" "$KEY"
    every_outcome run_cgi
    run_cgi HTTP_ACCEPT=application/jwt
    grep -q '^eyJ' "$DIR/answer"
    configure "passphrase-file = \"$DIR/wrong\""
    run_cgi
    configure 'password = "opensesame"'
    run_cgi
    head -c 800 "$WORK/other" >"$KEY"
    configure
    run_cgi
    logged 'Generated token'
    logged 'Refused with 403'
    no_secret "$LOG"
}

@test "a key that stands where its file's name belongs is not logged" {
    local status=0

    "$FCGI" --socket "$SOCKET" -d "$TOKENS" -k "$(cat "$WORK/key")" 2>"$LOG" || status=$?
    [ "$status" -ne 0 ]
    no_secret "$LOG"
    rm "$LOG"
    printf 'private-key = "%s"\n' "$(cat "$WORK/key")" >"$CONF"
    run_cgi
    logged 'private-key holds a key'
    no_secret "$LOG"
}

@test "names cannot write log lines of their own" {
    local bad before name

    serve
    before=$(wc -l <"$LOG")
    for name in PATH_INFO REMOTE_USER AUTH_TYPE HTTP_HOST QUERY_STRING REQUEST_METHOD; do
        for bad in $'/x\n2026/01/01 00:00:00 Generated token: /forged' $'/\r\e[2Jx' \
            $'/\x7f\x9b\xff'; do
            ask "$name=$bad"
            [ "$STATUS" != 200 ]
        done
    done
    # What a realm and a long name put into a message.
    ask "REMOTE_USER=x@"$'evil\nrealm'
    ask "PATH_INFO=/$(printf '\n%.0s' {1..300})x"
    [ "$(token_count)" -eq 0 ]
    [ "$(($(wc -l <"$LOG") - before))" -eq 20 ]
    refute grep -a -v -E '^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9:]{8} [ -~]*$' "$LOG"
    refute grep -a '^[^ ]* [^ ]* Generated' "$LOG"
}
