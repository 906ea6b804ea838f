#!/usr/bin/env bats
# authserver-reap as its users see it: one pass for cron, and --watch. AUTHSERVER_BUILD
# names the build folder. Right for root and for others; what takes root is skipped else.
#
# Each test is a subshell of its own, which is what bats means:
# shellcheck disable=SC2030,SC2031

load lib/quick
load lib/clock
load lib/sanitizers

setup_file() {
    local build=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}

    quick
    REAP=$(cd "$build" && pwd)/authserver-reap
    # Its real path: the reaper refuses one that leads through a link.
    PLACE=$(realpath "$(mktemp -d "${TMPDIR:-/tmp}/authserver-reap.XXXXXX")")
    export REAP PLACE
    # What the folder of a test has from the start.
    chmod 0755 "$PLACE"
    mkdir -m 0755 "$PLACE/blank"
    mkdir -m 0750 "$PLACE/blank/tokens"
}

teardown_file() { rm -rf "$PLACE"; }

setup() {
    quick
    DIR=$PLACE/$BATS_TEST_NUMBER
    cp -rp "$PLACE/blank" "$DIR"
    TOKENS=$DIR/tokens
    LOG=$DIR/log
    : >"$LOG"
    WATCHER=
}

teardown() {
    if [ -n "$WATCHER" ]; then
        kill -CONT "$WATCHER" 2>/dev/null || true
        kill -TERM "$WATCHER" 2>/dev/null || true
        wait "$WATCHER" || true
    fi
    # For a test that failed.
    [ -n "${BATS_TEST_COMPLETED:-}" ] || sed 's/^/log: /' "$LOG" | tail -n 20
}

need_root() { [ "$(id -u)" -eq 0 ] || skip "takes root"; }

# as_nobody COMMAND...: as an account that owns nothing.
as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }

# name SUBJECT SECONDS: the name of a token made that many seconds ago.
name() {
    echo "$1.$((${EPOCHREALTIME/./}000 - $2 * 1000000000)).token"
}

# watch ARGUMENT...: starts authserver-reap --watch and waits until it watches. LAUNCHER is
# put before it.
watch() {
    ${LAUNCHER:-} "$REAP" --watch --directory "$TOKENS" "$@" 2>>"$LOG" 3>&- &
    WATCHER=$!
    until_true 5 watching
}

# A reaper that polls has listed the directory: it does so before it first sleeps.
watching() {
    local file lines

    for file in "/proc/$WATCHER/fdinfo/"*; do
        { mapfile lines <"$file"; } 2>/dev/null || continue
        [[ "${lines[*]}" != *'inotify wd'* ]] || { sleeping && return; }
    done
    return 1
}
sleeping() {
    local state

    read -r _ _ state _ <"/proc/$WATCHER/stat"
    [ "$state" = S ]
}

gone() { [ ! -e "$TOKENS/$1" ]; }
ended() { ! kill -0 "$WATCHER" 2>/dev/null; }
empty() { [ -z "$(ls -A "$TOKENS")" ]; }

# lives NAME START MILLISECONDS: whether the file is deleted at that age, or within half a
# second after it. START is $EPOCHREALTIME before the file was named. On a busy machine this looks
# late: the directory says when it was changed last, by a clock that ticks a hundred times a second
# or more.
lives() {
    local lived changed now
    INTERVAL=0.02 until_true 15 gone "$1" || return 1
    now=${EPOCHREALTIME/./} changed=$(stat -c %.6Y "$TOKENS")
    changed=${changed/./}
    lived=$((((changed < now ? changed : now) - ${2/./}) / 1000))
    echo "$1 lived $lived ms"
    [ "$lived" -ge "$(($3 - 10))" ] || return 1
    [ "$lived" -le "$(($3 + 500 * ${PATIENCE:-1}))" ]
}

count() { find "$TOKENS" -mindepth 1 | wc -l; }

