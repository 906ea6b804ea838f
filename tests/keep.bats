#!/usr/bin/env bats
# authserver-keep as its users see it: files that are fresh after one pass, and at any moment with
# --watch. AUTHSERVER_BUILD names the build folder. What takes root is skipped else.

load lib/quick
load lib/clock
load lib/intruder
load lib/sanitizers

setup_file() {
    local build=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}

    quick
    umask 022
    BUILT=$(cd "$build" && pwd)
    KEEP=$BUILT/authserver-keep
    KEYS=$(realpath "$BATS_FILE_TMPDIR")/keys
    LIB=$BATS_TEST_DIRNAME/lib
    export BUILT KEEP KEYS LIB
    mkdir "$KEYS"
    rsa_keys "$KEYS"
    chmod 0600 "$KEYS/key" "$KEYS/other"
}

setup() {
    quick
    umask 022
    DIR=$(realpath "$BATS_TEST_TMPDIR")
    LOG=$DIR/log
    CONF=$DIR/conf
    WATCHERS=
    HURRIED=()
    : >"$LOG"
    cp -p "$KEYS/key" "$DIR/key"
    configure
}

teardown() {
    local pid

    for pid in $WATCHERS; do
        kill -TERM "$pid" 2>/dev/null || continue
        wait "$pid" || true
    done
    intruder_end
    [ -z "${PLACE:-}" ] || rm -rf "$PLACE"
    # For a test that failed.
    [ -n "${BATS_TEST_COMPLETED:-}" ] || sed 's/^/log: /' "$LOG" | tail -n 20
}

# hurried FACTOR [SINCE]: from here on the service waits so many times shorter; with SINCE its time
# of day runs so many times as fast, too.
hurried() {
    HURRIED=(env HURRY="$1" HURRY_SINCE="${2:-0}" ASAN_OPTIONS=verify_asan_link_order=0
        LD_PRELOAD="$BUILT/tests/preload/hurry.so")
}

need_root() { [ "$(id -u)" -eq 0 ] || skip "takes root"; }

# configure [KEY...]: a configuration with these sections and keys behind what all have.
configure() {
    printf '%s\n' "private-key = \"$DIR/key\"" 'algorithm = RS256' \
        'issuer = "https://tokens.example"' "$@" >"$CONF"
}

# section NAME [KEY...]: one whose file is $DIR/NAME/token and for which no account is needed.
section() {
    local name=$1

    shift
    printf 'keep "%s" {\n' "$name"
    # What is said twice is an error.
    [[ " $*" == *' file ='* ]] || printf 'file = "%s/%s/token"\n' "$DIR" "$name"
    [[ "$*" == *'account ='* ]] || printf 'account = none\n'
    printf '%s\n' "$@" '}'
}

# keep STATUS ARGUMENT...: one pass, which ends so; what it says is added to the log.
keep() {
    local wanted=$1 status=0

    shift
    "$KEEP" --config "$CONF" "$@" 2>"$DIR/said" || status=$?
    cat "$DIR/said" >>"$LOG"
    [ "$status" -eq "$wanted" ] || { echo "exit status $status"; return 1; }
}

said() { grep -qF -e "$1" "$DIR/said" || { cat "$DIR/said"; return 1; }; }
logged() { grep -qF -e "$1" "$LOG"; }

# watch ARGUMENT...: the service; its number is in $WATCHER.
watch() {
    "${HURRIED[@]}" "$KEEP" --config "$CONF" --watch "$@" 2>>"$LOG" 3>&- &
    WATCHER=$!
    WATCHERS+=" $WATCHER"
}

claim() { # FILE NAME
    claims_of "$1"
    claimed "$2"
}

verified() { "$LIB/token" verify-as RS256 "$KEYS/${2:-key}.pub" "$1"; }
exists() { [ -e "$1" ]; }
missing() { [ ! -e "$1" ]; }
differs() { ! cmp -s "$1" "$2"; }

# --- one pass ---------------------------------------------------------------------

