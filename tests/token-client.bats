#!/usr/bin/env bats
# authserver-token as scripts use it: of a web server, with a token kept for the next call. Real
# nginx with Basic and with TLS, real Apache with Kerberos, as they are shipped. The local
# socket is in peer.bats.

load lib/gateway
load lib/http
load lib/ca
load lib/auth
load lib/kdc
load lib/clock

setup_file() {
    export GATEWAY=nginx-fcgi
    auth_init
    install -m 0755 "$BUILD/authserver-token" "$WORK/bin/"
    gateway_create main
    gateway_start main
    gateway_create tls
    auth_start tls tls.conf
    GATEWAY=apache-proxy-fcgi
    kdc_start "$WORK/kdc"
    gateway_create kerberos 'realms = {"EXAMPLE.ORG"}'
    install -m 0640 -g "$(id -g "$WEB_USER")" "$KDC/http.keytab" "$WORK/kerberos/etc/http.keytab"
    auth_start kerberos kerberos.conf \
        "s|^\( *GssapiCredStore\) keytab:.*|&\n\1 rcache:file2:$WORK/kerberos/web/rcache|"
}

setup() {
    JOBS=()
    GATEWAY=nginx-fcgi
    at main
    HOME_OF=$BATS_TEST_TMPDIR/home
    mkdir -m 0700 "$HOME_OF"
    CACHE=$HOME_OF/.authserver/token
    OUT=$BATS_TEST_TMPDIR/out
    ERR=$BATS_TEST_TMPDIR/err
    ENVIRONMENT=()
    password_of alice
}

teardown() {
    local pid

    for pid in "${JOBS[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    auth_teardown
}

teardown_file() {
    kdc_stop
    gateway_end
}

# password_of USER: makes ALICE or BOB, the flags by which a user is let in.
password_of() {
    printf '%s\n' "$PASSWORD-$1" >"$BATS_TEST_TMPDIR/$1"
    chmod 0600 "$BATS_TEST_TMPDIR/$1"
    declare -ga "${1^^}=(--user=$1 --password-file=$BATS_TEST_TMPDIR/$1)"
}

# client [ARGUMENT]...: what it prints is in OUT and ERR. It sees ENVIRONMENT and no other.
client() {
    env -i HOME="$HOME_OF" "${ENVIRONMENT[@]}" "$WORK/bin/authserver-token" "$@" >"$OUT" 2>"$ERR"
}

# gets USER [ARGUMENT]...: one token of the user, and nothing else.
gets() {
    local user=$1

    shift
    client "$@" || { cat "$ERR"; return 1; }
    [ ! -s "$ERR" ]
    prints "$user"
}

prints() {
    local claims

    [ "$(wc -l <"$OUT")" -eq 1 ]
    claims=$(cut -d. -f2 "$OUT" | basenc --base64url -d 2>/dev/null || true)
    [[ $claims == "{\"sub\":\"$1\","* ]] || { echo "expected a token of $1: $claims"; return 1; }
}

# fails STATUS PATTERN [ARGUMENT]...: nothing but one line that says why.
fails() {
    local wanted=$1 pattern=$2 status=0

    shift 2
    client "$@" || status=$?
    [ "$status" -eq "$wanted" ] || { echo "exit status $status"; cat "$ERR"; return 1; }
    [ ! -s "$OUT" ]
    [ "$(wc -l <"$ERR")" -eq 1 ]
    grep -q -e "$pattern" "$ERR" || { cat "$ERR"; return 1; }
}

# asks NUMBER COMMAND...: how many requests the web server sees meanwhile.
asks() {
    local wanted=$1 before after

    shift
    before=$(requests)
    "$@"
    # A line that is not there yet would be missed; one too many never is.
    until_true 4 at_least "$((before + wanted))"
    after=$(requests)
    [ "$((after - before))" -eq "$wanted" ] || { echo "$((after - before)) requests"; return 1; }
}

requests() { grep -vc /-/healthy "$LOG/web.access" || true; }
at_least() { [ "$(requests)" -ge "$1" ]; }

