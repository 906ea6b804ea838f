#!/usr/bin/env bats
# Groups from a service: what is asked of it, what is taken for an answer, and what a service
# that is bad, slow or not the one it should be can do. nginx is the good one, and speaks TLS;
# the bad ones are lib/groups_stub.py.

load lib/groups
load lib/ca
load lib/web

setup_file() {
    quick
    STUB=$BATS_FILE_TMPDIR/stub
    CANARY=$BATS_FILE_TMPDIR/canary
    WEB=$BATS_FILE_TMPDIR/web
    export STUB CANARY WEB
    umask 022
    ca_create "$BATS_FILE_TMPDIR/ca"
    stub_start "$STUB"
    stub_start "$CANARY"
    nginx_start
}

teardown_file() {
    local file pid

    web_stop
    for file in "$STUB/pid" "$CANARY/pid"; do
        [ -e "$file" ] || continue
        pid=$(<"$file")
        kill -TERM "$pid" 2>/dev/null || true
        until_true 5 gone "$pid" || kill -KILL "$pid"
    done
}

setup() {
    groups_begin
    BAD=http://127.0.0.1:$(<"$STUB/port")
    GOOD=https://127.0.0.1:$(<"$WEB/port")
    : >"$STUB/log"
    : >"$CANARY/log"
    TRUST="ca-file = \"$CA/ca.crt\""
    CERTIFICATE=("certificate = \"$CA/alice.crt\"" "key = \"$CA/alice.key\"")
}

stub_start() {
    mkdir "$1"
    setsid "$BATS_TEST_DIRNAME/lib/groups_stub.py" "$1" >"$1/out" 2>&1 </dev/null 3>&- &
    echo "$!" >"$1/pid"
    until_true 10 test -s "$1/port" || { cat "$1/out"; return 1; }
}

# nginx, with files for answers.
nginx_start() {
    mkdir -p "$WEB/groups"
    echo '{"groups": ["from-nginx"], "email": "alice@example.org"}' >"$WEB/groups/alice"
    web_start <<NGINX
        location /groups/ { alias $WEB/groups/; }
        location /certified/ {
            if (\$ssl_client_s_dn != "CN=alice,O=Example") { return 403; }
            alias $WEB/groups/;
        }
        location /bearer/ {
            if (\$http_authorization != "Bearer opensesame.token") { return 401; }
            alias $WEB/groups/;
        }
NGINX
}

# service URL [LINE]...: the service, with a timeout of so many seconds as TIMEOUT says, 3 if it says
# nothing, where programs are not slow.
service() {
    local url=$1

    shift
    write_groups '"rest"' 'rest {' "url = \"$url\"" "timeout = $((${TIMEOUT:-3} * ${PATIENCE:-1}))s" "$@" '}'
}

token_file() {
    TOKEN_FILE=$DIR/token
    printf '%s' "$1" >"$TOKEN_FILE"
    chmod 0600 "$TOKEN_FILE"
    TOKEN="token-file = \"$TOKEN_FILE\""
}

# asked FILTER: the one request that the service got is so.
asked() {
    jq -es "length == 1 and (.[0] | $1)" "$STUB/log" >/dev/null || { cat "$STUB/log"; return 1; }
}

# asked_for TARGET...: the service got requests for these, one after the other, and no more.
asked_for() {
    jq -es 'map(.target) == $ARGS.positional' "$STUB/log" --args "$@" >/dev/null ||
        { cat "$STUB/log"; return 1; }
}

# --- what is asked ----------------------------------------------------------------

@test "groups, an e-mail address and a namespace come from the service" {
    service "$BAD/ok"
    knows from-rest staff
    jq -e '.email == "a@example.org" and .namespace == "ns"' "$DIR/out"
    service "$BAD/empty-list"
    show 0 --json
    jq -e '.known and .groups == []' "$DIR/out"
}

