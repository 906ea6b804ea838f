#!/usr/bin/env bats
# The audit log: one JSON line a decision. And the bound on token files, which it tells of.

load lib/fastcgi

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }
setup() {
    fastcgi_begin
    AUDIT=$DIR/logs/audit.log
    mkdir -m 0755 "$DIR/logs"
}
teardown() { fastcgi_end; }

# line EXPRESSION...: whether each holds of the last line, a dictionary called "it".
line() {
    local lines

    mapfile -t lines <"$AUDIT"
    token holds "$@" <<<"${lines[-1]}"
}

lines() { wc -l <"$1"; }

audited() {
    printf '%s\n' 'permit authenticated as self' 'permit foo as * ttl 1h audience okera' >"$DIR/rules"
    configure "policy = \"$DIR/rules\"" "audit = \"$AUDIT\"" "$@"
    serve
}

@test "a grant is a line: who asked for what, by which rule, and what was signed" {
    audited 'profile "p" { audience = "okera" }'
    mints REMOTE_USER=foo PATH_INFO=/janedoe QUERY_STRING='ttl=60&profile=p&audience=okera' REQUEST_ID=abc-1
    [ "$(lines "$AUDIT")" -eq 1 ]
    claims_of "$FILE"
    jti=$(claimed jti)
    kid=$(token header "$FILE" | sed 's/.*"kid":"\([^"]*\)".*/\1/')
    line "it['request'] == 'abc-1' and it['caller'] == 'foo' and it['auth'] == 'Basic'" \
        "it['subject'] == 'janedoe' and it['profile'] == 'p' and it['audience'] == 'okera'" \
        "it['ttl'] == 60 and it['jti'] == '$jti' and it['kid'] == '$kid'" \
        "it['verdict'] == 'permit' and it['rule'] == '$DIR/rules:2' and it['status'] == 200" \
        "0 < it['duration_us'] < 10000000" \
        "__import__('datetime').datetime.strptime(it['time'], '%Y-%m-%dT%H:%M:%S.%fZ')"
}

@test "a refusal is a line: the rule or none, and the reason" {
    audited
    ask PATH_INFO=/bob
    line "it['verdict'] == 'deny' and it['caller'] == 'alice' and it['subject'] == 'bob'" \
        "it['rule'] == 'no rule of $DIR/rules' and it['status'] == 403" \
        "it['reason'] == 'alice may not have a token for bob' and 'jti' not in it"
    ask REMOTE_USER=foo PATH_INFO=/janedoe QUERY_STRING='ttl=2h'
    line "it['rule'] == '$DIR/rules:2' and it['ttl'] == 7200"
    ask AUTH_TYPE REMOTE_USER
    line "it['status'] == 401 and it['caller'] == 'anonymous' and 'auth' not in it"
    ask QUERY_STRING='wrong=1'
    line "it['status'] == 400 and 'rule' not in it"
    ask HTTP_ORIGIN=https://evil.example
    line "it['status'] == 403 and it['path'] == '/alice'"
    [ "$(lines "$AUDIT")" -eq 5 ]
}

@test "a failure of ours is an error and no denial" {
    audited
    rm -rf "$TOKENS"
    ask
    [ "$STATUS" = 503 ]
    line "it['verdict'] == 'error' and it['status'] == 503 and it['reason']"
}

@test "a token that could not be given is a second line, and no file" {
    audited
    find_parts
    kill -STOP "$SIGNER"
    background flight flight "$SOCKET" 1
    until_true 5 says "$DIR/flight" sent
    # By then the request was taken.
    ask PATH_INFO=/-/healthy
    kill -KILL "$JOB"
    wait "$JOB" || true
    kill -CONT "$SIGNER"
    until_true 5 grep -q withdrawn "$AUDIT"
    [ "$(token_count)" -eq 0 ]
    [ "$(lines "$AUDIT")" -eq 2 ]
    # What was signed can be told from it, and revoked.
    jti=$(sed -n '1s/.*"jti":"\([^"]*\)".*/\1/p' "$AUDIT")
    line "it['verdict'] == 'error' and it['status'] == 503 and it['caller'] == 'alice'" \
        "it['reason'] == 'the answer could not be given: the token is withdrawn'" \
        "it['jti'] == '$jti' and len('$jti') > 10"
}