@test "one pass makes a file that is complete, and the next one leaves it" {
    configure "$(section jane 'mode = 0600' 'lifetime = 20m' 'at-least = 5m')"
    keep 0
    grep -Eqx "[0-9/]{10} [0-9:]{8} Kept token: $DIR/jane/token \(expires [0-9T:-]{19}Z\)" "$DIR/said"
    verified "$DIR/jane/token"
    [ "$(claim "$DIR/jane/token" sub)" = jane ]
    [ "$(claim "$DIR/jane/token" iss)" = https://tokens.example ]
    "$LIB/token" claim "$DIR/jane/token" "it['exp'] - it['iat'] == 1200"
    [ "$(stat -c %a "$DIR/jane/token")" = 600 ]
    [ "$(stat -c %a "$DIR/jane")" = 711 ]
    cp "$DIR/jane/token" "$DIR/before"
    keep 0
    [ ! -s "$DIR/said" ]
    cmp "$DIR/jane/token" "$DIR/before"
    keep 0 --force --quiet
    [ ! -s "$DIR/said" ]
    differs "$DIR/jane/token" "$DIR/before"
}

@test "a file that would not last until the pass after next is renewed" {
    # 20 minutes to spare, of which a fifth is put aside: after 15 it is too late for another
    # pass in 14.
    configure "$(section jane)"
    with_clock -910s "$KEEP" --config "$CONF" 2>>"$LOG"
    cp "$DIR/jane/token" "$DIR/before"
    keep 0 --every 14m
    differs "$DIR/jane/token" "$DIR/before"
    keep 78 --every 16m
    said 'a pass every 960 seconds is too seldom'
}

@test "a JSON file has the token, its type and when it ends" {
    configure "$(section jane 'format = json')"
    keep 0
    "$LIB/token" holds "list(it) == ['access_token', 'token_type', 'expires_at']" <"$DIR/jane/token"
    [ "$(jq -r .token_type "$DIR/jane/token")" = Bearer ]
    jq -rj .access_token "$DIR/jane/token" >"$DIR/jwt"
    verified "$DIR/jwt"
    [ "$(jq .expires_at "$DIR/jane/token")" = "$(claim "$DIR/jwt" exp)" ]
    cp "$DIR/jane/token" "$DIR/before"
    keep 0
    cmp "$DIR/jane/token" "$DIR/before"
    # Whoever changes the format gets it.
    configure "$(section jane)"
    keep 0
    verified "$DIR/jane/token"
}

@test "what is no good for a reader is replaced whatever its time" {
    local fault count=0

    configure "$(section jane)"
    keep 0
    for fault in 'chmod 0600 token' ': >token' 'echo >>token' 'head -c 1 /dev/zero >>token' 'rm token; ln -s /etc/passwd token' \
        'rm token' 'rm token; mkfifo token' 'sed -i s/.$/A./ token' \
        'openssl rand 70000 >token'; do
        (cd "$DIR/jane" && eval "$fault")
        keep 0
        said "Kept token: $DIR/jane/token" || { echo "$fault"; return 1; }
        [ "$(stat -c '%a %F' "$DIR/jane/token")" = '640 regular file' ]
        cp "$DIR/jane/token" "$DIR/token.$((count += 1))"
    done
    "$LIB/token" verify-as RS256 "$KEYS/key.pub" "$DIR"/token.*
    # Another subject, and another key.
    configure "$(section jane 'subject = john')"
    keep 0
    [ "$(claim "$DIR/jane/token" sub)" = john ]
    cp "$KEYS/other" "$DIR/key"
    keep 0
    verified "$DIR/jane/token" other
}

@test "--dry-run and --list say what there is and change nothing" {
    configure "$(section jane)" "$(section john 'account = unix')"
    keep 1 --dry-run
    said "Would keep token: $DIR/jane/token: there is none"
    said "Not kept: $DIR/john/token: there is no account 'john'"
    missing "$DIR/jane"
    keep 0 jane
    touch "$DIR/jane/.tmp-token"
    run "$KEEP" --config "$CONF" --list
    [ "$status" -eq 0 ]
    [[ ${lines[1]} =~ ^1[78][0-9][0-9]s\ .*Z\ +jane\ +"$DIR/jane/token"$ ]]
    [[ ${lines[2]} == "- "*john*"$DIR/john/token: there is none" ]]
    exists "$DIR/jane/.tmp-token"
}

@test "what a killed keeper left goes with the next pass" {
    configure "$(section jane)"
    keep 0
    touch "$DIR/jane/.tmp-token"
    keep 0
    [ "$(ls -A "$DIR/jane")" = token ]
}

@test "a directory that others may write is refused, and named" {
    configure "$(section jane)" "$(section john)"
    mkdir "$DIR/jane"
    chmod 0777 "$DIR/jane"
    keep 69
    said "Not kept: $DIR/jane/token: $DIR/jane: everybody may write it"
    missing "$DIR/jane/token"
    verified "$DIR/john/token"
    rmdir "$DIR/jane"
    ln -s john "$DIR/jane"
    keep 69
    said "$DIR/jane: is a symbolic link to 'john'"
}

@test "a configuration that cannot be kept is refused with its line" {
    configure "$(section jane 'lifetime = 10m')"
    keep 78
    said "$CONF:5: keep 'jane': at-least is not shorter than lifetime"
    configure 'lifetime = 5m' "$(section jane)"
    keep 78
    said "$CONF:6: keep 'jane': lifetime is 1800 seconds, and tokens of this configuration have at most 300"
    configure
    keep 78
    said 'nothing to keep'
    configure "$(section jane)"
    keep 78 john
    said "the configuration has no section keep 'john'"
    configure "$(section jane)" "$(section john "file = \"$DIR/jane/token\"")"
    keep 69
    said "$DIR/jane/token is the file of the section 'jane' already"
    [ "$(claim "$DIR/jane/token" sub)" = jane ]
}

