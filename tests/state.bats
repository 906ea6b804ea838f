#!/usr/bin/env bats
# The state directory as an operator meets it: authserverctl revoke, what it means to the service,
# and the reaper's sweeps. AUTHSERVER_BUILD names the build folder.

load lib/quick
load lib/sanitizers

setup_file() {
    quick
    BUILD=$(cd "${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}" && pwd)
    WORK=$BATS_FILE_TMPDIR
    export BUILD WORK
    openssl genpkey -quiet -algorithm ED25519 -out "$WORK/key.pem"
    chmod 0600 "$WORK/key.pem"
}

setup() {
    quick
    umask 022
    # Its real path: a state directory is refused that is reached through a link.
    DIR=$(realpath "$(mktemp -d "${TMPDIR:-/tmp}/authserver-state.XXXXXX")")
    STATE=$DIR/state
    REVOKED=$STATE/revoked
    mkdir -m 0700 "$STATE" "$STATE/refresh" "$REVOKED"
    mkdir -m 0750 "$DIR/tokens"
    cat >"$DIR/conf" <<END
directory = "$DIR/tokens"
private-key = "$WORK/key.pem"
algorithm = EdDSA
issuer = "https://auth.example.org"
group = "$(id -gn)"
state = "$STATE"
END
    WATCHER=
}

teardown() {
    if [ -n "$WATCHER" ]; then
        kill "$WATCHER" 2>/dev/null || true
        wait "$WATCHER" || true
    fi
    rm -rf "$DIR"
}

ctl() { "$BUILD/authserverctl" "$@"; }

# revoke STATUS ARGUMENT...: its output, standard error too, is $output.
revoke() {
    local wanted=$1

    shift
    status=0
    output=$(ctl revoke --config "$DIR/conf" "$@" 2>&1) || status=$?
    [ "$status" -eq "$wanted" ] || { echo "exit status $status: $output"; return 1; }
}

says() { [[ $output == *"$1"* ]] || { echo "$output"; return 1; }; }

# mint FILE ARGUMENT...: a token in a file, each with an identifier of its own.
mint() { ctl mint --config "$DIR/conf" "${@:2}" >"$1"; }

# Whether the service takes the token in a file.
valid() {
    env -i "AUTHSERVER_CONFIG=$DIR/conf" REQUEST_METHOD=GET HTTP_HOST=localhost \
        PATH_INFO=/api/authorize "HTTP_AUTHORIZATION=Bearer $(<"$1")" \
        "$BUILD/authserver.cgi" 2>"$DIR/log" | grep -q '^Status: 204'
}
invalid() { ! valid "$1" && grep -q revoked "$DIR/log"; }

entries() { find "$REVOKED" -mindepth 1 | wc -l; }

# --- authserverctl revoke ----------------------------------------------------------

@test "a token that is revoked is taken no more, and others are" {
    mint "$DIR/one" alice
    mint "$DIR/two" alice
    valid "$DIR/one"
    revoke 0 "$DIR/one"
    [ "$(wc -l <<<"$output")" -eq 1 ]
    [[ $output =~ ^"Revoked: token "[A-Za-z0-9_-]{22}", issuer https://auth.example.org, remembered until "2.*Z$ ]]
    invalid "$DIR/one"
    valid "$DIR/two"
    # Once more is fine, and from standard input.
    revoke 0 - <"$DIR/one"
    revoke 0 - <"$DIR/two"
    invalid "$DIR/two"
    [ "$(entries)" -eq 2 ]
}

@test "nothing of the token is in what is printed and kept" {
    mint "$DIR/one" alice
    revoke 0 "$DIR/one"
    [[ $output != *"$(cut -d. -f2 "$DIR/one")"* ]]
    [[ $output != *"$(cut -d. -f3 "$DIR/one")"* ]]
    [ "$(cat "$REVOKED"/* | tr -d '0-9 \n')" = "" ]
    [ "$(stat -c %a "$REVOKED"/*)" = 600 ]
}

@test "a token that is not valid here is refused unless it is forced" {
    local other=$DIR/other.pem

    openssl genpkey -quiet -algorithm ED25519 -out "$other"
    chmod 0600 "$other"
    mint "$DIR/theirs" alice --private-key="$other"
    revoke 1 "$DIR/theirs"
    says 'not revoked (--force does so all the same)'
    [ "$(entries)" -eq 0 ]
    revoke 0 --force "$DIR/theirs"
    says 'Revoked: token '
    [ "$(entries)" -eq 1 ]
    echo 'eyJ.not.token' >"$DIR/junk"
    revoke 1 --force "$DIR/junk"
    says 'not a token'
    echo 'junk' >"$DIR/junk"
    revoke 1 "$DIR/junk"
    says 'neither a token nor a refresh token'
    [ "$(entries)" -eq 1 ]
}

@test "--jti revokes by the identifier that the log and the audit log have" {
    local jti

    mint "$DIR/one" alice
    mint "$DIR/two" alice
    jti=$(ctl decode "$DIR/one" 2>/dev/null | sed -n 's/.*"jti": "\(.*\)".*/\1/p')
    revoke 0 --jti "$jti" --issuer https://other.example.org
    valid "$DIR/one"
    revoke 0 --jti "$jti"
    says "Revoked: token $jti, issuer https://auth.example.org, remembered until "
    invalid "$DIR/one"
    valid "$DIR/two"
}