@test "the request is a GET with Accept and User-Agent, and nothing that was not asked for" {
    local version

    version=$("$RESOLVER" --version)
    service "$BAD/ok"
    show 0
    asked '.method == "GET" and (.headers | map(.[0]) | sort) == ["Accept", "Host", "User-Agent"]'
    asked '.headers | map({(.[0]): .[1]}) | add | .Accept == "application/json" and
        ."User-Agent" == "authserver/'"${version##* }"'"'
}

@test "the user is put behind the URL, or where the first {0} is" {
    local row targets=()

    for row in '/ok|/ok/alice' '/ok/|/ok/alice' '/ok/{0}|/ok/alice' \
        '/ok/{0}/groups?of={0}|/ok/alice/groups?of={0}' '/ok?user={0}|/ok?user=alice' \
        '/ok/x-{0}-y|/ok/x-alice-y' '|/alice' '/ok/../{0}|/ok/../alice'; do
        service "$BAD${row%|*}"
        show 0
        targets+=("${row#*|}")
    done
    asked_for "${targets[@]}"
}

@test "a user's name arrives as one segment, percent-encoded, whatever is in it" {
    local row targets=()

    for row in 'a/b|a%2Fb' '../x|..%2Fx' 'a%b|a%25b' '%2e|%252e' 'a b|a%20b' 'a+b|a%2Bb' 'jörg|j%C3%B6rg' \
        '{0}|%7B0%7D' 'a?b=c|a%3Fb%3Dc' 'a#b|a%23b' 'a&b|a%26b' 'a;b|a%3Bb' 'a\b|a%5Cb' \
        'a:b@c|a%3Ab%40c' 'AZaz09-._~|AZaz09-._~' $'a\r\nX: y|a%0D%0AX%3A%20y' '...|...'; do
        USER_ASKED=${row%|*}
        service "$BAD/ok"
        show 0
        service "$BAD/ok/{0}/x?{0}"
        show 0
        targets+=("/ok/${row##*|}" "/ok/${row##*|}/x?{0}")
    done
    asked_for "${targets[@]}"
}

@test "a name that is no segment is not asked for" {
    for USER_ASKED in '' . ..; do
        service "$BAD/ok"
        fails "'$USER_ASKED' cannot be a segment of a URL"
    done
    [ ! -s "$STUB/log" ]
}

@test "proxies, passwords and configuration that the environment has do not count" {
    local canary

    canary=http://127.0.0.1:$(<"$CANARY/port")
    printf 'default login netrc password opensesame\n' >"$DIR/.netrc"
    printf 'header = "X-Extra: 1"\n' >"$DIR/.curlrc"
    export HOME=$DIR http_proxy=$canary HTTP_PROXY=$canary https_proxy=$canary HTTPS_PROXY=$canary \
        all_proxy=$canary ALL_PROXY=$canary no_proxy='' NO_PROXY=''
    service "$BAD/ok"
    knows from-rest staff
    asked '(.headers | length) == 3'
    service "$GOOD/groups" "$TRUST"
    knows from-nginx
    [ ! -s "$CANARY/log" ]
}

# --- what is an answer ------------------------------------------------------------

@test "404 says that the user is not known; every other status is a failure" {
    local status

    service "$BAD/status/404"
    knows_nobody
    for status in 201 204 206 300 304 400 401 403 405 410 429 500 502 503 599; do
        service "$BAD/status/$status"
        fails "groups from rest: the service answered with status $status"
    done
}

@test "a redirect is a failure, and is not followed" {
    local status

    for status in 301 302 303 307 308; do
        : >"$STUB/log"
        service "$BAD/redirect/$status"
        fails "status $status"
        [ "$(wc -l <"$STUB/log")" -eq 1 ]
    done
}

@test "the answer must be of a type that is JSON" {
    local type

    for type in suffix parameter capitals; do
        service "$BAD/type/$type"
        knows from-rest
    done
    for type in none html text almost plus other; do
        service "$BAD/type/$type"
        fails 'the answer is not application/json' || { echo "for $type"; return 1; }
    done
}

# printable FILE: it has no byte but those of ASCII that can be seen, and ends of lines.
printable() {
    local LC_ALL=C text=

    IFS= read -rd '' text <"$1" && return 1
    [[ ! ${text//$'\n'/} =~ [^\ -~] ]]
}

@test "what is no answer of the protocol is a failure, never no groups" {
    local path

    for path in junk trailing duplicate no-list numbers null array nothing gzip bomb; do
        service "$BAD/$path"
        fails 'groups from rest' || { echo "for $path"; return 1; }
        printable "$DIR/err" || { echo "for $path"; return 1; }
    done
}

@test "an answer in chunks is read" {
    service "$BAD/chunked"
    knows from-rest
}

@test "an answer of exactly 64 KiB is read, one of a byte more is not" {
    service "$BAD/size/65536"
    knows from-rest
    service "$BAD/size/65537"
    fails
}

@test "an answer that has no end, or a large one, is refused at the bound" {
    local path

    for path in big endless endless-chunks; do
        service "$BAD/$path"
        fails
        grep -q -e 'longer than 64 KiB' -e 'Maximum file size exceeded' "$DIR/err"
        at_most "$TOOK" 900
    done
    service "$BAD/endless-headers"
    fails 'more than 16 KiB of headers'
    at_most "$TOOK" 900
}

@test "a Content-Length that is not true is a failure" {
    local path

    for path in too-short too-long claims-much; do
        service "$BAD/$path"
        fails
        at_most "$TOOK" 900
    done
}

@test "what is no HTTP, or ends before it answers, is a failure" {
    service "$BAD/old"
    fails
    service "$BAD/closed"
    fails 'Empty reply'
}

# --- time -------------------------------------------------------------------------

@test "a service that hangs or drips is given up at the timeout" {
    local path TIMEOUT=1

    for path in hang drip drip-headers; do
        service "$BAD/$path"
        fails 'timed out'
        in_time 1
    done
    service "$BAD/continue"
    fails
    in_time 1
}

@test "a service that is not there is a failure at once" {
    service http://127.0.0.1:1/
    fails 'connect'
    at_most "$TOOK" 900
}

# Some tests mount, in a namespace of their own, where nobody else sees it.
need_namespaces() {
    [ "$(id -u)" -eq 0 ] || skip 'only root can mount'
    unshare -mn true 2>/dev/null || skip 'no namespaces here'
}

@test "a name server that hangs is given up at the timeout" {
    local TIMEOUT=1

    need_namespaces
    service http://groups.example.org/ 'insecure = true'
    echo 'nameserver 127.0.0.1' >"$DIR/resolv"
    cat >"$DIR/in" <<'SH'
ip link set lo up
mount --bind "$1/resolv" /etc/resolv.conf
/usr/bin/python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53)); open("'"$1"'/ready", "w").close(); time.sleep(20)' &
while [ ! -e "$1/ready" ]; do sleep 0.05; done
"$2" --config "$1/conf" --show alice
status=$?
kill "$!"
exit "$status"
SH
    cat >"$DIR/resolver" <<SH
#!/bin/sh
exec unshare -mn sh '$DIR/in' '$DIR' '$RESOLVER'
SH
    chmod 0755 "$DIR/resolver"
    RESOLVER=$DIR/resolver
    fails 'timed out'
    # The name server has to start too; one that is waited for takes ten seconds.
    in_time 4
}

# --- who it is --------------------------------------------------------------------

@test "a service is believed when the CA that is trusted vouches for it, by the name it is asked by" {
    service "$GOOD/groups" "$TRUST"
    knows from-nginx
    service "https://localhost:${GOOD##*:}/groups/{0}" "$TRUST"
    knows from-nginx
    USER_ASKED=nobody
    knows_nobody
    USER_ASKED=alice
    service "$GOOD/groups"
    fails 'certificate'
    service "$GOOD/groups" "ca-file = \"$CA/other.crt\""
    fails 'certificate'
    service "https://127.0.0.2:${GOOD##*:}/groups" "$TRUST"
    fails '127.0.0.2'
    service "${GOOD/https/http}/groups"
    fails 'status 400'
    service "${BAD/http/https}/ok" "$TRUST"
    fails
}

@test "with a ca-file the system's authorities are not trusted" {
    need_namespaces
    mkdir "$DIR/certs"
    install -m 0644 "$CA/ca.crt" "$DIR/certs/ca-certificates.crt"
    install -m 0644 "$CA/ca.crt" "$DIR/certs/$(openssl x509 -in "$CA/ca.crt" -noout -hash).0"
    cat >"$DIR/resolver" <<SH
#!/bin/sh
exec unshare -m sh -c 'mount --bind "\$0" /etc/ssl/certs && exec "\$@"' '$DIR/certs' '$RESOLVER' "\$@"
SH
    chmod 0755 "$DIR/resolver"
    RESOLVER=$DIR/resolver
    service "$GOOD/groups"
    knows from-nginx
    service "$GOOD/groups" "ca-file = \"$CA/alice.crt\""
    fails 'certificate'
}

@test "a client certificate is shown" {
    service "$GOOD/certified" "$TRUST"
    fails 'status 403'
    service "$GOOD/certified" "$TRUST" "${CERTIFICATE[@]}"
    knows from-nginx
    service "$GOOD/certified" "$TRUST" "certificate = \"$CA/bob.crt\"" "key = \"$CA/bob.key\""
    fails 'status 403'
    service "$GOOD/certified" "$TRUST" "certificate = \"$CA/alice.crt\"" "key = \"$CA/bob.key\""
    fails
}

@test "a key with a passphrase is a failure, and nobody is asked for it" {
    openssl pkey -in "$CA/alice.key" -aes256 -passout pass:opensesame -out "$DIR/key"
    service "$GOOD/certified" "$TRUST" "certificate = \"$CA/alice.crt\"" "key = \"$DIR/key\""
    # With a terminal to ask at.
    script -qefc "'$RESOLVER' --config '$CONF' --show alice" /dev/null >"$DIR/out" </dev/null || true
    grep -q 'failed' "$DIR/out"
    ! grep -qi 'pass phrase' "$DIR/out" || { cat "$DIR/out"; return 1; }
}

@test "the bearer token is the first line of its file; nothing that is said holds it" {
    local path

    token_file $'opensesame.token\r\nsecond line\n'
    service "$GOOD/bearer" "$TRUST" "$TOKEN"
    knows from-nginx
    service "$BAD/ok" "$TOKEN"
    show 0
    asked '.headers | any(. == ["Authorization", "Bearer opensesame.token"])'
    ! grep -q opensesame "$DIR/out" "$DIR/err" || return 1
    for path in status/401 redirect/302 junk hang closed big; do
        service "$BAD/$path" "$TOKEN"
        show 69
        ! grep -q opensesame "$DIR/out" "$DIR/err" || return 1
    done
    token_file 'other.token'
    service "$GOOD/bearer" "$TRUST" "$TOKEN"
    fails 'status 401'
}

@test "secrets go over http to the host itself alone" {
    local url

    token_file opensesame.token
    for url in http://groups.example.org/ http://192.0.2.1 "http://[2001:db8::1]/x" http://localhost.example.org \
        http://127.0.0.1.example.org/ http://1270.0.0.1/; do
        service "$url" "$TOKEN"
        misconfigured 78 'rest: token-file, and url is not https'
        service "$url" "${CERTIFICATE[@]}"
        misconfigured 78 'rest: certificate, and url is not https'
    done
    for url in "http://localhost:${BAD##*:}/ok" "http://127.0.0.1:${BAD##*:}/ok" \
        "http://LOCALHOST:${BAD##*:}/ok"; do
        service "$url" "$TOKEN" "${CERTIFICATE[@]}"
        knows from-rest staff
    done
    # It may not be there, but it is the host itself.
    for url in "http://[::1]:1/" http://127.1.2.3:1/; do
        service "$url" "$TOKEN"
        fails 'connect'
    done
}

@test "groups come over http from another machine only where that is accepted" {
    token_file opensesame.token
    service http://192.0.2.1/
    misconfigured 78 'rest: url is not https: anybody on the way could change the groups'
    service http://192.0.2.1/ 'insecure = true'
    fails 'groups from rest'
    service http://192.0.2.1/ 'insecure = true' "$TOKEN"
    misconfigured 78 'rest: token-file, and url is not https'
}

# --- mistakes ---------------------------------------------------------------------

@test "a URL that is none, or could lead elsewhere, is refused at the start" {
    local row

    while IFS='|' read -r url text; do
        service "$url"
        misconfigured 78 'groups: rest' "$text" || { echo "for $url"; return 1; }
    done <<'ROWS'
http://user:opensesame@127.0.0.1/|url has a user name
http://user@127.0.0.1/|url has a user name
http://127.0.0.1/#{0}|url has a fragment
http://127.0.0.1/{0}#|url has a fragment
http://{0}/|url has {0} before the path
http://{0}.example.org/groups|url has {0} before the path
http://127.0.0.1:{0}/|url has {0} before the path
http://{0}@127.0.0.1/|url has {0} before the path
http://|url has no host
http:///x|url has no host
http://?x|url has no host
http://127.0.0.1:99999/|ort
http://127.0.0.1/a b|
ROWS
    [ ! -s "$STUB/log" ]
}

@test "a token that is none, and files that others may read or write, are refused at the start" {
    local bytes

    for bytes in '' $'\n' $'\ntoken' 'two words' $'tab\t' 'quote"' $'j\xc3\xb6rg'; do
        token_file "$bytes"
        service "$BAD/ok" "$TOKEN"
        misconfigured 78 "$TOKEN_FILE: the first line is no bearer token"
    done
    token_file opensesame
    chmod 0604 "$TOKEN_FILE"
    misconfigured 78 "$TOKEN_FILE: others may read it (mode 0604): chmod o-r it"
    chmod 0620 "$TOKEN_FILE"
    misconfigured 78 "$TOKEN_FILE: others may write it"
    rm "$TOKEN_FILE"
    misconfigured 66 "$TOKEN_FILE: No such file"
    install -m 0644 "$CA/alice.key" "$DIR/key"
    service "$GOOD/certified" "$TRUST" "certificate = \"$CA/alice.crt\"" "key = \"$DIR/key\""
    misconfigured 78 "$DIR/key: others may read it"
    echo nonsense >"$DIR/pem"
    service "$GOOD/certified" "ca-file = \"$DIR/pem\""
    misconfigured 78 "$DIR/pem: not a PEM file"
    service "$GOOD/certified" "ca-file = \"$DIR/missing\""
    misconfigured 66 "$DIR/missing: No such file"
}