# --- who is refused ---------------------------------------------------------------

@test "policy is asked, as the subject by the scheme keep" {
    configure "policy = \"$DIR/rules\"" "$(section jane)" "$(section john 'when-refused = remove')"
    echo 'permit any via keep as self' >"$DIR/rules"
    keep 0
    echo 'permit any via basic as self' >"$DIR/rules"
    keep 0
    keep 1 --force
    said "Not kept: $DIR/jane/token: jane may not have a token for jane"
    said "Removed token: $DIR/john/token: john may not have a token for john"
    exists "$DIR/jane/token"
    missing "$DIR/john/token"
    keep 1 --force --quiet
    [ ! -s "$DIR/said" ]
}

@test "a rule with a shorter ttl is a mistake, and takes no file away" {
    configure "policy = \"$DIR/rules\"" "$(section jane 'when-refused = remove')"
    echo 'permit any as self' >"$DIR/rules"
    keep 0
    echo 'permit any as self ttl 20m' >"$DIR/rules"
    keep 69 --force
    said "lifetime is 1800 seconds, and by $DIR/rules:1 tokens have at most 1200"
    verified "$DIR/jane/token"
}

@test "groups come from their sources, and a source that fails refuses nobody" {
    configure "policy = \"$DIR/rules\"" 'profile "g" { groups = true }' \
        "groups { resolvers = static static { file = \"$DIR/groups\" } }" \
        "$(section jane 'profile = g' 'when-refused = remove')"
    echo 'permit :staff as self' >"$DIR/rules"
    echo '{"jane": ["staff", "etl"]}' >"$DIR/groups"
    keep 0
    "$LIB/token" claim "$DIR/jane/token" "it['groups'] == ['staff', 'etl']"
    chmod 0666 "$DIR/groups"
    keep 69 --force
    verified "$DIR/jane/token"
    chmod 0644 "$DIR/groups"
    echo '{"jane": ["etl"]}' >"$DIR/groups"
    keep 1 --force
    missing "$DIR/jane/token"
}

# accounts: files in place of the host's, for those who are started by "among".
accounts() {
    printf '%s\n' 'root:x:0:0::/:/bin/sh' 'good:x:4001:4001::/:/bin/sh' \
        'locked:x:4002:4002::/:/bin/sh' 'expired:x:4003:4003::/:/bin/sh' \
        'kerberos:x:4004:4004::/:/bin/sh' >"$DIR/passwd"
    printf '%s\n' 'good:$y$x:20000::::::' 'locked:!$y$x:20000::::::' 'expired:$y$x:20000:::::1:' \
        'kerberos:!:20000::::::' >"$DIR/shadow"
    echo 'team:x:5000:good,locked,expired,kerberos,gone' >"$DIR/group"
    chmod 0600 "$DIR/shadow"
}
among() {
    unshare -m bash -c 'for name in passwd shadow group; do
            mount --bind "$1/$name" "/etc/$name" || exit
        done
        shift
        exec "$@"' among "$DIR" "$@"
}

