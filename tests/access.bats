#!/usr/bin/env bats
# access = "subject": the token file is for the subject's Unix account alone.

load lib/fastcgi

setup_file() {
    fastcgi_init
    need_root
}
teardown_file() { fastcgi_clean; }
setup() {
    fastcgi_begin 'access = "subject"' 'peers = "daemon"'
    rmdir "$TOKENS" # made by the server, with the mode that this access needs
    AS_DAEMON=(setpriv --reuid daemon --regid daemon --clear-groups)
}
teardown() { fastcgi_end; }

# cannot_read COMMAND...: it ends with EACCES.
cannot_read() {
    local status=0

    "$@" cat "$FILE" >"$DIR/out" 2>"$DIR/err" || status=$?
    [ "$status" -ne 0 ]
    [ ! -s "$DIR/out" ]
    grep -q 'Permission denied$' "$DIR/err"
}

as_root_for() {
    printf 'permit root as *\n' >"$DIR/rules"
    configure 'access = "subject"' "policy = \"$DIR/rules\"" "$@"
    serve
}

@test "the subject's account reads the token, and another account gets EACCES" {
    as_root_for
    mints REMOTE_USER=root PATH_INFO=/daemon
    "${AS_DAEMON[@]}" cat "$FILE" >"$DIR/token"
    cmp "$FILE" "$DIR/token"
    cannot_read "${AS_NOBODY[@]}"
    mints REMOTE_USER=root PATH_INFO=/nobody
    cannot_read "${AS_DAEMON[@]}"
    "${AS_NOBODY[@]}" cat "$FILE" >/dev/null
}

@test "a member of the subject's group, or of the file's, reads nothing" {
    as_root_for "group = \"bin\""
    mints REMOTE_USER=root PATH_INFO=/daemon
    cannot_read setpriv --reuid nobody --regid daemon --clear-groups
    cannot_read setpriv --reuid nobody --regid bin --clear-groups
}

@test "the directory lets accounts pass, but list nothing" {
    as_root_for
    mints REMOTE_USER=root PATH_INFO=/daemon
    [ "$(stat -c %a "$TOKENS")" = 711 ]
    refute "${AS_DAEMON[@]}" ls "$TOKENS"
    refute "${AS_DAEMON[@]}" touch "$TOKENS/x"
    refute "${AS_DAEMON[@]}" rm -f "$FILE"
    [ -e "$FILE" ]
}

@test "a service user that may not give files away lets the subject in by an ACL" {
    chown bin "$KEY"
    install -d -o bin -m 0711 "$TOKENS"
    printf 'permit root as *\n' >"$DIR/rules"
    configure 'access = "subject"' "policy = \"$DIR/rules\""
    run_server spawn-fcgi -n -s "$SOCKET" -u bin -g bin -- "$FCGI" --config "$CONF"
    mints REMOTE_USER=root PATH_INFO=/daemon
    [ "$(stat -c %U "$FILE")" = bin ]
    getfacl -cp "$FILE" | grep -qx 'user:daemon:r--'
    "${AS_DAEMON[@]}" cat "$FILE" >/dev/null
    cannot_read "${AS_NOBODY[@]}"
}

@test "threat: a refusal tells whether a user exists" {
    as_root_for
    ask REMOTE_USER=root PATH_INFO=/no-such-account
    refused 403
    there=$BODY
    refute grep -q -i 'account\|exist' <<<"$there"
    logged 'no-such-account has no account'
    [ "$(token_count)" -eq 0 ]
}

@test "under the built-in policy nobody learns of other accounts" {
    configure
    serve
    for subject in daemon no-such-account; do
        ask PATH_INFO="/$subject"
        refused 403 "^alice may not have a token for $subject\$"
    done
}

@test "accounts are known again when who looks them up was killed, or did not answer" {
    local first

    as_root_for
    find_parts
    first=$ACCOUNTS
    mints REMOTE_USER=root PATH_INFO=/daemon
    kill -KILL "$first"
    until_true 10 logged "Process for accounts $first ended by signal 9; starting another"
    until_true 10 mints REMOTE_USER=root PATH_INFO=/daemon
    find_parts
    kill -STOP "$ACCOUNTS"
    { ask REMOTE_USER=root PATH_INFO=/daemon && refused 503; } &
    # Nobody else waits for it.
    for _ in {1..20}; do
        ask PATH_INFO=/-/healthy
        [ "$STATUS" = 200 ]
        gone $! && return 1
    done
    wait $!
    kill -CONT "$ACCOUNTS"
    # The answer that came too late is nobody's.
    mints REMOTE_USER=root PATH_INFO=/nobody
    "${AS_NOBODY[@]}" cat "$FILE" >/dev/null
}
