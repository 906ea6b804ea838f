# shellcheck shell=bash
# What keeps tests quick: nearly all of their time is that of processes that are started.

# Before each command bats notes where it stands: 0.3 ms, which is more than the command takes when
# it is one of bash's own, and a helper has many.
#
# quick: for setup and setup_file. From here on the commands of the test itself are noted, not
# those of the functions that it calls: for a failure in one of these the line that called it is
# shown. TRACE=1 has them all noted.
quick() {
    [ -n "${TRACE:-}" ] || set +T
}

# bats asks date(1) for the time at which a test begins. This is what it calls for that; it is run in
# a subshell, whose commands are noted too.
get_mills_since_epoch() {
    echo "$((${EPOCHREALTIME/./} / 1000))"
}

# rsa_keys FOLDER: two keys of 2048 bits, key (PKCS#1) and other (PKCS#8), with their public halves,
# key.pub and other.pub, and those as JWKs for RS512, key.jwk and other.jwk. Copies of those in
# SHARED_KEYS, which tests/run makes once.
rsa_keys() {
    local name

    if [ -n "${SHARED_KEYS:-}" ]; then
        cp -p "$SHARED_KEYS"/* "$1"
        return
    fi
    openssl genrsa -traditional -out "$1/key" 2048 2>/dev/null
    openssl genrsa -out "$1/other" 2048 2>/dev/null
    for name in key other; do
        openssl pkey -in "$1/$name" -pubout -out "$1/$name.pub"
        jwk_of "$1/$name" >"$1/$name.jwk"
    done
}

# jwk_of KEY: its public half as a JWK for RS512, by nothing of ours.
jwk_of() {
    local modulus

    modulus=$(openssl rsa -in "$1" -noout -modulus)
    printf '{"kty":"RSA","alg":"RS512","n":"%s","e":"AQAB"}' "$(printf %s "${modulus#*=}" |
        basenc --base16 -d | basenc --base64url -w 0 | tr -d =)"
}

# pause SECONDS: sleep(1) without a process: nobody writes to this pipe.
pause() {
    local pipe=$BATS_FILE_TMPDIR/pause

    [ -p "$pipe" ] || mkfifo "$pipe"
    read -rt "$1" <>"$pipe" || true
}

# until_true SECONDS COMMAND...: whether the command succeeds within that time, or so many times that
# as PATIENCE says, which tests/run sets for programs that are slow.
until_true() {
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000 * ${PATIENCE:-1}))

    shift
    until "$@"; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
        pause "${INTERVAL:-0.1}"
    done
}

# matches TEXT PATTERN: what grep -q says of a text, whose pattern is most often one that stands for
# itself but for ^ at its begin and $ at its end: then by no process.
matches() {
    local literal=$2 text=$'\n'${1%$'\n'}$'\n'

    # Which has no line.
    [ -n "$1" ] || return 1
    [[ $literal != ^* ]] || literal=$'\n'${literal:1}
    [[ $literal != *'$' ]] || literal=${literal%?}$'\n'
    case $literal in
    *[].*^$\\[]*) grep -q -e "$2" <<<"$1" ;;
    *) [[ $text == *"$literal"* ]] ;;
    esac
}

# at_most MILLISECONDS MOST: whether no more of them were taken, or so many times that as PATIENCE
# says; and a second more, for which a busy machine may stop anything.
at_most() {
    [ "$1" -le $(($2 * ${PATIENCE:-1} + 1000)) ] || { echo "took $1 ms"; return 1; }
}

# claims_of FILE: sets CLAIMS to those of the token in it, by no program of ours.
claims_of() {
    local token part

    CLAIMS=
    IFS= read -rd '' token <"$1" || true
    IFS=. read -r _ part _ <<<"$token"
    base64url_text CLAIMS "$part"
}

# base64url_text VARIABLE TEXT: sets it to what the text stands for, which has no NUL. Fails for
# what is no base64url.
base64url_text() {
    local LC_ALL=C
    local digits=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_
    local escapes='' piece bits i before=()

    [[ $2 != *[!A-Za-z0-9_-]* && $((${#2} % 4)) -ne 1 ]] || return
    for ((i = 0; i < ${#2}; i += 4)); do
        # A digit is worth as many as there are before it; a missing one is as A.
        before=("${digits%%"${2:i:1}"*}" "${digits%%"${2:i+1:1}"*}"
            "${digits%%"${2:i+2:1}"*}" "${digits%%"${2:i+3:1}"*}")
        bits=$((${#before[0]} << 18 | ${#before[1]} << 12 | ${#before[2]} << 6 | ${#before[3]}))
        printf -v piece '\\x%02x\\x%02x\\x%02x' $((bits >> 16)) $((bits >> 8 & 255)) $((bits & 255))
        escapes+=$piece
    done
    case $((${#2} % 4)) in
    2) escapes=${escapes:0:-8} ;;
    3) escapes=${escapes:0:-4} ;;
    esac
    printf -v "$1" %b "$escapes"
}

# claimed NAME: one of CLAIMS, a string or a number.
claimed() {
    local value="\"$1\":(\"([^\"]*)\"|([0-9]+))[,}]"

    [[ $CLAIMS =~ $value ]] || return
    echo "${BASH_REMATCH[2]}${BASH_REMATCH[3]}"
}

# token COMMAND...: lib/token, by the server that tests/run has for it. Not where the program would
# see something else than the server does: a pipe of this process, another clock. 125 where the
# server does not answer; tests/run counts that by itself, for tests that want a failure.
token() {
    local given='' status text said

    if [[ -z ${TOKEN_SERVER:-} || -n ${LD_PRELOAD:-} || " $*" == *' /dev/fd/'* ]]; then
        "$BATS_TEST_DIRNAME/lib/token" "$@"
        return
    fi
    case $1 in
    holds | pems | run) IFS= read -rd '' given || true ;;
    esac
    token_asked "$@" || {
        echo "token $1: no answer of the server that tests/run has for it" |
            tee -a "$TOKEN_SERVER.vain" >&2
        return 125
    }
    printf %s "$text"
    printf %s "$said" >&2
    return "$status"
}

# token_asked COMMAND...: sets status, text and said to what the server answers, if it does.
token_asked() {
    local port secret server answers=0 most=$((${TOKEN_WITHIN:-100} * ${PATIENCE:-1}))

    read -r port secret <"$TOKEN_SERVER" &&
        { exec {server}<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return
    # The other end may be gone meanwhile.
    trap '' PIPE
    printf '%s\0' "$(($# + 3))" "$secret" "$PWD" "$given" "$@" >&"$server" &&
        IFS= read -rd '' -t "$most" status <&"$server" &&
        IFS= read -rd '' -t "$most" text <&"$server" &&
        IFS= read -rd '' -t "$most" said <&"$server" || answers=1
    trap - PIPE
    exec {server}>&-
    return "$answers"
}

# --- processes, as /proc has them: ps, pgrep and ss read all of it ----------------------

# children_of ARRAY PID: sets it to the pids of the children of all its threads.
children_of() {
    local -n pids=$1
    local file more

    pids=()
    for file in "/proc/$2/task/"*/children; do
        # A thread may end meanwhile; the list ends without a newline.
        { read -ra more <"$file"; } 2>/dev/null || true
        pids+=("${more[@]}")
        more=()
    done
}

# command_of VARIABLE PID: sets it to the program and its arguments, with spaces between.
command_of() {
    local arguments=() IFS=' '

    # It may have ended.
    { mapfile -d '' arguments <"/proc/$2/cmdline"; } 2>/dev/null || true
    printf -v "$1" %s "${arguments[*]}"
}

# running PATTERN: whether there is a process whose program and arguments match the pattern of bash.
running() {
    local folder command

    for folder in /proc/[0-9]*; do
        command_of command "${folder#/proc/}"
        # shellcheck disable=SC2053 # a pattern
        [[ $command != $1 ]] || return 0
    done
    return 1
}

# listened_at PORT: whether somebody listens there, at any address.
listened_at() {
    local sockets file port

    printf -v port ':%04X [0-9A-F:]+ 0A ' "$1"
    for file in /proc/net/tcp /proc/net/tcp6; do
        [ ! -e "$file" ] || IFS= read -rd '' sockets <"$file" || true
        [[ ! ${sockets:-} =~ $port ]] || return 0
    done
    return 1
}
