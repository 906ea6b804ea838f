#!/usr/bin/env bats
# The documentation tells the truth: README.md, INSTALL and the EXAMPLES of the manual pages are
# done as they stand. What else pages say is for pages.bats. AUTHSERVER_BUILD names the build folder.
#
# A command is a line that begins with "$ " (any user) or "# " (root): in a fenced block of
# README.md, four columns in from the margin of INSTALL, in a display of EXAMPLES. It goes on
# after a backslash or a pipe at the end of a line, and to the end of its here-document.
#
# Commands run in a throwaway machine, as lib/machines.bash has them. That takes root; without it
# they are checked by form only.

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
load lib/machines

setup_file() {
    quick
    SOURCE=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    BUILD=$(cd "${AUTHSERVER_BUILD:-$SOURCE/build}" && pwd)
    DOCS=$BATS_FILE_TMPDIR/docs
    export SOURCE BUILD DOCS
    # What "make" reads of its environment, and what it exports to its children.
    unset MAKEFLAGS MFLAGS MAKELEVEL PREFIX DESTDIR
    mkdir "$DOCS"
    mkfifo "$DOCS/pause"
    extract_all
    machines_open
    {
        echo "# Checked by form, then emulated:"
        printf '#   %s\n' "${EMULATED[@]}"
    } >&3
}

teardown_file() {
    machines_close
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

# --- the form of all commands -----------------------------------------------------

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

    for program in "${programs[@]}"; do
        flags[$program]=$(help_of "$program")
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
                [[ " ${programs[*]} " != *" ${word##*/} "* ]] || {
                    program=${word##*/}
                    what=${flags[$program]}
                    continue
                }
                case $word in
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
