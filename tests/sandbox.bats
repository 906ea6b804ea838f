#!/usr/bin/env bats
# What signer and workers are kept in: that it is in force, that it is said, and that each part
# can be turned off. What it refuses is tried by tests/unit/test_syscalls.c and test_landlock.c,
# and here by the processes themselves, as if somebody had taken them over.

bats_require_minimum_version 1.5.0

load lib/fastcgi

setup_file() { fastcgi_init; }
setup() { fastcgi_begin; }
teardown() { fastcgi_end; }
teardown_file() { fastcgi_clean; }

# confined MODE: whether each thread of signer and worker has a filter (2) or none (0), and can
# gain no privileges by a program.
confined() {
    local file

    find_parts
    for file in /proc/"$SIGNER"/task/*/status /proc/"${WORKERS[0]}"/task/*/status; do
        grep -q "^Seccomp:[[:blank:]]*$1\$" "$file"
        grep -q '^NoNewPrivs:[[:blank:]]*1$' "$file"
    done
}

# says_sandbox TIMES TEXT: so does /-/ready, and so does the log in its last line of so many.
says_sandbox() {
    [ "$(times_logged ' Sandbox: ')" -eq "$1" ]
    [[ $(grep ' Sandbox: ' "$LOG" | tail -n 1) == *" Sandbox: $2" ]]
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/-/ready
    [[ $STATUS == 200 && $BODY == *"\"sandbox\":\"$2\"}"* ]]
}

# serve_confined: where all of it can be had.
serve_confined() {
    serve
    logged ' Sandbox: seccomp: on; Landlock: version [0-9]*$' || skip "$(grep Sandbox: "$LOG")"
    LANDLOCK=$(sed -n 's/.* Landlock: //p' "$LOG")
}

# reloads TIMES [LINE]...: takes another configuration.
reloads() {
    local times=$1

    shift
    configure "$@"
    kill -HUP "$MONITOR"
    until_true 10 reloaded "$times"
}

# inside PID CALL...: the process calls each of these functions of the C library, and says in a line
# "ok", or the name of the error.
inside() {
    local call commands=(-p "$1")

    for call in "${@:2}"; do
        commands+=(-ex "print (long) ((int (*)(long, ...)) ${call%%(*})(${call#*(}"
            -ex 'print ((char *(*)(int)) strerrorname_np)(*((int *(*)(void)) __errno_location)())')
    done
    (ulimit -c 0 && gdb -nx -batch "${commands[@]}") 2>/dev/null 3>&- </dev/null | awk '
        / = / {
            value = $NF
            gsub("\"", "", value)
            if (++n % 2 == 1)
                result = value
            else
                print result == -1 ? value : "ok"
        }'
}

# says_inside PID: what the process says to each call, of lines "WHAT CALL" on stdin.
says_inside() {
    local what call said wanted=() calls=() i

    while read -r what call; do
        wanted+=("$what")
        calls+=("$call")
    done
    mapfile -t said < <(inside "$1" "${calls[@]}")
    for i in "${!calls[@]}"; do
        [ "${said[i]-}" = "${wanted[i]}" ] ||
            { echo "${calls[i]}: ${said[i]-nothing} instead of ${wanted[i]}"; return 1; }
    done
}

# refuses PID FILE LINK: what it is not to do, with the errors where a file is opened or deleted, and
# where one is linked.
refuses() {
    says_inside "$1" <<CALLS
$2 open("$CONF", 0)
$2 open("/etc/passwd", 0)
$2 open("$WORK/key", 0)
$2 open("$DIR/made", 01101, 0600)
$2 unlinkat(-1, "$CONF", 0)
$3 linkat(-1, "$CONF", -1, "$DIR/tokens/conf", 0)
ENOSYS socket(2, 1, 0)
ENOSYS socket(1, 1, 0)
ENOSYS kill($MONITOR, 0)
ENOSYS fork(0)
ENOSYS mprotect(0, 0, 4)
ENOSYS prctl(4, 1)
CALLS
    [[ -e $CONF && ! -e $DIR/made ]]
}

# listens PID: the descriptors on which it does.
listens() { ss -Hlxtnp | grep -o "pid=$1,fd=[0-9]*" | sed 's/.*=//'; }

reloaded() { [ "$(times_logged ' Reloaded$')" -eq "$1" ]; }

