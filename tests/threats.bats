#!/usr/bin/env bats
# What somebody may try who wants a token that is not his, through a web server and around it. The
# same tests for every gateway: GATEWAY is one of those in lib/gateway.bash; tests/run goes
# through them. Each test is named after its threat:
#
#   caller asks for someone else        that, in all the ways to ask
#   location without authentication     the shipped location without what authenticates
#   forged identity headers             Remote-User, Remote_User, Auth-Type and their like
#   a param given twice                 to the program itself, and by nginx misconfigured
#   foreign realm                       user@FOREIGN; tickets are in auth-apache.bats
#   another local user speaks FastCGI   EACCES; in the group but not a peer: hung up on
#   web page, DNS rebinding             Host, Origin and Sec-Fetch-Site, each and all together
#   httpoxy                             a request's params are in nobody's environment
#   hostile user names                  as the subject in the path, and as the caller
#   aliases                             as the subject in the path, and as the caller
#   subject like a token's name         a.1700000000000000000 is not a token of "a"
#
# "client certificate not verified" is in tls.bats, which has the CA.

load lib/gateway
load lib/http

readonly LIKE_A_TOKEN=a.1700000000000000000

# Callers that a careless password file may have: those that are nobody's, and those that
# subject-pattern can make somebody's.
readonly NEVER=(. .. ../alice alice/../bob /alice ../../tmp/alice)
readonly ODD=('alice%2fbob' '%2e%2e' 'alice%0a' $'\303\244lice' $'\342\200\256alice' '$(id)' '`id`'
    '*)(uid=*' "alice'" 'a"b' 'alice;id' 'alice|id' 'alice>x' $'alice\\' '-alice' --help .alice
    '~alice' 'alice ' 'alice bob' 'uid=alice,ou=people')
readonly ALIASES=(ALICE Alice alice. alice..)

setup_file() {
    GATEWAY=${GATEWAY:-nginx-fcgi}
    export GATEWAY
    gateway_init
    install -m 0755 "$SOURCE/tests/lib/fastcgi.py" "$BUILD/tests/lib/ask" "$BUILD/authserver-reap" \
        "$WORK/bin/"
    callers "${NEVER[@]}" "${ODD[@]}" "${ALIASES[@]}" ' alice' a "$LIKE_A_TOKEN" alice@EXAMPLE.ORG \
        alice@EVIL.EXAMPLE alice@example.org alice@ @EVIL.EXAMPLE alice@EXAMPLE.ORG@EVIL.EXAMPLE \
        alice@EVIL.EXAMPLE@EXAMPLE.ORG $'alice\377' "$(long 129)" "$(long 256)" "$(long 2000)"
    gateway_create main 'realms = {"EXAMPLE.ORG"}'
    gateway_start main
    gateway_create wide 'subject-pattern = ".*"'
    gateway_start wide
    gateway_create live "policy = \"$WORK/live/etc/policy\""
    echo 'permit authenticated as self live 1' >"$WORK/live/etc/policy"
    gateway_start live
}

setup() {
    at main
}

teardown() {
    case ${AT##*/} in
    main | wide | live) ;;
    *) gateway_stop "${AT##*/}" ;;
    esac
    # Whatever a test asked for. Of a teardown only the status of the end counts.
    no_token_elsewhere
}

teardown_file() {
    gateway_end
}

