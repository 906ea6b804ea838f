#!/usr/bin/env bats
# The local socket, where the kernel says who is asking, and authserver-token, which uses it.

load lib/fastcgi

setup_file() {
    fastcgi_init
    install -m 0755 "${AUTHSERVER_BUILD:-$BATS_TEST_DIRNAME/../build}/authserver-token" "$WORK"
}
teardown_file() { fastcgi_clean; }
setup() {
    fastcgi_begin
    PEERS=$DIR/peers
    AS_DAEMON=(setpriv --reuid daemon --regid daemon --clear-groups)
}
teardown() { fastcgi_end; }

serve_peers() {
    run_server "$FCGI" --config "$CONF" --socket "$SOCKET" --peer-socket "$PEERS"
}

# client [ARGUMENT]...: what authserver-token prints, in $DIR/out and $DIR/err.
client() {
    "${AS[@]}" "$WORK/authserver-token" --no-cache --socket "$PEERS" "$@" >"$DIR/out" 2>"$DIR/err"
}

# fails STATUS PATTERN [ARGUMENT]...: prints nothing but one line that says why.
fails() {
    local wanted=$1 pattern=$2 status=0

    shift 2
    client "$@" || status=$?
    [ "$status" -eq "$wanted" ] || { echo "exit status $status"; cat "$DIR/err"; return 1; }
    [ ! -s "$DIR/out" ]
    [ "$(wc -l <"$DIR/err")" -eq 1 ]
    grep -q -e "$pattern" "$DIR/err" || { cat "$DIR/err"; return 1; }
}

# as_peer PARAM...: a raw request to the local socket by the account daemon.
as_peer() {
    # shellcheck disable=SC2034 # read by refused
    STATUS=closed
    "${AS_DAEMON[@]}" "$ASK" "$PEERS" "$@" >"$DIR/answer" || return 0
    read_answer
}

@test "a local account gets its own token, without a password or a web server" {
    need_root
    serve_peers
    AS=("${AS_DAEMON[@]}")
    client
    [ "$(wc -l <"$DIR/out")" -eq 1 ]
    tr -d '\n' <"$DIR/out" >"$DIR/token"
    token verify "$WORK/key.pub" "$DIR/token"
    token claim "$DIR/token" 'it["sub"] == "daemon"'
    [ ! -s "$DIR/err" ]
}

@test "--file prints the path of the file, and ttl and audience go into the token" {
    need_root
    serve_peers
    AS=("${AS_DAEMON[@]}")
    client --file --ttl 5m --audience 'a b&c'
    file=$(cat "$DIR/out")
    [[ $file == "$TOKENS"/daemon.*.token ]]
    token claim "$file" \
        'it["exp"] - it["iat"] == 300 and it["aud"] == "a b&c"'
}

@test "threat: a local process claims to be somebody else by params" {
    need_root
    printf '%s\n' 'permit root as *' 'permit alice as *' 'permit daemon via peer as self' >"$DIR/rules"
    configure "policy = \"$DIR/rules\""
    serve_peers
    as_peer PATH_INFO=/alice REMOTE_USER=alice AUTH_TYPE=Basic
    refused 403 '^daemon may not have a token for alice$'
    as_peer PATH_INFO=/alice REMOTE_USER=root AUTH_TYPE=peer HTTP_REMOTE_USER=root
    refused 403 '^daemon may not have a token for alice$'
    as_peer PATH_INFO=/daemon REMOTE_USER=alice AUTH_TYPE=Basic
    minted
    logged 'caller daemon, path /alice'
}

@test "policy tells callers of the local socket by the scheme peer" {
    need_root
    printf '%s\n' 'permit authenticated via basic as self' >"$DIR/rules"
    configure "policy = \"$DIR/rules\""
    serve_peers
    AS=("${AS_DAEMON[@]}")
    fails 77 'daemon may not have a token for daemon$'
    mints REMOTE_USER=daemon AUTH_TYPE=Basic PATH_INFO=/daemon
}

@test "anybody may connect to the local socket, and only the web server to the other" {
    need_root
    serve_peers
    [ "$(stat -c '%a %F' "$PEERS")" = "666 socket" ]
    [ "$(stat -c '%a %F' "$SOCKET")" = "660 socket" ]
    refute "${AS_DAEMON[@]}" "$ASK" "$SOCKET"
}

