#!/usr/bin/env bats
# Groups from scripts: which files are run at all, with what, and for how long.

load lib/groups

setup() {
    groups_begin
    SCRIPTS=$DIR/scripts
    LEFT=$DIR/left # the pids of what a script left behind
    mkdir -m 0755 "$SCRIPTS"
    : >"$LEFT"
}

# What a test found alive ends with it.
teardown() {
    local pid

    while read -r pid; do
        kill -KILL "$pid" 2>/dev/null || true
    done <"$LEFT"
}

# script NAME LINE...: a shell script.
script() {
    local name=$1

    shift
    printf '%s\n' '#!/bin/sh' "$@" >"$SCRIPTS/$name"
    chmod 0755 "$SCRIPTS/$name"
}

# listed FILE...: these are the scripts, with a timeout of so many seconds as TIMEOUT says, 3 if it says
# nothing, where programs are not slow.
listed() {
    local files

    printf -v files '"%s", ' "$@"
    write_groups '"script"' 'script {' "directory = \"$SCRIPTS\"" "files = {${files%, }}" \
        "timeout = $((${TIMEOUT:-3} * ${PATIENCE:-1}))s" '}'
}

# --- what they say ----------------------------------------------------------------

@test "a script is given the user and prints groups, an e-mail address and a namespace" {
    script one 'echo "{\"groups\": [\"of-$1\", \"staff\"], \"email\": \"$1@example.org\", \"namespace\": \"ns\"}"'
    listed one
    knows of-alice staff
    jq -e '.email == "alice@example.org" and .namespace == "ns"' "$DIR/out"
}

@test "the last script has the highest priority: its groups come first, and its e-mail address counts" {
    script one 'echo "{\"groups\": [\"a\", \"shared\"], \"email\": \"one@example.org\", \"namespace\": \"n1\"}"'
    script two 'echo "{\"groups\": [\"b\", \"shared\"], \"namespace\": \"n2\"}"'
    script three 'echo "{\"groups\": [\"shared\", \"c\"], \"email\": \"three@example.org\"}"'
    listed one two three
    knows shared c b a
    jq -e '.email == "three@example.org" and .namespace == "n2"' "$DIR/out"
    listed three two one
    knows a shared b c
    jq -e '.email == "one@example.org" and .namespace == "n1"' "$DIR/out"
}

@test "no groups is an answer; null says that the user is not known" {
    script none 'echo "{\"groups\": []}"'
    script unknown 'echo "{\"groups\": null}"'
    listed none
    show 0 --json
    jq -e '.known and .groups == []' "$DIR/out"
    listed unknown
    knows_nobody
    listed unknown none
    show 0 --json
    jq -e '.known and .groups == []' "$DIR/out"
}

@test "files are named by their paths too, and may lie deeper" {
    mkdir -m 0755 "$SCRIPTS/deep"
    script deep/one 'echo "{\"groups\": [\"deep\"]}"'
    listed deep/one
    knows deep
    listed "$SCRIPTS/deep/one"
    knows deep
}

@test "a program that is no script runs as well" {
    install -m 0755 /usr/bin/printf "$SCRIPTS/printf"
    listed printf
    USER_ASKED='{"groups": ["x"]}' knows x
}

@test "what is no answer is a failure that names the script, never no groups" {
    local line

    script one "cat '$DIR/printed'"
    listed one
    while IFS= read -r line; do
        printf '%s' "$line" >"$DIR/printed"
        fails 'groups from script' "$SCRIPTS/one" || { echo "for $line"; return 1; }
    done <<'ROWS'

 
hello
[]
null
{}
{"groups": "a"}
{"groups": {}}
{"groups": [1]}
{"groups": ["a"], "groups": ["b"]}
{"groups": null, "groups": null}
{"groups": ["a"]} x
{"groups": ["a"]}{"groups": ["a"]}
{"groups": null} x
{"groups": ["a\nb"]}
{"groups": [""]}
{"groups": ["a"], "email": 1}
ROWS
}

@test "an answer that is not printable is quoted so that it is" {
    script one 'printf "{\"groups\": [\033[31m\n\377"'
    listed one
    fails "$SCRIPTS/one"
    [ "$(tr -d '\n' <"$DIR/err" | LC_ALL=C tr -d ' -~' | wc -c)" -eq 0 ]
}