@test "all threads of signer and worker are confined, and it is said" {
    serve_confined
    says_sandbox 1 "seccomp: on; Landlock: $LANDLOCK"
    confined 2
    mints
    grep -q '^Seccomp:[[:blank:]]*0$' "/proc/$MONITOR/status"
}

@test "seccomp and Landlock can be turned off, each of them, and it is said" {
    serve_confined
    reloads 1 'seccomp = off'
    says_sandbox 2 "seccomp: turned off; Landlock: $LANDLOCK"
    confined 0
    reloads 2 'landlock = off'
    says_sandbox 3 "seccomp: on; Landlock: turned off"
    confined 2
    reloads 3 'seccomp = off' 'landlock = off'
    says_sandbox 4 "seccomp: turned off; Landlock: turned off"
    confined 0
    reloads 4 'seccomp = off' 'landlock = off' # nothing new
    says_sandbox 4 "seccomp: turned off; Landlock: turned off"
    mints
}

@test "a signer or a worker that was taken over opens, reaches and starts nothing" {
    need_root # to look into them
    not_with any "its own library calls what is refused"
    serve_confined
    find_parts
    refuses "$SIGNER" ENOSYS ENOSYS
    refuses "${WORKERS[0]}" EACCES EXDEV # of Landlock
    mints # by the same processes
    for pid in "$SIGNER" "${WORKERS[0]}"; do
        inside "$pid" 'execve("/bin/true", 0, 0)'
        until_true 10 logged " $pid ended by signal $(kill -l SYS);"
    done
    until_true 10 mints
    # They would have, else.
    reloads 1 'seccomp = off' 'landlock = off'
    find_parts
    for pid in "$SIGNER" "${WORKERS[0]}"; do
        says_inside "$pid" <<CALLS
ok open("/etc/passwd", 0)
ok socket(1, 1, 0)
ok kill($MONITOR, 0)
CALLS
    done
}

@test "a worker for which accounts are looked up opens no more than another; who looks makes nothing" {
    need_root
    not_with any "its own library calls what is refused"
    configure 'access = "subject"' 'peers = "daemon"'
    rmdir "$TOKENS"
    run_server spawn-fcgi -n -s "$SOCKET" -- "$FCGI" --config "$CONF" --peer-socket "$DIR/peer"
    logged ' Sandbox: seccomp: on; Landlock: version [0-9]*$' || skip "$(grep Sandbox: "$LOG")"
    find_parts
    refuses "${WORKERS[0]}" EACCES EXDEV
    says_inside "$ACCOUNTS" <<CALLS
ok open("/etc/passwd", 0)
EACCES open("$CONF", 0)
EACCES open("$WORK/key", 0)
EACCES open("$DIR/made", 01101, 0600)
ENOSYS unlinkat(-1, "$CONF", 0)
ENOSYS linkat(-1, "$CONF", -1, "$DIR/tokens/conf", 0)
ENOSYS socket(2, 1, 0)
ENOSYS fork(0)
CALLS
    SOCKET=$DIR/peer ask REMOTE_USER AUTH_TYPE PATH_INFO=/root
    [ "$STATUS" = 403 ]
    logged 'caller root, path /root'
}

@test "nothing that is believed may lie where workers write" {
    local line

    serve_confined
    stop
    mkdir -m 0700 "$DIR/state" "$DIR/state/keys"
    install -m 0600 "$WORK/key" "$DIR/state/keys/20200101T000000Z.pem"
    ln -s "$DIR/state/keys" "$DIR/linked"
    ln -s "$DIR" "$DIR/state/out"
    printf 'permit authenticated as self\n' >"$DIR/rules"
    cp "$DIR/rules" "$DIR/state/ca"
    printf '#!/bin/sh\n' >"$DIR/state/g"
    chmod 0755 "$DIR/state/g"
    for line in "audit: audit = \"$DIR/audit\"" 'audit: audit = "/authserver-audit"' \
        "state: state = \"$DIR/state\" private-key = \"$DIR/linked\"" \
        "state: state = \"$DIR/state\" policy = \"$DIR/state/out/rules\"" \
        "state: state = \"$DIR/state\" private-key = \"file://localhost$DIR/linked/20200101T000000Z.pem\"" \
        "state: state = \"$DIR/state\" password = \"ldap\" { uri = \"ldaps://a\" base = \"dc=a\" ca-file = \"$DIR/state/ca\" }" \
        "state: state = \"$DIR/state\" groups = { resolvers = script script { directory = \"$DIR\" files = \"state/g\" } }" \
        "state: state = \"$DIR/state\" keep = \"k\" { file = \"/run/k\" command = \"$DIR/state/g\" }" \
        "directory: policy = \"$TOKENS/rules\""; do
        configure "${line#*: }"
        [ "${line%%:*}" != directory ] || cp "$DIR/rules" "$TOKENS"
        sed -i -E 's/" (private-key|policy)/"\n\1/; s/" (password|keep|groups) =/"\n\1/' "$CONF"
        [[ $line != *linked* ]] || sed -i 1d "$CONF"
        fails_with 78 "${line%%:*}: workers may write all below .* lies there" \
            "$FCGI" --config "$CONF" --socket "$SOCKET"
    done
    # Where they can write wherever their user may, it is not looked at.
    configure "audit = \"$DIR/audit\"" 'landlock = off'
    serve
}

