#!/usr/bin/env bats
# The private key in the memory of authserver.fcgi: who holds it, who can look at it. What of it
# remains where a key was freed is for tests/unit/test_key_remains.c.

bats_require_minimum_version 1.5.0

load lib/fastcgi
load lib/intruder

setup_file() {
    fastcgi_init
    echo 'correct horse battery staple' >"$WORK/passphrase"
    openssl pkcs8 -topk8 -in "$WORK/other" -passout "file:$WORK/passphrase" -out "$WORK/sealed"
    chmod 0600 "$WORK/passphrase" "$WORK/sealed"
}
setup() { fastcgi_begin; }
teardown() {
    intruder_end
    fastcgi_end
}
teardown_file() { fastcgi_clean; }

# holds PID [KEY]: what it has of the key.
holds() { "$BATS_TEST_DIRNAME/lib/intruder.py" holds "$1" "${2:-$WORK/key}" "${@:3}"; }

# none_holds KEY [PASSPHRASE]: no process but the signer.
none_holds() {
    local pid

    for pid in "$MONITOR" "${WORKERS[@]}"; do
        [ -z "$(holds "$pid" "$@")" ] || { echo "$pid: $(holds "$pid" "$@")"; return 1; }
    done
}

# signer_holds STATE KEY [PASSPHRASE]: each number in memory that is neither swapped nor dumped; in
# other memory nothing but the primes, which are in that STATE.
signer_holds() {
    local name state held

    held=$(holds "$SIGNER" "${@:2}")
    for name in d p q dmp1 dmq1 iqmp; do
        grep -qx "$name secure" <<<"$held" || { echo "no $name: $held"; return 1; }
    done
    while read -r name state; do
        [[ $state == secure || "$name $state" == [pq]" $1" ]] || { echo "$held"; return 1; }
    done <<<"$held"
}

# as_root: looks through memory, which a sanitizer has too much of.
as_root() {
    need_root
    not_with any "it has memory that is too large to be searched"
}

@test "the signer alone has the key, in memory that is neither swapped nor dumped" {
    as_root
    serve
    find_parts
    mints
    signer_holds loose "$WORK/key"
    none_holds "$WORK/key"
}

@test "of a key with a passphrase no other process has anything, nor of the file" {
    as_root
    install -m 0600 "$WORK/sealed" "$DIR/key"
    configure "passphrase-file = \"$WORK/passphrase\""
    serve
    find_parts
    mints
    signer_holds loose "$WORK/sealed" 'correct horse battery staple'
    none_holds "$WORK/sealed" 'correct horse battery staple'
}

@test "without a limit of locked memory nothing of the key can be swapped" {
    as_root
    prlimit --memlock=unlimited true 2>/dev/null || skip "the limit cannot be lifted here"
    run_server prlimit --memlock=unlimited spawn-fcgi -n -s "$SOCKET" -- "$FCGI" --config "$CONF"
    find_parts
    mints
    signer_holds locked "$WORK/key"
}

@test "a signer that came in another's place has the key as the first one had" {
    local first

    as_root
    serve
    find_parts
    mints
    first=$SIGNER
    kill -KILL "$first"
    until_true 10 gone "$first"
    until_true 10 mints
    find_parts
    signer_holds loose "$WORK/key"
    none_holds "$WORK/key"
}

@test "when the generation before has ended no process has the old key" {
    local first

    as_root
    serve
    find_parts
    mints
    first=$SIGNER
    install -m 0600 "$WORK/other" "$DIR/key"
    kill -HUP "$MONITOR"
    until_true 10 logged ' Reloaded$'
    until_true 20 gone "$first"
    find_parts
    mints
    signer_holds loose "$WORK/other"
    none_holds "$WORK/other"
    none_holds "$WORK/key"
    [ -z "$(holds "$SIGNER" "$WORK/key")" ]
}

@test "that a library has kept OpenSSL from cleansing what it frees is said" {
    run_server env LD_PRELOAD="$WORK/early.so" ASAN_OPTIONS=verify_asan_link_order=0 \
        "$FCGI" --config "$CONF" --socket "$SOCKET"
    logged ' Parts of the private key may stay in freed memory: .*(see LD_PRELOAD)$'
    mints
    stop
    rm "$LOG"
    serve
    refute logged 'freed memory'
}

@test "threat: the same user can neither trace, read nor dump our processes" {
    local pid

    not_with address "its leak checker traces our processes"
    chmod 0711 "$DIR"
    intruder_begin "$DIR"
    [ "$(id -u)" -ne 0 ] || chown -R nobody "$DIR"
    run_server "${AS_USER[@]}" "$FCGI" --config "$CONF" --socket "$SOCKET"
    find_parts
    mints
    untouchable "$MONITOR" "$SIGNER" "${WORKERS[@]}"
    for pid in "$MONITOR" "$SIGNER" "${WORKERS[@]}"; do
        [ "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$pid/limits")" = "0 0" ]
        [ "$(cat "/proc/$pid/coredump_filter")" = 00000000 ]
    done
    mints
}