# Of all that there is below WORK only what lies in a token directory itself is named like a token.
no_token_elsewhere() {
    local file below wrong=()

    shopt -s nullglob dotglob globstar
    below=("$WORK"/*/tokens/*/*)
    for file in "$WORK"/**/*.token*; do
        [[ $file == "$WORK"/*/tokens/* ]] || wrong+=("$file")
    done
    shopt -u nullglob dotglob globstar
    wrong+=("${below[@]}")
    [ "${#wrong[@]}" -eq 0 ] || {
        printf 'should not be there: %s\n' "${wrong[@]}"
        return 1
    }
}

# at NAME: the instance that what follows is about.
at() {
    gateway_use "$1"
    http_begin
}

long() {
    printf '%0*d' "$1" 0
}

# callers NAME...: all with the same password, that of "caller".
callers() {
    local hash

    hash=$(htpasswd -nbB -C 4 caller "$PASSWORD-caller")
    printf "%s:${hash#caller:}\n" "$@" >>"$WORK/htpasswd"
}

# request_by CALLER [CURL-ARGUMENT]...: as request_as of http.bash, for one of callers.
request_by() {
    local caller=$1

    shift
    request -u "$caller:$PASSWORD-caller" "$@"
}

# encode NAME: sets ENCODED to every byte of it, for a path.
encode() {
    local LC_ALL=C
    local byte i

    ENCODED=
    for ((i = 0; i < ${#1}; i++)); do
        printf -v byte %d "'${1:i:1}"
        printf -v byte '%%%02x' "$((byte & 255))"
        ENCODED+=$byte
    done
}

# of SUBJECT: the token that was just made is for exactly that one, and is a file of the token
# directory with a name that no shell, and no one who lists it, can take for something else.
of() {
    local name=${1//\\/\\\\}

    # As JSON has it.
    name=${name//\"/\\\"}
    claims_of "$FILE"
    [[ ${FILE##*/} =~ ^[A-Za-z0-9_%][A-Za-z0-9._@+%-]*\.[0-9]{19}\.token$ ]]
    [ "${FILE%/*}" = "$TOKENS" ]
    [[ $CLAIMS == "{\"sub\":\"$name\","* && $CLAIMS != *'"act"'* ]] || {
        echo "expected a token of '$1': $CLAIMS"
        return 1
    }
    http_begin
}

as_auth() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid "$AUTH_USER" --regid "$AUTH_USER" --clear-groups "$@"
    else
        "$@"
    fi
}

client() {
    "$WORK/bin/fastcgi.py" "$@"
}

# The sockets of this instance: what other users must stay away from.
sockets() {
    find "$AT" -type s
}

# program [PARAM]...: what the program itself answers to alice's request as PARAMs change it, the
# web server left out. The answer is left as by request of http.bash.
program() {
    local answer=$BATS_TEST_TMPDIR/program text=

    case $GATEWAY in
    *fcgi | *fcgid) "$WORK/bin/ask" "$(program_socket)" "$@" ;;
    *) as_auth "$WORK/bin/ask" --execute "$WORK/bin/authserver.cgi" \
        "AUTHSERVER_CONFIG=$CONF" "$@" ;;
    esac >"$answer"
    IFS= read -rd '' text <"$answer" || true
    STATUS=
    [[ ! $text =~ ^Status:\ ([0-9]*)\  ]] || STATUS=${BASH_REMATCH[1]}
    printf %s "${text%%$'\r\n\r\n'*}"$'\r\n\r\n' >"$HEADERS"
    printf %s "${text#*$'\r\n\r\n'}" >"$BODY"
}

# mod_fcgid starts the program, on a socket, with the first request.
program_socket() {
    case $GATEWAY in
    apache-fcgid) sockets | grep fcgid | head -n 1 ;;
    *) echo "$AT/run/authserver.sock" ;;
    esac
}

# Monitors, workers and signers.
processes() {
    local pid children

    for pid in $(gateway_monitors); do
        children_of children "$pid"
        echo "$pid" "${children[@]}"
    done
}

has_fastcgi() {
    case $GATEWAY in
    apache-cgi | nginx-fcgiwrap) return 1 ;;
    esac
}

# --- somebody else's token --------------------------------------------------------

@test "threat: caller asks for someone else: 403, no file, a log line" {
    local ask

    for ask in bob root anonymous daemon; do
        request_as alice "$URL/$ask"
        refused 403
        grep -rqE "Refused with 403: caller alice, path /$ask: alice may not have a token" "$LOG"
        request_as alice -X POST "$URL/$ask"
        refused 403
        request_as alice "$URL/$ask?ttl=90s"
        refused 403
        request_as alice -H 'Accept: application/jwt' "$URL/$ask"
        refused 403
    done
    request_as bob "$URL/alice"
    refused 403
}

@test "threat: caller asks for someone else: not by a query, a body or an absolute URL" {
    request_as alice "$URL/alice?subject=bob"
    refused 400
    request_as alice -d 'sub=bob' "$URL/alice"
    refused 400
    request_as alice --request-target "http://localhost/bob" "$URL"
    refused 403
}