# Opened before the sandbox was: TCP and UDP are all that would leave this host.
@test "a worker that was taken over connects by none of the sockets it listens on" {
    local address=127.$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)) pid fd

    need_root # to look into them
    not_with any "its own library calls what is refused"
    configure "verify-listen = \"$address:9005\""
    serve_confined
    find_parts
    pid=${WORKERS[0]}
    for fd in $(listens "$pid"); do
        says_inside "$pid" <<CALLS
ENOSYS connect($fd, 0, 0)
ENOSYS sendto($fd, 0, 0, 0x20000000, "", 1)
ENOSYS shutdown($fd, 2)
ENOSYS bind($fd, 0, 0)
ENOSYS setsockopt($fd, 1, 36, "aaaa", 4)
CALLS
    done
    mints
    SOCKET=$address:9005 ask role=authorizer
    [ "$STATUS" = 401 ]
    # It would have, else.
    reloads 1 "verify-listen = \"$address:9005\"" 'seccomp = off' 'landlock = off'
    find_parts
    for fd in $(listens "${WORKERS[0]}"); do
        says_inside "${WORKERS[0]}" <<CALLS
EFAULT connect($fd, 0, 8)
ok shutdown($fd, 2)
CALLS
    done
}

@test "what can be had may be required" {
    serve_confined
    reloads 1 'seccomp = required' 'landlock = required'
    mints
}

@test "an audit log is opened anew in its directory, and in no other of that name" {
    local line="audit = \"$DIR/logs/audit\""

    mkdir -m 0700 "$DIR/logs"
    configure "$line"
    serve_confined
    find_parts
    mints
    mv "$DIR/logs/audit" "$DIR/logs/audit.1"
    kill -USR1 "$MONITOR"
    until_true 5 test -e "$DIR/logs/audit"
    until_true 5 mints_into logs/audit
    mv "$DIR/logs" "$DIR/moved"
    mkdir -m 0700 "$DIR/logs"
    kill -USR1 "${WORKERS[0]}"
    until_true 5 logged 'Not reopened, the old one stays: .*: Permission denied$'
    mints_into moved/audit
}

mints_into() {
    local before

    before=$(wc -l <"$DIR/$1")
    mints
    [ "$(wc -l <"$DIR/$1")" -gt "$before" ]
}

@test "log lines have local time" {
    local zone=Asia/Tokyo before after

    run_server env TZ="$zone" spawn-fcgi -n -s "$SOCKET" -- "$FCGI" --config "$CONF"
    before=$(TZ=$zone date '+%Y/%m/%d %H')
    mints
    after=$(TZ=$zone date '+%Y/%m/%d %H')
    logged "^$before:.* Generated token" || logged "^$after:.* Generated token"
}

@test "a signer that nobody needs any more ends by itself" {
    local end

    not_with address "its leak checker takes strace for a debugger, and gives up"
    serve
    find_parts
    strace -f -e trace=none -o "$DIR/end" -p "$SIGNER" 2>"$DIR/strace" 3>&- &
    JOBS+=($!)
    until_true 5 grep -q attached "$DIR/strace"
    mints
    stop
    until_true 5 grep -q "^$SIGNER .*+++" "$DIR/end"
    end=$(grep "^$SIGNER .*+++" "$DIR/end")
    [[ $end == *'exited with 0'* ]]
}
