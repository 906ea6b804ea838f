#!/usr/bin/env bats
# Whether passwords are right: authserver-resolver and authserver-password against a slapd, and
# against PAM with accounts of the test's own.

load lib/gateway
load lib/http
load lib/ca
load lib/slapd

setup_file() {
    quick
    export WORK RESOLVER CHECKER PASSWORDS BUILT
    BUILT=${AUTHSERVER_BUILD:-$BATS_TEST_DIRNAME/../build}
    WORK=$(mktemp -d "${GATEWAY_TMPDIR:-${TMPDIR:-/tmp}}/password.XXXXXX")
    chmod 0755 "$WORK"
    RESOLVER=$BUILT/authserver-resolver
    CHECKER=$BUILT/authserver-password
    # A program finds ours beside itself.
    install -D "$BUILT/tests/lib/passwords" "$WORK/bin/passwords"
    ln -s "$RESOLVER" "$WORK/bin/authserver-resolver"
    PASSWORDS=$WORK/bin/passwords
    ca_create "$WORK/ca"
    directory >"$WORK/more.ldif"
    slapd_start "$WORK/slapd" "$WORK/more.ldif" "moduleload ppolicy
overlay ppolicy
ppolicy_default cn=policy,dc=example,dc=org"
    if [ "$(id -u)" -eq 0 ]; then
        accounts "$WORK/etc"
    fi
}

teardown_file() {
    kill -CONT "$(cat "$SLAPD/pid")" 2>/dev/null || true
    slapd_stop
    rm -rf "${WORK:?}"
}

setup() {
    quick
    umask 077
    DIR=$BATS_TEST_TMPDIR
    printf 'search\n' >"$DIR/search"
    : >"$SLAPD/log"
    configure_ldap
}

# --- who there is -----------------------------------------------------------------

# Beside alice, bob and janedoe: locked, whose account is; reset, who must change the password
# first; twice, of whom there are two; nopass, who has no password; one whose DN has metacharacters.
directory() {
    local base=dc=example,dc=org

    slapd_entry "cn=policy,$base" 'objectClass: device' 'objectClass: pwdPolicy' 'cn: policy' \
        'pwdAttribute: userPassword' 'pwdLockout: TRUE' 'pwdMustChange: TRUE'
    person locked "userPassword: $PASSWORD-locked" 'pwdAccountLockedTime: 000001010000Z'
    person reset "userPassword: $PASSWORD-reset" 'pwdReset: TRUE'
    person nopass
    person ALICIA "userPassword: $PASSWORD-ALICIA"
    person twice "userPassword: $PASSWORD-twice"
    slapd_entry "uid=twice,$base" 'objectClass: inetOrgPerson' 'uid: twice' 'cn: twice' 'sn: twice' \
        "userPassword: $PASSWORD-twice"
    slapd_entry 'cn=a\2Cb\2Bc\22d\5Ce(f*)g,ou=people,'$base 'objectClass: inetOrgPerson' \
        'uid: odd' 'cn: a,b+c"d\e(f*)g' 'sn: odd' "userPassword: $PASSWORD-odd"
}

person() {
    local uid=$1

    shift
    slapd_entry "uid=$uid,ou=people,dc=example,dc=org" 'objectClass: inetOrgPerson' "uid: $uid" \
        "cn: $uid" "sn: $uid" "$@"
}

