#!/usr/bin/env bats
# The documentation tells the truth: README.md, INSTALL and the EXAMPLES of the manual pages are
# done as they stand, the pages name the flags and the keys that there are, and SECURITY.md tests.
# AUTHSERVER_BUILD names the build folder.
#
# A command is a line that begins with "$ " (any user) or "# " (root): in a fenced block of
# README.md, four columns in from the margin of INSTALL, in a display of EXAMPLES. It goes on
# after a backslash or a pipe at the end of a line, and to the end of its here-document.
#
# Commands run in a throwaway machine: an overlay of the root file system in namespaces of their
# own for mounts, processes and network, so that they can add users, write /etc and listen on
# port 5001, and nothing of it stays. That takes root; without it they are checked by form only.

# What even there is not run as it stands. Its form is checked, and what is said here is done.
EMULATED=(
    'apt-get:    the packages that are named are installed already'
    'systemctl:  units are verified, then started, reloaded and stopped without systemd'
    'htpasswd:   the password that it asks for is given'
    'make check, make lint, make bench: the targets exist; they would run this test or take long'
    'The Debian package: done on a machine that boots, by deb.bats'
)

load lib/quick
load lib/documents

setup_file() {
    quick
    SOURCE=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    BUILD=$(cd "${AUTHSERVER_BUILD:-$SOURCE/build}" && pwd)
    DOCS=$BATS_FILE_TMPDIR/docs
    export SOURCE BUILD DOCS
    # What "make" reads of its environment, and what it exports to its children.
    unset MAKEFLAGS MFLAGS MAKELEVEL PREFIX DESTDIR
    mkdir "$DOCS"
    cp "$BATS_TEST_DIRNAME/lib/quick.bash" "$DOCS"
    mkfifo "$DOCS/pause"
    extract_all
    write_stubs
    write_guest
    HOLDER=
    ! machines || hold_base
    export HOLDER
    [ -z "$HOLDER" ] || install_base || true
    {
        echo "# Checked by form, then emulated:"
        printf '#   %s\n' "${EMULATED[@]}"
    } >&3
}

teardown_file() {
    [ -z "$HOLDER" ] || kill "$HOLDER"
}

setup() {
    quick
    unset MAKEFLAGS MFLAGS MAKELEVEL PREFIX DESTDIR
}

# --- the commands in the documents ------------------------------------------------

extract_all() {
    local page

    extract README.md
    extract INSTALL
    # The others of section 5 have configurations for EXAMPLES, and no commands.
    for page in "$SOURCE"/man/*.[18] "$SOURCE/man/authserver.groups.5"; do
        extract "${page##*/}"
    done
}

# --- the throwaway machine --------------------------------------------------------

# Stand-ins for what needs the network or systemd.
write_stubs() {
    mkdir "$DOCS/bin"
    cat >"$DOCS/bin/apt-get" <<'STUB'
#!/bin/bash
# What it is asked for must be installed.
case $1 in
update) [ $# -eq 1 ] ;;
install)
    shift
    there=$'\n'$(dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null || true)$'\n'
    for package in "$@"; do
        [[ $there != *$'\n'"$package "[!$'\n']*' installed'$'\n'* ]] || continue
        echo "apt-get: $package is not installed: add it to deploy/packages"
        exit 1
    done
    ;;
*) exit 1 ;;
esac
STUB
    cat >"$DOCS/bin/man" <<'STUB'
#!/bin/sh
[ "$1" = -l ] && exec mandoc "$2"
exit 1
STUB
    cat >"$DOCS/bin/systemctl" <<'STUB'
#!/bin/bash
# The few verbs that are shown, without systemd.
. /docs/waits
units='/etc/systemd/system /usr/local/lib/systemd/system'
log=/docs/log
verb=$1
shift
[ "$1" != --now ] || shift

file() { # UNIT: where it is, that of the administrator before the installed one
    local folder
    for folder in $units; do
        [ ! -e "$folder/$1" ] || {
            echo "$folder/$1"
            return
        }
    done
}
key() { # UNIT KEY: the value, continued lines joined; the last one with what is dropped in
    local path line more value=
    for path in "$(file "$1")" "/etc/systemd/system/$1.d"/*.conf; do
        [ -f "$path" ] || continue
        while IFS= read -r line; do
            while [[ $line == *\\ ]] && read -r more; do
                line=${line%\\}$more
            done
            [[ $line != "$2="* ]] || value=${line#*=}
        done <"$path"
    done
    echo "$value"
}
started() { # UNIT: its process
    local pid
    [ -e "/docs/pid/$1" ] && read -r pid <"/docs/pid/$1" && kill -0 "$pid" 2>/dev/null && echo "$pid"
}
drop() { # USER: the words before a command that make it that user's
    echo "setpriv --reuid=$1 --regid=$(id -g "$1") --init-groups"
}
start() {
    local unit=$1 socket path
    socket=$(file "${1%.service}.socket")
    case $unit in
    nginx*) nginx; return ;;
    apache2*) apache2ctl start; return ;;
    fcgiwrap*)
        rm -f /run/fcgiwrap.socket
        spawn-fcgi -s /run/fcgiwrap.socket -M 0660 -U www-data -G www-data -u www-data \
            -- /usr/sbin/fcgiwrap -f
        return
        ;;
    *.socket) return 0 ;; # with its service
    esac
    # shellcheck disable=SC2046,SC2086
    if [ -n "$socket" ]; then
        path=$(key "${socket##*/}" ListenStream)
        rm -f "$path"
        setsid systemd-socket-activate -l "$path" $(drop "$(key "$unit" User)") \
            $(key "$unit" ExecStart) </dev/null >>$log 2>&1 &
        echo $! >"/docs/pid/$unit"
        until_true 5 [ -S "$path" ] || return 1
        chown "$(key "${socket##*/}" SocketUser):$(key "${socket##*/}" SocketGroup)" "$path"
        chmod "$(key "${socket##*/}" SocketMode)" "$path"
        until_true 5 nc -z -U "$path" || return 1
        until_true 5 holds $log Ready
    else
        setsid $(drop "$(key "$unit" User)") $(key "$unit" ExecStart) </dev/null >>$log 2>&1 &
        echo $! >"/docs/pid/$unit"
        pause 0.2
        started "$unit" >/dev/null
    fi
}
stop() {
    local pid
    pid=$(started "$1") || return 0
    kill "$pid"
    until_true 5 ended "$pid"
}

[ -d /docs/pid ] || mkdir /docs/pid
case $verb in
daemon-reload)
    shopt -s nullglob
    # shellcheck disable=SC2086 # folders
    systemd-analyze verify --man=no \
        $(for unit in ${units// //authserver*.* }/authserver*.*; do [ ! -f "$unit" ] || echo "$unit"; done) 2>&1 | grep -E 'authserver.*:' && exit 1
    exit 0
    ;;
enable | start) for unit in "$@"; do start "$unit" || exit 1; done ;;
disable | stop)
    for unit in "$@"; do
        [ -n "$(file "$unit")" ] || exit 1
        stop "$unit" || exit 1
    done
    ;;