# stub BYTES: a server that answers once with BYTES, at STUB.
stub() {
    local port=$((15000 + RANDOM % 3000))

    while listened_at "$port"; do port=$((port + 1)); done
    # shellcheck disable=SC2059 # the escapes are the point
    printf "$1" >"$BATS_TEST_TMPDIR/answer"
    nc -N -l 127.0.0.1 "$port" <"$BATS_TEST_TMPDIR/answer" >"$BATS_TEST_TMPDIR/asked" 3>&- &
    JOBS+=("$!")
    STUB=http://127.0.0.1:$port
    until_true 10 listens "$port"
}

listens() { listened_at "$1"; }

# together NUMBER [ARGUMENT]...: so many clients at once; their output is in OUT.N, their exit
# statuses, one a line, in STATUSES.
together() {
    local i number=$1 pids=()

    shift
    for ((i = 0; i < number; i++)); do
        env -i HOME="$HOME_OF" "$WORK/bin/authserver-token" "$@" >"$OUT.$i" 2>"$ERR.$i" 3>&- &
        pids+=("$!")
    done
    STATUSES=
    for i in "${pids[@]}"; do
        wait "$i" && STATUSES+=0$'\n' || STATUSES+=$?$'\n'
    done
}

# --- one token and nothing else ---------------------------------------------------

@test "a user name and a password file get a token, by the path that is answered" {
    gets alice --url="$URL" "${ALICE[@]}"
    tr -d '\n' <"$OUT" >"$BATS_TEST_TMPDIR/token"
    token verify "$WORK/key.pub" "$BATS_TEST_TMPDIR/token"
    # The very file that the server made, of which it said no more than the path.
    cmp "$BATS_TEST_TMPDIR/token" "$(new_files)"
    until_true 4 answered '< 200'
}

# answered COMPARISON: of the length of the last answer, as awk has it.
answered() {
    tail -n 1 "$LOG/web.access" | awk "{ exit !(\$10 $1) }"
}

@test "netrc files, ~/.netrc among them, say who is asking" {
    printf 'machine 127.0.0.1 login alice password %s\n' "$PASSWORD-alice" >"$HOME_OF/netrc"
    chmod 0600 "$HOME_OF/netrc"
    gets alice --url="$URL" --netrc-file="$HOME_OF/netrc"
    mv "$HOME_OF/netrc" "$HOME_OF/.netrc"
    gets alice --url="$URL" --no-cache
}

@test "without an argument: variables of the environment say everything, or a file does" {
    ENVIRONMENT=(AUTHSERVER_URL="$URL" AUTHSERVER_USER=alice
        AUTHSERVER_PASSWORD_FILE="$BATS_TEST_TMPDIR/alice" AUTHSERVER_TTL=5m)
    gets alice
    cut -d. -f2 "$OUT" | basenc --base64url -d 2>/dev/null | token holds \
        'it["exp"] - it["iat"] == 300'
    printf '%s\n' "url = \"$URL\"" 'user = "alice"' "password-file = \"$BATS_TEST_TMPDIR/alice\"" \
        'direct = true' >"$HOME_OF/conf"
    ENVIRONMENT=()
    gets alice --config="$HOME_OF/conf"
    # What ranks higher: the variable.
    ENVIRONMENT=(AUTHSERVER_SOCKET=/nonexistent)
    fails 69 '^authserver-token: /nonexistent: ' --config="$HOME_OF/conf"
    ENVIRONMENT=(AUTHSERVER_NEGOTIATE=maybe)
    fails 78 'AUTHSERVER_NEGOTIATE: negotiate: want true or false' --config="$HOME_OF/conf"
    ENVIRONMENT=()
    echo 'colour = "red"' >>"$HOME_OF/conf"
    fails 78 'conf:5: ' --config="$HOME_OF/conf"
}

@test "--direct has the token itself, and --file a path" {
    gets alice --url="$URL/" "${ALICE[@]}" --direct --no-cache
    until_true 4 answered '> 200'
    client --url="$URL" "${ALICE[@]}" --file alice
    [ -f "$(<"$OUT")" ]
    [ ! -e "$CACHE" ]
}

