#!/usr/bin/env bats
# The drop-in, authserver, through the front door: its real nginx, FastCGI program and
# reaper. AUTHSERVER_BUILD names the build folder.
#
# Each test is a subshell of its own, which is what bats means:
# shellcheck disable=SC2030,SC2031

load lib/quick
load lib/plain

setup_file() {
    quick
    export BUILD=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}
    PARTS=$(mktemp -d /tmp/authserver-parts.XXXXXX)
    export PARTS
    # Copies, which other accounts can run: the folders above the clone may be closed to them.
    chmod 0755 "$PARTS"
    install -m 0755 "$BUILD/authserver" "$BUILD/authserver-reap" "$BUILD/authserver.fcgi" "$PARTS"
    BUILD=$PARTS
    # What the folder of a test has from the start: not bats's own folder, which other accounts
    # (nginx's workers) cannot enter.
    mkdir -m 0711 "$PARTS/blank"
    mkdir -m 0700 "$PARTS/keys"
    rsa_keys "$PARTS/keys"
    install -m 0600 "$PARTS/keys/key" "$PARTS/blank/keypair"
    cp "$PARTS/keys/key.jwk" "$PARTS/blank/jwk"
    htpasswd -bc "$PARTS/blank/users" alice wonderland
    htpasswd -b "$PARTS/blank/users" bob builder
    chmod 0644 "$PARTS/blank/users"
    touch "$PARTS/blank/log"
    GROUP_NAME=$(id -gn)
    export GROUP_NAME
}

teardown_file() { rm -rf "$PARTS"; }

setup() {
    quick
    DIR=$PARTS/test.$BATS_TEST_NUMBER
    cp -rp "$PARTS/blank" "$DIR"
    cd "$DIR" || return
    PORT=$(free_port)
    TOKENS=$DIR/tokens
    SERVER=
}

teardown() {
    if [ -n "$SERVER" ]; then
        kill -TERM "$SERVER" 2>/dev/null || true
        until_true 30 gone "$SERVER" || kill -KILL "$SERVER"
    fi
    # For a test that failed.
    [ -n "${BATS_TEST_COMPLETED:-}" ] || sed 's/^/log: /' "$DIR/log"
    rm -rf "$DIR"
}

# Below the range from which the kernel takes ports for clients.
free_port() {
    local port
    while :; do
        port=$((10000 + (RANDOM * 32768 + RANDOM) % 20000))
        listened_at "$port" || break
    done
    echo "$port"
}

logged() {
    local text=

    IFS= read -rd '' text <"$DIR/log" || true
    matches "$text" "$1"
}
# The second in which that was logged.
logged_at() { date -d "$(grep -- "$1" "$DIR/log" | cut -c 1-19)" +%s; }

# Whether a process has ended; one that nobody has waited for yet has.
gone() {
    local state=Z

    read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" || true
    [ "$state" = Z ]
}
listening_or_gone() {
    local text=

    IFS= read -rd '' text <"$DIR/log" || true
    [[ $text == *' Listening on '* ]] || gone "$SERVER"
}

# Bash does not end a test for "! command": this does.
refute() { if "$@"; then return 1; fi; }

# start FLAG...: runs authserver in $DIR until it serves. UNDER may hold a command.
start() {
    : >"$DIR/log"
    ${UNDER:-} "$BUILD/authserver" --port="$PORT" --directory="$TOKENS" \
        --group="${GROUP:-$GROUP_NAME}" "$@" 2>"$DIR/log" 3>&- &
    SERVER=$!
    until_true 10 listening_or_gone
    refute gone "$SERVER"
}

# stop [SIGNAL]: its exit status is authserver's.
stop() {
    local pid=$SERVER
    kill "-${1:-TERM}" "$pid"
    until_true 30 gone "$pid"
    SERVER=
    wait "$pid"
}