@test "each request has an id of its own where the web server gives none" {
    audited
    for _ in 1 2 3; do mints; done
    [ "$(sed 's/.*"request":"\([0-9a-f]\{16\}\)".*/\1/' "$AUDIT" | sort -u | wc -l)" -eq 3 ]
    mints UNIQUE_ID=Yx.1_@-a
    line "it['request'] == 'Yx.1_@-a'"
    # One that could not stand in a log is none.
    mints REQUEST_ID='a b"'
    line "len(it['request']) == 16"
}

@test "threat: names that would forge a line of the log" {
    audited 'subject-pattern = ".*"' 'permit-anonymous = true'
    name=$(printf 'a"}\n{"verdict":"permit')
    ask REMOTE_USER="$name"
    ask PATH_INFO="/x\",\"verdict\":\"permit" REMOTE_USER=foo
    while IFS= read -r text; do
        token holds 'it["verdict"] in ("permit", "deny")' <<<"$text"
    done <"$AUDIT"
    [ "$(lines "$AUDIT")" -eq 2 ]
}

@test "the token is in no line" {
    audited
    for _ in 1 2 3; do mints HTTP_ACCEPT=application/json; done 2>/dev/null || true
    ask HTTP_ACCEPT=application/jwt
    refute grep -q eyJ "$AUDIT"
    refute grep -q eyJ "$LOG"
    [ "$(lines "$AUDIT")" -ge 2 ]
}

@test "SIGUSR1 opens the file anew, and no line is lost or cut" {
    audited 'workers = 2'
    background load load "$SOCKET" 4
    until_true 10 logged 'Generated token'
    for i in 1 2 3 4 5; do
        mv "$AUDIT" "$AUDIT.$i"
        kill -USR1 "$MONITOR"
        INTERVAL=0.02 until_true 5 test -s "$AUDIT"
    done
    finish "$JOB"
    cat "$AUDIT" "$AUDIT".? >"$DIR/all"
    /usr/bin/python3 -c '
import json, sys
lines = [json.loads(text) for text in open(sys.argv[1])]
assert all(line["verdict"] == "permit" for line in lines)
assert len({line["jti"] for line in lines}) == len(lines) > 5
' "$DIR/all"
    grants=$(lines "$DIR/all")
    [ "$grants" -eq "$(times_logged 'Generated token')" ]
    [ "$(stat -c %a "$AUDIT")" = 640 ]
}

@test "a worker that starts after SIGUSR1 writes to the new file" {
    audited
    mints
    mv "$AUDIT" "$AUDIT.1"
    kill -USR1 "$MONITOR"
    until_true 5 test -e "$AUDIT"
    find_parts
    kill -KILL "${WORKERS[0]}"
    until_true 5 mints
    [ "$(lines "$AUDIT.1")" -eq 1 ]
    [ "$(lines "$AUDIT")" -ge 1 ]
}

@test "a line tells the profile and the audience that a rule has chosen" {
    printf '%s\n' 'permit authenticated as self audience okera profile p' >"$DIR/rules"
    configure "policy = \"$DIR/rules\"" "audit = \"$AUDIT\"" 'profile "p" { }'
    serve
    mints
    line "it['profile'] == 'p' and it['audience'] == 'okera'"
}

@test "a line tells all audiences of a profile" {
    audited 'profile "p" { audience = {"a", "b"} }'
    mints QUERY_STRING='profile=p'
    line "it['audience'] == ['a', 'b']"
}

@test "what is too long or no UTF-8 is in the line, cut and escaped" {
    audited
    ask PATH_INFO="/$(printf '%030000d' 0)"
    [ "$(tail -n 1 "$AUDIT" | wc -c)" -lt 2048 ]
    line "it['path'].startswith('/000') and it['path'].endswith('...')"
    ask PATH_INFO=$'/a\377b'
    line "it['path'] == '/a\\\\xffb'"
}

@test "a file that cannot be opened anew leaves the old one in use, and is said" {
    audited
    mv "$AUDIT" "$DIR/old"
    mkdir "$AUDIT"
    kill -USR1 "$MONITOR"
    until_true 5 logged 'Not reopened, the old one stays: audit: '
    mints
    [ "$(lines "$DIR/old")" -eq 1 ]
}