@test "TLS: a token of a server whose certificate is believed, and of no other" {
    at tls
    gets alice --url="$URL" "${ALICE[@]}" --ca-file="$CA/ca.crt"
    fails 69 'certificate' --url="$URL" "${ALICE[@]}" --ca-file="$CA/other.crt" --no-cache
    fails 78 'ca-none' --url="$URL" "${ALICE[@]}" --ca-file="$CA/ca-none" --no-cache
}

# --- what is kept -----------------------------------------------------------------

@test "a token is kept for its user alone, and used until its end is near" {
    asks 1 gets alice --url="$URL" "${ALICE[@]}"
    [ "$(stat -c %a "$CACHE")" = 600 ]
    [ "$(stat -c %a "$HOME_OF/.authserver")" = 700 ]
    cmp <(tr -d '\n' <"$OUT") "$CACHE"
    asks 0 gets alice --url="$URL" "${ALICE[@]}"
    cmp <(tr -d '\n' <"$OUT") "$CACHE"
    asks 1 gets alice --url="$URL" "${ALICE[@]}" --min-life=25h
    asks 1 gets alice --url="$URL" "${ALICE[@]}" --no-cache
    # Of a short life a tenth is left to live.
    asks 1 gets alice --url="$URL" "${ALICE[@]}" --ttl=30s
    asks 0 gets alice --url="$URL" "${ALICE[@]}" --ttl=30s
}

@test "XDG_RUNTIME_DIR is where tokens are kept, if it is our own" {
    mkdir -m 0700 "$HOME_OF/run"
    ENVIRONMENT=(XDG_RUNTIME_DIR="$HOME_OF/run")
    gets alice --url="$URL" "${ALICE[@]}"
    [ -s "$HOME_OF/run/authserver/token" ]
    [ ! -e "$CACHE" ]
    # What sudo leaves of another account's is not.
    [ "$(id -u)" -ne 0 ] || {
        install -d -m 0755 -o daemon "$HOME_OF/foreign"
        ENVIRONMENT=(XDG_RUNTIME_DIR="$HOME_OF/foreign")
        gets alice --url="$URL" "${ALICE[@]}"
        [ -s "$CACHE" ]
        [ ! -e "$HOME_OF/foreign/authserver" ]
    }
    # Where there is no place, tokens are had all the same.
    ENVIRONMENT=(XDG_RUNTIME_DIR=/nonexistent HOME=/nonexistent)
    gets alice --url="$URL" "${ALICE[@]}"
}

@test "100 callers at once with nothing kept make one request" {
    asks 1 together 100 --url="$URL" "${ALICE[@]}" --timeout=60s
    [ -z "${STATUSES//0$'\n'/}" ]
    [ "$(cat "$OUT".* | wc -l)" -eq 100 ]
    [ "$(sort -u "$OUT".* | wc -l)" -eq 1 ]
    [ "$(cat "$ERR".* | wc -c)" -eq 0 ]
    cp "$OUT.0" "$OUT"
    prints alice
}

@test "callers that wait for a server that does not answer fail together" {
    local before

    stub ''
    # Connections are taken by the kernel, and nothing is ever said.
    kill -STOP "${JOBS[0]}"
    before=$SECONDS
    together 30 --url="$STUB" "${ALICE[@]}" --timeout=3s
    [ -z "${STATUSES//69$'\n'/}" ]
    [ "$((SECONDS - before))" -lt 45 ] # one after the other it is a minute and a half
    [ "$(cat "$OUT".* | wc -c)" -eq 0 ]
    cat "$ERR".* | grep -q "$STUB: Operation timed out"
}

@test "a server that is down: exit status 69, and no token" {
    fails 69 'http://127.0.0.1:1: Failed to connect' --url=http://127.0.0.1:1 "${ALICE[@]}"
    # What came of that is nobody else's: the next one asks, and of another server gets one.
    gets alice --url="$URL" "${ALICE[@]}"
}

