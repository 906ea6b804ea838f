#!/usr/bin/env bats
# The Debian package, and the units, on a machine that boots: INSTALL's sections about the
# package are done as they stand, in their order. A later test goes on where the one before
# ended. AUTHSERVER_BUILD names the build folder.
#
# PACKAGE is a folder with a package that was built before; without it one is made of what the
# build folder has. MACHINE_ROOT is a root file system to do it in ("make check-machine").

load lib/quick
load lib/documents
load lib/machine

setup_file() {
    local version

    quick
    SOURCE=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    BUILD=$(cd "${AUTHSERVER_BUILD:-$SOURCE/build}" && pwd)
    DOCS=$BATS_FILE_TMPDIR/docs
    export SOURCE BUILD DOCS PACKAGE
    unset MAKEFLAGS MFLAGS MAKELEVEL
    mkdir "$DOCS"
    extract INSTALL
    if [ -z "${PACKAGE:-}" ]; then
        PACKAGE=$BATS_FILE_TMPDIR/package
        version=$("$BUILD/authserverctl" --version)
        "$SOURCE/deploy/debian/build" "${version##* }" "$PACKAGE" "$BUILD" >&2 3>&-
    fi
    if ! NO_MACHINE=$(machine_start "$BATS_FILE_TMPDIR/machine" 3>&-); then
        export NO_MACHINE
        return 0
    fi
    NO_MACHINE=
    MACHINE=$BATS_FILE_TMPDIR/machine
    export NO_MACHINE MACHINE
    inside mkdir -p authserver/build/deb
    tar -C "$PACKAGE" -c --exclude='*dbgsym*' . | inside tar -C /root/authserver/build/deb -x
    inside useradd -m alice
}

teardown_file() {
    [ -n "$NO_MACHINE" ] || machine_stop
}

setup() {
    quick
}

needs_machine() {
    [ -z "$NO_MACHINE" ] || skip "$NO_MACHINE"
}