@test "the audit log can go to standard error, beside the lines of the log" {
    configure 'audit = stderr'
    serve
    mints
    [ "$(times_logged '^{"time":.*"verdict":"permit"')" -eq 1 ]
    [ "$(times_logged 'Generated token: ')" -eq 1 ]
}

# A server whose /dev/log is a socket of the test's, in a mount namespace of its own.
serve_with_syslog() {
    /usr/bin/python3 -c '
import socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(sys.argv[1])
while True:
    print(log.recv(65536).decode(), flush=True)
' "$DIR/devlog" >"$DIR/syslog" 2>&1 3>&- &
    JOBS+=("$!")
    until_true 5 test -S "$DIR/devlog"
    mkdir "$DIR/dev"
    # shellcheck disable=SC2016 # of the inner shell
    setsid unshare -m bash -ec '
        mount -t tmpfs none "$0/dev"
        touch "$0/dev/null"
        mount --bind /dev/null "$0/dev/null"
        ln -s "$0/devlog" "$0/dev/log"
        mount --bind "$0/dev" /dev
        exec "$@"' "$DIR" "$FCGI" --config "$CONF" --socket "$SOCKET" >>"$LOG" 2>&1 </dev/null 3>&- &
    MONITOR=$!
    until_true 10 grep -q ' Ready$' "$DIR/syslog"
}

@test "the audit log can go to syslog, and a reload loses no line of it" {
    need_root
    configure 'audit = syslog' 'log = syslog'
    serve_with_syslog
    mints
    kill -HUP "$MONITOR"
    until_true 10 grep -q ' Reloaded$' "$DIR/syslog"
    for _ in 1 2 3; do mints; done
    until_true 5 eval '[ "$(grep -c "authserver.fcgi.*{\"time\".*\"verdict\":\"permit\"" "$DIR/syslog")" -eq 4 ]'
    [ "$(grep -c 'Generated token' "$DIR/syslog")" -eq 4 ]
    refute grep -q eyJ "$DIR/syslog"
    [ ! -s "$LOG" ]
}

@test "an audit log that cannot be written stops the start" {
    configure "audit = \"$DIR/none/audit\""
    fails_with 78 'audit: .*No such file' "$FCGI" --config "$CONF" --socket "$SOCKET"
    ln -s /etc/passwd "$DIR/logs/link"
    configure "audit = \"$DIR/logs/link\""
    fails_with 78 'audit: .*symbolic links' "$FCGI" --config "$CONF" --socket "$SOCKET"
    mkfifo "$DIR/logs/fifo"
    configure "audit = \"$DIR/logs/fifo\""
    fails_with 78 'audit: ' "$FCGI" --config "$CONF" --socket "$SOCKET"
    configure 'audit = "/dev/null"'
    fails_with 78 'audit: /dev/null: not a regular file' "$FCGI" --config "$CONF" --socket "$SOCKET"
    configure 'audit = somewhere'
    fails_with 78 'is not none, stderr, syslog or the absolute path' "$FCGI" --config "$CONF" --socket "$SOCKET"
}

# --- the bound on token files -----------------------------------------------------

@test "beyond max-files it is a 429 with Retry-After, and again a token once files are gone" {
    configure 'max-files = 10' "audit = \"$AUDIT\""
    serve
    made=0
    for _ in $(seq 15); do
        ask
        [ "$STATUS" != 200 ] || made=$((made + 1))
    done
    [ "$made" -eq 10 ]
    refused 429 '^10 token files are there, the most at once'
    grep -q '^Retry-After: 1' "$DIR/answer"
    line "it['status'] == 429"
    [ "$(token_count)" -eq 10 ]
    # Other users are as much refused, whoever made the files.
    ask REMOTE_USER=bob PATH_INFO=/bob
    refused 429
    find "$TOKENS" -name '*.token' | head -n 3 | xargs rm
    until_true 2 mints
    [ "$(token_count)" -eq 8 ]
}

@test "the bound holds for several workers under load" {
    configure 'max-files = 200' 'workers = 3'
    serve
    background load load "$SOCKET" 16
    until_true 20 logged 'Refused with 429'
    sleep 1
    kill "$JOB" && wait "$JOB" || true
    made=$(token_count)
    echo "$made files"
    [ "$made" -ge 100 ] && [ "$made" -le 203 ]
}