@test "a token that has ended is never printed, be the server up or down" {
    gateway_create ended-1
    gateway_start ended-1
    at ended-1
    gets alice --url="$URL" "${ALICE[@]}" --ttl=1s --cache="$HOME_OF/one"
    cp "$OUT" "$OUT.first"
    gets alice --url="$URL" "${ALICE[@]}" --cache="$HOME_OF/day"
    pause 1.1
    gets alice --url="$URL" "${ALICE[@]}" --ttl=1s --cache="$HOME_OF/one"
    must_not cmp -s "$OUT" "$OUT.first"
    gateway_stop ended-1
    pause 1.1
    fails 69 'Failed to connect' --url="$URL" "${ALICE[@]}" --ttl=1s --cache="$HOME_OF/one"
    # What lives on is printed still.
    gets alice --url="$URL" "${ALICE[@]}" --cache="$HOME_OF/day"
}

@test "where the clocks of client and server differ too much, a token that has ended is not printed" {
    local status=0

    env -i HOME="$HOME_OF" PATH="$PATH" \
        LD_PRELOAD="$CLOCK_LIBRARY" FAKETIME=+2d "$WORK/bin/authserver-token" --url="$URL" \
        "${ALICE[@]}" >"$OUT" 2>"$ERR" || status=$?
    [ "$status" -eq 69 ]
    [ ! -s "$OUT" ]
    grep -q 'has ended already: set the clocks' "$ERR"
}

@test "whoever asks while another does waits, and asks when that one dies" {
    mkdir -m 0700 "$HOME_OF/.authserver"
    (umask 077 && : >"$HOME_OF/.authserver/.token.lock")
    flock "$HOME_OF/.authserver/.token.lock" sleep 60 3>&- &
    JOBS+=("$!")
    until_true 10 lock_is_held
    fails 69 'another authserver-token has been asking for 1 seconds' --url="$URL" "${ALICE[@]}" \
        --timeout=1s
    { pause 0.5 && kill -KILL "$(pgrep -P "${JOBS[0]}")" "${JOBS[0]}"; } 3>&- &
    asks 1 gets alice --url="$URL" "${ALICE[@]}"
}

lock_is_held() { ! flock -n "$HOME_OF/.authserver/.token.lock" true; }

# --- whose token it is ------------------------------------------------------------

@test "threat: a kept token is never another identity's, nor for another audience" {
    local common=(--url="$URL" --cache="$HOME_OF/token")

    password_of bob
    asks 1 gets alice "${common[@]}" "${ALICE[@]}"
    asks 1 gets bob "${common[@]}" "${BOB[@]}"
    asks 1 gets alice "${common[@]}" "${ALICE[@]}"
    asks 1 gets alice "${common[@]}" "${ALICE[@]}" --audience=https://api.example
    asks 1 gets alice "${common[@]}" "${ALICE[@]}"
    asks 0 gets alice "${common[@]}" "${ALICE[@]}"
    # By default they lie side by side.
    asks 1 gets alice --url="$URL" "${ALICE[@]}"
    asks 1 gets alice --url="$URL" "${ALICE[@]}" --audience=https://api.example
    asks 0 gets alice --url="$URL" "${ALICE[@]}"
    asks 0 gets alice --url="$URL" "${ALICE[@]}" --audience=https://api.example
}

@test "threat: a token that is put in the place of a kept one is not printed" {
    password_of bob
    client --url="$URL" "${BOB[@]}" --no-cache
    cp "$OUT" "$BATS_TEST_TMPDIR/of-bob"
    gets alice --url="$URL" "${ALICE[@]}"
    tr -d '\n' <"$BATS_TEST_TMPDIR/of-bob" >"$CACHE"
    asks 1 gets alice --url="$URL" "${ALICE[@]}"
    echo nonsense >"$CACHE"
    asks 1 gets alice --url="$URL" "${ALICE[@]}"
}

@test "threat: planted symlink: a cache that is a link, or not ours alone, is refused" {
    local args=(--url="$URL" "${ALICE[@]}")

    mkdir -m 0700 "$HOME_OF/.authserver"
    echo precious >"$HOME_OF/precious"
    ln -s ../precious "$CACHE"
    fails 78 "$CACHE: a symbolic link: remove it" "${args[@]}"
    rm "$HOME_OF/.authserver"/{token,.token.lock}
    ln -s ../precious "$HOME_OF/.authserver/.token.lock"
    fails 78 'token.lock: a symbolic link' "${args[@]}"
    rm "$HOME_OF/.authserver/.token.lock"
    [ "$(<"$HOME_OF/precious")" = precious ]
    gets alice "${args[@]}"
    chmod 0644 "$CACHE"
    fails 78 'others may read or write it (mode 0644): chmod 0600 it' "${args[@]}"
    chmod 0600 "$CACHE"
    chmod 0777 "$HOME_OF/.authserver"
    fails 78 'others may write it (mode 0777)' "${args[@]}"
    chmod 0700 "$HOME_OF/.authserver"
    [ "$(id -u)" -ne 0 ] || {
        chown daemon "$CACHE"
        fails 78 'belongs to uid' "${args[@]}"
        chown root "$CACHE"
    }
    rm "$CACHE"
    mkfifo -m 0600 "$CACHE"
    fails 78 'not a regular file' "${args[@]}"
}

