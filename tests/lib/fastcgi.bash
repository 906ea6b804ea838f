# shellcheck shell=bash
# authserver.fcgi and authserver.cgi without a web server, for tests. AUTHSERVER_BUILD names
# the build folder.
#
# setup_file:     fastcgi_init
# setup:          fastcgi_begin
# teardown:       fastcgi_end
# teardown_file:  fastcgi_clean
#
# A test has a folder of its own, DIR, with the configuration CONF, the key KEY, the token
# directory TOKENS, and the server's SOCKET and LOG once it is started; MONITOR is its pid.

load lib/quick
load lib/sanitizers

# --- the place --------------------------------------------------------------------

fastcgi_init() {
    local build=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}

    quick
    # Not bats's own folder, which other accounts cannot enter.
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/fastcgi.XXXXXX")
    chmod 0711 "$WORK"
    FCGI=$WORK/authserver.fcgi
    CGI=$WORK/authserver.cgi
    CLIENT=$WORK/fastcgi.py
    ASK=$WORK/ask
    export WORK FCGI CGI CLIENT ASK
    install -m 0755 "$build/authserver.fcgi" "$build/authserver.cgi" \
        "$build/authserver-resolver" "$build/authserver-password" "$build/tests/lib/ask" \
        "$build"/tests/preload/{births,early}.so "$BATS_TEST_DIRNAME/lib/fastcgi.py" "$WORK"
    rsa_keys "$WORK"
    # What the folder of a test has from the start.
    mkdir -m 0711 "$WORK/blank"
    mkdir -m 0750 "$WORK/blank/tokens"
    install -m 0600 "$WORK/key" "$WORK/blank/key"
}

fastcgi_clean() {
    rm -rf "$WORK"
}

# fastcgi_begin [LINE]...: the folder of a test; LINEs go into the configuration.
fastcgi_begin() {
    quick
    DIR=$WORK/test.$BATS_TEST_NUMBER.$BASHPID
    cp -rp "$WORK/blank" "$DIR"
    KEY=$DIR/key
    CONF=$DIR/authserver.conf
    TOKENS=$DIR/tokens
    SOCKET=$DIR/socket
    LOG=$DIR/log
    MONITOR=
    JOBS=()
    AS_NOBODY=(setpriv --reuid nobody --regid nogroup --clear-groups)
    configure "$@"
}

# configure [LINE]...: writes the configuration anew.
configure() {
    local first=$CONF

    [ ! -e "$CONF" ] || first=$DIR/configuration
    {
        printf 'private-key = "%s"\n' "$KEY"
        printf 'directory = "%s"\n' "$TOKENS"
        printf '%s\n' 'issuer = "https://first.example"' "$@"
    } >"$first"
    [ "$first" = "$CONF" ] || mv "$first" "$CONF"
}

# Ends what the test has started, and nothing else; its files go with all others.
fastcgi_end() {
    local pid

    for pid in $MONITOR "${JOBS[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    # Its workers and its signer see to their end themselves.
    [ -z "$MONITOR" ] || until_true 10 nobody_left || true
    # For a test that failed.
    [ -n "${BATS_TEST_COMPLETED:-}" ] || [ ! -e "$LOG" ] || tail -n 40 "$LOG" | sed "s/^/log: /"
}

# --- general ----------------------------------------------------------------------

# Bash does not end a test for "! command": this does.
refute() {
    if "$@"; then
        echo "should have failed: $*"
        return 1
    fi
}

gone() { ! kill -0 "$1" 2>/dev/null; }
times_logged() { grep -c -e "$1" "$LOG" || true; }
says() { file_says "$1" "^$2\$"; }
logged() { file_says "$LOG" "$1"; }

# file_says FILE PATTERN
file_says() {
    local text=

    IFS= read -rd '' text <"$1" || true
    matches "$text" "$2"
}

# from_here: what further waits for is logged from here on.
from_here() {
    [ -n "${FOLLOWED:-}" ] || exec {FOLLOWED}<"$LOG"
    FURTHER=0
    REST=
    further_logged 1 '' || true
    FURTHER=0
}

# further COUNT TEXT: waits until as many lines with this text were logged. It is asked while there
# is load, and starts no process.
further() { INTERVAL=0.01 until_true 10 further_logged "$@"; }

further_logged() {
    local line

    while IFS= read -ru "$FOLLOWED" line; do
        [[ $REST$line != *"$2"* ]] || FURTHER=$((FURTHER + 1))
        REST=
    done
    # A line that is not yet whole.
    REST+=$line
    [ "$FURTHER" -ge "$1" ]
}