# many COUNT: live token files.
many() { (cd "$TOKENS" && seq -f 'alice.1700000000%09.0f.token' "$1" | xargs touch); }

# stops_with STATUS: the watcher has ended, or ends, and this is its exit status.
stops_with() {
    local status=0
    until_true 5 ended
    wait "$WATCHER" || status=$?
    WATCHER=
    [ "$status" -eq "$1" ]
}

# --- one pass ----------------------------------------------------------------------

@test "one pass deletes what is older than ten seconds and leaves the rest" {
    local old young
    old=$(name foo 11) young=$(name foo 5)
    touch "$TOKENS/$old" "$TOKENS/$young"
    run "$REAP" -d "$TOKENS"
    [ "$status" -eq 0 ]
    [ "$(ls "$TOKENS")" = "$young" ]
}

@test "a deletion is logged with its time and path, on standard error" {
    local old
    old=$(name foo 11)
    touch "$TOKENS/$old"
    [ -z "$("$REAP" -d "$TOKENS" 2>"$LOG")" ]
    grep -Eqx "[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} Deleted token: $TOKENS/$old" "$LOG"
}

@test "--quiet logs no deletion" {
    touch "$TOKENS/$(name foo 11)"
    run "$REAP" -q -d "$TOKENS"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    empty
}

@test "--max-age says at what age a file goes" {
    local older
    older=$(name foo 119)
    touch "$TOKENS/$(name foo 121)" "$TOKENS/$older"
    "$REAP" -d "$TOKENS" --max-age 2m
    [ "$(ls "$TOKENS")" = "$older" ]
}

@test "--dry-run says what would go and deletes nothing" {
    local old
    old=$(name foo 11)
    touch "$TOKENS/$old" "$TOKENS/$(name foo 1)"
    run "$REAP" --dry-run -d "$TOKENS"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"Would delete token: $TOKENS/$old" ]]
    [ "$(count)" -eq 2 ]
}

@test "--all deletes every token whatever its age, and nothing else" {
    touch "$TOKENS/$(name foo 11)" "$TOKENS/$(name foo 0)" "$TOKENS/$(name foo -90)" "$TOKENS/notes.txt"
    "$REAP" --all -d "$TOKENS"
    [ "$(ls "$TOKENS")" = notes.txt ]
}

@test "directory and max-age come from the configuration file, and flags win" {
    local conf=$DIR/authserver.conf kept
    printf 'directory = "%s"\nmax-age = "1h"\n' "$TOKENS" >"$conf"
    chmod 0644 "$conf"
    kept=$(name foo 100)
    touch "$TOKENS/$kept" "$TOKENS/$(name foo 3700)"
    "$REAP" --config "$conf"
    [ "$(ls "$TOKENS")" = "$kept" ]
    "$REAP" --config "$conf" --max-age 1m
    empty
}

@test "files whose names are nearly those of tokens stay" {
    touch "$TOKENS/foo.170000000000000000.token" "$TOKENS/foo.1700000000000000000.token.bak" \
        "$TOKENS/.1700000000000000000.token" "$TOKENS/foo bar.1700000000000000000.token"
    "$REAP" --all -d "$TOKENS"
    [ "$(count)" -eq 4 ]
}

@test "a subject that ends like a token's name is not reaped by that time" {
    touch "$TOKENS/$(name a.1700000000000000000 1)"
    "$REAP" -d "$TOKENS"
    [ "$(count)" -eq 1 ]
}

@test "a planted link, fifo or directory is neither followed nor deleted, and is named" {
    echo precious >"$DIR/precious"
    ln -s ../precious "$TOKENS/soft.1700000000000000000.token"
    ln "$DIR/precious" "$TOKENS/hard.1700000000000000000.token"
    mkfifo "$TOKENS/fifo.1700000000000000000.token"
    mkdir "$TOKENS/dir.1700000000000000000.token"
    run "$REAP" -d "$TOKENS"
    [ "$status" -eq 0 ]
    [ "$(count)" -eq 4 ]
    [ "$(cat "$DIR/precious")" = precious ]
    [[ $output == *"Not deleted: $TOKENS/soft.1700000000000000000.token: a symbolic link"* ]]
    [[ $output == *"Not deleted: $TOKENS/hard.1700000000000000000.token: it has another link"* ]]
}