@test "a token that cannot be kept is printed all the same" {
    need_root_here
    mkdir -m 0700 "$HOME_OF/.authserver"
    # The lock is there, and no room for a token.
    unshare -m bash -c 'mount -t tmpfs -o size=4k,nr_inodes=2,mode=0700 tmpfs "$0/.authserver" &&
        HOME=$0 exec env -i HOME="$0" "$@"' "$HOME_OF" "$WORK/bin/authserver-token" \
        --url="$URL" "${ALICE[@]}" >"$OUT" 2>"$ERR"
    prints alice
    grep -q 'token: cannot be written: No space left on device' "$ERR"
}

need_root_here() { [ "$(id -u)" -eq 0 ] || skip 'needs root'; }

# --- refusals ---------------------------------------------------------------------

@test "what the server refuses is exit status 77, and says what to do" {
    fails 77 'alice may not have a token for bob' --url="$URL" "${ALICE[@]}" bob
    fails 77 'not let in: say who is asking: --negotiate' --url="$URL"
    echo wrong >"$BATS_TEST_TMPDIR/alice"
    fails 77 'the user name or the password is wrong' --url="$URL" "${ALICE[@]}"
    password_of alice
    fails 1 'ttl' --url="$URL" "${ALICE[@]}" --ttl=soon
    [ ! -e "$CACHE" ]
}

@test "files of passwords that others may read are refused" {
    chmod 0644 "$BATS_TEST_TMPDIR/alice"
    fails 78 'alice: others may read it (mode 0644)' --url="$URL" "${ALICE[@]}"
    printf 'machine 127.0.0.1 login alice password %s\n' "$PASSWORD-alice" >"$HOME_OF/.netrc"
    chmod 0640 "$HOME_OF/.netrc"
    fails 78 '.netrc: others may read it (mode 0640)' --url="$URL"
    fails 66 'none: No such file' --url="$URL" --netrc-file="$HOME_OF/none"
    rm "$HOME_OF/.netrc"
    fails 78 'alice without a password: give password-file' --url="$URL" --user=alice
}

@test "URLs that would show a password are refused" {
    fails 78 'could be read on the way' --url=http://gateway.example.org "${ALICE[@]}"
    fails 78 'for all to see' --url=http://alice:x@localhost
    fails 78 'want http:// or https://' --url=file:///etc/passwd
}

@test "threat: whatever listens at the port names a file, redirects, or answers without end" {
    echo eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.eA >"$HOME_OF/secret"
    stub "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n$HOME_OF/secret"
    fails 69 'not the name of a token file' --url="$STUB" --no-cache
    mv "$HOME_OF/secret" "$HOME_OF/x.1668177993995201518.token"
    ln -s x.1668177993995201518.token "$HOME_OF/y.1668177993995201518.token"
    stub "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n$HOME_OF/y.1668177993995201518.token"
    fails 77 'symbolic links' --url="$STUB" --no-cache
    echo secret >"$HOME_OF/x.1668177993995201518.token"
    stub "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n$HOME_OF/x.1668177993995201518.token"
    fails 69 'this is no token' --url="$STUB" --no-cache
    must_not grep -q secret "$ERR"
    stub "HTTP/1.1 302 Found\r\nLocation: $URL/alice\r\n\r\n"
    asks 0 fails 78 'a redirection' --url="$STUB" "${ALICE[@]}" --no-cache
    stub "HTTP/1.1 200 OK\r\nContent-Type: application/jwt\r\n\r\n$(head -c 20000 /dev/zero | tr '\0' a)"
    fails 69 'too long for a token' --url="$STUB" --no-cache
    stub "HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\n\r\na\x1b[31mb\nc"
    fails 69 'a?\[31mb$' --url="$STUB" --no-cache
}