# follow SECTION: its commands, as whom they are for, in the folder of the sources. What they
# print is in $BATS_TEST_TMPDIR/output.
follow() {
    local file text found=

    needs_machine
    : >"$BATS_TEST_TMPDIR/output"
    for file in "$DOCS"/INSTALL/*.section; do
        [ "$(<"$file")" = "$1" ] || continue
        found=yes
        file=$(echo "${file%.section}".[ru]*)
        text=$(sed 's/PASSWORD/a-password/g' "$file")
        echo "+ $text"
        case $text in
        'make deb' | 'apt-get update') continue ;; # done, and there is no network
        apt-get\ *) text="apt-get -q -y ${text#apt-get }" ;;
        esac
        # htpasswd asks twice.
        printf '%s\n' a-password a-password |
            inside timeout 120 setsid -w bash -c "cd authserver && $text" \
                >>"$BATS_TEST_TMPDIR/output" 2>&1 || {
            echo "exit status $?"
            cat "$BATS_TEST_TMPDIR/output"
            inside journalctl --no-pager -q -n 30
            return 1
        }
    done
    [ -n "$found" ]
}

until_true() { # SECONDS COMMAND...
    local i
    for ((i = 0; i < $1 * 5; i++)); do
        "${@:2}" >/dev/null 2>&1 && return 0
        sleep 0.2
    done
    return 1
}

must_not() {
    if "$@"; then
        echo "should have failed: $*"
        return 1
    fi
}

ask() { inside curl -s -u alice:a-password "http://127.0.0.1:5001$1"; }
gets_token() { inside test -f "$(ask /alice)"; }
no_tokens() { [ -z "$(inside ls /run/authserver/tokens)" ]; }

# A line of configuration, and the service with it.
configure() {
    printf '%s\n' "$@" | inside tee -a /etc/authserver/authserver.conf >/dev/null
    inside systemctl restart authserver.service
    until_true 10 ask /-/ready
}

@test "lintian has no errors to tell of the package and its source package" {
    type -P lintian >/dev/null || skip 'needs lintian'
    [ -e "$(echo "$PACKAGE"/authserver_*.dsc)" ]
    lintian --allow-root --fail-on error "$PACKAGE"/authserver_*.dsc "$PACKAGE"/authserver_*.deb
}

@test "every unit is exposed at most 1.5" {
    local unit

    for unit in "$SOURCE"/deploy/systemd/*.service; do
        systemd-analyze security --offline=true --threshold=15 "$unit" >"$BATS_TEST_TMPDIR/log" || {
            tail -n 1 "$BATS_TEST_TMPDIR/log"
            return 1
        }
    done
}

@test "a fresh install, and three commands: tokens through nginx, which are deleted" {
    local next

    needs_machine
    inside bash -c 'apt-get -q -y install ./authserver/build/deb/authserver_*.deb' \
        >"$BATS_TEST_TMPDIR/fresh" 2>&1 || {
        cat "$BATS_TEST_TMPDIR/fresh"
        return 1
    }
    # Nothing secret was made, nothing listens, and the next command is said.
    [ -z "$(inside ls -A /etc/authserver/keys)" ]
    [ "$(inside stat -c %s:%a:%G /etc/authserver/htpasswd)" = 0:640:www-data ]
    must_not inside systemctl --quiet is-active authserver.socket
    must_not inside systemctl --quiet is-active authserver.service
    [ -z "$(inside systemctl --failed --no-legend)" ]
    next=$(cat "$DOCS"/INSTALL/*.root | grep -m 1 '^authserverctl rotate')
    grep -qF "    $next" "$BATS_TEST_TMPDIR/fresh" || {
        cat "$BATS_TEST_TMPDIR/fresh"
        return 1
    }

    follow 'The Debian package'
    grep -qE '/run/authserver/tokens/alice\.[0-9]{19}\.token$' "$BATS_TEST_TMPDIR/output"
    gets_token
    [ "$(inside curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:5001/alice)" = 401 ]
    until_true 15 no_tokens
}

@test "the installed units are such as systemd-analyze verify says nothing of" {
    needs_machine
    run inside bash -c 'systemd-analyze verify --recursive-errors=yes --man=yes \
        /lib/systemd/system/authserver*.*'
    [ -z "$output" ]
}

@test "Apache in the place of nginx" {
    follow 'The Debian package: Apache'
    gets_token
    [ "$(inside curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:5001/alice)" = 401 ]
}

@test "after a reboot there are tokens" {
    needs_machine
    machine_reboot
    until_true 10 gets_token
    [ -z "$(inside systemctl --failed --no-legend)" ]
}

# Of Landlock, what runs the machine may leave nothing.
@test "the unit leaves the service its own sandbox" {
    local answer

    answer=$(ask /-/ready)
    [[ $answer == *'"sandbox":"seccomp: on; Landlock: '* ]] || { echo "$answer"; return 1; }
}

@test "an upgrade loses no request" {
    local pid

    needs_machine
    # shellcheck disable=SC2016
    inside timeout 90 bash -c 'until [ -e /run/upgraded ]; do
        curl -s -o /dev/null -w "%{http_code}\n" -u alice:a-password http://127.0.0.1:5001/alice
        sleep 0.1
    done' >"$BATS_TEST_TMPDIR/answers" 3>&- &
    pid=$!
    until_true 10 test -s "$BATS_TEST_TMPDIR/answers"
    # The same one again is an upgrade for its scripts.
    inside sed -i 's/^## max-age.*/max-age = 5s/' /etc/authserver/authserver.conf
    inside bash -c 'dpkg --force-confold -i authserver/build/deb/authserver_*.deb' \
        >"$BATS_TEST_TMPDIR/upgrade" 2>&1 || {
        cat "$BATS_TEST_TMPDIR/upgrade"
        return 1
    }
    follow 'The Debian package: upgrade'
    inside touch /run/upgraded
    wait "$pid"
    [ "$(sort -u "$BATS_TEST_TMPDIR/answers")" = 200 ]
    inside grep -qx 'max-age = 5s' /etc/authserver/authserver.conf
    must_not grep -q 'no key yet' "$BATS_TEST_TMPDIR/upgrade"
}

@test "in its unit: groups of the host and of scripts, files for the subject alone" {
    local path

    needs_machine
    inside mkdir -p /opt/scripts
    printf '%s\n' '#!/bin/sh' "echo '{\"groups\": [\"scripted\"]}'" |
        inside tee /opt/scripts/more >/dev/null
    inside chmod 0755 /opt/scripts/more
    configure 'access = "subject"' 'profile "groups" { groups = true }' \
        'groups {' 'resolvers = { "unix", "script" }' 'mode = merge' 'script { files = { "more" } }' '}'
    # As the comment in authserver.tmpfiles has it.
    inside bash -c 'sed "s/0750/0711/" /usr/lib/tmpfiles.d/authserver.conf >/etc/tmpfiles.d/authserver.conf &&
        systemd-tmpfiles --create authserver.conf'
    path=$(ask '/alice?profile=groups')
    inside setpriv --reuid=alice --regid=alice --init-groups cat "$path" >"$BATS_TEST_TMPDIR/token"
    must_not inside setpriv --reuid=www-data --regid=www-data --init-groups cat "$path"
    "$BUILD/authserverctl" decode "$BATS_TEST_TMPDIR/token" >"$BATS_TEST_TMPDIR/claims"
    jq -e '.claims.groups | index("alice") and index("scripted")' "$BATS_TEST_TMPDIR/claims"
}