@test "threat: location without authentication: any credentials are nobody" {
    gateway_create open
    gateway_start open "$(without_authentication)"
    http_begin
    request -u root:x "$URL/root"
    refused 401
    request_as alice "$URL/alice"
    refused 401
    request "$URL/"
    refused 401
    request -H 'Remote-User: alice' -H 'Auth-Type: Basic' "$URL/alice"
    refused 401
    request -H 'Remote_User: alice' -H 'Auth_Type: Basic' "$URL/alice"
    refused 401
    request -H 'X-Remote-User: alice' -H 'X-Forwarded-User: alice' "$URL/alice"
    refused 401
}

without_authentication() {
    case $GATEWAY in
    nginx-*) echo '/auth_basic/d; /AUTH_TYPE /d' ;;
    apache-*) echo 's/Require valid-user/Require all granted/; /Auth[TNU][a-z]*[eE] /d' ;;
    esac
}

@test "threat: forged identity headers have no effect" {
    local field

    for field in Remote-User Remote_User REMOTE-USER X-Remote-User X-Forwarded-User \
        Http-Remote-User; do
        request -H "$field: alice" -H 'Auth-Type: Basic' -H 'Auth_Type: Basic' "$URL/alice"
        refused '401 *:401'
        request_as alice -H "$field: bob" -H 'Auth-Type: Basic' "$URL/bob"
        refused 403
    done
    request_as alice -H 'Remote-User: bob' -H 'Auth_Type: Negotiate' "$URL/"
    minted
    of alice
}

@test "threat: a param given twice is a 400" {
    local param

    request_as alice "$URL/alice"
    minted
    http_begin
    for param in REMOTE_USER=alice REMOTE_USER=root AUTH_TYPE=Basic PATH_INFO=/alice \
        REQUEST_METHOD=GET HTTP_HOST=localhost QUERY_STRING=; do
        program "+$param"
        refused 400
        [[ $(<"$BODY") == *"${param%%=*} twice"* ]]
    done
    # The same without: it is not refused for another reason.
    program
    minted
}

@test "threat: a param given twice: a web server that sets REMOTE_USER once more is no way to root" {
    gateway_create twice
    case $GATEWAY in
    nginx-*)
        # nginx sends both.
        gateway_start twice '/fastcgi_param *AUTH_TYPE/a fastcgi_param REMOTE_USER root;'
        http_begin
        request_as alice "$URL/alice"
        refused 400
        request_as alice "$URL/root"
        refused 400
        ;;
    apache-*)
        # Apache sends the one whose password it checked.
        gateway_start twice '/AuthType/a SetEnv REMOTE_USER root'
        http_begin
        request_as alice "$URL/root"
        refused 403
        request_as alice "$URL/"
        minted
        of alice
        ;;
    esac
}

# --- whose realm ------------------------------------------------------------------

@test "threat: foreign realm: a caller of another realm is a 403" {
    local caller

    for caller in alice@EVIL.EXAMPLE alice@example.org alice@ @EVIL.EXAMPLE \
        alice@EXAMPLE.ORG@EVIL.EXAMPLE; do
        request_by "$caller" "$URL/alice"
        refused 403
        request_by "$caller" "$URL/"
        refused 403
        request_by "$caller" "$URL/$caller"
        refused 403
    done
    # One realm is cut off, and what is left is not cut again.
    request_by alice@EVIL.EXAMPLE@EXAMPLE.ORG "$URL/alice"
    refused 403
    request_by alice@EXAMPLE.ORG "$URL/alice"
    minted
    of alice
}

# --- around the web server --------------------------------------------------------