@test "members of a group have files, but for those whose account is not good" {
    local status=0

    need_root
    accounts
    configure "$(section team 'account = unix' 'group-members = team' 'owner = "${subject}"' 'mode = 0400' \
        "file = \"$DIR/\${subject}/.auth_token\"" 'when-refused = remove')"
    among "$KEEP" --config "$CONF" 2>"$DIR/said" || status=$?
    [ "$status" -eq 1 ]
    said "$DIR/locked/.auth_token: the account 'locked' is locked"
    said "$DIR/expired/.auth_token: the account 'expired' has expired"
    said "$DIR/gone/.auth_token: there is no account 'gone'"
    [ "$(stat -c '%u %a' "$DIR/good/.auth_token")" = '4001 400' ]
    [ "$(stat -c '%u %a' "$DIR/kerberos/.auth_token")" = '4004 400' ]
    missing "$DIR/locked/.auth_token"
    # Its owner can read it, and nobody else.
    chmod o+x "$DIR"
    # One leaves the group, one is locked.
    echo 'team:x:5000:good' >"$DIR/group"
    sed -i 's/^good:/&!/' "$DIR/shadow"
    among "$KEEP" --config "$CONF" --force 2>"$DIR/said" || true
    said "Removed token: $DIR/kerberos/.auth_token: kerberos is not in group team any more"
    said "Removed token: $DIR/good/.auth_token: the account 'good' is locked"
    missing "$DIR/good/.auth_token"
    missing "$DIR/kerberos/.auth_token"
}

@test "a group that cannot be found takes no file away" {
    configure "$(section team 'group-members = no-such-group' "file = \"$DIR/\${subject}/t\"" 'when-refused = remove')" \
        "$(section jane)"
    keep 69
    said "Not kept: team: $CONF:7: group 'no-such-group' does not exist"
    exists "$DIR/jane/token"
}

@test "directories have files, and the names of others are passed over" {
    mkdir -p "$DIR/root"/{jane,john,.hidden,'not a name'}
    touch "$DIR/root/file"
    ln -s jane "$DIR/root/link"
    configure "$(section all "directories = \"$DIR/root\"" "file = \"$DIR/root/\${subject}/.auth_token\"")"
    keep 0
    [ "$(cd "$DIR/root" && find . -name .auth_token | sort | tr '\n' ' ')" = './jane/.auth_token ./john/.auth_token ' ]
    [ "$(claim "$DIR/root/john/.auth_token" sub)" = john ]
    # Who may make directories there would have tokens for whomever.
    chmod 0777 "$DIR/root"
    keep 69
    said 'everybody may write it'
}

# --- what goes wrong --------------------------------------------------------------

@test "a full disk keeps the old file, and is got over" {
    need_root
    configure "$(section jane)"
    mkdir -m 0755 "$DIR/jane"
    unshare -m bash -c '
        mount -t tmpfs -o size=16k,mode=0755 none "$1/jane" || exit
        "$2" --config "$1/conf" || exit
        cp "$1/jane/token" "$1/before"
        dd if=/dev/zero of="$1/jane/ballast" bs=4k 2>/dev/null
        "$2" --config "$1/conf" --force
        [ $? = 69 ] && cmp "$1/jane/token" "$1/before" || exit
        [ "$(ls -A "$1/jane" | tr "\n" " ")" = "ballast token " ] || exit
        rm "$1/jane/ballast"
        "$2" --config "$1/conf" --force || exit
        ! cmp -s "$1/jane/token" "$1/before"' full "$DIR" "$KEEP" 2>"$DIR/said"
    said 'No space left on device'
}

