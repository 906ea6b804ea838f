# shellcheck shell=bash
# HTTP/1.1 by bash alone, for requests that are made by the hundred: most of what one costs is the
# start of curl.

# base64_of VARIABLE TEXT: sets it to the base64 of the bytes of TEXT.
base64_of() {
    local LC_ALL=C
    local base64='' bits bytes i
    local digits=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/

    for ((i = 0; i < ${#2}; i += 3)); do
        # Past the end, a character is NUL.
        printf -v bytes '(%d&255)<<16|(%d&255)<<8|%d&255' \
            "'${2:i:1}" "'${2:i+1:1}" "'${2:i+2:1}"
        bits=$((bytes))
        base64+=${digits:bits>>18:1}${digits:bits>>12&63:1}
        base64+=${digits:bits>>6&63:1}${digits:bits&63:1}
    done
    case $((${#2} % 3)) in
    1) base64=${base64%??}== ;;
    2) base64=${base64%?}= ;;
    esac
    printf -v "$1" %s "$base64"
}

# exchange VARIABLE PORT BYTES: sends them to a port of 127.0.0.1, and sets VARIABLE to all that
# comes until the other side closes. Fails when that takes more than 30 seconds.
exchange() {
    local LC_ALL=C
    local peer status=0

    { exec {peer}<>"/dev/tcp/127.0.0.1/$2"; } 2>/dev/null || return
    # The other side may answer and close before it has read everything.
    trap '' PIPE
    { printf %s "$3" >&"$peer"; } 2>/dev/null || true
    trap - PIPE
    # More than there will be: what is read ends with the connection, which is status 1.
    IFS= read -rt 30 -N 1048576 -u "$peer" "$1" 2>/dev/null || status=$?
    exec {peer}>&-
    [ "$status" -eq 1 ]
}

# plain_request VARIABLE [CURL-ARGUMENT]...: sets it to the bytes of the request that curl would
# make to the server at URL, but that the connection is to be closed. Fails for what only curl can:
# other options, and what curl would not send as it stands; but dots in a path are sent.
plain_request() {
    local LC_ALL=C
    local into=$1 method='' target='' url='' user='' body='' has_body='' fields='' names=' '

    shift
    while [ "$#" -gt 0 ]; do
        case $1 in
        -g | --path-as-is) ;;
        -X) method=$2 && shift ;;
        -u) user=$2 && shift ;;
        -d) [ -z "$has_body" ] && body=$2 has_body=yes && shift || return ;;
        -H) plain_field "$2" && shift || return ;;
        --request-target) target=$2 && shift ;;
        *) [ -z "$url" ] && url=$1 || return ;;
        esac
        shift
    done
    [[ $url =~ ^"http://127.0.0.1:${URL##*:}"(/[^]#{}[]*)?(#.*)?$ && $body != @* ]] || return
    target=${target:-${BASH_REMATCH[1]:-/}}
    # What curl would encode, or refuse.
    [[ $target != *[!!-~]* ]] || return
    plain_default Host "127.0.0.1:${URL##*:}"
    if [ -n "$user" ]; then
        [[ $user == *:* ]] || return
        base64_of user "$user"
        plain_default Authorization "Basic $user"
    fi
    plain_default User-Agent curl
    plain_default Accept '*/*'
    if [ -n "$has_body" ]; then
        plain_default Content-Length "${#body}"
        plain_default Content-Type application/x-www-form-urlencoded
    fi
    [ -z "$has_body" ] || method=${method:-POST}
    fields+=$'Connection: close\r\n'
    printf -v "$into" '%s %s HTTP/1.1\r\n%s\r\n%s' "${method:-GET}" "$target" \
        "$fields" "$body"
}

# plain_field FIELD: one that curl is given. An empty one is for curl a word of its own.
plain_field() {
    case $1 in
    @* | *: | [Tt]ransfer-* | [Ee]xpect* | [Cc]on*) return 1 ;;
    *:*) fields+=$1$'\r\n' ;;
    *';') fields+=${1%;}:$'\r\n' ;;
    *) return 1 ;;
    esac
    names+="${1%%[:;]*} "
}

# plain_default NAME VALUE: one that curl sends if it is given none of that name.
plain_default() {
    [[ ${names,,} == *" ${1,,} "* ]] || fields+="$1: $2"$'\r\n'
}

# plain_answer TEXT: sets STATUS and the files HEADERS and BODY. Fails if it is not whole.
plain_answer() {
    local LC_ALL=C
    local head=${1%%$'\r\n\r\n'*}$'\r\n\r\n' body length=$'\ncontent-length: ([0-9]+)\r'

    body=${1:${#head}}
    STATUS=000
    [[ $head =~ ^HTTP/1\.[01]\ ([1-9][0-9][0-9])\  && $1 == "$head"* ]] || return
    STATUS=${BASH_REMATCH[1]}
    printf %s "$head" >"$HEADERS"
    printf %s "$body" >"$BODY"
    if [[ ${head,,} == *$'\ntransfer-encoding: chunked\r'* ]]; then
        plain_unchunk body "$body" || return
        printf %s "$body" >"$BODY"
    elif [[ ${head,,} =~ $length ]]; then
        [ "${#body}" -eq "${BASH_REMATCH[1]}" ]
    fi
}

# plain_unchunk VARIABLE TEXT: the content of chunks, which end with an empty one.
plain_unchunk() {
    local rest=$2 content='' size

    while [[ $rest =~ ^([0-9A-Fa-f]+)$'\r\n' ]]; do
        size=$((16#${BASH_REMATCH[1]}))
        rest=${rest:${#BASH_REMATCH[0]}}
        content+=${rest:0:size}
        [ "${rest:size:2}" = $'\r\n' ] || return
        rest=${rest:size+2}
        [ "$size" -gt 0 ] || break
    done
    printf -v "$1" %s "$content"
    [ "${size:-1}" -eq 0 ] && [ -z "$rest" ]
}