@test "threat: another local user speaks FastCGI: EACCES, and with the group hung up on unparsed" {
    local socket found=0 client=$WORK/bin/fastcgi.py
    local other=(setpriv --reuid nobody --regid "$WEB_USER" --clear-groups)

    [ "$(id -u)" -eq 0 ] || skip "needs root"
    request_as alice "$URL/alice"
    minted
    http_begin
    # Those of the web server too, where it starts the program.
    while read -r socket; do
        found=$((found + 1))
        run setpriv --reuid nobody --regid nogroup --clear-groups "$WORK/bin/ask" "$socket"
        [ "$status" -ne 0 ]
        [[ $output == *': Permission denied' ]]
    done < <(sockets)
    [ "$found" -ge 1 ]
    no_file

    # authserver.cgi listens nowhere, and fcgiwrap asks nobody who he is.
    has_fastcgi || return 0
    socket=$(program_socket)
    # mod_fcgid lets nobody else into its folder.
    [ "$GATEWAY" != apache-fcgid ] || chmod a+rwx "${socket%/*}" "$socket"
    run "${other[@]}" "$WORK/bin/ask" "$socket"
    [ "$status" -eq 3 ]
    [ "$output" = 'closed after 0 bytes' ]
    grep -rq "which 'peers' does not list" "$LOG"
    # What is not parsed is not found to be malformed either.
    [ "$(printf 'GET / HTTP/1.1\r\n\r\n' | "${other[@]}" "$client" raw "$socket")" = closed ]
    must_not grep -rq 'sent no well-formed FastCGI request' "$LOG"
    no_file
    # It is the uid: that of the web server is served.
    run setpriv --reuid "$WEB_USER" --regid "$WEB_USER" --clear-groups "$WORK/bin/ask" "$socket"
    [[ $output == 'Status: 200 '* ]]
}

@test "threat: httpoxy: request params never reach the environment" {
    local now fields=(-H 'Proxy: http://canary.example:8080' -H 'Canary: canary'
        -H 'Authserver-Config: /canary' -H 'Ld-Preload: /canary.so' -H 'Path: /canary')

    request_as alice "${fields[@]}" "$URL/alice?ttl=90s"
    minted
    of alice
    if has_fastcgi; then
        [ "$EUID" -eq 0 ] || skip "needs root to read the environment of others"
        program http_proxy=canary LD_PRELOAD=/canary.so AUTHSERVER_CONFIG=/canary TZ=canary
        minted
        # One is a line, "PID:", and the variables on those after it.
        # shellcheck disable=SC2046 # several
        now=$("$SOURCE/tests/lib/environment.py" $(processes))
        echo "$now"
        [ "$(grep -c '^[0-9]*:$' <<<"$now")" -ge 3 ]
        [ "$(grep -c '^PATH=' <<<"$now")" -eq "$(grep -c '^[0-9]*:$' <<<"$now")" ]
        [[ $now != *canary* && $now != *REMOTE_USER* && $now != *HTTP_* ]]
    else
        # By CGI they come as environment, under names that no program's settings have: what
        # is read from it is what the web server was told to send.
        [ -z "$(find /canary* -maxdepth 0 2>/dev/null)" ]
        program HTTP_PROXY=http://canary.example HTTP_AUTHSERVER_CONFIG=/canary
        minted
    fi
}

# --- web pages --------------------------------------------------------------------

@test "threat: web page, DNS rebinding: a Host that is not a loopback name is refused" {
    local host

    for host in evil.example evil.example:5001 127.0.0.1.evil.example localhost.evil.example \
        10.0.0.1 127.0.0.2 xlocalhost; do
        request_as alice -H "Host: $host" "$URL/alice"
        refused 403
    done
}

@test "threat: web page, DNS rebinding: a request without Host is refused" {
    request_raw "GET /alice HTTP/1.0\r\n$(raw_credentials)\r\n\r\n"
    refused 403
    request_raw "GET /alice HTTP/1.1\r\nConnection: close\r\n$(raw_credentials)\r\n\r\n"
    refused '403 *:400'
}

@test "threat: web page, DNS rebinding: loopback names are served, with and without port" {
    local host

    for host in localhost 127.0.0.1 '[::1]' "localhost:${URL##*:}" '[::1]:5001' LocalHost; do
        request_as alice -H "Host: $host" "$URL/alice"
        minted
    done
}

@test "threat: web page, DNS rebinding: any Origin is refused" {
    local origin

    for origin in http://evil.example null "$URL" http://localhost; do
        request_as alice -H "Origin: $origin" "$URL/alice"
        refused 403
    done
    request_as alice -H 'Origin;' "$URL/alice"
    refused 403
}

@test "threat: web page, DNS rebinding: Sec-Fetch-Site other than none and same-origin is refused" {
    local site

    for site in cross-site same-site bogus; do
        request_as alice -H "Sec-Fetch-Site: $site" "$URL/alice"
        refused 403
    done
    for site in none same-origin; do
        request_as alice -H "Sec-Fetch-Site: $site" "$URL/alice"
        minted
    done
}