# --- Kerberos ---------------------------------------------------------------------

@test "Kerberos: a ticket gets a token, and another ticket another" {
    at kerberos
    kdc_login alice
    ENVIRONMENT=(KRB5_CONFIG="$KRB5_CONFIG" KRB5CCNAME="$KRB5CCNAME")
    asks 1 gets alice --url="$URL" --negotiate
    asks 0 gets alice --url="$URL" --negotiate
    # The same cache of tickets, with somebody else's.
    printf '%s\n' "$PASSWORD-bob" | kinit bob >/dev/null
    gets bob --url="$URL" --negotiate
    kdestroy -q
    fails 77 'no Kerberos ticket that is valid: run kinit' --url="$URL" --negotiate
}

@test "Kerberos: a ticket that the server does not take is exit status 77" {
    at kerberos
    kdc_login alice@EVIL.EXAMPLE
    ENVIRONMENT=(KRB5_CONFIG="$KRB5_CONFIG" KRB5CCNAME="$KRB5CCNAME")
    fails 77 'realm' --url="$URL" --negotiate
    kdc_login alice
    fails 77 'the Kerberos ticket was not taken: see klist' \
        --url="http://127.0.0.1:${URL##*:}" --negotiate
}

# --- tokens that are there (WLCG) -------------------------------------------------

@test "BEARER_TOKEN and BEARER_TOKEN_FILE are printed where nothing says where to ask" {
    local token

    client --url="$URL" "${ALICE[@]}" --no-cache
    token=$(<"$OUT")
    ENVIRONMENT=(BEARER_TOKEN="$token")
    gets alice
    printf ' %s\n\n' "$token" >"$HOME_OF/bearer"
    ENVIRONMENT=(BEARER_TOKEN_FILE="$HOME_OF/bearer")
    gets alice
    # One that cannot be used is passed over.
    ENVIRONMENT=(BEARER_TOKEN=nonsense BEARER_TOKEN_FILE="$HOME_OF/bearer")
    gets alice
    chmod 0666 "$HOME_OF/bearer"
    fails 69 'peer.sock'
    ENVIRONMENT=(BEARER_TOKEN="$token")
    fails 69 'peer.sock' --min-life=25h
    # Who says what is wanted does not get what is there.
    fails 69 'peer.sock' alice
    fails 69 'peer.sock' --audience=x
    ENVIRONMENT+=(AUTHSERVER_SOCKET=/nonexistent)
    fails 69 '/nonexistent'
}

@test "bt_uUID is printed if it is the account's own, and --cache writes it for others" {
    local bearer

    bearer=$HOME_OF/bt_u$(id -u)
    ENVIRONMENT=(XDG_RUNTIME_DIR="$HOME_OF")
    gets alice --url="$URL" "${ALICE[@]}" --cache="$bearer"
    # A token of another name, which nobody said is meant.
    fails 69 'peer.sock'
    token claims "$bearer" | grep -q '"sub":"alice"'
    forge "$(id -un)" >"$bearer"
    client
    cmp <(tr -d '\n' <"$OUT") "$bearer"
    chmod 0644 "$bearer"
    fails 69 'peer.sock'
}

# forge SUB: what has the form of a token of SUB, for the reader that cannot verify it.
forge() {
    printf '%s.%s.eA' "$(printf '{"alg":"RS512"}' | basenc --base64url -w 0 | tr -d =)" \
        "$(printf '{"sub":"%s","exp":4102444800}' "$1" | basenc --base64url -w 0 | tr -d =)"
}

# --- secrets ----------------------------------------------------------------------

@test "no message holds a token or a password, and no password is in an argument" {
    password_of bob
    client --url="$URL" "${ALICE[@]}" && client --url="$URL" "${BOB[@]}" alice || true
    must_not grep -e "$PASSWORD" -e eyJ "$ERR"
    must_not grep -rl "$PASSWORD" "$HOME_OF/.authserver"
}