reload)
    case $1 in
    nginx) if [ -s /run/nginx.pid ]; then nginx -s reload; else nginx; fi ;;
    *) pid=$(started "$1") && kill -HUP "$pid" ;;
    esac
    ;;
restart)
    case $1 in
    apache2) apache2ctl restart ;;
    authserver*) stop "$1" && : >$log && start "$1" ;;
    *) start "$1" ;;
    esac
    ;;
*) exit 1 ;;
esac
STUB
    chmod 0755 "$DOCS/bin/"*
}

# What runs inside: the functions that a scenario calls, and those that systemctl has, too.
write_guest() {
    cat >"$DOCS/waits" <<'WAITS'
# shellcheck shell=bash
. /docs/quick.bash
BATS_FILE_TMPDIR=/docs

holds() { # FILE TEXT
    local text=

    IFS= read -rd '' text <"$1" || true
    [[ $text == *"$2"* ]]
}

ended() { ! kill -0 -- "$1" 2>/dev/null; }
WAITS
    cat >"$DOCS/guest" <<'GUEST'
# shellcheck shell=bash
. /docs/waits
export PATH=/docs/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
unset XDG_RUNTIME_DIR TMPDIR
server=

as() { # WHO COMMAND...: alice is any user
    case $1 in
    root) HOME=/root "${@:2}" ;;
    user) HOME=/home/alice setpriv --reuid=alice --regid=alice --init-groups "${@:2}" ;;
    esac
}

answers() { listened_at 5001 && curl -s -o /dev/null "http://127.0.0.1:5001/-/healthy"; }

stop_server() {
    [ -n "$server" ] || return 0
    kill -TERM -- "-$server" 2>/dev/null || true
    until_true 30 ended "-$server"
    server=
}

# What stays in the foreground: started in a process group of its own, and waited for until it
# serves.
run_server() { # WHO TEXT
    stop_server
    : >/docs/leader
    chmod 0666 /docs/leader
    as "$1" setsid bash -c "echo \$\$ >/docs/leader"$'\n'"$2" >/docs/server 2>&1 </dev/null &
    until_true 10 test -s /docs/leader
    read -r server </docs/leader
    until_true 20 serving "$2" || {
        cat /docs/server
        return 1
    }
    # The demo makes a new password each time.
    password=$(sed -n 's,.*//demo:\([^@]*\)@.*,\1,p' /docs/server)
}

serving() { # TEXT
    case $1 in
    *authserver.fcgi*) holds /docs/server Ready ;;
    *--watch*) running '*authserver-reap*' ;;
    *) answers ;;
    esac
}

# Which commands are servers that stay, and how those begin that only speak of one.
readonly NEWLINE=$'\n'
readonly SERVERS="${NEWLINE}make run$NEWLINE|$NEWLINE([^ $NEWLINE]*/)?authserver [^$NEWLINE]*(-k|--private-key)\
|authserver\\.fcgi --socket|authserver-reap [^$NEWLINE]*--watch"
readonly MENTIONS="$NEWLINE(cat|echo|spawn-fcgi) "

is_server() { # TEXT
    [[ $NEWLINE$1$NEWLINE =~ $SERVERS && ! $NEWLINE$1 =~ $MENTIONS ]]
}