@test "in its unit: the state directory, the audit log and its rotation" {
    needs_machine
    configure 'state = "/var/lib/authserver"' 'audit = "/var/log/authserver/audit.log"'
    gets_token
    [ "$(inside stat -c %a:%U /var/log/authserver/audit.log)" = 640:authserver ]
    inside jq -e '.subject == "alice"' /var/log/authserver/audit.log
    inside mv /var/log/authserver/audit.log /var/log/authserver/audit.log.1
    rotated
    until_true 5 inside test -e /var/log/authserver/audit.log
}

@test "in its unit: passwords of the host by PAM" {
    needs_machine
    inside bash -c 'echo alice:of-the-host | chpasswd
        printf "%s\n" "auth required pam_unix.so" "account required pam_unix.so" >/etc/pam.d/authserver
        adduser --quiet authserver shadow'
    # Tries are counted in the state directory of the test before.
    configure 'grants = { "password" }' 'password "pam" { delay = 0 }'
    inside curl -s -u alice:a-password http://127.0.0.1:5001/oauth2/token \
        -d grant_type=password -d username=alice -d password=of-the-host >"$BATS_TEST_TMPDIR/right"
    jq -e .access_token "$BATS_TEST_TMPDIR/right"
    inside curl -s -u alice:a-password http://127.0.0.1:5001/oauth2/token \
        -d grant_type=password -d username=alice -d password=another >"$BATS_TEST_TMPDIR/wrong"
    jq -e '.error == "invalid_grant"' "$BATS_TEST_TMPDIR/wrong"
}

@test "in its unit: the local socket, by the drop-in" {
    needs_machine
    inside mkdir -p /etc/systemd/system/authserver.service.d
    inside cp /usr/share/authserver/systemd/drop-ins/authserver.service/local-socket.conf \
        /etc/systemd/system/authserver.service.d/
    inside systemctl daemon-reload
    inside systemctl restart authserver.service
    until_true 10 inside test -S /run/authserver/peer.sock
    inside setpriv --reuid=alice --regid=alice --init-groups authserver-token |
        grep -q '^eyJ'
}

@test "in its unit: a key that is root's alone, and one that is encrypted on the disk" {
    local drop_ins=/usr/share/authserver/systemd/drop-ins

    needs_machine
    inside bash -c 'install -D -m 0400 /etc/authserver/keys/*.pem /etc/credstore/authserver.key &&
        rm -r /etc/authserver/keys &&
        sed -i "s,^private-key.*,private-key = \"/run/credentials/authserver.service/authserver.key\"," \
            /etc/authserver/authserver.conf'
    inside systemctl restart authserver.service
    until_true 10 gets_token
    # As root did for the comment in the drop-in.
    inside bash -c 'mkdir /etc/credstore.encrypted &&
        systemd-creds --with-key=host encrypt --name=authserver.key /etc/credstore/authserver.key \
            /etc/credstore.encrypted/authserver.key && rm /etc/credstore/authserver.key'
    inside cp "$drop_ins/authserver.service/encrypted-key.conf" /etc/systemd/system/authserver.service.d/
    inside systemctl daemon-reload
    inside systemctl restart authserver.service
    until_true 10 gets_token
}