# get PATH [CURLFLAG...]: body in $body, status in $code. Without curl where that is not needed.
get() {
    local path=$1 bytes answer
    # shellcheck disable=SC2034 # for plain.bash
    local URL=http://127.0.0.1:$PORT HEADERS=$BATS_TEST_TMPDIR/headers STATUS
    local BODY=$BATS_TEST_TMPDIR/body

    shift
    if [[ " $* " != *' Host:'* ]] &&
        plain_request bytes -H "Host: localhost:$PORT" "$@" "$URL$path"; then
        body=
        if exchange answer "$PORT" "$bytes" && plain_answer "$answer"; then
            IFS= read -rd '' body <"$BODY" || true
        fi
        code=${STATUS:-000}
        return
    fi
    body=$(curl -s -o - -w '\n%{http_code}' "$@" "http://localhost:$PORT$path")
    code=${body##*$'\n'}
    body=${body%$'\n'*}
}

# part WORD: the pid of the part of authserver that has it in its arguments.
part() {
    local pid children command status=1

    children_of children "$SERVER"
    for pid in "${children[@]}"; do
        command_of command "$pid"
        [[ $command == *"$1"* ]] || continue
        echo "$pid"
        status=0
    done
    return "$status"
}

descendants() {
    local pid children

    children_of children "$1"
    for pid in "${children[@]}"; do
        echo "$pid"
        descendants "$pid"
    done
}

token_files() {
    local files

    shopt -s nullglob dotglob globstar
    files=("$TOKENS"/**/*.token)
    shopt -u nullglob dotglob globstar
    echo "${#files[@]}"
}

run_directory() {
    local command

    command_of command "$(part nginx.conf)"
    [[ $command =~ \ -c\ ([^\ ]*)/nginx.conf ]] || return
    echo "${BASH_REMATCH[1]}"
}

# Every failing start: one line on stderr, the status, nothing left.
fails_with() {
    local status=0 wanted=$1 line=$2 said
    shift 2
    timeout 10 "$@" >out 2>err || status=$?
    mapfile -t said <err
    printf '%s\n' "${said[@]}"
    [ "$status" -eq "$wanted" ]
    [ "${#said[@]}" -eq 1 ]
    matches "${said[0]}" "$line"
    [ ! -s out ]
    refute running "*authserver*$DIR*"
    [ ! -e "$TOKENS" ] || [ "$(token_files)" -eq 0 ]
}

# That PyJWT verifies a token, too. $1: token file, $2: private key.
pyjwt_verifies() {
    /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import sys, jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
token = open(sys.argv[1]).read()
assert jwt.get_unverified_header(token)["typ"] == "JWT"
key = load_pem_private_key(open(sys.argv[2], "rb").read(), None).public_key()
jwt.decode(token, key, algorithms=["RS512"])
PYTHON
}

# claims FILE JWK: sets CLAIMS to those of a token that jose verifies, for claimed of quick.bash.
claims() {
    local header

    IFS=. read -r header _ <"$1" || true
    base64url_text header "$header"
    [[ $header == *'"typ":"JWT"'* ]]
    # shellcheck disable=SC2034 # for claimed
    CLAIMS=$(jose jws ver -i "$1" -k "$2" -O -)
}

# shellcheck disable=SC2046,SC2086 # word for word
@test "the tutorial, word for word" {
    rm keypair
    ssh-keygen -b 2048 -f ./keypair -t rsa -m PEM -N ''
    start --private-key=keypair --group=$(id -gn)
    TOKEN=$(curl -s http://foo:bar@localhost:$PORT/janedoe) && cat $TOKEN
    [[ $TOKEN =~ ^$TOKENS/janedoe\.([0-9]{19})\.token$ ]]
    made=${BASH_REMATCH[1]}
    # It lives for ten seconds, however busy the machine is.
    cp "$TOKEN" token
    [ "$(curl -s "http://foo:bar@localhost:$PORT/janedoe" | tail -c 6)" = .token ]
    [ "$(curl -s "http://foo:bar@localhost:$PORT/janedoe" | wc -l)" -eq 0 ]

    pyjwt_verifies token keypair
    jwk_of keypair >jwk
    claims token jwk
    [ "$(claimed sub)" = janedoe ]
    address=$(ip -o -4 route get 1.1.1.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
    [ "$(claimed iss)" = "${address:-127.0.0.1}" ]
    [ $(($(claimed exp) - $(claimed iat))) -eq 86400 ]
    [ "$(claimed iat)" -eq "${made%?????????}" ]

    until_true 13 test ! -e "$TOKEN"
    age=$(($(date +%s%N) - made))
    [ "$age" -ge 10000000000 ]
    stamp='[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}'
    until_true 2 logged "Deleted token: $TOKEN"
    [ $(($(logged_at "Deleted token: $TOKEN") - $(logged_at "Generated token: $TOKEN"))) -le 11 ]
    grep -Eq "^$stamp Listening on 127.0.0.1:$PORT - writing to '$TOKENS'\$" log
    grep -Eq "^$stamp Generated token: $TOKEN\$" log
    grep -Eq "^$stamp Deleted token: $TOKEN\$" log
}

@test "a client that sends no credentials gets a token, and one warning says so" {
    start --private-key=keypair
    get /janedoe
    [ "$code" = 200 ]
    claims "$body" jwk
    [ "$(claimed sub)" = janedoe ]
    [ "$(grep -c -- --users log)" -eq 1 ]
}

@test "the flags work as kingpin's do" {
    "$BUILD/authserver" -p "$PORT" -d "$TOKENS" -k keypair -a rsa512 -g "$GROUP_NAME" \
        --max-age 3600 --issuer=here --ttl 1h 2>log 3>&- &
    SERVER=$!
    until_true 10 listening_or_gone
    get /janedoe
    claims "$body" jwk
    [ "$(claimed iss)" = here ]
    [ $(($(claimed exp) - $(claimed iat))) -eq 3600 ]
}

@test "--max-age is the age at which a file is deleted" {
    start --private-key=keypair --max-age=1s
    get /janedoe
    made=${body%.token}
    made=${made##*.}
    until_true 5 test ! -e "$body"
    [ $(($(date +%s%N) - made)) -ge 1000000000 ]
    until_true 2 logged "Deleted token: $body"
}

@test "a configuration file can name the key, and flags override it" {
    printf '%s\n' 'private-key = "keypair"' 'issuer = "file"' 'lifetime = "2h"' \
        'peers = {"daemon"}' 'hosts = {"example.com"}' >conf
    chmod 0600 conf
    start --config=conf --issuer=flag
    get /janedoe -H 'Host: example.com'
    claims "$body" jwk
    [ "$(claimed iss)" = flag ]
    [ $(($(claimed exp) - $(claimed iat))) -eq 7200 ]
}

@test "a relative --directory becomes an absolute path" {
    TOKENS=./here
    start --private-key=keypair
    get /janedoe
    [[ $body == "$DIR"/here/janedoe.*.token ]]
    [ -s "$body" ]
}

@test "with --users nobody gets a token without the right password" {
    start --private-key=keypair --users=users
    get /alice
    [ "$code" = 401 ]
    get /alice -u alice:wrong
    [ "$code" = 401 ]
    get /mallory -u mallory:wonderland
    [ "$code" = 401 ]
    get / -H 'Remote-User: alice' -H 'Auth-Type: Basic'
    [ "$code" = 401 ]
    [ "$(token_files)" -eq 0 ]
    refute logged 'any subject'
}

@test "with --users a user gets a token, and for nobody else" {
    start --private-key=keypair --users=users
    get /bob -u alice:wonderland
    [ "$code" = 403 ]
    [ "$(token_files)" -eq 0 ]
    get /alice -u alice:wonderland
    [ "$code" = 200 ]
    claims "$body" jwk
    [ "$(claimed sub)" = alice ]
    get / -u bob:builder
    [ "$code" = 200 ]
    claims "$body" jwk
    [ "$(claimed sub)" = bob ]
}

@test "with --users the public keys and health need no password" {
    local path

    start --private-key=keypair --users=users
    for path in /.well-known/jwks.json /-/ready /-/healthy; do
        get "$path"
        [ "$code" = 200 ]
    done
    for path in /-/ready/../alice /.well-known/../alice /-/readyx /alice; do
        get "$path" --path-as-is
        [ "$code" = 401 ]
    done
    get /.well-known/alice
    [ "$code" = 404 ]
    [ "$(token_files)" -eq 0 ]
}

@test "a change of the users file takes effect at once" {
    start --private-key=keypair --users=users
    get /carol -u carol:christmas
    [ "$code" = 401 ]
    htpasswd -b users carol christmas
    get /carol -u carol:christmas
    [ "$code" = 200 ]
}

# shellcheck disable=SC2016 # a name with a dollar sign
@test "no name of a file can change nginx's configuration" {
    mkdir 'a b;"}{'
    mv users 'a b;"}{/$host;u'
    if [ "$(id -u)" -eq 0 ]; then # root makes its folder in /run whatever TMPDIR is
        chown -R nobody:nogroup .
        UNDER='setpriv --reuid=nobody --regid=nogroup --clear-groups' GROUP=nogroup
    fi
    TMPDIR="$DIR/a b;\"}{" start --private-key=keypair --users='a b;"}{/$host;u'
    get /alice -u alice:wonderland
    [ "$code" = 200 ]
    get /alice
    [ "$code" = 401 ]
}

@test "no token and no password is logged" {
    start --private-key=keypair --users=users
    get /alice -u alice:wonderland
    get /bob -u alice:wonderland
    get /alice -u alice:tulgeywood
    [ "$code" = 401 ]
    refute grep -E 'eyJ|wonderland|tulgeywood|Basic|YWxpY2U6' log
}

@test "--disable-delete leaves token files, after their time and at the end" {
    start --private-key=keypair --disable-delete --max-age=1s
    get /janedoe
    [ -z "$(part authserver-reap)" ]
    sleep 2.2
    [ -s "$body" ]
    stop
    [ -s "$body" ]
}

@test "it listens on 127.0.0.1 only" {
    start --private-key=keypair
    [ "$(ss -Hltn "sport = :$PORT" | awk '{ print $4 }')" = "127.0.0.1:$PORT" ]
}

@test "a Host that is not loopback, an Origin, a cross-site request: 403 and no file" {
    start --private-key=keypair
    for header in 'Host: evil.example' 'Origin: http://localhost' 'Sec-Fetch-Site: cross-site'; do
        get /janedoe -H "$header"
        [ "$code" = 403 ]
    done
    [ "$(token_files)" -eq 0 ]
}

@test "slashes are not merged and dots are not subjects" {
    start --private-key=keypair
    for path in //janedoe /janedoe//x /janedoe/ /%2e%2e%2fjanedoe /..%2fjane%2fdoe /a%2fb /a%00 /a%0ab; do
        get "$path" --path-as-is
        echo "$path: $code"
        [[ $code == 40[04] || ( $path == */%2e%2e%2f* && $code == 400 ) ]]
    done
    [ "$(token_files)" -eq 0 ]
}

@test "what nginx itself refuses has a reason in one line" {
    start --private-key=keypair --users=users
    for path in /%00 /%2e%2e%2f /..%2fx; do
        get "$path" --path-as-is -u alice:wonderland
        [ "$code" = 400 ]
        [ "$body" = $'The request is not well formed, or its header is too long.\n' ]
    done
    get /alice -u alice:wrong
    [ "$code" = 401 ]
    [ "$body" = $'Send a user name and a password that the users file has.\n' ]
    # No Host is no loopback name.
    get /alice -u alice:wonderland --http1.0 -H Host:
    [ "$code" = 403 ]
    [ "$(token_files)" -eq 0 ]
}

@test "a group may be given by its number" {
    group=$(id -G | tr ' ' '\n' | tail -n 1)
    [ "$(id -u)" -ne 0 ] || group=54321 # one without a name, and not ours
    GROUP=$group start --private-key=keypair
    get /janedoe
    [ "$(stat -c %g "$body")" = "$group" ]
}

@test "large bodies and headers are refused" {
    start --private-key=keypair
    head -c 1000000 /dev/zero >large
    get /janedoe --data-binary @large
    [ "$code" = 413 ]
    [ "$body" = $'The body is too large: a request for a token has none.\n' ]
    get /janedoe -H "X-Large: $(head -c 64000 large | tr '\0' x)"
    [ "$code" = 400 ]
    [ "$body" = $'The request is not well formed, or its header is too long.\n' ]
    [ "$(token_files)" -eq 0 ]
}

@test "SIGTERM stops all and leaves nothing" {
    start --private-key=keypair
    get /janedoe
    [ -s "$body" ]
    below=$(descendants "$SERVER")
    rundir=$(run_directory)
    [ -d "$rundir" ]
    stop TERM
    for pid in $below; do gone "$pid"; done
    [ ! -e "$rundir" ]
    [ "$(token_files)" -eq 0 ]
    logged "Deleted token: $body"
    # The port is free at once.
    start --private-key=keypair
}

@test "SIGINT stops it even as a background job" {
    start --private-key=keypair
    stop INT
}

@test "a stop lets a request that came be answered" {
    start --private-key=keypair
    worker=$(descendants "$(part authserver.fcgi)")
    # shellcheck disable=SC2086 # several
    kill -STOP $worker
    curl -s -o answer "http://localhost:$PORT/janedoe" &
    request=$!
    nginx_has_it() { ss -Htnp state established "sport = :$PORT" | grep -q '^0 .*"nginx"'; }
    until_true 5 nginx_has_it
    kill -TERM "$SERVER"
    until_true 5 logged Stopping
    # shellcheck disable=SC2086 # several
    kill -CONT $worker
    wait "$request"
    [[ $(cat answer) == "$TOKENS"/janedoe.*.token ]]
    pid=$SERVER SERVER=
    wait "$pid"
}

@test "SIGHUP puts a new key into service" {
    start --private-key=keypair
    get /before
    cp "$PARTS/keys/other" keypair
    kill -HUP "$SERVER"
    serves_new_key() {
        get /after
        claims "$body" "$PARTS/keys/other.jwk" >/dev/null 2>&1
    }
    until_true 5 serves_new_key
    refute gone "$SERVER"
}

@test "SIGHUP with another directory in the file: all parts stay with the first" {
    printf 'directory = "%s"\nmax-age = "2s"\n' "$TOKENS" >authserver.conf
    chmod 0600 authserver.conf
    # Without --directory, which would be in force after a reload anyhow.
    "$BUILD/authserver" -p "$PORT" -g "$GROUP_NAME" -k keypair --config=authserver.conf 2>log 3>&- &
    SERVER=$!
    until_true 10 listening_or_gone
    printf 'directory = "%s/elsewhere"\nmax-age = "1h"\n' "$DIR" >authserver.conf
    kill -HUP "$SERVER"
    until_true 5 logged ' Reloaded$'
    get /janedoe
    [ "${body%/*}" = "$TOKENS" ]
    no_tokens() { [ "$(token_files)" -eq 0 ]; }
    until_true 4 no_tokens
    [ ! -e elsewhere ]
}

@test "SIGKILL leaves no process behind" {
    start --private-key=keypair
    below=$(descendants "$SERVER")
    rundir=$(run_directory)
    [ "$(wc -w <<<"$below")" -ge 5 ]
    kill -KILL "$SERVER"
    wait "$SERVER" || true
    SERVER=
    for pid in $below; do until_true 5 gone "$pid"; done
    rm -rf "$rundir"
}

@test "a part that is killed is started again, and service goes on" {
    start --private-key=keypair --max-age=1s
    serves() {
        get /janedoe
        [ "$code" = 200 ]
    }
    for name in authserver.fcgi nginx authserver-reap; do
        old=$(part "$name")
        below=$(descendants "$old")
        kill -KILL "$old"
        another() { new=$(part "$name") && [ "$new" != "$old" ]; }
        until_true 5 another
        for pid in $below; do until_true 5 gone "$pid"; done
        until_true 5 serves
        until_true 3 test ! -e "$body"
    done
    [ "$(ss -Hltn "sport = :$PORT" | wc -l)" -eq 1 ]
}

@test "what cannot be kept alive stops everything, and the status says so" {
    start --private-key=keypair
    below=$(descendants "$SERVER")
    rundir=$(run_directory)
    for _ in 1 2 3 4 5 6; do
        until_true 5 part nginx.conf
        kill -KILL "$(part nginx.conf)"
        sleep 0.1
    done
    until_true 10 gone "$SERVER"
    status=0
    wait "$SERVER" || status=$?
    SERVER=
    [ "$status" -eq 70 ]
    logged 'nginx ended 6 times'
    for pid in $below; do gone "$pid"; done
    [ ! -e "$rundir" ]
}

# A stand-in for authserver.fcgi beside copies of the other parts. It answers that many
# requests, keeps what it got in the file received, then hangs up on all others.
stand_in() {
    mkdir bin
    cp "$BUILD/authserver" "$BUILD/authserver-reap" bin
    cat >bin/authserver.fcgi <<PYTHON
#!/usr/bin/python3
import socket
listener = socket.socket(fileno=0)
text = b"Content-Type: text/plain\r\n\r\nok"
for _ in range($1):
    connection = listener.accept()[0]
    with open("$DIR/received", "ab") as received:
        received.write(connection.recv(65536))
    connection.sendall(b"\1\6\0\1" + len(text).to_bytes(2, "big") + b"\0\0" + text
                       + b"\1\3\0\1\0\x08\0\0" + bytes(8))
    connection.close()
while True:
    listener.accept()[0].close()
PYTHON
    chmod +x bin/authserver.fcgi
    mkdir -m 0750 "$TOKENS"
    BUILD=$DIR/bin
}

@test "a service that breaks off is a 503 that says when to try again" {
    stand_in 1
    start --private-key=keypair
    curl -si "http://localhost:$PORT/janedoe" >answer
    grep -q '^HTTP/1.1 503 ' answer
    grep -q $'^Retry-After: 1\r$' answer
    [ "$(sed '1,/^\r$/d' answer | wc -l)" -eq 1 ]
}

@test "with --users the caller is named, and the password goes no further than nginx" {
    stand_in 2
    start --private-key=keypair --users=users
    get /alice -u alice:wonderland
    [ "$code" = 200 ]
    grep -aq 'AUTH_TYPEBasic' received
    grep -aq 'REMOTE_USERalice' received
    refute grep -aq "$(printf alice:wonderland | base64)" received
}

@test "without --users no caller is named, whatever the request says" {
    stand_in 2
    start --private-key=keypair
    get /alice -u alice:wonderland -H 'Remote-User: root'
    [ "$code" = 200 ]
    grep -aq 'PATH_INFO/alice' received
    refute grep -aEq '[^_]AUTH_TYPE|[^_]REMOTE_USER' received
}

@test "the FastCGI socket and the run directory let in nginx's workers alone" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root to be another user'
    start --private-key=keypair
    rundir=$(run_directory)
    [ "$(stat -c '%a %U %G' "$rundir")" = '710 root www-data' ]
    [ "$(stat -c '%a %U %G' "$rundir/fcgi.sock")" = '660 root www-data' ]
    [ "$(ps -o user= --ppid "$(part nginx.conf)" | sort -u)" = www-data ]
    refute setpriv --reuid=nobody --regid=nogroup --clear-groups nc -zU "$rundir/fcgi.sock"
}

@test "nginx, the workers and the signer run under SCHED_BATCH" {
    start --private-key=keypair
    # shellcheck disable=SC2046 # several
    mapfile -t pids < <(part nginx.conf; descendants "$(part nginx.conf)"
        descendants "$(part authserver.fcgi)")
    [ "${#pids[@]}" -ge 4 ]
    classes=$(ps -o cls= -p "${pids[*]}" | tr -d ' ')
    [ "$(uniq -c <<<"$classes" | tr -s ' ')" = " ${#pids[@]} B" ]
}

@test "the parts inherit no descriptor" {
    exec 9<users
    start --private-key=keypair
    exec 9<&-
    for pid in $(descendants "$SERVER"); do
        refute grep -q "$DIR/users" <(readlink /proc/"$pid"/fd/*)
    done
}

@test "it runs without privileges" {
    [ "$(id -u)" -eq 0 ] || skip 'is without privileges already'
    chown nobody:nogroup "$DIR" keypair users
    UNDER='setpriv --reuid=nobody --regid=nogroup --clear-groups' GROUP=nogroup
    start --private-key=keypair --users=users
    get /alice -u alice:wonderland
    [ "$code" = 200 ]
    [ "$(stat -c '%a %U %G' "$body")" = '640 nobody nogroup' ]
    rundir=$(run_directory)
    [ "$(stat -c '%a %U' "$rundir")" = '700 nobody' ]
    stop
    [ ! -e "$rundir" ]
    [ ! -e "$body" ]
}

@test "a taken port: 69" {
    nc -l 127.0.0.1 "$PORT" 3>&- &
    holder=$!
    until_true 5 listened_at "$PORT"
    fails_with 69 'port .* is taken.*--port' "$BUILD/authserver" -k keypair -g "$GROUP_NAME" \
        -p "$PORT" -d "$TOKENS"
    kill "$holder"
}
@test "a taken port: the token files of the one that serves there stay" {
    start --private-key=keypair
    get /janedoe
    status=0
    "$BUILD/authserver" -k keypair -g "$GROUP_NAME" -p "$PORT" -d "$TOKENS" 2>/dev/null || status=$?
    [ "$status" -eq 69 ]
    [ -s "$body" ]
    get /janedoe
    [ "$code" = 200 ]
}

@test "a port out of range: 64" {
    for port in 0 65536 -1 5001x ''; do
        fails_with 64 'from 1 to 65535' "$BUILD/authserver" -k keypair -g "$GROUP_NAME" --port="$port"
    done
}

@test "a port of root's: 77" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root to be another user'
    [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ] || skip 'allowed here'
    fails_with 77 'choose another' setpriv --reuid=nobody --regid=nogroup --clear-groups \
        "$BUILD/authserver" -k keypair -g nogroup --port=80
}

@test "an unknown flag: 64" {
    status=0
    "$BUILD/authserver" -k keypair --no-such-flag 2>err || status=$?
    [ "$status" -eq 64 ]
    grep -q -- '--no-such-flag' err
}

@test "no key named: 64" {
    fails_with 64 'ssh-keygen' "$BUILD/authserver" -g "$GROUP_NAME" -p "$PORT" -d "$TOKENS"
}

@test "a flag with a wrong value: 64" {
    fails_with 64 'lifetime' "$BUILD/authserver" -k keypair -g "$GROUP_NAME" --ttl=soon
    fails_with 64 'nonsense' "$BUILD/authserver" -k keypair -g "$GROUP_NAME" --set=nonsense=1
}

@test "a configuration file with a mistake: 78, with its line" {
    printf 'issuer = "x"\nnonsense = 1\n' >conf
    chmod 0600 conf
    fails_with 78 'conf:2' "$BUILD/authserver" --config=conf -k keypair -g "$GROUP_NAME"
}

@test "a missing configuration file: 66" {
    fails_with 66 'missing.conf' "$BUILD/authserver" --config=missing.conf -k keypair -g "$GROUP_NAME"
}

@test "a missing key: 66" {
    fails_with 66 'missing.pem' "$BUILD/authserver" -k missing.pem -g "$GROUP_NAME" -p "$PORT" \
        -d "$TOKENS"
}

@test "a key that may not be read: 66" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root to be another user'
    mkdir out
    chown nobody out
    chmod 0600 keypair
    cd "$DIR/out"
    fails_with 66 'keypair' setpriv --reuid=nobody --regid=nogroup --clear-groups \
        "$BUILD/authserver" -k ../keypair -g nogroup -p "$PORT" -d "$DIR/out/tokens"
}

@test "a start that fails leaves no private directory" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root to be another user'
    mkdir private
    chown nobody private
    export XDG_RUNTIME_DIR=$DIR/private
    fails_with 66 'missing.pem' setpriv --reuid=nobody --regid=nogroup --clear-groups \
        "$BUILD/authserver" -k missing.pem -g nogroup -p "$PORT" -d "$DIR/private/tokens"
    rmdir "$DIR/private/tokens" 2>/dev/null || true
    [ -z "$(ls -A private)" ]
}

@test "the default group, when there is none: 67, and what to say instead" {
    ! getent group okera || skip 'the group okera exists'
    fails_with 67 "okera.*--group=\$(id -gn)" "$BUILD/authserver" -k keypair -p "$PORT" -d "$TOKENS"
}

@test "a missing users file, and one that nginx's workers cannot read: 66" {
    fails_with 66 'missing.users' "$BUILD/authserver" -k keypair -g "$GROUP_NAME" -p "$PORT" \
        --users=missing.users
    [ "$(id -u)" -eq 0 ] || skip 'needs root for workers that are another user'
    chmod 0600 users
    fails_with 66 'www-data.*cannot read' "$BUILD/authserver" -k keypair -g "$GROUP_NAME" -p "$PORT" \
        --users=users
}

@test "a missing part: 69" {
    mkdir bin
    cp "$BUILD/authserver" bin
    fails_with 69 'authserver.fcgi is missing' bin/authserver -k keypair -g "$GROUP_NAME" -p "$PORT"
}

@test "parts are found in ../lib/authserver, as make install puts them" {
    mkdir -p prefix/bin prefix/lib/authserver
    cp "$BUILD/authserver" "$BUILD/authserver-reap" prefix/bin
    cp "$BUILD/authserver.fcgi" prefix/lib/authserver
    BUILD=$DIR/prefix/bin start --private-key=keypair
    get /janedoe
    [ "$code" = 200 ]
}

@test "--help, --help-long, --help-man, --version" {
    short=$("$BUILD/authserver" --help)
    long=$("$BUILD/authserver" --help-long)
    manual=$("$BUILD/authserver" --help-man | mandoc -T utf8 | col -b)
    for flag in port directory private-key algorithm disable-delete group users config issuer ttl \
        max-age set; do
        for text in "$short" "$long" "$manual"; do
            [[ $text == *"--$flag"* ]]
        done
    done
    "$BUILD/authserver" --help-long | grep -q 'Exit status'
    "$BUILD/authserver" --version | grep -Eq '^authserver [0-9]+\.[0-9]+\.[0-9]+$'
    cmp <("$BUILD/authserver" --help-man) "$BATS_TEST_DIRNAME/../man/authserver.1"
}