# The same for PAM: alice, bob; expired, whose account has; old, whose password has; janedoe, with
# an empty one.
accounts() {
    local etc=$1 user uid=20001

    install -d -m 0755 "$etc" "$etc/pam.d"
    cp /etc/passwd /etc/group "$etc"
    install -m 0640 -g shadow /dev/null "$etc/shadow"
    for user in alice bob expired old janedoe; do
        printf '%s:x:%s:65534::/nonexistent:/bin/sh\n' "$user" "$uid" >>"$etc/passwd"
        uid=$((uid + 1))
    done
    for user in root alice bob; do
        shadow "$user" 1:0:99999:7:::
    done >>"$etc/shadow"
    {
        shadow expired 1:0:99999:7::2:
        shadow old 0:0:99999:7:::
        echo 'janedoe::1:0:99999:7:::'
    } >>"$etc/shadow"
    # That of the manual.
    sed -n '/^# \/etc\/pam.d\/authserver$/,/^\.Ed$/{/^[a-z]/p}' \
        "$BATS_TEST_DIRNAME/../man/authserver.password.5" >"$etc/pam.d/authserver"
    [ "$(wc -l <"$etc/pam.d/authserver")" -ge 3 ]
    printf 'auth required pam_exec.so quiet %s\naccount required pam_permit.so\n' \
        "$WORK/hang" >"$etc/pam.d/hangs"
    # pam_exec gives it a session of its own: it ends by itself, when the test has.
    printf '#!/bin/sh\nwhile [ -e %s ]; do sleep 0.2; done\n' "$WORK/hang" >"$WORK/hang"
    chmod 0755 "$WORK/hang"
    printf 'auth required pam_exec.so quiet %s\naccount required pam_permit.so\n' \
        "$WORK/look" >"$etc/pam.d/looks"
    printf '#!/bin/sh\n{ env; ls -l /proc/self/fd; cat /proc/$PPID/cmdline; } >%s/seen\n' \
        "$WORK" >"$WORK/look"
    chmod 0755 "$WORK/look"
    # Of 20 seconds, more or less by a half at random.
    printf 'auth optional pam_faildelay.so delay=20000000\nauth required pam_unix.so\n%s\n' \
        'account required pam_permit.so' >"$etc/pam.d/slow"
    printf 'auth required pam_no_such_module.so\naccount required pam_permit.so\n' \
        >"$etc/pam.d/broken"
    printf 'auth required pam_unix.so\nauth required pam_echo.so x\naccount required pam_deny.so\n' \
        >"$etc/pam.d/closed"
}

shadow() {
    printf '%s:%s:%s\n' "$1" "$(openssl passwd -6 "$PASSWORD-$1")" "$2"
}

# --- asking -----------------------------------------------------------------------