token_count() {
    local files

    shopt -s nullglob dotglob
    files=("$TOKENS"/*.token)
    shopt -u nullglob dotglob
    echo "${#files[@]}"
}

need_root() { [ "$(id -u)" -eq 0 ] || skip "needs root"; }

# fails_with STATUS PATTERN COMMAND...: a start that fails says why in one line, and leaves
# no socket.
fails_with() {
    local status=0 wanted=$1 pattern=$2 said

    shift 2
    timeout -k 5 10 "$@" >"$DIR/out" 2>"$DIR/err" </dev/null || status=$?
    mapfile -t said <"$DIR/err"
    printf '%s\n' "${said[@]}"
    [ "$status" -eq "$wanted" ] || { echo "exit status $status"; return 1; }
    [ "${#said[@]}" -eq 1 ]
    matches "${said[0]}" "$pattern"
    [ ! -s "$DIR/out" ]
    [ ! -e "$SOCKET" ]
}

# --- the server -------------------------------------------------------------------

# run_server COMMAND...: runs it in a process group of its own until it serves.
run_server() {
    local before=

    # What a server before it has said.
    [ ! -e "$LOG" ] || IFS= read -rd '' before <"$LOG" || true
    setsid "$@" >>"$LOG" 2>&1 </dev/null 3>&- &
    MONITOR=$!
    until_true 10 ready_or_gone
    refute gone "$MONITOR"
}

ready_or_gone() {
    local text=

    [ ! -e "$LOG" ] || IFS= read -rd '' text <"$LOG" || true
    [[ ${text:${#before}} == *$' Ready\n'* ]] || gone "$MONITOR"
}

# serve [FLAG]...: as spawn-fcgi starts it.
serve() {
    run_server spawn-fcgi -n -s "$SOCKET" -- "$FCGI" --config "$CONF" "$@"
}

# stop [SIGNAL]: its exit status is the server's.
stop() {
    local pid=$MONITOR

    kill "-${1:-TERM}" "$pid"
    wait "$pid" && MONITOR=
}

threads() {
    set -- "/proc/$1/task/"*
    echo $#
}

# Sets SIGNER, WORKERS, and RESOLVER and ACCOUNTS, if there is one: of the monitor's children, these
# two have names of their own, and of the rest the signer is the one with threads. Fails while not
# all are there.
parts() {
    local pid program threads children=() alone=1

    # This sanitizer has a thread of its own in each process.
    ! sanitized thread || alone=2
    SIGNER=
    RESOLVER=
    ACCOUNTS=
    WORKERS=()
    children_of children "$MONITOR"
    for pid in "${children[@]}"; do
        { read -r program <"/proc/$pid/comm"; } 2>/dev/null || return 1
        threads=("/proc/$pid/task/"*)
        if [ "$program" = authserver-reso ]; then
            RESOLVER=$pid
        elif [ "$program" = authserver-acco ]; then
            ACCOUNTS=$pid
        elif [ "${#threads[@]}" -gt "$alone" ]; then
            SIGNER+=$pid
        else
            WORKERS+=("$pid")
        fi
    done
    [ -n "$SIGNER" ] && [ "${#WORKERS[@]}" -eq "${1:-1}" ] && [ -d "/proc/$SIGNER" ]
}

find_parts() {
    until_true 10 parts "$@"
}

# No process of this test's server; each has the configuration's path in its arguments.
nobody_left() { ! running "*$FCGI*$DIR/*"; }

# --- the client -------------------------------------------------------------------

client() { "$CLIENT" "$@"; }

# execute PROGRAM [PARAM]...: a CGI program with alice's request, as PARAMs change it.
execute() { "$ASK" --execute "$@"; }

# ask [PARAM]...: one request. Sets STATUS, "closed" when it was hung up on, and BODY.
ask() {
    STATUS=closed
    "$ASK" "$SOCKET" "$@" >"$DIR/answer" || return 0
    read_answer
}

# As are the helpers below, this is called hundreds of times, and starts no process.
read_answer() {
    local answer=

    STATUS=
    BODY=
    IFS= read -rd '' answer <"$DIR/answer" || true
    [[ ! $answer =~ ^Status:\ ([0-9]*)\  ]] || STATUS=${BASH_REMATCH[1]}
    [[ $answer != *$'\r\n\r\n'* ]] || BODY=${answer#*$'\r\n\r\n'}
    while [[ $BODY == *$'\n' ]]; do
        BODY=${BODY%$'\n'}
    done
}

# The last answer is the path of a token file, FILE, that has three parts.
minted() {
    local token

    FILE=$BODY
    [ "$STATUS" = 200 ] || { cat "$DIR/answer"; return 1; }
    [ "${FILE%/*}" = "$TOKENS" ]
    IFS= read -rd '' token <"$FILE" || true
    [[ $token =~ ^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$'\n'?$ ]]
}

mints() {
    ask "$@"
    minted
}

# refused STATUS [PATTERN]: so was the last request, with one line of text.
refused() {
    [ "$STATUS" = "$1" ] || { cat "$DIR/answer"; return 1; }
    if [[ -z $BODY || $BODY == *$'\n'* ]] || ! matches "$BODY" "${2:-}"; then
        echo "$BODY"
        return 1
    fi
}

# background NAME ARGUMENT...: a client whose output goes to $DIR/NAME; sets JOB.
background() {
    local name=$1

    shift
    # Nobody takes what an earlier one has said for its word.
    : >"$DIR/$name"
    "$CLIENT" "$@" >"$DIR/$name" 2>&1 3>&- &
    JOB=$!
    JOBS+=("$JOB")
}

# finish PID: asks a client in the background to end; its exit status.
finish() {
    kill -TERM "$1"
    wait "$1"
}