@test "threat: web page, DNS rebinding: the refusal does not say who is logged in" {
    request_as alice -H 'Origin: http://evil.example' "$URL/bob"
    refused 403
    must_not grep -q -e alice -e bob "$BODY"
}

@test "threat: web page, DNS rebinding: Host, Origin and Sec-Fetch-Site, all together" {
    local host origin site fields expected

    for host in localhost evil.example; do
        for origin in '' null http://localhost http://evil.example; do
            for site in '' none same-origin same-site cross-site; do
                fields=(-X POST -H "Host: $host")
                expected=mint
                [ "$host" != evil.example ] || expected=refuse
                [ -z "$origin" ] || fields+=(-H "Origin: $origin") expected=refuse
                [ -z "$site" ] || fields+=(-H "Sec-Fetch-Site: $site")
                [[ $site != *-site ]] || expected=refuse
                request_as alice "${fields[@]}" "$URL/alice"
                if [ "$expected" = mint ]; then
                    minted
                    http_begin
                else
                    refused 403
                fi
            done
        done
    done
}

@test "threat: web page, DNS rebinding: the host of the request line counts, and two are none" {
    request_as alice --request-target "http://evil.example/alice" -H 'Host: localhost' "$URL"
    refused 403
    request_raw "GET /alice HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n$(
        raw_credentials)\r\nConnection: close\r\n\r\n"
    [[ $STATUS == 40[03] ]] || show
    no_file
}

# --- names that are none ----------------------------------------------------------

@test "threat: hostile user names: dot segments never name a subject" {
    request_as alice "$URL/.."
    refused '400 *:400'
    request_as alice "$URL/../alice"
    refused '400 *:400'
    request_as alice "$URL/%2e%2e"
    refused '400 *:400'
    request_as alice "$URL/%2e%2e%2falice"
    refused '404 nginx-*:400 apache-*:404'
    request_as alice "$URL/%2e%2e/alice"
    refused '400 *:400'
    request_as alice "$URL/..."
    refused 400
    request_as alice "$URL/..alice"
    refused 400
}

@test "threat: hostile user names: an encoded slash is not part of one" {
    request_as alice "$URL/%2f"
    refused '404 apache-*:404'
    request_as alice "$URL/alice%2f"
    refused '404 apache-*:404'
    request_as alice "$URL/alice%2f..%2fbob"
    refused '403 apache-*:404'
}

@test "threat: hostile user names: a NUL byte is refused" {
    request_as alice "$URL/alice%00"
    refused '400 nginx-*:400 apache-*:404'
    request_as alice "$URL/%00"
    refused '400 nginx-*:400 apache-*:404'
}

@test "threat: hostile user names: line ends and other control bytes are refused" {
    local byte

    for byte in %01 %09 %0a %0d %0d%0a %1b %7f; do
        request_as alice "$URL/alice$byte"
        refused 400
    done
}

@test "threat: hostile user names: bytes above 127 are refused, encoded and raw" {
    local byte

    for byte in %80 %ff %c3%a4 %c0%af %e2%80%ae; do
        request_as alice "$URL/alice$byte"
        refused 400
    done
    request_raw "GET /alice\\377 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n$(
        raw_credentials)\r\n\r\n"
    refused '400 apache-*:400'
}

@test "threat: hostile user names: metacharacters of shells, LDAP, SQL and URLs are refused" {
    local name

    for name in 'alice;id' 'alice%20bob' '$(id)' '`id`' 'alice%7Cid' 'alice&' 'alice*' '(uid=x)' \
        "alice'" 'alice%22' 'alice%5cbob' 'alice%25' 'alice%3f' 'alice%23' 'alice,bob' 'a:b' \
        'a=b' '~alice' '-alice' '.alice' '@alice' '+alice' '!alice'; do
        request_as alice "$URL/$name"
        refused 400
    done
}

@test "threat: hostile user names: 4 KB are refused" {
    local name

    printf -v name '%04096d' 0
    request_as alice "$URL/${name:0:129}"
    refused 400
    request_as alice "$URL/${name:0:300}"
    refused 400
    request_as alice "$URL/${name:0:3000}"
    refused 400
    request_as alice "$URL/$name"
    refused '400 *:414'
}