@test "another user's file stays" {
    need_root
    touch "$TOKENS/foo.1700000000000000000.token"
    chown nobody "$TOKENS/foo.1700000000000000000.token"
    run "$REAP" -d "$TOKENS"
    [ "$status" -eq 0 ]
    [[ $output == *"it belongs to another user"* ]]
    [ -e "$TOKENS/foo.1700000000000000000.token" ]
}

@test "a temporary file of a killed mint goes once it is old, with the token it holds" {
    local young=.tmp-00000000000000000000000000000000 old=.tmp-0123456789abcdef0123456789abcdef
    touch "$TOKENS/$young"
    touch -d '11 seconds ago' "$TOKENS/$old"
    ln "$TOKENS/$old" "$TOKENS/$(name foo 11)"
    "$REAP" -d "$TOKENS"
    [ "$(ls -A "$TOKENS")" = "$young" ]
}

@test "a directory that is not safe is refused with 78 and the component's name" {
    chmod 0777 "$TOKENS"
    run "$REAP" -d "$TOKENS"
    [ "$status" -eq 78 ]
    [[ $output == *"$TOKENS: everybody may write it"* ]]
    chmod 0750 "$TOKENS"
    ln -s tokens "$DIR/link"
    run "$REAP" -d "$DIR/link"
    [ "$status" -eq 78 ]
    [[ $output == *"$DIR/link: is a symbolic link to 'tokens'"* ]]
    chmod 0777 "$DIR"
    run "$REAP" -d "$TOKENS"
    [ "$status" -eq 78 ]
    [[ $output == *"$DIR: others may write it"* ]]
}

@test "a directory of another user is refused with 78" {
    need_root
    chown nobody "$TOKENS"
    run "$REAP" -d "$TOKENS"
    [ "$status" -eq 78 ]
    [[ $output == *"$TOKENS: belongs to uid"* ]]
}

@test "a missing directory is refused with 78" {
    run "$REAP" -d "$DIR/none"
    [ "$status" -eq 78 ]
    [[ $output == *"$DIR/none: does not exist"* ]]
}

@test "files that may not be deleted end in 77" {
    need_root
    chmod 0555 "$TOKENS"
    touch "$TOKENS/foo.1700000000000000000.token"
    run as_nobody "$REAP" -d "$TOKENS"
    # To nobody, root's file in root's directory is the directory owner's, and ours.
    [ "$status" -eq 77 ]
    [[ $output == *"cannot delete 1 token files in $TOKENS"* ]]
}

@test "a read-only file system ends in 69" {
    need_root
    touch "$TOKENS/foo.1700000000000000000.token"
    # shellcheck disable=SC2016 # the inner shell's
    run unshare -m sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" -d "$1"' \
        sh "$TOKENS" "$REAP"
    [ "$status" -eq 69 ]
    [[ $output == *"mount it read-write"* ]]
}

@test "wrong usage ends in 64" {
    local arguments
    for arguments in --nonsense operand '--all --watch' '--all --max-age 1m'; do
        # shellcheck disable=SC2086 # words
        run "$REAP" -d "$TOKENS" $arguments
        [ "$status" -eq 64 ]
    done
}

@test "a duration that is none ends in 78" {
    run "$REAP" -d "$TOKENS" --max-age soon
    [ "$status" -eq 78 ]
    [[ $output == *"max-age: 'soon' is not a duration"* ]]
}

@test "--version says its name" {
    run "$REAP" --version
    [ "$status" -eq 0 ]
    [[ $output == 'authserver-reap '* ]]
}

@test "the reaper links no cryptography and no JSON" {
    not_with any "what it is told there links cryptography"
    run ldd "$REAP"
    [[ $output != *libcrypto* && $output != *libjansson* && $output != *libssl* ]]
}