@test "a clock that was set forward or back is believed" {
    configure "$(section jane)"
    keep 0
    cp "$DIR/jane/token" "$DIR/before"
    with_clock +1h "$KEEP" --config "$CONF" 2>>"$LOG"
    differs "$DIR/jane/token" "$DIR/before"
    [ "$(claim "$DIR/jane/token" iat)" -gt "$((EPOCHSECONDS + 3000))" ]
    # Now it is one of the future, which others refuse.
    keep 0
    [ "$(claim "$DIR/jane/token" iat)" -le "$EPOCHSECONDS" ]
}

@test "the service believes a clock that is set while it runs" {
    configure "$(section jane)"
    echo +0 >"$DIR/offset"
    hurried 20
    HURRIED+=(LD_PRELOAD="$BUILT/tests/preload/hurry.so $CLOCK_LIBRARY" FAKETIME_TIMESTAMP_FILE="$DIR/offset"
        FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1)
    watch
    until_true 5 exists "$DIR/jane/token"
    cp "$DIR/jane/token" "$DIR/before"
    # It looks at the clock every ten seconds where the kernel does not tell of a step.
    echo +2h >"$DIR/offset"
    until_true 14 differs "$DIR/jane/token" "$DIR/before"
    [ "$(claim "$DIR/jane/token" iat)" -gt "$((EPOCHSECONDS + 7000))" ]
    cp "$DIR/jane/token" "$DIR/before"
    echo +0 >"$DIR/offset"
    until_true 14 differs "$DIR/jane/token" "$DIR/before"
    [ "$(claim "$DIR/jane/token" iat)" -le "$EPOCHSECONDS" ]
}

# --- hooks ------------------------------------------------------------------------

@test "a command runs when a file has changed, and its failure is only said" {
    cat >"$DIR/hook" <<'HOOK'
#!/bin/bash
printf '%s\n' "$*" "$AUTHSERVER_FILE $AUTHSERVER_SUBJECT" "$(pwd)" "$(env | cut -d= -f1 | sort | tr '\n' ' ')" >"$1"
ls /proc/self/fd | wc -l >>"$1"
exit 3
HOOK
    chmod +x "$DIR/hook"
    configure "$(section jane "command = {\"$DIR/hook\", \"$DIR/seen\", \"\$(id) *\"}")"
    SECRET=x keep 0
    [ "$(sed -n 1p "$DIR/seen")" = "$DIR/seen \$(id) *" ]
    [ "$(sed -n 2p "$DIR/seen")" = "$DIR/jane/token jane" ]
    [ "$(sed -n 3p "$DIR/seen")" = / ]
    [ "$(sed -n 4p "$DIR/seen")" = 'AUTHSERVER_FILE AUTHSERVER_SUBJECT LC_ALL PATH PWD SHLVL _ ' ]
    [ "$(sed -n 5p "$DIR/seen")" -le 5 ]
    said "Command of keep 'jane' for $DIR/jane/token: exit status 3"
    rm "$DIR/seen"
    keep 0
    missing "$DIR/seen"
    configure "$(section jane 'command = {"/no/such/program"}')"
    keep 0 --force
    said '/no/such/program: No such file or directory'
}

@test "a command that takes too long is killed with what it started" {
    configure "$(section jane "command = {\"/bin/sh\", \"-c\", \"echo \$\$ >$DIR/pid; sleep 60 & sleep 60\"}" 'timeout = 1s')"
    SECONDS=0
    keep 0
    [ "$SECONDS" -lt 30 ] # and not 60
    said 'killed, for it took more seconds than 1'
    # Where nobody waits for orphans they stay as zombies.
    [ -z "$(pgrep -r R,S,D -g "$(<"$DIR/pid")")" ]
}

@test "a signal is sent once for all files that have changed" {
    bash -c 'trap "echo got >>$0/signals" USR1; echo $$ >$0/pid; while :; do read -rt 1 <> <(:); done' "$DIR" 3>&- &
    WATCHERS+=" $!"
    until_true 5 test -s "$DIR/pid"
    mkdir -p "$DIR/root"/{a,b,c}
    configure "$(section all "directories = \"$DIR/root\"" "file = \"$DIR/root/\${subject}/t\"" 'signal = USR1' "pid-file = \"$DIR/pid\"")"
    watch
    until_true 5 test -s "$DIR/signals"
    kill -TERM "$WATCHER"
    wait "$WATCHER"
    [ "$(<"$DIR/signals")" = got ]
    chmod 0666 "$DIR/pid"
    keep 0 --force
    said "No signal for keep 'all': $DIR/pid: "
}