run_command() { # FILE
    local text output who=${1##*.} status=0

    IFS= read -rd '' text <"$1" || true
    text=${text%"$NEWLINE"}
    echo "+ $text"
    case $text in
    'make check' | 'make lint' | 'make bench' | 'make fuzz' | 'make overload' | 'make deb' | \
        'make soak MINUTES=10' | 'make check-keep')
        text=${text#make }
        as "$who" make -n "${text%% *}" >/dev/null
        return
        ;;
    esac
    text=${text//PASSWORD/"${password:-PASSWORD}"}
    if is_server "$text"; then
        run_server "$who" "$text"
        return
    fi
    # htpasswd asks twice.
    as "$who" bash -c "$text" <<<"PASSWORD${NEWLINE}PASSWORD" >/docs/output 2>&1 || status=$?
    IFS= read -rd '' output </docs/output || true
    if [ "$status" -ne 0 ]; then
        echo "exit status $status"
        printf %s "$output"
        cat /docs/log 2>/dev/null
        tail -n 5 /var/log/nginx/error.log /var/log/apache2/error.log 2>/dev/null
        return 1
    fi
    printf %s "${output:0:600}"
    printf %s "$output" >>/docs/outputs
}

section() { # DOCUMENT SECTION
    local file name command found=

    for file in /docs/"$1"/*.section; do
        read -r name <"$file"
        [ "$name" = "$2" ] || continue
        found=yes
        for command in "${file%.section}".[ru]*; do
            run_command "$command" || exit 1
        done
    done
    [ -n "$found" ] || {
        echo "$1 has no commands in a section '$2'"
        exit 1
    }
}

check_it_works() {
    : >/docs/outputs
    until_true 10 answers
    section INSTALL 'Check that it works'
    output_has '^eyJ'
    output_has '"sub":"alice"'
    output_has 'alice may not have a token for bob'
    output_has 'send a user name and password that '
}

output_has() {
    grep -qE "$1" /docs/outputs || {
        echo "not in the output: $1"
        cat /docs/outputs
        exit 1
    }
}

# Who shows a token gets a file, and nobody else.
believes_tokens() {
    local token

    install -d -m 0755 /srv/authserver/files
    echo shown >/srv/authserver/files/index.html
    token=$(cat "$(curl -s -u alice:PASSWORD http://127.0.0.1:5001/alice)")
    until_true 10 shows "$token"
    [ "$(curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1:5002/files/)" = 401 ]
}

shows() { # TOKEN
    curl -s -H "Authorization: Bearer $1" http://127.0.0.1:5002/files/ | grep -qx shown
}

# Files go at an age of one second, so that this does not take ten.
soon() { echo 'max-age = 1s' >>/etc/authserver/authserver.conf; }

must_not() {
    if "$@"; then
        echo "should have failed: $*"
        return 1
    fi
}

# A token by the CGI program, with a key of this folder.
signs() { # FILE ALGORITHM
    chmod 0600 "$1"
    env REQUEST_METHOD=GET PATH_INFO=/alice HTTP_HOST=localhost AUTH_TYPE=Basic REMOTE_USER=alice \
        /usr/local/lib/authserver/authserver.cgi -k "$1" -a "$2" -d /tmp/signs |
        grep -q "^Status: 200"
}

no_tokens() { [ -z "$(ls /run/authserver/tokens)" ]; }
GUEST
    cat >"$DOCS/host" <<'HOST'
# host FOLDER LOWER SCRIPT: SCRIPT in a machine below FOLDER, which is empty: an overlay of LOWER,
# folders with colons between. The base is made when LOWER is this machine's root alone.
set -e
at=$1 lower=$2 script=$3 root=$1/root
ip link set lo up
[ "$lower" = / ] || mount -t tmpfs tmpfs "$at"
mkdir "$at/upper" "$at/work" "$root"
# Of /tmp and /run nothing of what this machine has made of it.
cat >"$at/fstab" <<FSTAB
overlay $root overlay lowerdir=$lower,upperdir=$at/upper,workdir=$at/work
proc $root/proc proc defaults
/dev $root/dev none rbind
/sys $root/sys none rbind
tmpfs $root/tmp tmpfs mode=1777
tmpfs $root/run tmpfs mode=0755
FSTAB
mount -a -T "$at/fstab"
mkdir -m 1777 "$root/run/lock"

documents() {
    rm -rf "$root/docs"
    mkdir "$root/docs"
    cp -R "$DOCS/." "$root/docs"
    chmod -R a+rX "$root/docs"
}

# As whoever that folder is of: what "make" needs and what it made of it, and no tests.
sources() { # FOLDER
    local owner

    owner=$(stat -c '--owner=:%u --group=:%g' "$1")
    mkdir -p "$1/authserver/build"
    # shellcheck disable=SC2086 # two words
    tar -C "$SOURCE" -c $owner --exclude=./.git --exclude=./build --exclude=./tests/fuzz/corpus . |
        tar -C "$1/authserver" -x
    # shellcheck disable=SC2086 # two words
    (cd "$BUILD" && tar -c $owner --no-recursion . --recursion \
        authserver* libauthserver.a core fcgi cgi resolver password tools) |
        tar -C "$1/authserver/build" -x
}

run() {
    # Without a terminal, so that a password is read from what there is.
    chroot "$root" setsid -w \
        bash -c 'cd /home/alice/authserver && . /docs/guest && set -e && eval "$1"' - "$script"
}

if [ "$lower" = / ]; then
    rm -rf "$root/etc/authserver" "$root"/etc/nginx/conf.d/*
    chroot "$root" useradd -m alice
    sources "$root/home/alice"
    documents
    run
    # For the machines to come, without what this one has written there.
    documents
else
    # As at the start of a machine.
    chroot "$root" systemd-tmpfiles --create authserver.conf
    run
fi
HOST
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

# --- what is shown is done --------------------------------------------------------

@test "INSTALL: packages, build and install, accounts, key, configuration" {
    needs_machines
}

@test "README: the first screen" {
    machine '
        section README.md "First screen"
        output_has "^eyJ"
        shown=$(sed -n "s/^ *\\(TOKEN=.*\\)/\\1/p" /docs/server)
        [ "${shown/$password/PASSWORD}" = "$(cat /docs/README.md/002.user)" ]
        stop_server'
}

@test "README: the drop-in, and the rest" {
    machine '
        section README.md "Quick start: the drop-in"
        output_has "^eyJ"
        grep -q "Listening on 127.0.0.1:5001 - writing to ./tmp/tokens." /docs/server
        section README.md Configuration
        section README.md "Tests and measurements"
        stop_server'
}

@test "README: nginx in front, after INSTALL" {
    machine '
        section INSTALL "Start it with spawn-fcgi"
        section README.md "Quick start: nginx in front"
        output_has "^/run/authserver/tokens/alice\.[0-9]{19}\.token$"'
}

@test "README: Apache in front, after INSTALL" {
    machine '
        section INSTALL "Start it with spawn-fcgi"
        section README.md "Quick start: Apache in front"
        output_has "^/run/authserver/tokens/alice\.[0-9]{19}\.token$"'
}

@test "INSTALL: spawn-fcgi, nginx with passwords, cron, uninstall" {
    machine '
        soon
        section INSTALL "Start it with spawn-fcgi"
        section INSTALL "nginx with passwords"
        section INSTALL "A server that believes tokens: nginx"
        section INSTALL "Delete token files: by cron"
        check_it_works
        believes_tokens
        sleep 1
        read -r _ _ _ _ _ user job < <(grep -v "^#" /etc/cron.d/authserver)
        output=$(setpriv --reuid="$user" --regid="$user" --init-groups $job 2>&1)
        [ -z "$output" ]
        no_tokens
        section INSTALL "Stop it: spawn-fcgi"
        until_true 20 must_not pgrep -u authserver
        section INSTALL Uninstall
        [ -z "$(find /usr/local /etc /run -name "*authserver*")" ]
        must_not getent passwd authserver'
}

@test "INSTALL: systemd, Apache with mod_proxy_fcgi, the reaper all the time, uninstall" {
    machine '
        soon
        section INSTALL "Start it with systemd"
        section INSTALL "Delete token files: all the time"
        section INSTALL "Apache with mod_proxy_fcgi"
        section INSTALL "A server that believes tokens: Apache"
        check_it_works
        believes_tokens
        until_true 5 no_tokens
        grep -q "Deleted token: /run/authserver/tokens/alice" /docs/log
        section INSTALL "Stop it: systemd"
        must_not pgrep -x authserver.fcgi
        must_not pgrep -x authserver-reap
        section INSTALL Uninstall
        [ -z "$(find /usr/local /etc /run -name "*authserver*")" ]'
}

@test "INSTALL: a directory of keys, the local socket, uninstall" {
    machine '
        section INSTALL "Start it with systemd"
        : >/docs/outputs
        section INSTALL "A directory of keys, and rotation"
        until_true 20 holds /docs/log "Reloaded: a file changed"
        must_not grep -q "Not reloaded" /docs/log
        section INSTALL "The local socket"
        output_has "^eyJ"
        section INSTALL "nginx with passwords"
        until_true 10 answers
        # RSA now, RSA tomorrow, ES256.
        curl -s -u alice:PASSWORD http://127.0.0.1:5001/.well-known/jwks.json >/docs/output
        [ "$(grep -o "\"kid\"" /docs/output | wc -l)" = 3 ]
        section README.md "Quick start: nothing in front"
        section INSTALL "Delete token files: all the time"
        section INSTALL "Stop it: systemd"
        section INSTALL Uninstall
        [ -z "$(find /usr/local /etc /run -name "*authserver*")" ]'
}

@test "INSTALL: nginx as a sidecar" {
    machine '
        section INSTALL "Start it with systemd"
        section INSTALL "nginx as a sidecar, without passwords"
        # The workers of nginx that were there before may be asked first.
        minted() { [ -f "$(curl -s http://127.0.0.1:5001/janedoe)" ]; }
        until_true 10 minted'
}

@test "INSTALL: Apache with mod_fcgid" {
    machine '
        section INSTALL "Programs that the web server starts"
        section INSTALL "Apache with mod_fcgid"
        check_it_works'
}

@test "INSTALL: Apache with CGI" {
    machine '
        section INSTALL "Programs that the web server starts"
        section INSTALL "Apache with CGI"
        check_it_works'
}

@test "INSTALL: nginx with CGI" {
    machine '
        section INSTALL "Programs that the web server starts"
        section INSTALL "nginx with CGI, by fcgiwrap"
        check_it_works'
}

@test "INSTALL: other keys, the drop-in, upgrading" {
    machine '
        cd /home/alice
        section INSTALL "Other keys"
        for name in keypair:RS512 es256.pem:ES256 eddsa.pem:EdDSA id_rsa:RS512; do
            signs "${name%:*}" "${name#*:}"
        done
        htpasswd -bc /etc/authserver/htpasswd alice PASSWORD
        chmod 0644 /etc/authserver/htpasswd
        section INSTALL "The drop-in"
        [ -f "$(curl -s -u alice:PASSWORD http://127.0.0.1:5001/alice)" ]
        [ "$(curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1:5001/alice)" = 401 ]
        section INSTALL "Upgrading from the Okera Auth Server"
        [ -f "$(curl -s http://foo:bar@127.0.0.1:5001/janedoe)" ]
        stop_server'
}

@test "INSTALL: every section with commands is in a test above" {
    local section tests booted

    IFS= read -rd '' tests <"$BATS_TEST_FILENAME" || true
    IFS= read -rd '' booted <"$BATS_TEST_DIRNAME/deb.bats" || true
    while read -r section; do
        case $section in
        # In install_base and in check_it_works.
        Packages | 'Build and install' | 'Accounts and directories' | Key | Configuration) continue ;;
        'Check that it works') continue ;;
        esac
        # On a machine that boots.
        [[ $booted != *$'\n'"    follow '$section'"$'\n'* ]] || continue
        [[ $tests == *"section INSTALL "?(\")"$section"* ]] || {
            echo "INSTALL: $section"
            return 1
        }
    done < <(sort -u "$DOCS"/INSTALL/*.section)
    while read -r section; do
        [[ $tests == *"section README.md "?(\")"$section"* ]] || {
            echo "README.md: $section"
            return 1
        }
    done < <(sort -u "$DOCS"/README.md/*.section)
}

# page PAGE: its EXAMPLES, by a user in an empty folder, on a machine as INSTALL leaves it.
page() {
    [ -d "$DOCS/$1" ] || skip "$1 does not exist"
    machine "
        mkdir -m 0755 /home/alice/examples
        chown alice: /home/alice/examples
        cd /home/alice/examples
        $2
        section $1 EXAMPLES
        $3
        stop_server"
}

@test "authserver(1): EXAMPLES" {
    page authserver.1 '' 'output_has "^eyJ"'
}

@test "authserver-keep(1): EXAMPLES" {
    page authserver-keep.1 'section INSTALL "Start it with systemd"' '
        output_has "Kept token: /run/authserver-keep/janedoe/.auth_token"
        output_has " janedoe  .*/run/authserver-keep/janedoe/.auth_token$"
        output_has "Would keep token: "'
}

@test "authserver-reap(1): EXAMPLES" {
    page authserver-reap.1 'mkdir -m 0755 /tmp/tokens'
}

@test "authserver-token(1): EXAMPLES" {
    page authserver-token.1 'section INSTALL "Start it with systemd"
        section INSTALL "The local socket"
        section INSTALL "nginx with passwords"
        : >/docs/outputs' '
        [ "$(grep -c "^eyJ" /docs/outputs)" -ge 3 ]
        output_has "\"sub\":\"alice\""
        grep -q "^Authorization: Bearer eyJ" header
        grep -q "^eyJ" run/bt_u*
        [ "$(stat -c %a /home/alice/.token)" = 600 ]
        grep -q "^eyJ" /home/alice/.token'
}

@test "authserverctl(1): EXAMPLES" {
    page authserverctl.1 '' '
        output_has "^policy: rules, 3 rules$"
        output_has "^permit rules:1 subject alice ttl 86400$"
        output_has "^built in: OpenSSL "
        output_has "^next .* RS512 "
        output_has "^Revoked: token "
        output_has "^Revoked: all of alice up to "
        output_has "\"sub\": \"okera\""'
}

@test "authserver.fcgi(8): EXAMPLES" {
    page authserver.fcgi.8 '' 'grep -q Ready /docs/server
        # The keys of the example are such as the service takes.
        AUTHSERVER_CONFIG=/etc/authserver/authserver.conf REQUEST_METHOD=GET HTTP_HOST=localhost \
            PATH_INFO=/.well-known/jwks.json setpriv --reuid=authserver --regid=authserver --init-groups \
            /usr/local/lib/authserver/authserver.cgi >/docs/output
        [ "$(grep -o "\"kid\"" /docs/output | wc -l)" = 2 ]'
}

@test "authserver.cgi(8): EXAMPLES" {
    page authserver.cgi.8 '' 'output_has "^/run/authserver/tokens/alice\."'
}

@test "authserver.groups(5): EXAMPLES" {
    page authserver.groups.5 '' 'output_has "^alice: "'
}

@test "authserver-resolver(8): EXAMPLES" {
    page authserver-resolver.8 '' 'output_has "^alice: "'
}

@test "authserver-password(8): EXAMPLES" {
    page authserver-password.8 '' 'output_has "^Usage: "'
}

@test "every page with EXAMPLES is in a test above" {
    local at

    for at in "$DOCS"/*.[1-8]; do
        [ -z "$(ls "$at")" ] || grep -q "^    page ${at##*/} " "$BATS_TEST_FILENAME" || {
            echo "${at##*/}"
            return 1
        }
    done
}