@test "any exit status but 0 is a failure, with an answer or without, and so is a signal" {
    script one 'echo "{\"groups\": [\"a\"]}"; exit 3'
    listed one
    fails "$SCRIPTS/one" 'exited with status 3'
    script one 'exit 1'
    fails "$SCRIPTS/one" 'exited with status 1'
    script one 'echo "{\"groups\": [\"a\"]}"; kill -TERM $$'
    fails "$SCRIPTS/one" 'signal 15'
    script one 'kill -SEGV $$'
    fails "$SCRIPTS/one" 'signal 11'
}

@test "one script that fails is a failure of all, whichever it is" {
    script good 'echo "{\"groups\": [\"a\"]}"'
    script bad 'exit 1'
    listed good bad
    fails "$SCRIPTS/bad"
    listed bad good
    fails "$SCRIPTS/bad"
}

@test "the reason why a script was not executed is told" {
    script one
    echo 'no interpreter' >"$SCRIPTS/one"
    listed one
    fails "$SCRIPTS/one" 'cannot be executed: Exec format error'
    echo '#!/nonexistent/interpreter' >"$SCRIPTS/one"
    fails "$SCRIPTS/one" 'cannot be executed: No such file or directory'
}

# --- what they get ----------------------------------------------------------------

@test "the user arrives as it is, and no shell sees it" {
    local name

    script one 'printf "%s\n" "$#" "$1" >"'"$DIR"'/seen"; echo "{\"groups\": []}"'
    listed one
    for name in 'a b' '$(touch x)' '`id`' 'a;id' 'a|b' '*' "it's" '"' "\\" '&' '>x' '$HOME' '~' \
        '#' '' $'tab\there' 'jörg'; do
        USER_ASKED=$name show 0
        printf '1\n%s\n' "$name" | cmp - "$DIR/seen" || { echo "for $name"; return 1; }
    done
    # What a program would take for a flag is nobody, and runs nothing.
    for name in -rf -- -; do
        rm -f "$DIR/seen"
        USER_ASKED=$name show 1
        [ ! -e "$DIR/seen" ]
    done
}