# --- the service ------------------------------------------------------------------

# What is killed while a reader reads: a service, now and then two of them and a pass beside them.
# None renews what is not due, which would hide that it is renewed too late.
kill_at_random() {
    KILLED=0
    while kill -0 "$1" 2>/dev/null; do
        watch --quiet
        pause "$((RANDOM % 2)).$((RANDOM % 100))"
        kill -KILL "$WATCHER"
        wait "$WATCHER" || true
        KILLED=$((KILLED + 1))
        if [ "$((RANDOM % 3))" -eq 0 ]; then
            watch --quiet
            "${HURRIED[@]}" "$KEEP" --config "$CONF" --quiet --every 1s 2>>"$LOG" 3>&- || true
            kill -KILL "$WATCHER"
            wait "$WATCHER" || true
            KILLED=$((KILLED + 1))
        fi
    done
}

# For KEEP_SECONDS of a clock that runs KEEP_HURRY times as fast, KEEP_READS times in each: ten
# minutes with a thousand are "make check-keep".
@test "a reader sees a good token at any moment, whoever is killed" {
    local reader reads tokens since=$EPOCHSECONDS
    local seconds=${KEEP_SECONDS:-60} hurry=${KEEP_HURRY:-5} rate=${KEEP_READS:-100}

    hurried "$hurry" "$since"
    # Of these, 12 are to spare: more of the wall clock than a start takes on a busy machine.
    configure "$(section jane 'lifetime = 60s' 'at-least = 4s')"
    "${HURRIED[@]}" "$KEEP" --config "$CONF" --every 1s
    "$LIB/reader" "$DIR/jane/token" "$KEYS/key.pub" RS256 4 "$seconds" "$rate" "$hurry" "$since" \
        >"$DIR/reader" 2>&1 3>&- &
    reader=$!
    kill_at_random "$reader"
    wait "$reader" || { cat "$DIR/reader"; return 1; }
    read -r reads _ tokens _ <"$DIR/reader"
    echo "$(<"$DIR/reader"), $KILLED killed"
    [ -z "${KEEP_SECONDS:-}" ] || echo "# $(<"$DIR/reader"), $KILLED killed" >&3
    [ "$tokens" -ge "$((seconds / 60 + 1))" ]
    [ "$reads" -ge "$((seconds * rate * 9 / 10))" ]
    [ "$KILLED" -ge "$((seconds / 15))" ]
}

@test "the service sees new keys, and goes on with the old ones while there are none" {
    configure "$(section jane)"
    hurried 10
    watch
    until_true 5 exists "$DIR/jane/token"
    cp "$DIR/jane/token" "$DIR/before"
    # It looks by itself every ten seconds, and says once what it finds; whoever asks is told.
    head -c 800 "$KEYS/key" >"$DIR/half"
    mv "$DIR/half" "$DIR/key"
    until_true 15 not_reloaded 1
    pause 1.5
    not_reloaded 1
    kill -HUP "$WATCHER"
    until_true 5 not_reloaded 2
    cmp "$DIR/jane/token" "$DIR/before"
    cp "$KEYS/other" "$DIR/whole"
    mv "$DIR/whole" "$DIR/key"
    until_true 15 logged 'Reloaded: a file changed'
    until_true 5 verified "$DIR/jane/token" other
    kill -TERM "$WATCHER"
    wait "$WATCHER"
}
not_reloaded() { [ "$(grep -c 'Not reloaded, the old configuration stays: ' "$LOG")" -eq "$1" ]; }

@test "the service goes on when the resolver has died" {
    configure 'profile "g" { groups = true }' \
        "groups { resolvers = static static { file = \"$DIR/groups\" } }" \
        "$(section jane 'profile = g' 'lifetime = 6s' 'at-least = 3s')"
    echo '{"jane": ["staff"]}' >"$DIR/groups"
    watch
    until_true 5 exists "$DIR/jane/token"
    cp "$DIR/jane/token" "$DIR/before"
    pkill -KILL -P "$WATCHER"
    until_true 6 differs "$DIR/jane/token" "$DIR/before"
    # Those that died are not left over.
    until_true 6 no_zombies
}
no_zombies() { [ -z "$(pgrep -r Z -P "$WATCHER")" ]; }

