# shellcheck shell=bash
# Requests and what is expected of their answers, for tests that use gateway.bash.
#
# An answer is left in STATUS (the number), HEADERS and BODY (files). Token files are compared
# with those that were there when the test began: call http_begin in setup. Hundreds of
# requests are made, so that what is done for each of them starts no process but curl.

http_begin() {
    quick
    HEADERS=$BATS_TEST_TMPDIR/headers
    BODY=$BATS_TEST_TMPDIR/body
    http_files FILES
}

# http_files VARIABLE: sets it to what is in the token directory, one path a line.
http_files() {
    local files

    shopt -s nullglob dotglob
    files=("$TOKENS"/*)
    shopt -u nullglob dotglob
    printf -v "$1" '%s\n' "${files[@]}"
}

# new_files: the paths of the files that came since the test began.
new_files() {
    local file now

    http_files now
    while IFS= read -r file; do
        [[ $'\n'$FILES == *$'\n'"$file"$'\n'* ]] || printf '%s\n' "$file"
    done <<<"${now%$'\n'}"
}

# request [CURL-ARGUMENT]... The answer has to be whole.
request() {
    local bytes answer

    : >"$HEADERS"
    : >"$BODY"
    if ! plain_request bytes "$@"; then
        request_by_curl "$@"
        return
    fi
    STATUS=000
    if ! exchange answer "${URL##*:}" "$bytes" || ! plain_answer "$answer"; then
        echo "no whole answer for: $*"
        show
    fi
}

# request_by_curl [CURL-ARGUMENT]...: the same, with none of it left out. A server that refuses a
# request before it has read all of it may close: curl then has the answer, and an error of its
# own (55, 56).
request_by_curl() {
    local code=0

    : >"$HEADERS"
    : >"$BODY"
    STATUS=$(curl -s --path-as-is -m 30 -D "$HEADERS" -o "$BODY" -w '%{http_code}' "$@") ||
        code=$?
    case $code:$STATUS in
    0:* | 5[56]:4*) return 0 ;;
    esac
    echo "curl: exit status $code for: $*"
    show
}

# request_as USER [CURL-ARGUMENT]...
request_as() {
    local user=$1

    shift
    request -u "$user:$PASSWORD-$user" "$@"
}

# request_raw BYTES: sends them as they are, with the escapes of printf(1), all at once: a server
# that answers and closes before it was sent the rest would reset the connection.
request_raw() {
    local bytes answer

    # shellcheck disable=SC2059 # the escapes are the point
    printf -v bytes "$1"
    if ! exchange answer "${URL##*:}" "$bytes" || ! plain_answer "$answer"; then
        show
    fi
}

# The Authorization field of alice, for request_raw.
raw_credentials() {
    local credentials

    base64_of credentials "alice:$PASSWORD-alice"
    printf 'Authorization: Basic %s' "$credentials"
}

# header NAME [VALUE]: whether the answer has a header field of that name, and that value. The
# field's own is left in VALUE.
header() {
    local line

    VALUE=
    while IFS= read -r line; do
        line=${line%$'\r'}
        if [[ ${line,,} == "${1,,}:"* ]]; then
            VALUE=${line#*:}
            VALUE=${VALUE# }
            [ "$#" -eq 1 ] || [ "$VALUE" = "$2" ]
            return
        fi
    done <"$HEADERS"
    return 1
}

# --- what is expected -------------------------------------------------------------

# must_not COMMAND...: bats takes no notice of a failing "! COMMAND".
must_not() {
    if "$@"; then
        echo "should have failed: $*"
        return 1
    fi
}

show() {
    echo "status $STATUS"
    cat "$HEADERS" "$BODY"
    return 1
}

# The answer is the path of a new token file; sets FILE.
minted() {
    [ "$STATUS" = 200 ] || show
    IFS= read -rd '' FILE <"$BODY" || true
    [ -f "$FILE" ] || show
    [[ $'\n'$FILES != *$'\n'"$FILE"$'\n'* ]] || show
}

no_file() {
    local now

    http_files now
    [ "$now" = "$FILES" ] || {
        echo "left in the token directory:"
        new_files
        return 1
    }
}

# refused 'STATUS [PATTERN:STATUS]...': authserver refuses with STATUS, one line of text that is
# not cached, and no file. A gateway that PATTERN matches has a web server that refuses by
# itself, in its own words, with the status after the colon.
refused() {
    local expected word lines by=authserver

    for word in $1; do
        # shellcheck disable=SC2053 # a pattern
        case $word in
        *:*) [[ $GATEWAY != ${word%:*} ]] || expected=${word##*:} by='the web server' ;;
        *) expected=$word ;;
        esac
    done
    no_file || show
    if [ "$STATUS" != "$expected" ]; then
        echo "expected: $expected by $by"
        show
    fi
    [ "$by" = authserver ] || return 0
    header Content-Type 'text/plain; charset=utf-8' || show
    header Cache-Control no-store || show
    mapfile -t lines <"$BODY"
    [ "${#lines[@]}" -eq 1 ] || show
    [ "${#lines[0]}" -gt 10 ] || show
}
