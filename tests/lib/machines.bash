# shellcheck shell=bash
# Throwaway machines: an overlay of the root file system in namespaces of their own for mounts,
# processes and network, so that commands can add users, write /etc and listen on port 5001, and
# nothing of it stays. What runs there is in machine/. SOURCE is the top of the sources, BUILD the
# build folder, DOCS a folder with commands that sections name.
#
# machines_open:    whether there can be any is in HOLDER; makes the one that others begin from
# machines_close

machines_open() {
    mkdir "$DOCS/bin"
    cp "$BATS_TEST_DIRNAME"/lib/machine/{apt-get,man,systemctl} "$DOCS/bin"
    cp "$BATS_TEST_DIRNAME"/lib/machine/{waits,guest,host} "$BATS_TEST_DIRNAME/lib/quick.bash" "$DOCS"
    HOLDER=
    ! machines || hold_base
    export HOLDER
    [ -z "$HOLDER" ] || install_base || true
}

machines_close() {
    [ -z "$HOLDER" ] || kill "$HOLDER"
}

namespaces() {
    timeout 180 unshare --mount --net --pid --fork --kill-child "$@"
}

# Whether there can be such a machine.
machines() {
    [ "$(id -u)" -eq 0 ] && namespaces mount -t tmpfs tmpfs /mnt 2>/dev/null
}

# A process in whose mounts there is the base, which goes with it. Sets HOLDER.
hold_base() {
    mkdir "$BATS_FILE_TMPDIR/base"
    # shellcheck disable=SC2016 # its own
    timeout 1200 unshare --mount bash -c 'mount -t tmpfs tmpfs "$1/base"
        echo $$ >"$1/holder"
        exec sleep infinity' - "$BATS_FILE_TMPDIR" >/dev/null 2>&1 3>&- </dev/null &
    until_true 20 test -s "$BATS_FILE_TMPDIR/holder"
    read -r HOLDER <"$BATS_FILE_TMPDIR/holder"
}

# on_machine FOLDER LOWER SCRIPT: where the base is mounted.
on_machine() {
    timeout 180 nsenter --mount="/proc/$HOLDER/ns/mnt" \
        unshare --mount --net --pid --fork --kill-child bash "$DOCS/host" "$@" 3>&- </dev/null
}

# A machine on which the sections of INSTALL were done that all ways begin with.
install_base() {
    # shellcheck disable=SC2016 # its own
    on_machine "$BATS_FILE_TMPDIR/base" / '
        for name in Packages "Build and install" "Accounts and directories" Key Configuration; do
            section INSTALL "$name"
        done' >"$BATS_FILE_TMPDIR/base.log" 2>&1 &&
        : >"$BATS_FILE_TMPDIR/installed"
}

needs_machines() {
    local tool

    [ -n "$HOLDER" ] || skip "needs root and namespaces: commands are checked by form only"
    for tool in systemd-tmpfiles systemd-analyze systemd-socket-activate adduser; do
        type -P "$tool" >/dev/null || skip "needs $tool: commands are checked by form only"
    done
    [ -e "$BATS_FILE_TMPDIR/installed" ] || {
        cat "$BATS_FILE_TMPDIR/base.log"
        return 1
    }
}

# machine SCRIPT: runs it on a machine that begins as that one ended, after the functions above.
machine() {
    needs_machines
    mkdir "$BATS_TEST_TMPDIR/machine"
    on_machine "$BATS_TEST_TMPDIR/machine" "$BATS_FILE_TMPDIR/base/upper:/" "$1"
}