@test "the service says what goes wrong once" {
    configure "$(section jane 'lifetime = 6s' 'at-least = 3s')" "$(section john 'account = unix')"
    hurried 10 "$EPOCHSECONDS"
    watch
    until_true 5 exists "$DIR/jane/token"
    chmod 0777 "$DIR/jane"
    until_true 5 logged "Not kept: $DIR/jane/token: "
    pause 0.6 # six seconds of tries
    [ "$(grep -c "Not kept: $DIR/jane/token: " "$LOG")" -eq 1 ]
    [ "$(grep -c "Not kept: $DIR/john/token: " "$LOG")" -eq 1 ]
    chmod 0755 "$DIR/jane"
    until_true 12 kept_again
}
kept_again() { tail -n 1 "$LOG" | grep -q "Kept token: $DIR/jane/token"; }

@test "decisions are in the audit log, and no token is in any" {
    configure "audit = \"$DIR/audit\"" "$(section jane)" "$(section john 'account = unix')"
    keep 1
    jq -es 'length == 2 and (.[0] | .caller == "jane" and .auth == "keep" and .verdict == "permit"
        and .ttl == 1800 and .subject == "jane" and .jti != null and .rule == "built-in policy:1")
        and (.[1] | .caller == "john" and .verdict == "deny")' "$DIR/audit"
    [ "$(cat "$DIR/audit" "$LOG" | grep -c eyJ)" -eq 0 ]
}

@test "neither gcore nor a debugger reads the key of the service" {
    # Where another account can enter.
    PLACE=$(mktemp -d "${TMPDIR:-/tmp}/keep.XXXXXX")
    chmod 0711 "$PLACE"
    intruder_begin "$PLACE"
    configure "$(section jane "file = \"$PLACE/jane/token\"")"
    sed -i "s|$DIR/key|$PLACE/key|" "$CONF"
    install -m 0755 "$KEEP" "$PLACE"
    cp -p "$DIR/key" "$CONF" "$PLACE"
    [ "$(id -u)" -ne 0 ] || chown -R nobody "$PLACE"
    "${AS_USER[@]}" "$PLACE/authserver-keep" --config "$PLACE/conf" --watch 2>>"$LOG" 3>&- &
    WATCHER=$!
    WATCHERS+=" $WATCHER"
    until_true 5 exists "$PLACE/jane/token"
    untouchable "$WATCHER"
    grep -q '^Max core file size *0 ' "/proc/$WATCHER/limits"
}

@test "of a key that was replaced the service has nothing any more" {
    need_root
    not_with any "it has memory that is too large to be searched"
    configure "$(section jane)"
    watch
    until_true 5 exists "$DIR/jane/token"
    "$LIB/intruder.py" holds "$WATCHER" "$KEYS/key" | grep -qx 'd secure'
    install -m 0600 "$KEYS/other" "$DIR/key"
    kill -HUP "$WATCHER"
    until_true 10 has_other
    [ -z "$("$LIB/intruder.py" holds "$WATCHER" "$KEYS/key")" ]
}

has_other() { "$LIB/intruder.py" holds "$WATCHER" "$KEYS/other" | grep -qx 'd secure'; }

@test "the service notices who comes, and what was taken away" {
    mkdir -p "$DIR/root"/{jane,john}
    configure "$(section all "directories = \"$DIR/root\"" "file = \"$DIR/root/\${subject}/t\"")"
    hurried 30
    watch
    until_true 10 exists "$DIR/root/john/t"
    until_true 10 exists "$DIR/root/jane/t"
    rm "$DIR/root/john/t"
    rm -r "$DIR/root/jane"
    mkdir "$DIR/root/new"
    until_true 20 exists "$DIR/root/new/t"
    until_true 20 exists "$DIR/root/john/t"
    verified "$DIR/root/john/t"
    missing "$DIR/root/jane"
    [ "$(grep -c "/jane/t" "$LOG")" -eq 1 ]
}