# configure_ldap ['KEY = VALUE']...: the keys of a working section but for these; none leaves one
# out.
configure_ldap() {
    local line name
    local -A keys=(
        [uri]="\"$SLAPD_URL\""
        [ca-file]="\"$CA/ca.crt\""
        [bind-dn]='"cn=search,dc=example,dc=org"'
        [password-file]="\"$DIR/search\""
        [base]='"dc=example,dc=org"'
        [filter]='"(&(objectClass=inetOrgPerson)(uid={0}))"'
        [delay]=0
    )

    for line in "$@"; do
        keys[${line%% = *}]=${line#* = }
    done
    {
        echo 'password "ldap" {'
        for name in "${!keys[@]}"; do
            [ "${keys[$name]}" = none ] || printf '    %s = %s\n' "$name" "${keys[$name]}"
        done
        echo '}'
    } >"$DIR/conf"
}

configure_pam() {
    printf 'password "pam" {\n%s\ndelay = 0\n}\n' "$(printf '    %s\n' "$@")" >"$DIR/conf"
    INSIDE=(unshare --mount sh -c 'set -e
        for file in passwd shadow group pam.d; do
            mount --bind "$0/$file" "/etc/$file"
        done
        exec "$@"' "$WORK/etc")
}

needs_root() {
    [ "$(id -u)" -eq 0 ] || skip "needs root, for accounts in a namespace"
}

# check STATUS USER [PASSWORD]: one check by hand, for at most 20 seconds; what is printed is in
# $output, TOOK the milliseconds. Without a password the account is checked.
check() {
    local wanted=$1 user=$2 how=--check-password began=${EPOCHREALTIME/./} status=0

    [ $# -eq 3 ] || how=--check-account
    output=$(printf '%s\n' "${3:-}" | timeout -k 1 20 "${INSIDE[@]}" "$RESOLVER" --config "$DIR/conf" \
        "$how=$user" 2>&1) || status=$?
    TOOK=$(((${EPOCHREALTIME/./} - began) / 1000))
    [ "$status" -eq "$wanted" ] || { echo "$user: exit status $status: $output"; return 1; }
    case $status in
    0) [ "$output" = right ] ;;
    1) [[ $output == 'wrong: '* ]] ;;
    esac
}

# in_time SECONDS: within them and half a second.
in_time() {
    at_most "$TOOK" $(($1 * 1000 + 500))
}

says() {
    [[ $output == *"$1"* ]] || { echo "$output"; return 1; }
}

logged() {
    grep -F -e "$1" "$SLAPD/log" >/dev/null || { cat "$SLAPD/log"; return 1; }
}

not_logged() {
    ! grep -F -e "$1" "$SLAPD/log"
}

# --- a directory ------------------------------------------------------------------

@test "password: LDAP: the right one is right, another is wrong, and so is that of another user" {
    check 0 alice "$PASSWORD-alice"
    check 0 odd "$PASSWORD-odd"
    check 1 alice wrong
    says 'Invalid credentials'
    check 1 alice "$PASSWORD-bob"
    check 1 alice "$PASSWORD-alice "
}

@test "threat: password: LDAP: an empty password is refused before anybody is asked" {
    # The server takes it for a success.
    ldapwhoami -x -H "$SLAPD_PLAIN_URL" -D uid=alice,ou=people,dc=example,dc=org -w ''
    : >"$SLAPD/log"
    check 1 alice ''
    printf 'alice\0\0' | { ! "$CHECKER" --config "$DIR/conf"; }
    [ ! -s "$SLAPD/log" ] || { cat "$SLAPD/log"; return 1; }
}

@test "password: LDAP: an unknown user is wrong, after a bind that says so too" {
    check 1 nobody-here "$PASSWORD-alice"
    says 'no entry'
    [ "$(grep -c 'BIND dn=.* method=128' "$SLAPD/log")" -eq 2 ]
    grep -E 'BIND dn="cn=[0-9a-f]{32},dc=example,dc=org" method=128' "$SLAPD/log"
    : >"$SLAPD/log"
    check 1 alice wrong
    [ "$(grep -c 'BIND dn=.* method=128' "$SLAPD/log")" -eq 2 ]
}

@test "password: LDAP: a user of whom there are two entries is wrong, whichever it is" {
    check 1 twice "$PASSWORD-twice"
    says 'more than one entry'
    check 1 twice
    check 1 twice wrong
    configure_ldap 'base = "ou=people,dc=example,dc=org"'
    check 0 twice "$PASSWORD-twice"
    configure_ldap 'filter = "(|(uid={0})(objectClass=inetOrgPerson))"'
    check 1 alice "$PASSWORD-alice"
    says 'more than one entry'
}

@test "password: LDAP: a locked account, one that must change its password, one without are wrong" {
    check 1 locked "$PASSWORD-locked"
    check 1 reset "$PASSWORD-reset"
    says 'must be changed'
    check 1 nopass x
}

@test "password: LDAP: a name is as it is spelt in its attribute" {
    check 1 alicia "$PASSWORD-ALICIA"
    says 'spells the name otherwise'
    check 0 ALICIA "$PASSWORD-ALICIA"
    configure_ldap 'name = description'
    check 1 ALICIA "$PASSWORD-ALICIA"
}

@test "password: LDAP: an account without a password is one that the filter finds" {
    check 0 alice
    check 1 nobody-here
    configure_ldap 'filter = "(&(uid={0})(!(cn=alice)))"'
    check 1 alice
    check 0 bob
    # Nobody but the service has bound.
    not_logged 'BIND dn="uid='
}

@test "threat: LDAP injection: metacharacters in a name find nobody" {
    local name lines=()

    for name in '*' 'a*' 'alice)(uid=*' '*)(|(uid=*' ')(uid=alice' 'alice)(objectClass=*' '\2a' \
        'uid=alice,ou=people,dc=example,dc=org' 'alice,ou=people' 'alice;x' '{0}'; do
        lines+=("$name $PASSWORD-alice")
    done
    configure_ldap 'timeout = 30s'
    asks "${lines[@]}"
    [ "$(grep -c '^wrong ' "$DIR/out")" -eq 11 ] || { cat "$DIR/out"; return 1; }
    [ "$(grep -c 'BIND dn="cn=[0-9a-f]*,dc=example,dc=org" method=128' "$SLAPD/log")" -eq 11 ]
    not_logged 'BIND dn="uid=alice'
}

@test "threat: hostile user names: what is no name is wrong, and nobody is asked" {
    local name lines=()

    for name in . .. ../alice alice/x $'alice\x7f' $'al\xffice' "$(printf 'a%.0s' {1..256})"; do
        lines+=("$name $PASSWORD-alice")
    done
    asks "${lines[@]}"
    [ "$(grep -c '^wrong ' "$DIR/out")" -eq 7 ] || { cat "$DIR/out"; return 1; }
    check 1 '' "$PASSWORD-alice"
    check 1 $'alice\n' "$PASSWORD-alice"
    [ ! -s "$SLAPD/log" ]
}

@test "password: LDAP: one that is too long is refused, the longest is asked about" {
    check 1 alice "$(printf 'p%.0s' {1..511})"
    logged 'BIND dn="uid=alice'
    : >"$SLAPD/log"
    check 1 alice "$(printf 'p%.0s' {1..512})"
    [ ! -s "$SLAPD/log" ]
}

@test "password: LDAP: a server that is down is no verdict" {
    configure_ldap 'uri = "ldaps://127.0.0.1:1"'
    check 69 alice "$PASSWORD-alice"
    check 69 nobody-here x
    check 69 alice
    says 'cannot be connected'
}

@test "password: LDAP: a server that hangs is no verdict, within the timeout" {
    local user

    configure_ldap 'timeout = 1s'
    kill -STOP "$(cat "$SLAPD/pid")"
    for user in alice nobody-here; do
        check 69 "$user" "$PASSWORD-alice" || break
        in_time 1 || break
        [ "$TOOK" -ge 900 ] || break
        user=asked
    done
    kill -CONT "$(cat "$SLAPD/pid")"
    [ "$user" = asked ]
    check 0 alice "$PASSWORD-alice"
}

@test "password: LDAP: passwords go nowhere in the clear, and to nobody whose certificate is wrong" {
    configure_ldap 'uri = "ldap://192.0.2.1"' 'bind-dn = none' 'password-file = none'
    check 78 alice "$PASSWORD-alice"
    says 'in the clear'
    configure_ldap "uri = \"$SLAPD_OTHER_URL\""
    check 69 alice "$PASSWORD-alice"
    not_logged 'BIND dn="uid=alice'
    configure_ldap "uri = \"$SLAPD_PLAIN_URL\"" 'start-tls = true'
    check 0 alice "$PASSWORD-alice"
    configure_ldap "uri = \"$SLAPD_LOCAL_URL\""
    check 0 alice "$PASSWORD-alice"
}

@test "password: LDAP: what we bind with ourselves is no verdict on the user" {
    echo 'not search' >"$DIR/search"
    check 69 alice "$PASSWORD-alice"
    says 'check bind-dn and password-file'
}

@test "password: LDAP: a base that does not exist is no verdict" {
    configure_ldap 'base = "ou=nowhere,dc=example,dc=org"'
    check 69 alice "$PASSWORD-alice"
    says 'does not exist'
}

# --- as the service asks ----------------------------------------------------------

# asks LINE...: what the service is told, a line for each.
asks() {
    printf '%s\n' "$@" | "${INSIDE[@]}" "$PASSWORDS" "$DIR/conf" >"$DIR/out" 2>&1
}

# The verdicts in one line.
words() {
    sed 's/ .*//' "$DIR/out" | paste -sd ' '
}

@test "password: the service is told the same, over one socket" {
    asks "alice $PASSWORD-alice" 'alice wrong' "nobody-here $PASSWORD-alice" 'alice ' alice \
        nobody-here "alice $PASSWORD-alice"
    [ "$(words)" = 'right wrong wrong wrong right wrong right' ] ||
        { cat "$DIR/out"; return 1; }
}

@test "password: wrong is said after the delay, also of a user who is unknown; right at once" {
    local answers

    configure_ldap 'delay = 2s'
    asks "alice $PASSWORD-alice" 'alice wrong' 'nobody-here wrong' 'locked wrong'
    mapfile -t answers < <(awk '{ print $2 }' "$DIR/out")
    cat "$DIR/out"
    # The first one starts the resolver.
    at_most "${answers[0]}" 900
    for i in 1 2 3; do
        [ "${answers[$i]}" -ge 2000 ] && at_most "${answers[$i]}" 2200
    done
}

@test "password: wrong and unknown take about as long, even without a delay" {
    local lines=() wrong unknown

    for _ in {1..9}; do
        lines+=('alice wrong' 'nobody-here wrong')
    done
    asks 'alice wrong' "${lines[@]}"
    median() { sed 1d "$DIR/out" | awk -v odd="$1" 'NR % 2 == odd { print $2 }' | sort -n | sed -n 5p; }
    wrong=$(median 1)
    unknown=$(median 0)
    echo "wrong $wrong ms, unknown $unknown ms"
    [ "$wrong" -le $((2 * unknown + 10)) ]
    [ "$unknown" -le $((2 * wrong + 10)) ]
}

@test "password: a change of the configuration that is none leaves the old one in service" {
    mkfifo "$DIR/questions"
    "$PASSWORDS" "$DIR/conf" <"$DIR/questions" >"$DIR/out" 2>&1 3>&- &
    exec 7>"$DIR/questions"
    echo "alice $PASSWORD-alice" >&7
    until_true 10 grep -q '^right' "$DIR/out"
    echo 'password "ldap" {' >"$DIR/conf"
    echo "alice $PASSWORD-alice" >&7
    exec 7>&-
    wait $!
    [ "$(grep -c '^right' "$DIR/out")" -eq 2 ] || { cat "$DIR/out"; return 1; }
}

# --- PAM --------------------------------------------------------------------------

@test "password: PAM: the right one is right, another and an unknown user are wrong" {
    needs_root
    configure_pam
    check 0 alice "$PASSWORD-alice"
    check 1 alice "$PASSWORD-bob"
    asks "bob $PASSWORD-bob" "zzz $PASSWORD-alice" 'alice ' "ALICE $PASSWORD-alice" alice zzz
    [ "$(words)" = 'right wrong wrong wrong right wrong' ] || { cat "$DIR/out"; return 1; }
}

@test "password: PAM: accounts that have expired, have no password, or are root's are wrong" {
    needs_root
    configure_pam
    check 1 expired "$PASSWORD-expired"
    says 'pam_acct_mgmt'
    check 1 old "$PASSWORD-old"
    # Of their accounts alone, too.
    asks 'janedoe x' 'janedoe ' "root $PASSWORD-root" alice expired old root
    [ "$(words)" = 'wrong wrong wrong right wrong wrong wrong' ] || { cat "$DIR/out"; return 1; }
}

# spelt STATUS USER [PASSWORD]: the verdict where accounts are found however their names are spelt.
spelt() {
    local status=0

    printf '%s\0' "$2" "${3:-}" |
        "${INSIDE[@]}" env LD_PRELOAD="$BUILT/tests/preload/anycase.so" \
            ASAN_OPTIONS=verify_asan_link_order=0 "$CHECKER" --config "$DIR/conf" >"$DIR/out" 2>&1 ||
        status=$?
    [ "$status" -eq "$1" ] || { echo "$2: exit status $status"; cat -v "$DIR/out"; return 1; }
}

@test "threat: password: PAM: another spelling of a name is wrong where accounts are found by it" {
    needs_root
    configure_pam
    spelt 0 alice "$PASSWORD-alice"
    spelt 1 ALICE "$PASSWORD-alice"
    grep -q 'spelt otherwise' "$DIR/out"
    printf 'auth required pam_permit.so\naccount required pam_permit.so\n' >"$WORK/etc/pam.d/open"
    configure_pam 'service = open'
    spelt 1 Alice "$PASSWORD-alice"
    # Of an account that is nowhere else PAM alone says what it is called.
    spelt 0 zzz "$PASSWORD-alice"
}

@test "password: PAM: no pause of a module's own, as the delay is ours" {
    needs_root
    configure_pam 'service = slow'
    check 1 alice wrong
    at_most "$TOOK" 1000
}

@test "password: PAM: a module that hangs is no verdict, within the timeout" {
    needs_root
    configure_pam 'service = hangs' 'timeout = 1s'
    check 69 alice "$PASSWORD-alice"
    says 'too long'
    in_time 1
    asks "alice $PASSWORD-alice" "alice $PASSWORD-alice"
    [ "$(grep -c '^cannot say: .* took too long' "$DIR/out")" -eq 2 ]
}

@test "password: PAM: a module that is missing is no verdict, and a service that is closed is one" {
    needs_root
    configure_pam 'service = broken'
    check 69 alice "$PASSWORD-alice"
    configure_pam 'service = closed'
    check 1 alice "$PASSWORD-alice"
}

@test "password: PAM: modules see nothing of the password, and nothing of ours" {
    needs_root
    configure_pam 'service = looks'
    SECRET_OF_OURS=x check 0 alice "$PASSWORD-alice"
    [ -s "$WORK/seen" ]
    must_not grep -a -e "$PASSWORD-alice" -e SECRET_OF_OURS -e socket: -e memfd "$WORK/seen"
}

# --- secrets and mistakes ---------------------------------------------------------

@test "threat: a password is in no argument, environment, log or file" {
    local pid

    configure_ldap 'timeout = 5s'
    kill -STOP "$(cat "$SLAPD/pid")"
    printf '%s\n' "$PASSWORD-alice" |
        "$RESOLVER" --config "$DIR/conf" --check-password=alice >"$DIR/out" 2>&1 3>&- &
    until_true 6 checker_of $!
    pid=$(checker_of $!)
    must_not grep -aq -e "$PASSWORD-alice" "/proc/$pid/cmdline" "/proc/$!/cmdline"
    if [ "$(id -u)" -eq 0 ]; then
        must_not grep -aq -e "$PASSWORD-alice" "/proc/$pid/environ" "/proc/$!/environ"
    fi
    grep -q '^Max core file size *0 *0 ' "/proc/$pid/limits"
    kill -CONT "$(cat "$SLAPD/pid")"
    wait $! || true
    grep -q right "$DIR/out"
    must_not grep -rqa -e "$PASSWORD-alice" "$SLAPD/log" "$DIR"
}

@test "threat: nobody but root can read a process that has a password, not even its own user" {
    local user=(env) pid

    # As root all is root's.
    [ "$(id -u)" -ne 0 ] || user=(setpriv --reuid nobody --regid nogroup --clear-groups)
    mkfifo "$DIR/question"
    install -m 0755 "$CHECKER" "$WORK/bin/checker"
    "${user[@]}" "$WORK/bin/checker" 0<>"$DIR/question" >"$DIR/out" 2>&1 3>&- &
    pid=$!
    until_true 4 reads "$pid"
    [ "$(stat -c %U "/proc/$pid/environ")" = root ]
    kill "$pid"
}

# It waits for its question.
reads() {
    [ "$(cat "/proc/$1/comm")" = checker ] && grep -q '^State:.*sleeping' "/proc/$1/status"
}

checker_of() {
    pgrep -P "$1" -x authserver-pass
}

@test "password: authserverctl check tells what is missing, with its line" {
    "$BUILT/authserver-resolver" --config "$DIR/conf" --check
    configure_ldap "ca-file = \"$DIR/none\""
    run "$BUILT/authserverctl" check --config "$DIR/conf" -d "$DIR/tokens"
    [ "$status" -eq 1 ]
    says "$DIR/conf:"
    says "password: ca-file: $DIR/none"
    printf 'password "pam" {\n    service = "none-such"\n}\n' >"$DIR/conf"
    run "$BUILT/authserverctl" check --config "$DIR/conf" -d "$DIR/tokens"
    says "$DIR/conf:3: password: /etc/pam.d/none-such: cannot be read"
    configure_ldap 'filter = "(uid={0}"'
    run "$BUILT/authserverctl" check --config "$DIR/conf" -d "$DIR/tokens"
    says 'password: filter: '
}

@test "password: without a section nothing is right" {
    : >"$DIR/conf"
    check 78 alice "$PASSWORD-alice"
    asks "alice $PASSWORD-alice"
    grep -q '^cannot say: the configuration has no section password' "$DIR/out"
}