@test "an account of no name is not served" {
    need_root
    serve_peers
    AS=(setpriv --reuid 54321 --regid 54321 --clear-groups)
    fails 69 'the connection was closed\|Broken pipe'
    logged 'uid 54321 has no account here'
}

@test "one account's connections leave others their service" {
    need_root
    serve_peers
    AS=("${AS_DAEMON[@]}")
    # Sixteen is what an account may have; the rest is hung up on.
    "${AS_DAEMON[@]}" "$CLIENT" occupy "$PEERS" 40 >"$DIR/occupy" 2>&1 3>&- &
    JOBS+=("$!")
    until_true 10 logged 'it has 16 connections'
    mints
    AS=(setpriv --reuid bin --regid bin --clear-groups)
    client
    grep -q '^eyJ' "$DIR/out"
    # What is turned away does not fill the log.
    [ "$(times_logged 'it has 16 connections')" -le 3 ]
}

@test "more callers than an account has connections all get the token that one asks for" {
    need_root
    serve_peers
    install -d -m 0700 -o daemon "$DIR/home"
    for ((i = 0; i < 40; i++)); do
        HOME=$DIR/home XDG_RUNTIME_DIR='' "${AS_DAEMON[@]}" "$WORK/authserver-token" \
            --socket "$PEERS" >"$DIR/out.$i" 2>&1 3>&- &
        JOBS+=("$!")
    done
    wait "${JOBS[@]}"
    [ "$(sort -u "$DIR"/out.* | grep -c '^eyJ')" -eq 1 ]
    [ "$(cat "$DIR"/out.* | wc -l)" -eq 40 ]
    [ "$(token_count)" -eq 1 ]
    [ "$(stat -c '%a %U' "$DIR/home/.authserver/token")" = '600 daemon' ]
}

@test "threat: an account that has no number here is everybody's nobody" {
    need_root
    serve_peers
    AS=("${AS_NOBODY[@]}")
    fails 69 'the connection was closed\|Broken pipe'
    logged 'that is whoever has no uid here'
}

@test "threat: a web server's caller claims the kernel's word" {
    serve_peers
    ask AUTH_TYPE=peer
    refused 400 "^AUTH_TYPE peer is authserver's own"
    ask AUTH_TYPE=PEER
    refused 400
}

@test "the names that web clients may use for us do not matter" {
    need_root
    configure 'hosts = "auth.example"'
    serve_peers
    AS=("${AS_DAEMON[@]}")
    client
    grep -q '^eyJ' "$DIR/out"
}

@test "threat: lengths that libfcgi would not survive" {
    need_root
    serve_peers
    find_parts
    before=$WORKERS
    # After each of them the worker answers, if only to refuse.
    "${AS_DAEMON[@]}" "$CLIENT" malformed "$PEERS" >"$DIR/out" || true
    [ "$(grep -c '^after .*: 403$' "$DIR/out")" -gt 20 ]
    refute grep -v ': 403$' "$DIR/out"
    find_parts
    [ "$WORKERS" = "$before" ]
    mints
}

@test "the local socket is taken away at the end, and serves across a reload" {
    serve_peers
    AS=()
    kill -HUP "$MONITOR"
    until_true 10 logged 'Reloaded'
    fails 77 'root may not have a token' # answered, by the built-in policy
    stop
    [ ! -e "$PEERS" ]
    [ ! -e "$SOCKET" ]
}

@test "authserver-token says in one line what is wrong" {
    AS=()
    fails 69 "$PEERS: No such file or directory"
    refute client a b
    grep -q 'one SUBJECT at most' "$DIR/err"
    refute client a/b
    grep -q 'a/b: a subject has no slash' "$DIR/err"
    serve_peers
    fails 1 'query parameter ttl' --ttl soon
    fails 77 'may not have a token for nobody$' nobody
    "$WORK/authserver-token" --help | grep -q 'Usage: authserver-token'
    "$WORK/authserver-token" --version | grep -qx 'authserver-token [0-9.]*'
}