# --- watch -------------------------------------------------------------------------

@test "--watch deletes a file within half a second after its age, and not before" {
    local file start i
    watch --max-age 1s
    for i in 1 2 3; do
        start=$EPOCHREALTIME file=$(name "foo$i" 0)
        : >"$TOKENS/$file"
        lives "$file" "$start" 1000
    done
    grep -q "Deleted token: $TOKENS/$file" "$LOG"
}

@test "--watch deletes between 10.0 and 10.5 s by default" {
    local file start
    watch
    start=$EPOCHREALTIME file=$(name foo 0)
    : >"$TOKENS/$file"
    lives "$file" "$start" 10000
}

@test "--watch judges files that were there before by their names" {
    local old young made
    old=$(name old 60) young=$(name young 2)
    made=${young#young.}
    touch "$TOKENS/$old" "$TOKENS/$young"
    watch --max-age 5s
    until_true 5 gone "$old"
    # Later than that, or it did not live as long.
    lives "$young" "$((${made%.token} / 1000))" 5000
}

@test "--watch gives a file from the future its age from when it is first seen" {
    local file start
    file=$(name foo -7200) start=$EPOCHREALTIME
    : >"$TOKENS/$file"
    watch --max-age 1s
    until_true 10 gone "$file"
    [ "$((${EPOCHREALTIME/./} - ${start/./}))" -ge 1000000 ]
}

@test "--watch deletes a file that was moved in" {
    local file
    watch --max-age 1s
    file=$(name foo 0)
    touch "$DIR/$file"
    mv "$DIR/$file" "$TOKENS/$file"
    until_true 10 gone "$file"
}

@test "--watch leaves planted links and foreign names alone" {
    watch --max-age 1s
    echo precious >"$DIR/precious"
    ln -s ../precious "$TOKENS/$(name soft 0)"
    ln "$DIR/precious" "$TOKENS/$(name hard 0)"
    touch "$TOKENS/notes.txt"
    until_true 10 grep -q 'Not deleted: .*/hard.* it has another link' "$LOG"
    grep -q 'Not deleted: .*/soft.* a symbolic link' "$LOG"
    [ "$(count)" -eq 3 ]
}

@test "--watch takes the temporary file of a killed mint and the token it holds" {
    local temporary=.tmp-0123456789abcdef0123456789abcdef
    touch "$TOKENS/$temporary"
    ln "$TOKENS/$temporary" "$TOKENS/$(name foo 60)"
    watch --max-age 1s
    until_true 10 empty
}

@test "--watch --dry-run deletes nothing" {
    local file
    watch --max-age 1s --dry-run
    file=$(name foo 0)
    touch "$TOKENS/$file"
    until_true 10 grep -q "Would delete token: $TOKENS/$file" "$LOG"
    [ -e "$TOKENS/$file" ]
}

@test "SIGTERM and SIGINT end --watch with 0" {
    local signal
    for signal in TERM INT; do
        watch
        kill -s "$signal" "$WATCHER"
        stops_with 0
    done
}

@test "--watch ends with 69 when the directory is replaced by a link, which it does not follow" {
    local file
    watch --max-age 1s
    mkdir -m 0750 "$DIR/victim"
    file=$(name foo 60)
    touch "$DIR/victim/$file"
    mv "$TOKENS" "$DIR/moved"
    ln -s victim "$TOKENS"
    stops_with 69
    grep -q "$TOKENS: the directory that was opened was removed, renamed or replaced" "$LOG"
    [ -e "$DIR/victim/$file" ]
}

@test "--watch ends with 69 when the directory is removed" {
    watch
    rmdir "$TOKENS"
    until_true 20 ended
    stops_with 69
}

# What a clock step means: a library puts an offset on the real-time clock, read from a
# file at each call; the monotonic clock runs on.
faked() {
    echo '+0' >"$DIR/offset"
    LAUNCHER="env LD_PRELOAD=$CLOCK_LIBRARY FAKETIME_TIMESTAMP_FILE=$DIR/offset FAKETIME_NO_CACHE=1"
    LAUNCHER+=' FAKETIME_DONT_FAKE_MONOTONIC=1 ASAN_OPTIONS=verify_asan_link_order=0'
}

@test "a step of the clock by an hour, either way, changes no token's life under --watch" {
    local before after step start_before start_after
    for step in +3600 -3600; do
        faked
        watch --max-age 1s
        start_before=$EPOCHREALTIME before=$(name before 0)
        : >"$TOKENS/$before"
        sleep 0.3
        echo "$step" >"$DIR/offset"
        # Named by the clock as it was, seen by the clock as it is.
        start_after=$EPOCHREALTIME after=$(name after 0)
        : >"$TOKENS/$after"
        lives "$before" "$start_before" 1000
        lives "$after" "$start_after" 1000
        kill "$WATCHER"
        stops_with 0
    done
}

@test "an overflow of the kernel's queue loses no file and resets none" {
    local limit known lost start
    limit=$(cat /proc/sys/fs/inotify/max_queued_events)
    [ "$limit" -le 65536 ] || skip "the queue holds $limit events"
    watch --max-age 8s
    # Its name says an hour too much: only what was seen of it may count.
    start=$EPOCHREALTIME known=$(name known -3600)
    : >"$TOKENS/$known"
    sleep 0.3
    kill -STOP "$WATCHER"
    # More events than the queue holds, none about a token; then a token that it loses.
    (cd "$TOKENS" && seq "$((limit + 1000))" | xargs touch)
    lost=$(name lost 0)
    touch "$TOKENS/$lost"
    kill -CONT "$WATCHER"
    lives "$known" "$start" 8000
    until_true 20 gone "$lost"
}

@test "--watch tries again what it could not delete" {
    need_root
    local file
    file=$(name foo 0)
    chmod 0755 "$TOKENS"
    LAUNCHER='setpriv --reuid=nobody --regid=nogroup --clear-groups' watch --max-age 1s
    touch "$TOKENS/$file"
    until_true 10 grep -q "Not deleted: $TOKENS/$file: Permission denied" "$LOG"
    chown nobody "$TOKENS"
    until_true 10 gone "$file"
}

@test "--watch holds thousands of files in 2 MiB" {
    local resident
    watch --max-age 1h
    many 5000
    until_true 5 sleeping
    sleep 0.3
    resident=$(awk '/^VmRSS/ { print $2 }' "/proc/$WATCHER/status")
    echo "resident: $resident KiB"
    not_with any "it takes memory of its own"
    not_with counters "they take memory of their own"
    [ "$resident" -le 2048 ]
}

woken() { awk '/^voluntary_ctxt/ { print $2 }' "/proc/$WATCHER/status"; }

@test "--watch sleeps when nothing happens, however many files live" {
    local before
    watch --max-age 1h
    many 5000
    sleep 0.5
    before=$(woken)
    sleep 2
    [ "$(($(woken) - before))" -le 2 ]
}

@test "--watch takes many new files at one wake-up" {
    local before start i
    watch --max-age 1h
    before=$(woken) start=$EPOCHREALTIME
    for i in {10000..12999}; do
        : >"$TOKENS/alice.17000000000000$i.token"
    done
    # Twenty times a second, and some for the start and the end.
    [ "$(($(woken) - before))" -le "$(((${EPOCHREALTIME/./} - ${start/./}) / 50000 + 10))" ]
}

@test "--watch: another link saves a token file only as long as it is there" {
    local file

    watch --max-age 1s
    file=$TOKENS/$(name alice 0)
    echo token >"$file"
    ln "$file" "$DIR/saved"
    until_true 5 grep -q "Not deleted: $file: it has another link" "$LOG"
    [ -e "$file" ]
    rm "$DIR/saved"
    until_true 10 gone "${file##*/}"
}
