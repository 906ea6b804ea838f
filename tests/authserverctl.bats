#!/usr/bin/env bats
# authserverctl check: what is wrong with a configuration and all that it names, and what a policy
# decides.

load lib/quick

setup() {
    quick
    CTL=${AUTHSERVER_BUILD:-$BATS_TEST_DIRNAME/../build}/authserverctl
    DIR=$BATS_TEST_TMPDIR
    umask 022
}

# check STATUS ARGUMENT...: its output is in $output, in one line at most.
check() {
    check_all "$@"
    [ "$(wc -l <<<"$output")" -eq 1 ]
}

# The same for any number of lines.
check_all() {
    local wanted=$1

    shift
    status=0
    output=$("$CTL" check "$@" 2>&1) || status=$?
    [ "$status" -eq "$wanted" ] || { echo "exit status $status: $output"; return 1; }
}

says() {
    [[ $output == *"$1"* ]] || { echo "$output"; return 1; }
}

# A configuration with which a service would start: $DIR/conf.
good_configuration() {
    mkdir -m 0700 "$DIR/keys"
    openssl genpkey -quiet -algorithm ED25519 -out "$DIR/keys/20200101T000000Z.pem"
    chmod 0600 "$DIR"/keys/*
    echo '{"alice": {"email": "alice@example.org"}}' >"$DIR/attributes"
    printf '%s\n' 'permit authenticated as self' 'permit foo as * ttl 1h profile aws default' \
        >"$DIR/rules"
    cat >"$DIR/conf" <<END
directory = "$DIR/tokens"
private-key = "$DIR/keys"
algorithm = EdDSA
policy = "$DIR/rules"
attributes = "$DIR/attributes"
group = "$(id -gn)"
peers = {"$(id -un)", "no-such-account"}
profile "aws" { audience = {"sts.amazonaws.com", "vault"} lifetime = 30m }
END
}

@test "root is told what holds for the account that the token directory belongs to" {
    [ "$(id -u)" -eq 0 ] || skip 'needs root'
    # Where another account can get to.
    DIR=$(mktemp -d /tmp/authserverctl.XXXXXX)
    chmod 0711 "$DIR"
    good_configuration
    install -d -o nobody -m 0750 "$DIR/tokens"
    run "$CTL" check --config "$DIR/conf"
    [ "$status" -eq 0 ] || { echo "$output"; return 1; }
    # What root could write, and that account cannot.
    mkdir -m 0755 "$DIR/audits"
    echo "audit = \"$DIR/audits/log\"" >>"$DIR/conf"
    run "$CTL" check --config "$DIR/conf"
    [ "$status" -eq 1 ]
    says "audit: $DIR/audits/log: cannot be written: Permission denied"
    chown nobody "$DIR/audits"
    run "$CTL" check --config "$DIR/conf"
    [ "$status" -eq 0 ]
    rm -r "$DIR"
}

@test "policies decide as the tables in tests/policy say" {
    local cases rules query wanted count=0

    for cases in "$BATS_TEST_DIRNAME"/policy/*.cases; do
        # A clone may have files that its group may write.
        rules=$DIR/$(basename "$cases" .cases).conf
        install -m 0644 "${cases%.cases}.conf" "$rules"
        # Profiles that rules name are in a configuration beside them.
        set -- --policy "$rules"
        [ ! -e "${cases%.cases}.profiles" ] || {
            install -m 0644 "${cases%.cases}.profiles" "$DIR/profiles"
            set -- --config "$DIR/profiles" "$@"
        }
        while IFS= read -r line; do
            [[ $line == [!#]*' => '* ]] || continue
            query=${line%% => *}
            wanted=${line#* => }
            wanted=${wanted//FILE/$rules}
            [[ $wanted == permit* ]] && status=0 || status=1
            check "$status" "$@" "$query"
            [ "$output" = "$wanted" ] || { printf '%s:\n%s\n%s\n' "$query" "$output" "$wanted"; return 1; }
            count=$((count + 1))
        done <"$cases"
    done
    [ "$count" -ge 20 ]
}

@test "without files it is the built-in policy that is asked" {
    check 0 'foo as foo'
    [ "$output" = 'permit built-in policy:1 subject foo ttl 86400' ]
    check 1 'root as root'
    says 'deny built-in policy:2 '
}

@test "a query may be in several arguments, and a word then have blanks" {
    install -m 0644 "$BATS_TEST_DIRNAME/policy/order.conf" "$DIR/rules"
    check 0 --policy "$DIR/rules" 'John Doe' as john audience b
    [ "$output" = "permit $DIR/rules:4 subject john ttl 86400 audience b actor John Doe" ]
}

@test "the configuration counts: policy, lifetime, realms, permit-anonymous, subject-pattern" {
    printf '%s\n' 'permit authenticated as self' >"$DIR/rules"
    printf '%s\n' "policy = \"$DIR/rules\"" 'lifetime = 10m' 'realms = {"EXAMPLE.ORG"}' \
        'permit-anonymous = true' 'subject-pattern = "[A-Z][a-z]+ [a-z]+"' >"$DIR/conf"
    check 0 --config "$DIR/conf" 'alice@EXAMPLE.ORG as alice'
    [ "$output" = "permit $DIR/rules:1 subject alice ttl 600" ]
    check 1 --config "$DIR/conf" 'alice@OTHER as alice'
    says "deny realms users of the realm 'OTHER' are not served"
    check 0 --config "$DIR/conf" 'anonymous as bob'
    [ "$output" = 'permit permit-anonymous subject bob ttl 600' ]
    check 0 --config "$DIR/conf" anonymous as 'John doe'
    check 64 --config "$DIR/conf" anonymous as 'john doe'
}

@test "the host's groups are looked up where the query has none" {
    getent group www-data >/dev/null || skip "needs the group www-data"
    echo 'permit :www-data as etl' >"$DIR/rules"
    check 0 --policy "$DIR/rules" 'www-data as etl'
    check 1 --policy "$DIR/rules" 'www-data as etl group users'
}

@test "a policy is checked alone where there is no configuration" {
    printf '%s\n' 'permit foo as self' '# two' 'deny any as root' >"$DIR/rules"
    check 0 --policy "$DIR/rules"
    [ "$output" = "policy: $DIR/rules, 2 rules" ]
    cd "$DIR"
    check 0 --policy rules
    chmod 0666 rules
    check 1 --policy rules
    says 'authserverctl: rules: others may write it'
    check 1 --policy none
    says 'authserverctl: none: No such file'
}

@test "every rule that is wrong is told, with its file and line" {
    printf '%s\n' '# one' 'permit foo' 'permit foo as self' 'allow foo as self' \
        'permit foo as self profile aws' >"$DIR/rules"
    check_all 1 --policy "$DIR/rules"
    [ "$(wc -l <<<"$output")" -eq 3 ]
    says "authserverctl: $DIR/rules:2: as whom?"
    says "authserverctl: $DIR/rules:4: "
    says "authserverctl: $DIR/rules:5: profile 'aws' is not in the configuration"
    check_all 1 --policy "$DIR/rules" 'foo as foo'
    says "$DIR/rules:4: "
    printf '%s\n' "policy = \"$DIR/rules\"" >"$DIR/conf"
    check_all 1 --config "$DIR/conf" 'foo as foo'
    says "$DIR/rules:2: as whom?"
}

@test "a configuration that cannot be read is told with its line, and no more is looked at" {
    good_configuration
    printf '%s\n' 'permit foo' >"$DIR/rules"
    echo 'lifetime = never' >>"$DIR/conf"
    check 1 --config "$DIR/conf"
    says "authserverctl: $DIR/conf:$(wc -l <"$DIR/conf"): lifetime: "
    check 1 --config "$DIR/none"
    says "$DIR/none: No such file"
    check 1 --set no-such-key=1
    says 'command line: unknown key'
}

@test "when all is well each part has its line, and what is built in is told" {
    good_configuration
    check_all 0 --config "$DIR/conf"
    says "configuration: $DIR/conf, 1 profile"
    says "policy: $DIR/rules, 2 rules"
    grep -qE '^key: active EdDSA [A-Za-z0-9_-]{43} 20200101T000000Z.pem$' <<<"$output"
    says "token directory: $DIR/tokens, which will be created"
    says "group: $(id -gn) (gid $(id -g))"
    says "note: peers: user 'no-such-account' does not exist"
    [[ $output != *"user '$(id -un)'"* ]]
    grep -qE '^built in: OpenSSL 3[0-9.]+, jansson 2[0-9.]+, libconfuse 3[0-9.]*, POSIX ACLs, seccomp, Landlock; PKCS #11 engine (not )?found$' <<<"$output"
}

@test "an audit log in a folder that others use is told, one beside its own rotations is not" {
    local told="note: audit: workers may write to the other files of $DIR/log too"

    good_configuration
    mkdir "$DIR/log"
    : >"$DIR/log/audit.1"
    check_all 0 --config "$DIR/conf" --set audit="$DIR/log/audit"
    [[ $output != *'note: audit:'* ]]
    : >"$DIR/log/syslog"
    check_all 0 --config "$DIR/conf" --set audit="$DIR/log/audit"
    says "$told"
}

@test "checking creates and changes nothing" {
    local before

    good_configuration
    before=$(find "$DIR" -printf '%p %m %u %T@ %C@\n' | sort)
    check_all 0 --config "$DIR/conf"
    [ "$before" = "$(find "$DIR" -printf '%p %m %u %T@ %C@\n' | sort)" ]
    mkdir -m 0750 "$DIR/tokens"
    before=$(find "$DIR" -printf '%p %m %u %T@ %C@\n' | sort)
    check_all 0 --config "$DIR/conf"
    says "token directory: $DIR/tokens"$'\n'
    [ "$before" = "$(find "$DIR" -printf '%p %m %u %T@ %C@\n' | sort)" ]
}

@test "all problems are told at once: keys, profiles, attributes, directory, group, pattern, policy" {
    good_configuration
    printf 'no key\n' >"$DIR/keys/20210101T000000Z.pem"
    openssl genpkey -quiet -algorithm ED25519 -out "$DIR/keys/next.pem"
    echo '{"alice": {"mail": "x"}}' >"$DIR/attributes"
    echo 'permit foo' >>"$DIR/rules"
    mkdir "$DIR/tokens"
    chmod 0777 "$DIR/tokens"
    sed -i '/^group/d' "$DIR/conf"
    cat >>"$DIR/conf" <<'END'
group = "no-such-group"
subject-pattern = "["
profile "one" { claims = "[]" }
profile "two" { claims = "{\"exp\": 1}" }
profile "three" { algorithm = "none" }
END
    check_all 1 --config "$DIR/conf"
    says "authserverctl: $DIR/rules:3: as whom?"
    says 'authserverctl: subject-pattern: '
    says "authserverctl: $DIR/attributes: 'alice'"
    says "authserverctl: $DIR/keys/20210101T000000Z.pem: not a private key"
    says "authserverctl: $DIR/keys/next.pem: the name of a key is its activation time"
    says "authserverctl: $DIR/conf:$(grep -n '"one"' "$DIR/conf" | cut -d: -f1): claims: "
    says "authserverctl: $DIR/conf:$(grep -n '"two"' "$DIR/conf" | cut -d: -f1): claims: 'exp'"
    says "authserverctl: $DIR/conf:$(grep -n '"three"' "$DIR/conf" | cut -d: -f1): profile 'three': algorithm 'none' does not"
    says "authserverctl: $DIR/tokens: everybody may write it"
    says "authserverctl: group: group 'no-such-group' does not exist"
    [ "$(wc -l <<<"$output")" -eq 10 ]
}

@test "keys that would not do are told: none, none active, none of a profile's" {
    good_configuration
    sed -i '/^private-key/d' "$DIR/conf"
    check 1 --config "$DIR/conf"
    says 'authserverctl: no private key: '
    check_all 0 --config "$DIR/conf" --private-key "$DIR/keys"
    mv "$DIR/keys/20200101T000000Z.pem" "$DIR/keys/29990101T000000Z.pem"
    check 1 --config "$DIR/conf" -k "$DIR/keys"
    says "$DIR/keys: no key in it signs with EdDSA now"
    mv "$DIR/keys/29990101T000000Z.pem" "$DIR/keys/20200101T000000Z.pem"
    echo 'profile "slurm" { algorithm = "RS256" }' >>"$DIR/conf"
    check 1 --config "$DIR/conf" -k "$DIR/keys"
    says "$DIR/conf:$(wc -l <"$DIR/conf"): profile 'slurm': no key signs with RS256 now"
    check 1 --config "$DIR/conf" -k "$DIR/keys" --set "passphrase-file=$DIR/none"
    says "authserverctl: $DIR/none: No such file"
    rm "$DIR"/keys/*
    check_all 1 --config "$DIR/conf" -k "$DIR/keys"
    says "authserverctl: $DIR/keys: no key in it"
}

@test "a section keep whose tokens would live longer than tokens do is told" {
    good_configuration
    echo 'keep "alice" { file = "/run/keep/alice" profile = aws lifetime = 31m }' >>"$DIR/conf"
    check 1 --config "$DIR/conf"
    says "keep 'alice': lifetime is 1860 seconds, and tokens of this profile have at most 1800"
    sed -i s/31m/30m/ "$DIR/conf"
    check_all 0 --config "$DIR/conf"
    says 'keep: 1 section'
}

@test "an audit log that cannot be written is told, and none is made" {
    good_configuration
    check_all 0 --config "$DIR/conf" --set "audit=$DIR/audit"
    [ ! -e "$DIR/audit" ]
    check 1 --config "$DIR/conf" --set "audit=$DIR/none/audit"
    says "authserverctl: audit: $DIR/none/audit: cannot be written: No such file"
    check 1 --config "$DIR/conf" --set "audit=$DIR/keys"
    says "audit: $DIR/keys: a symbolic link or a directory"
}

@test "a query needs neither the keys nor the directory" {
    good_configuration
    rm "$DIR"/keys/* "$DIR/attributes"
    check 0 --config "$DIR/conf" 'foo as bar profile aws ttl 10m'
    [ "$output" = "permit $DIR/rules:2 subject bar profile aws ttl 600 audience sts.amazonaws.com audience vault actor foo" ]
}

@test "who is no member of the group may not give files to it" {
    [ "$(id -u)" -eq 0 ] || skip "needs root to be someone else"
    good_configuration
    chmod 0755 "$BATS_RUN_TMPDIR" "$DIR"
    chown -R nobody "$DIR"
    status=0
    output=$(setpriv --reuid=nobody --regid=nogroup --clear-groups "$CTL" check \
        --config "$DIR/conf" --set group=root 2>&1) || status=$?
    [ "$status" -eq 1 ]
    says "authserverctl: group: files cannot be given to 'root'"
    [ "$(wc -l <<<"$output")" -eq 1 ]
}

@test "a query that is none is a usage error" {
    local query

    for query in '' ' ' foo 'foo as' 'foo as a as b' 'foo as a ttl never' 'foo for a' \
        'foo via basic' 'foo as ../a' 'foo as a group' 'foo as a profile' \
        'foo as a profile none' 'foo as a profile a profile a'; do
        check 64 "$query" || { echo "query: $query"; return 1; }
    done
    status=0
    "$CTL" frobnicate 2>"$DIR/err" || status=$?
    [ "$status" -eq 64 ]
    status=0
    "$CTL" 2>"$DIR/err" || status=$?
    [ "$status" -eq 64 ]
}

@test "every command has its --help, and a mistake in its flags is status 64" {
    local name

    for name in check keys rotate prune jwks mint verify decode; do
        "$CTL" --help | grep -q "^  $name "
        "$CTL" "$name" --help | grep -q "^Usage: authserverctl $name "
        status=0
        output=$("$CTL" "$name" --no-such-flag 2>&1) || status=$?
        [ "$status" -eq 64 ]
        says "authserverctl $name: unrecognized option '--no-such-flag'"
    done
    for name in 'keys x' 'rotate x' 'prune x' 'jwks x' 'mint' 'mint a b' 'verify a b' 'decode a b' \
        'rotate --in never' 'rotate --in -1s' 'rotate --bits 1024' 'rotate --algorithm HS256'; do
        status=0
        # shellcheck disable=SC2086 # words
        "$CTL" $name 2>/dev/null || status=$?
        [ "$status" -eq 64 ] || { echo "$name: $status"; return 1; }
    done
}