@test "threat: hostile user names: as the caller, 400 by default" {
    local caller

    for caller in "${NEVER[@]}" "${ODD[@]}" "$(long 129)"; do
        request_by "$caller" "$URL/"
        refused 400
        request_by "$caller" "$URL/alice"
        refused 403
    done
    # Apache finds no name in its file that begins with a space.
    request_by ' alice' "$URL/"
    refused '400 apache-*:401'
    for caller in $'alice\377' "$(long 256)" "$(long 2000)"; do
        request_by "$caller" "$URL/"
        refused 400
        request_by "$caller" "$URL/alice"
        refused 400
    done
    request_by "$(long 4096)" "$URL/"
    refused '400 *:400'
    request -H "Authorization: Basic $(printf 'alice\nbob:%s-alice' "$PASSWORD" | base64 -w 0)" \
        "$URL/"
    refused '401 *:401'
}

@test "threat: hostile user names: where subject-pattern lets any in, a safe name of a file" {
    local name

    at wide
    for name in "${ODD[@]}"; do
        request_by "$name" "$URL/"
        minted
        of "$name"
        encode "$name"
        request_by "$name" "$URL/$ENCODED"
        minted
        of "$name"
        request_as alice "$URL/$ENCODED"
        refused 403
    done
}

@test "threat: hostile user names: dots, slashes and bytes that are no text, whatever subject-pattern" {
    local name

    at wide
    for name in "${NEVER[@]}" "$(long 129)" $'alice\377'; do
        request_by "$name" "$URL/"
        refused 400
    done
    request_as alice "$URL/%2e%2e"
    refused '400 *:400'
    request_as alice "$URL/..%2ftokens%2falice"
    refused '404 nginx-*:400 apache-*:404'
    request_as alice "$URL/alice%2f..%2fbob"
    refused '403 apache-*:404'
    for name in alice%00 alice%0a alice%0d alice%7f alice%ff; do
        request_as alice "$URL/$name"
        [[ $STATUS == 40[04] ]] || show
        no_file
    done
}

# --- other names for the same -----------------------------------------------------

@test "threat: aliases: a subject of another case, or with a dot or a space, is somebody else" {
    request_as alice "$URL/ALICE"
    refused 403
    request_as alice "$URL/alice%20"
    refused 400
    request_as alice "$URL/alice."
    refused 403
}

@test "threat: aliases: a caller of another case, or with a dot or a space, is somebody else" {
    local caller

    for caller in "${ALIASES[@]}"; do
        request_by "$caller" "$URL/alice"
        refused 403
        request_by "$caller" "$URL/"
        minted
        of "$caller"
        request_as alice "$URL/$caller"
        refused 403
    done
    request_by 'alice ' "$URL/alice"
    refused 403
    request_by 'alice ' "$URL/"
    refused 400
    # Apache finds no name in its file that begins with a space.
    request_by ' alice' "$URL/alice"
    refused '403 apache-*:401'
}

@test "threat: subject like a token's name: neither caller gets the other's token" {
    request_by "$LIKE_A_TOKEN" "$URL/a"
    refused 403
    request_by a "$URL/$LIKE_A_TOKEN"
    refused 403
    request_by "$LIKE_A_TOKEN" "$URL/"
    minted
    of "$LIKE_A_TOKEN"
    request_by a "$URL/"
    minted
    [[ ${FILE##*/} =~ ^a\.[0-9]{19}\.token$ ]]
    of a
}

@test "threat: subject like a token's name: not counted as a's, and not reaped as a's" {
    local file old

    at live
    request_by "$LIKE_A_TOKEN" "$URL/"
    minted
    of "$LIKE_A_TOKEN"
    file=$FILE
    request_by a "$URL/"
    minted
    of a
    # Each has its one token now.
    request_by a "$URL/"
    refused 429
    request_by "$LIKE_A_TOKEN" "$URL/"
    refused 429

    # One of a's, from the time that the other's name has in it.
    old=$TOKENS/$LIKE_A_TOKEN.token
    as_auth touch "$old"
    as_auth "$WORK/bin/authserver-reap" --max-age 1h -d "$TOKENS"
    [ ! -e "$old" ]
    [ -e "$file" ]
    [ -e "$FILE" ]
}
