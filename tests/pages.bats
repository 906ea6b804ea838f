#!/usr/bin/env bats
# The manual pages name the flags, the keys and the defaults that there are, the configurations they
# show are accepted, and SECURITY.md names tests that there are. AUTHSERVER_BUILD names the build
# folder. Commands are in docs.bats.

load lib/quick
load lib/documents

setup_file() {
    SOURCE=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    BUILD=$(cd "${AUTHSERVER_BUILD:-$SOURCE/build}" && pwd)
    export SOURCE BUILD
}

setup() { quick; }

# The names of the flags of a program: --name, one a line.
flags_in_help() {
    help_of "$1" | grep -oE '^ +(-., +)?--[a-z-]+' | grep -oE '\-\-[a-z-]+' | sort -u
}

flags_in_page() {
    grep -E '^\.It Fl' "$SOURCE/man/$1" | grep -oE 'Fl -[a-z-]+' | sed 's/^Fl /-/' | sort -u
}

@test "every flag is in its program's page, and no others are" {
    local program page wrong=0

    for program in "${programs[@]}"; do
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

    for program in "${programs[@]}"; do
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