@test "the reaper and the keeper, by timers" {
    needs_machine
    inside bash -c 'install -d -o authserver -g authserver -m 0700 /etc/authserver/keys &&
        authserverctl rotate --config=/etc/authserver/authserver.conf --set=private-key=/etc/authserver/keys &&
        sed -i "s,^private-key.*,private-key = \"/etc/authserver/keys\"," /etc/authserver/authserver.conf'
    configure 'keep "svc" { file = "/run/authserver-keep/svc.token" account = none }'
    gets_token
    inside systemctl start authserver-reap-pass.timer authserver-keep-pass.timer
    must_not inside systemctl --quiet is-active authserver-reap.service
    sleep 5
    inside systemctl start authserver-reap-pass.service authserver-keep-pass.service
    until_true 5 no_tokens
    inside grep -q '^eyJ' /run/authserver-keep/svc.token
    inside systemctl start authserver-keep.service
    inside systemctl --quiet is-active authserver-keep.service
    # A file for another account, by the drop-in.
    inside bash -c 'mkdir /etc/systemd/system/authserver-keep.service.d &&
        cp /usr/share/authserver/systemd/drop-ins/authserver-keep.service/owners.conf \
            /etc/systemd/system/authserver-keep.service.d/ && systemctl daemon-reload'
    configure 'keep "alice" { file = "/run/authserver-keep/alice.token" owner = "alice" mode = 0400 }'
    inside systemctl restart authserver-keep.service
    until_true 10 inside test -e /run/authserver-keep/alice.token
    [ "$(inside stat -c %U:%a /run/authserver-keep/alice.token)" = alice:400 ]
    # Its audit log is rotated, too; here nobody else writes it.
    inside systemctl stop authserver.socket authserver.service
    inside rm -f /var/log/authserver/audit.log
    inside systemctl reload authserver-keep.service
    until_true 10 inside test -e /var/log/authserver/audit.log
    inside mv /var/log/authserver/audit.log /var/log/authserver/audit.log.2
    rotated
    until_true 10 inside test -e /var/log/authserver/audit.log
}

# What logrotate does when it has moved the files.
rotated() {
    inside bash -c "$(sed -n '/postrotate/,/endscript/{/postrotate\|endscript/!p}' \
        "$SOURCE/deploy/logrotate/authserver")"
}

@test "bash completes flags and commands" {
    needs_machine
    # shellcheck disable=SC2016
    run inside bash -c '. /usr/share/bash-completion/completions/authserverctl
        COMP_WORDS=(authserverctl ro) COMP_CWORD=1; _authserver authserverctl; echo "${COMPREPLY[*]}"
        COMP_WORDS=(authserverctl keys --js) COMP_CWORD=2; _authserver authserverctl; echo "${COMPREPLY[*]}"
        COMP_WORDS=(authserver-reap --wa) COMP_CWORD=1; _authserver authserver-reap; echo "${COMPREPLY[*]}"'
    [ "$output" = $'rotate\n--json\n--watch' ]
}

@test "zsh completes flags, commands and files" {
    needs_machine
    inside test -x /bin/zsh || skip 'needs zsh'
    # What it is given to choose from, of which zsh itself takes what fits.
    # shellcheck disable=SC2016
    run inside zsh -f -c 'autoload -Uz compinit _authserver
        compinit -u -d /run/zcompdump && print $_comps[authserver-keep]
        compadd() { print -r -- "$@"; }
        compset() { PREFIX=${PREFIX#${~2}}; }
        _files() { print files $PREFIX; }
        words=(authserverctl ro) CURRENT=2 PREFIX=ro; _authserver
        words=(authserverctl keys --js) CURRENT=3 PREFIX=--js; _authserver
        words=(authserver-reap --config=/etc/a) CURRENT=2 PREFIX=--config=/etc/a; _authserver'
    echo "$output"
    [ "${lines[0]}" = _authserver ]
    [[ ${lines[1]} == *' keys rotate '* ]]
    [[ ${lines[2]} == '-S  -- '*'--config= '* ]]
    [[ ${lines[3]} == '-- '*'--json '* ]]
    [ "${lines[4]}" = 'files /etc/a' ]
}

# What has our name, but for the pages that man(1) keeps: one file a line.
ours() {
    inside find / -xdev \( -path /proc -o -path /sys -o -path /tmp -o -path /root -o -path /work \
        -o -path /var/cache/man \) -prune -o -name '*authserver*' -print
    inside find /run -name '*authserver*'
    inside grep -rlI authserver /etc /var/lib/apache2 /var/lib/dpkg /var/lib/systemd
}

@test "removed: nothing runs, the keys stay; purged: nothing stays but the account" {
    local left

    # What the tests above wrote goes as they wrote it.
    inside rm -r /etc/pam.d/authserver /etc/tmpfiles.d/authserver.conf \
        /etc/credstore.encrypted/authserver.key
    inside find /etc/systemd/system -path '*authserver*.service.d*' -delete
    follow 'The Debian package: removal'
    inside systemctl --quiet is-active apache2
    left=$(inside systemctl list-units --all --plain --no-legend 'authserver*')
    echo "$left"
    [ -z "$left" ]
    left=$(ours | grep -vE '^/etc/(passwd|group|g?shadow)-?$' || true)
    echo "$left"
    [ -z "$left" ]
    inside getent passwd authserver
}