# --- without a machine ------------------------------------------------------------

# What a program says of its flags, and of those of its commands. It is asked once.
help_of() {
    local command help=$BATS_FILE_TMPDIR/help-$1

    [ -e "$help" ] || {
        "$BUILD/$1" --help >"$help-itself"
        cat "$help-itself"
        [ "$1" != authserverctl ] || while read -r command; do
            "$BUILD/$1" "$command" --help
        done < <(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$help-itself")
    } >"$help-new"
    [ -e "$help" ] || mv "$help-new" "$help"
    cat "$help"
}

# The first words of what pipes, lists and substitutions in commands join, without what is set
# before them: "FILE WORD" lines.
first_words() { # FILE...
    awk '
        function words(text, count, part, i) {
            gsub(/[|]|&&|[$][(]/, "\n", text)
            count = split(text, part, "\n")
            for (i = 1; i <= count; i++) {
                sub(/^ */, "", part[i])
                while (part[i] ~ /^[A-Z_]+=/)
                    sub(/^[A-Z_]+=[^ ]* */, "", part[i])
                sub(/ .*/, "", part[i])
                if (part[i] != "")
                    print FILENAME, part[i]
            }
        }
        FNR == 1 { text = "" }
        {
            text = text $0
            if (/<</ || !/[\\|]$/) {
                words(text)
                text = ""
            } else
                sub(/\\$/, "", text)
        }
        /<</ { nextfile }' "$@"
}

# What is wrong with commands, a line each.
faults_of() { # FILE...
    local file line text word words program what
    local -A flags=()

    for program in authserver authserver-keep authserver-reap authserver-token authserverctl authserver.fcgi authserver.cgi authserver-resolver authserver-password; do
        [ ! -x "$BUILD/$program" ] || flags[$program]=$(help_of "$program")
    done
    while read -r file word; do
        type -t "${word##*/}" >/dev/null || echo "no program $word: $(<"$file")"
    done < <(first_words "$@")
    for file in "$@"; do
        IFS= read -rd '' text <"$file" || true
        # What comes after "set -n" is read and not done.
        (eval "set -n"$'\n'"$text") || echo "not well formed: $file"
        what=
        while IFS= read -r line; do
            [[ ! $line =~ ^[A-Z][A-Za-z]*=[^/] ]] || continue
            read -ra words <<<"$line"
            for word in "${words[@]}"; do
                case $word in
                *authserver | *authserver-keep | *authserver-reap | *authserver-token | *authserverctl | *authserver.fcgi | *authserver.cgi | *authserver-resolver | *authserver-password)
                    program=${word##*/}
                    what=${flags[$program]-}
                    ;;
                /usr/local/share/authserver/[cels]*)
                    [ -e "$SOURCE/deploy/${word#/usr/local/share/authserver/}" ] || echo "no file $word"
                    ;;
                /usr/local/share/authserver/*)
                    [ -e "$SOURCE/${word#/usr/local/share/authserver/}" ] || echo "no file $word"
                    ;;
                nginx/* | apache/* | man/*) [ -e "$SOURCE/$word" ] || echo "no file $word" ;;
                --[a-z]*)
                    word=${word%%=*}
                    [ -z "$what" ] || [[ $what =~ (^|[[:space:],])$word([[:space:]=]|$) ]] ||
                        echo "$program has no $word"
                    ;;
                esac
            done
        done <"$file"
    done
}

@test "every command is well formed and names programs, flags and files that exist" {
    local files stage=$BATS_TEST_TMPDIR/stage

    mkdir -p "$stage/bin"
    cp "$BUILD"/authserver* "$SOURCE/deploy/debian/authserver-site" "$stage/bin"
    PATH=$PATH:/usr/sbin:/sbin:$stage/bin
    mapfile -t files < <(find "$DOCS" -name '*.user' -o -name '*.root' | sort)
    [ "${#files[@]}" -ge 100 ]
    faults_of "${files[@]}" >"$stage/faults" 2>&1
    cat "$stage/faults"
    [ ! -s "$stage/faults" ]
}

programs='authserver authserver-keep authserver-reap authserver-token authserverctl authserver.fcgi authserver.cgi
    authserver-resolver authserver-password'

# The names of the flags of a program: --name, one a line.
flags_in_help() {
    help_of "$1" | grep -oE '^ +(-., +)?--[a-z-]+' | grep -oE '\-\-[a-z-]+' | sort -u
}

flags_in_page() {
    grep -E '^\.It Fl' "$SOURCE/man/$1" | grep -oE 'Fl -[a-z-]+' | sed 's/^Fl /-/' | sort -u
}

@test "every flag is in its program's page, and no others are" {
    local program page wrong=0

    for program in $programs; do
        page=$(cd "$SOURCE/man" && ls "$program".[18])
        # --usage is the library's, and one word of --help.
        diff <(flags_in_help "$program" | grep -vx -- --usage) \
            <(flags_in_page "$page" | grep -vx -- --usage) || {
            echo "$page (>) and $program --help (<) differ"
            wrong=1
        }
    done
    [ "$wrong" -eq 0 ]
}

@test "every short flag is in its program's page" {
    local program flag

    for program in $programs; do
        for flag in $(help_of "$program" | sed -nE 's/^ +-([a-z]), .*/\1/p'); do
            grep -qE "^\.It Fl $flag( |$)" "$SOURCE/man/$program".[18] || {
                echo "$program -$flag"
                return 1
            }
        done
    done
}

# The names of keys, and NAME|DEFAULT of those that have one, as the given sources have them.
keys_of() {
    (cd "$SOURCE/core/config" && sed -nE 's/^    \{"([a-z-]+)", (NULL|").*/\1/p' "$@")
}

defaults_of() {
    (cd "$SOURCE/core/config" && sed -nE 's/^    \{"([a-z-]+)", "([^"]*)".*/\1|\2/p' "$@")
}

# The keys that a page describes.
keys_in_page() {
    grep '^\.It Ic' "$SOURCE/man/$1" | grep -oE 'Ic [a-z-]+ = ' | sed -E 's/Ic ([a-z-]+) = /\1/'
}

@test "every key of the configuration has its place in its page, and no other has" {
    diff <(keys_of config.c profile.c | sort) <(keys_in_page authserver.conf.5 | sort)
    diff <(keys_of groups.c | sort) <(keys_in_page authserver.groups.5 | sort)
    diff <(keys_of keep.c | sort) <(keys_in_page authserver.keep.5 | sort)
    diff <(keys_of verify.c | sort) <(keys_in_page authserver.verify.5 | sort)
    diff <(keys_of password.c | sort) <(keys_in_page authserver.password.5 | sort)
}

# gives_defaults PAGE SOURCE...: where a key has several meanings, one place has to do.
gives_defaults() {
    local key value item line page=$1
    local -A said=()

    shift
    # What the page says of the default of each key, to the fourth line after it begins.
    while read -r key line; do
        said[$key]+=$line$'\n'
    done < <(awk '/^\.(It Ic|El)/ { key = $3; left = 0 }
        /^The default is/ { left = 5 }
        key != "" && left-- > 0 { print key, $0 }' "$SOURCE/man/$page")
    # A default that is a list is written as the items.
    while IFS='|' read -r key value; do
        for item in ${value//,/ }; do
            [[ ${said[$key]-} == *"$item"* ]] || {
                echo "$key: the default is $value"
                return 1
            }
        done
    done < <(defaults_of "$@")
}

@test "the pages give the defaults that the code has" {
    gives_defaults authserver.conf.5 config.c profile.c
    gives_defaults authserver.groups.5 groups.c
    gives_defaults authserver.keep.5 keep.c
    gives_defaults authserver.verify.5 verify.c
    gives_defaults authserver.password.5 password.c
}

# The displays of a page's EXAMPLES that set keys, each to a file.
examples_of_configuration() {
    lines_of "${1:-authserver.conf.5}" | sed -n 's/^C //p' |
        awk -v to="$BATS_TEST_TMPDIR" '
            /^     [A-Z]/ || /^[A-Z]/ { n++; next }
            { print >(to "/" n ".conf") }'
}

# The keys that the examples' profiles need, in a folder.
example_keys() { # FOLDER
    mkdir -m 0700 "$1" "$1.rsa"
    rsa_keys "$1.rsa"
    mv "$1.rsa/key" "$1/20261122T000000Z.pem"
    mv "$1.rsa/other" "$1/20261122T000000Z.RS256.pem"
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
        -out "$1/20261122T000000Z.ES256.pem"
    chmod 0600 "$1"/*
}

ready_or_ended() { # LOG PID
    local text=

    IFS= read -rd '' text <"$1" || true
    [[ $text == *Ready* ]] || ! kill -0 "$2" 2>/dev/null
}

@test "the configurations in authserver.conf(5) are accepted" {
    local file log=$BATS_TEST_TMPDIR/log count=0 pid

    example_keys "$BATS_TEST_TMPDIR/keys"
    examples_of_configuration
    for file in "$BATS_TEST_TMPDIR"/*.conf; do
        grep -q = "$file" || continue
        : >"$log"
        # The folders of this machine, and what else belongs to one machine.
        "$BUILD/authserver.fcgi" --config="$file" --socket="$BATS_TEST_TMPDIR/socket" \
            --private-key="$BATS_TEST_TMPDIR/keys" --directory="$BATS_TEST_TMPDIR/tokens" \
            --group="$(id -gn)" 2>"$log" 3>&- &
        pid=$!
        INTERVAL=0.05 until_true 5 ready_or_ended "$log" "$pid" || true
        kill "$pid" || true
        wait "$pid" || true
        cat "$file" "$log"
        grep -q Ready "$log"
        count=$((count + 1))
    done
    [ "$count" -ge 2 ]
}

@test "the policies in authserver.policy(5) are accepted" {
    local file count=0 config=$BATS_TEST_TMPDIR/with-profiles

    example_keys "$BATS_TEST_TMPDIR/keys"
    mkdir -m 0750 "$BATS_TEST_TMPDIR/tokens"
    {
        echo "private-key = \"$BATS_TEST_TMPDIR/keys\""
        echo "directory = \"$BATS_TEST_TMPDIR/tokens\""
        cat "$SOURCE/deploy/examples/profiles.conf"
    } >"$config"
    chmod 0600 "$config"
    examples_of_configuration authserver.policy.5
    for file in "$BATS_TEST_TMPDIR"/*.conf; do
        grep -E '^(#|permit|deny) ' "$file" >"$BATS_TEST_TMPDIR/rules" || continue
        chmod go-w "$BATS_TEST_TMPDIR/rules"
        "$BUILD/authserverctl" check --config "$config" --policy "$BATS_TEST_TMPDIR/rules"
        count=$((count + $(wc -l <"$BATS_TEST_TMPDIR/rules")))
    done
    [ "$count" -eq "$(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$SOURCE/man/authserver.policy.5" |
        grep -cE '^(#|permit|deny) ')" ]
}

@test "the example in authserver.conf(5) names every key, and its defaults are the defaults" {
    local key value text

    examples_of_configuration
    text=$'\n'$(cat "$(grep -l '^## ' "$BATS_TEST_TMPDIR"/*.conf)")$'\n'
    while read -r key; do
        [[ $text =~ $'\n'\ *(## )?"$key = " ]] || {
            echo "not in the example: $key"
            return 1
        }
    done < <(keys_of config.c profile.c)
    while IFS='|' read -r key value; do
        [[ $text != *$'\n'"## $key = "* || $text == *$'\n'"## $key = $value"$'\n'* ]] || {
            echo "$key: the default is $value"
            return 1
        }
    done < <(defaults_of config.c profile.c)
}

@test "the configurations in authserver.keep(5) are accepted" {
    local file count=0 status at=$BATS_TEST_TMPDIR

    rsa_keys "$at"
    mv "$at/other" "$at/key.pem"
    chmod 0600 "$at/key.pem"
    examples_of_configuration authserver.keep.5
    for file in "$at"/*.conf; do
        grep -q '^ *keep "[a-z]' "$file" || continue
        # Whether there are such users and directories is another matter.
        status=0
        "$BUILD/authserver-keep" --config="$file" --private-key="$at/key.pem" --dry-run \
            2>"$at/log" || status=$?
        cat "$file" "$at/log"
        [ "$status" -ne 78 ]
        count=$((count + 1))
    done
    [ "$count" -eq 3 ]
}

@test "the configurations in authserver.groups(5) are accepted" {
    local file count=0 at=$BATS_TEST_TMPDIR

    mkdir -m 0755 "$at/scripts"
    printf '#!/bin/sh\n' >"$at/scripts/hr-groups"
    cp "$at/scripts/hr-groups" "$at/scripts/project-groups"
    chmod 0755 "$at/scripts"/*
    echo secret >"$at/password"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout /dev/null -out "$at/ca" 2>/dev/null
    examples_of_configuration authserver.groups.5
    for file in "$at"/*.conf; do
        grep -q '^ *groups {' "$file" || continue
        # What belongs to one machine.
        sed -i -e "s|/opt/scripts|$at/scripts|" -e "s|/etc/ssl/certs/ca-certificates.crt|$at/ca|" \
            -e "s|/etc/authserver/[a-z-]*|$at/password|" "$file"
        chmod 0600 "$file" "$at/password"
        cat "$file"
        "$BUILD/authserver-resolver" --config="$file" --check
        count=$((count + 1))
    done
    [ "$count" -eq 4 ]
}

@test "the configurations in authserver.password(5) are accepted" {
    local file count=0 at=$BATS_TEST_TMPDIR

    echo secret >"$at/password"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout /dev/null -out "$at/ca" 2>/dev/null
    examples_of_configuration authserver.password.5
    for file in "$at"/*.conf; do
        grep -q '^ *password "' "$file" || continue
        # What belongs to one machine; "other" is a service of PAM that each has.
        sed -i -e "s|/etc/ssl/certs/ca-certificates.crt|$at/ca|" -e 's|= "authserver"|= "other"|' \
            -e "s|/etc/authserver/[a-z-]*|$at/password|" "$file"
        chmod 0600 "$file" "$at/password"
        cat "$file"
        "$BUILD/authserver-resolver" --config="$file" --check
        count=$((count + 1))
    done
    [ "$count" -eq 3 ]
}

@test "the configuration in authserver.verify(5) is accepted" {
    local at=$BATS_TEST_TMPDIR

    rsa_keys "$at"
    mv "$at/other" "$at/key.pem"
    mv "$at/other.pub" "$at/partner.pub"
    "$BUILD/authserverctl" jwks --private-key="$at/key.pem" --out="$at/idp.json"
    examples_of_configuration authserver.verify.5
    cat "$at"/*.conf >"$at/all"
    sed -i "s|/etc/authserver|$at|" "$at/all"
    chmod 0600 "$at/all"
    "$BUILD/authserverctl" check --config="$at/all" --private-key="$at/key.pem" \
        --directory="$at/tokens" >"$at/out"
    grep -qxF 'verify: partner, 1 key, issuer https://tokens.partner.example' "$at/out"
    grep -qxF 'verify: idp, 1 key, issuer https://idp.example.org' "$at/out"
    grep -qxF 'verify: cloud, keys at https://login.example.net/keys.json, issuer https://login.example.net' "$at/out"
}

@test "the configuration in authserver.grants(5) is accepted" {
    local conf at=$BATS_TEST_TMPDIR

    rsa_keys "$at"
    mv "$at/other" "$at/key.pem"
    "$BUILD/authserverctl" jwks --private-key="$at/key.pem" --out="$at/idp.json"
    examples_of_configuration authserver.grants.5
    for conf in "$at"/*.conf; do
        sed -i -e "s|/etc/authserver|$at|" -e "s|/var/lib/authserver|$at/state|" "$conf"
        chmod 0600 "$conf"
        "$BUILD/authserverctl" check --config="$conf" --private-key="$at/key.pem" \
            --directory="$at/tokens" >>"$at/out"
    done
    [ "$(grep -cxF 'verify: idp, 1 key, issuer https://idp.example.org' "$at/out")" = 1 ]
}

@test "the settings in authserver-token(1) are accepted" {
    local at=$BATS_TEST_TMPDIR status=0

    lines_of authserver-token.1 | sed -n 's/^C \( *[a-z-]* = \)/\1/p' >"$at/conf"
    [ "$(wc -l <"$at/conf")" -ge 3 ]
    # As far as to the ticket that there is not.
    KRB5CCNAME=FILE:$at/none "$BUILD/authserver-token" --config="$at/conf" 2>"$at/err" || status=$?
    cat "$at/err"
    [ "$status" -eq 77 ]
    grep -q 'run kinit' "$at/err"
}

# has_test FILE NAME: whether there is that test; one that ends with an ellipsis is how some begin.
# The file is read into TEXTS once.
has_test() {
    local form

    [ -n "${TEXTS[$1]-}" ] || IFS= read -rd '' "TEXTS[$1]" <"$BATS_TEST_DIRNAME/$1" || true
    case $1:$2 in
    *.bats:*…) form="@test \"${2%…}" ;;
    *.bats:*) form="@test \"$2\" {" ;;
    unit/*) form=$'\n'"$2(void" ;;
    *) form="\"\"\"$2\"\"\"" ;;
    esac
    [[ ${TEXTS[$1]} == *"$form"* ]]
}

# What the last columns in SECURITY.md name and there is not, a line each. Sets ROWS and NAMES.
faults_of_threats() {
    local line rest file makefile each='`([^`]+)`|"([^"]+)"'
    local -A TEXTS=()

    ROWS=0 NAMES=0
    IFS= read -rd '' makefile <"$SOURCE/Makefile" || true
    while IFS= read -r line; do
        [[ $line == '| '*' |' && $line != *' | shown by |' ]] || continue
        ROWS=$((ROWS + 1)) file=
        line=${line% |}
        rest=${line##* | }
        [[ $rest =~ $each ]] || echo "nothing shows: $line"
        while [[ $rest =~ $each ]]; do
            rest=${rest#*"${BASH_REMATCH[0]}"}
            # A mark is behind what make check does not run.
            case ${BASH_REMATCH[1]} in
            '' | 'make check') ;;
            'make '* | torture/* | deb.bats)
                [[ $rest == †* ]] || echo "without a mark: ${BASH_REMATCH[1]}" ;;
            *) [[ $rest != †* ]] || echo "with a mark: ${BASH_REMATCH[1]}" ;;
            esac
            case ${BASH_REMATCH[1]} in
            '')
                NAMES=$((NAMES + 1))
                has_test "$file" "${BASH_REMATCH[2]}" || echo "no test in $file: ${BASH_REMATCH[2]}"
                continue
                ;;
            'make '*)
                file=${BASH_REMATCH[1]#make }
                [[ $makefile =~ $'\n'([a-z-]+ )*"$file"( [a-z-]+)*: ]] || echo "no make $file"
                continue
                ;;
            test_*) file=unit/${BASH_REMATCH[1]}.c ;;
            *) file=${BASH_REMATCH[1]} ;;
            esac
            [ -f "$BATS_TEST_DIRNAME/$file" ] || echo "no file $file"
        done
    done <"$SOURCE/SECURITY.md"
}

@test "the tests and targets that SECURITY.md names are there" {
    faults_of_threats >"$BATS_TEST_TMPDIR/faults"
    cat "$BATS_TEST_TMPDIR/faults"
    [ ! -s "$BATS_TEST_TMPDIR/faults" ]
    # It has found the tables, and names in them.
    [ "$ROWS" -ge 40 ] && [ "$NAMES" -ge 100 ]
}

@test "the manual pages are without faults" {
    mandoc -Tlint -Wwarning "$SOURCE"/man/*.[1-8]
}