@test "argument 0 is the path of the script" {
    # A program sees it; of a script the system makes the file that the interpreter reads.
    install -m 0755 /bin/bash "$SCRIPTS/bash"
    cat >"$DIR/commands" <<SH
tr '\\0' '\\n' </proc/\$\$/cmdline >'$DIR/seen'
echo '{"groups": []}'
SH
    listed bash
    USER_ASKED=$DIR/commands show 0
    [ "$(<"$DIR/seen")" = "$SCRIPTS/bash
$DIR/commands" ] || { cat "$DIR/seen"; return 1; }
}

@test "the environment is the fixed one" {
    script one "tr '\\0' '\\n' </proc/\$\$/environ | sort >'$DIR/seen'" 'echo "{\"groups\": []}"'
    listed one
    export SECRET=opensesame LD_PRELOAD_X=x PATH=$PATH:/extra
    show 0
    [ "$(<"$DIR/seen")" = 'LC_ALL=C.UTF-8
PATH=/usr/sbin:/usr/bin:/sbin:/bin' ] || { cat "$DIR/seen"; return 1; }
}

@test "of the descriptors only 0, 1, 2 and the script's own are open" {
    script one "ls -l /proc/\$\$/fd | sed -n 's/.* \\([0-9]* -> .*\\)/\\1/p' >'$DIR/seen'" \
        'echo "{\"groups\": []}"'
    listed one
    # The shell has the script open as 10.
    exec 7<"$CONF" 12<"$CONF"
    show 0
    exec 7<&- 12<&-
    sed -i "s/^10 -> .*/10/; s/pipe:.*/pipe/" "$DIR/seen"
    [ "$(sort -n "$DIR/seen")" = "0 -> /dev/null
1 -> pipe
2 -> /dev/null
3 -> $SCRIPTS/one
10" ] || { cat "$DIR/seen"; return 1; }
}

@test "descriptors that were closed before do not confuse it" {
    script one 'echo noise >&2; read -r line; echo "{\"groups\": [\"a\"]}"'
    listed one
    "$RESOLVER" --config "$CONF" --show alice --json <&- 2>&- >"$DIR/out"
    jq -e '.groups == ["a"]' "$DIR/out"
}

@test "it starts in / with umask 077, default signals, no cores and a group of its own" {
    script one "exec >'$DIR/seen'" 'pwd' 'umask' 'ulimit -c' \
        'while read -r line; do case $line in SigBlk*|SigIgn*|SigCgt*) echo "$line";; esac; done </proc/self/status' \
        'ps -o pgid= -p $$ | tr -d " "' 'echo $$'
    listed one
    (
        trap '' HUP USR1 CHLD
        show 69
    )
    mapfile -t seen <"$DIR/seen"
    [ "${seen[0]}" = / ]
    [ "${seen[1]}" = 0077 ]
    [ "${seen[2]}" = 0 ]
    printf '%s\n' "${seen[@]}"
    [[ ${seen[3]} == SigBlk:*0000000000000000 ]]
    # But for the two that belong to the C library, which nobody can set.
    [ $((16#${seen[4]##*[!0-9a-f]} & ~(3 << 31))) -eq 0 ]
    [ "${seen[6]}" = "${seen[7]}" ]
}

@test "what it writes to stderr is not seen" {
    script one 'echo opensesame >&2; echo "{\"groups\": [\"a\"]}"'
    listed one
    show 0
    [ ! -s "$DIR/err" ]
}

# --- time and bounds --------------------------------------------------------------

@test "a script that sleeps is killed at the timeout, and its children with it" {
    local TIMEOUT=1

    script one 'sleep 60 & echo $! >"'"$LEFT"'"; echo $$ >>"'"$LEFT"'"; wait'
    listed one
    fails "$SCRIPTS/one" 'timed out'
    in_time 1
    # shellcheck disable=SC2046 # a list
    ends $(<"$LEFT")
    [ "$(wc -l <"$LEFT")" -eq 2 ]
}

@test "a script that ignores signals, or stops itself, is killed" {
    local TIMEOUT=1

    script one 'trap "" TERM INT HUP; while :; do sleep 1; done'
    listed one
    fails 'timed out'
    in_time 1
    script one 'echo $$ >"'"$LEFT"'"; kill -STOP $$'
    fails 'timed out'
    in_time 1
    ends "$(<"$LEFT")"
}

@test "the timeout is for all scripts together" {
    local TIMEOUT=1 tenths=$((7 * ${PATIENCE:-1}))
    local takes="sleep $((tenths / 10)).$((tenths % 10))"

    script one "$takes"'; echo "{\"groups\": []}"'
    script two "$takes"'; echo "{\"groups\": []}"'
    listed one two
    fails "$SCRIPTS/one" 'timed out'
    in_time 1
}

@test "a script that floods is killed at the bound" {
    script one 'echo $$ >"'"$LEFT"'"; exec yes'
    listed one
    fails "$SCRIPTS/one" 'prints more than 65536 bytes'
    at_most "$TOOK" 900
    ends "$(<"$LEFT")"
}

# pad BYTES: an answer of that length.
pad() {
    printf '{"groups": ["a"]}%*s' $(($1 - 17)) ''
}

@test "an answer of exactly 64 KiB is read, one of a byte more is not" {
    pad 65536 >"$DIR/answer"
    script one "cat '$DIR/answer'"
    listed one
    knows a
    pad 65537 >"$DIR/answer"
    fails 'prints more than 65536 bytes'
}

@test "a child that lingers in the group is killed when the script has ended" {
    script one 'sleep 60 & echo $! >"'"$LEFT"'"' 'sleep 60 >/dev/null & echo $! >>"'"$LEFT"'"' \
        'echo "{\"groups\": [\"a\"]}"'
    listed one
    knows a
    at_most "$TOOK" 900
    [ "$(wc -l <"$LEFT")" -eq 2 ]
    # shellcheck disable=SC2046 # a list
    ends $(<"$LEFT")
}

@test "one that moved to a session of its own and holds the pipe does not hold up the answer" {
    cat >"$DIR/daemon" <<SH
#!/bin/sh
echo \$\$ >'$LEFT'
exec sleep 60
SH
    chmod 0755 "$DIR/daemon"
    script one "setsid '$DIR/daemon' &" "while [ ! -s '$LEFT' ]; do sleep 0.05; done" \
        'echo "{\"groups\": [\"a\"]}"'
    listed one
    knows a
    at_most "$TOOK" 900
    # It cannot be found, and lives.
    kill -0 "$(<"$LEFT")"
}

@test "a script dies with the one that waits for it" {
    local pid

    script one 'echo $$ >"'"$LEFT"'"; exec sleep 60'
    listed one
    "$RESOLVER" --config "$CONF" --show alice >/dev/null 2>&1 3>&- &
    pid=$!
    until_true 2 test -s "$LEFT"
    kill -KILL "$pid"
    ends "$(<"$LEFT")"
}

# --- which files ------------------------------------------------------------------

# wrong_file COMMAND...: a good script until the command; then it is refused at the start, with
# the words in WORDS.
wrong_file() {
    rm -rf "${SCRIPTS:?}"
    mkdir -p "$SCRIPTS/deep"
    script one 'echo "{\"groups\": [\"a\"]}"'
    script deep/one 'echo "{\"groups\": [\"a\"]}"'
    knows a
    "$@"
    misconfigured "${STATUS:-78}" "${WORDS[@]}" || { echo "for $*"; return 1; }
}

@test "a file that is missing, cannot be executed, or is none is refused" {
    listed one
    STATUS=66 WORDS=("$SCRIPTS/one: No such file")
    wrong_file rm "$SCRIPTS/one"
    WORDS=("$SCRIPTS: No such file")
    wrong_file rm -r "$SCRIPTS"
    STATUS=78 WORDS=("$SCRIPTS/one: cannot be executed (mode 0644): chmod +x $SCRIPTS/one")
    wrong_file chmod 0644 "$SCRIPTS/one"
    WORDS=("$SCRIPTS/one: not a regular file")
    wrong_file sh -c "rm '$SCRIPTS/one'; mkdir '$SCRIPTS/one'"
    wrong_file sh -c "rm '$SCRIPTS/one'; mkfifo -m 0755 '$SCRIPTS/one'"
}

@test "a file or directory that others may write is refused, with what to do" {
    local mode name

    listed deep/one
    for name in "$SCRIPTS/deep/one" "$SCRIPTS/deep" "$SCRIPTS"; do
        for mode in 0775 0757 1777; do
            WORDS=("$name: others may write it (mode $mode): chmod go-w $name")
            wrong_file chmod "$mode" "$name"
        done
    done
    # Above the scripts' own directory a sticky one will do.
    chmod 0755 "$SCRIPTS"
    mkdir -m 1777 "$DIR/sticky"
    mv "$SCRIPTS" "$DIR/sticky/"
    SCRIPTS=$DIR/sticky/scripts
    listed deep/one
    knows a
    chmod 0777 "$DIR/sticky"
    misconfigured 78 "$DIR/sticky: others may write it (mode 0777)"
}

@test "a file or directory of another user is refused, with what to do" {
    local name

    [ "$(id -u)" -eq 0 ] || skip 'only root can give a file away'
    listed deep/one
    for name in "$SCRIPTS/deep/one" "$SCRIPTS/deep" "$SCRIPTS"; do
        WORDS=("$name: belongs to uid 65534, who could change what is run: chown root $name")
        wrong_file chown 65534 "$name"
    done
}

@test "what is outside of the directory is refused, however it is named" {
    local outside=$DIR/outside name

    install -m 0755 /dev/stdin "$outside" <<<$'#!/bin/sh\necho \'{"groups": ["out"]}\''
    install -D -m 0755 "$outside" "$DIR/scripts-too/one"
    mkdir -m 0755 "$SCRIPTS/deep"
    for name in "$outside" ../outside deep/../../outside "$SCRIPTS/../outside" deep/.. .. \
        "$DIR/scripts-too/one" /bin/sh "$SCRIPTS"; do
        listed "$name"
        misconfigured 78 "$name" 'not in' || { echo "for $name"; return 1; }
    done
}

@test "symbolic links are refused, wherever they lead" {
    listed one
    WORDS=("$SCRIPTS/one: is a symbolic link")
    wrong_file sh -c "mv '$SCRIPTS/one' '$DIR/one'; ln -s '$DIR/one' '$SCRIPTS/one'"
    wrong_file ln -sf deep/one "$SCRIPTS/one"
    listed deep/one
    WORDS=("$SCRIPTS/deep: is a symbolic link")
    wrong_file sh -c "mv '$SCRIPTS/deep' '$DIR/deep'; ln -s '$DIR/deep' '$SCRIPTS/deep'"
    WORDS=("$SCRIPTS: is a symbolic link")
    wrong_file sh -c "rm -rf '$DIR/real'; mv '$SCRIPTS' '$DIR/real'; ln -s real '$SCRIPTS'"
}

@test "a file that goes bad while the service runs is not run" {
    script one "chmod 0666 '$SCRIPTS/two'" 'echo "{\"groups\": []}"'
    script two "touch '$DIR/ran'" 'echo "{\"groups\": []}"'
    # The last is run first.
    listed two one
    fails "$SCRIPTS/two: others may write it (mode 0666)"
    [ ! -e "$DIR/ran" ]
}