@test "--subject revokes all that the subject had, and not what it gets later" {
    mint "$DIR/one" alice
    mint "$DIR/bob" bob
    revoke 0 --subject alice --before 2020-01-01T00:00:00Z
    valid "$DIR/one"
    revoke 0 --subject alice
    says 'Revoked: all of alice up to '
    invalid "$DIR/one"
    valid "$DIR/bob"
    # "iat" is in seconds: the next one is safely after.
    pause 1.1
    mint "$DIR/two" alice
    valid "$DIR/two"
    [ "$(entries)" -eq 1 ]
}

@test "a revocation is remembered for as long as what it is about may be valid" {
    local day=86400 now

    now=$(date +%s)
    revoke 0 --jti x
    [ "$(cut -d' ' -f1 "$REVOKED"/token.* | sed 's/^0*//')" -ge $((now + day)) ]
    revoke 0 --subject alice
    [ "$(cut -d' ' -f1 "$REVOKED"/subject.* | sed 's/^0*//')" -ge $((now + 30 * day)) ]
    revoke 0 --jti x --expires 2099-12-31T23:59:59Z
    says 'remembered until 2099-12-31T23:59:59Z'
    [ "$(cut -d' ' -f1 "$REVOKED"/token.*)" = 0000000004102444799 ]
}

@test "flags that say nothing, or too much, are a matter of usage" {
    mint "$DIR/one" alice
    revoke 64
    revoke 64 --jti x --subject alice
    revoke 64 --jti x "$DIR/one"
    revoke 64 --jti x --before 2020-01-01T00:00:00Z
    revoke 64 --issuer x "$DIR/one"
    revoke 64 --force --jti x
    revoke 64 --jti ''
    revoke 64 --subject ''
    for time in tomorrow 2020-01-01 2020-01-01T00:00:00 2020-02-30T00:00:00Z 2020-1-01T00:00:00Z \
        ' 2020-01-01T00:00:00Z' 2020-01-01T00:00:00Zx 1969-01-01T00:00:00Z; do
        revoke 64 --subject alice --before "$time"
        says 'is not a time such as'
    done
    [ "$(entries)" -eq 0 ]
}

@test "a state directory that is not there, or not private, is said" {
    revoke 78 --jti x --set "state=$DIR/none"
    says "state: $DIR/none: does not exist"
    [ ! -e "$DIR/none" ]
    chmod 0755 "$STATE"
    revoke 78 --jti x
    says "state: $STATE: others may enter it"
    sed -i '/^state/d' "$DIR/conf"
    revoke 78 --jti x
    says "set the key 'state'"
}

@test "root revokes as the owner of the state directory" {
    [ "$(id -u)" -eq 0 ] || skip "takes root"
    chmod 0755 "$DIR"
    chown -R nobody "$STATE"
    # The token and the configuration are root's alone.
    mint "$DIR/one" alice
    chmod 0600 "$DIR/one"
    revoke 0 "$DIR/one"
    [ "$(stat -c %U "$REVOKED"/*)" = nobody ]
}

# --- authserver-reap ---------------------------------------------------------------

# Revocations that expired long ago, and one that has not.
revocations() {
    revoke 0 --jti old --expires 2020-01-01T00:00:00Z
    revoke 0 --subject old --before 2019-01-01T00:00:00Z --expires 2020-01-01T00:00:00Z
    revoke 0 --jti live
}

reap() { "$BUILD/authserver-reap" "$@" 2>&1; }

@test "the reaper deletes what expired more than a day ago in the state directory" {
    revocations
    run reap --config "$DIR/conf" --dry-run
    [[ $output == *"Would delete, for they have expired, families of refresh tokens: 0, of revocations: 2, in $STATE" ]]
    [ "$(entries)" -eq 3 ]
    run reap --config "$DIR/conf" --quiet
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$(entries)" -eq 1 ]
    revoke 0 --jti old --expires "$(date -u -d '-23 hours' +%FT%TZ)"
    run reap --directory "$DIR/tokens" --state "$STATE"
    [ "$status" -eq 0 ]
    [ "$(entries)" -eq 2 ]
}

@test "without --state the reaper leaves the state directory alone, with one that is missing it ends" {
    revocations
    run reap --directory "$DIR/tokens"
    [ "$status" -eq 0 ]
    [ "$(entries)" -eq 3 ]
    run reap --directory "$DIR/tokens" --state "$DIR/none"
    [ "$status" -eq 78 ]
    [[ $output == *"state: $DIR/none: does not exist"* ]]
    [ ! -e "$DIR/none" ]
}

@test "the reaper that watches sweeps the state directory too" {
    revocations
    "$BUILD/authserver-reap" --watch --config "$DIR/conf" 2>"$DIR/log" 3>&- &
    WATCHER=$!
    until_true 5 grep -q "revocations: 2, in $STATE" "$DIR/log"
    [ "$(entries)" -eq 1 ]
}

@test "what it sweeps leaves the reaper small" {
    not_with any "what it is told there links cryptography"
    # What these take would be more than all the rest.
    [[ $(ldd "$BUILD/authserver-reap") != *@(libcrypto|libjansson)* ]]
}
