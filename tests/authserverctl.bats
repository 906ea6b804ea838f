#!/usr/bin/env bats
# authserverctl check: what is wrong with a configuration or a policy, and what a policy decides.

setup() {
    CTL=${AUTHSERVER_BUILD:-$BATS_TEST_DIRNAME/../build}/authserverctl
    DIR=$BATS_TEST_TMPDIR
    umask 022
}

# check STATUS ARGUMENT...: its output is in $output, in one line at most.
check() {
    local wanted=$1

    shift
    status=0
    output=$("$CTL" check "$@" 2>&1) || status=$?
    [ "$status" -eq "$wanted" ] || { echo "exit status $status: $output"; return 1; }
    [ "$(wc -l <<<"$output")" -eq 1 ]
}

says() {
    [[ $output == *"$1"* ]] || { echo "$output"; return 1; }
}

@test "policies decide as the tables in tests/policy say" {
    local cases rules query wanted count=0

    for cases in "$BATS_TEST_DIRNAME"/policy/*.cases; do
        # A clone may have files that its group may write.
        rules=$DIR/$(basename "$cases" .cases).conf
        install -m 0644 "${cases%.cases}.conf" "$rules"
        check 0 --policy "$rules"
        [ -z "$output" ]
        while IFS= read -r line; do
            [[ $line == [!#]*' => '* ]] || continue
            query=${line%% => *}
            wanted=${line#* => }
            wanted=${wanted//FILE/$rules}
            [[ $wanted == permit* ]] && status=0 || status=1
            check "$status" --policy "$rules" "$query"
            [ "$output" = "$wanted" ] || { printf '%s:\n%s\n%s\n' "$query" "$output" "$wanted"; return 1; }
            count=$((count + 1))
        done <"$cases"
    done
    [ "$count" -ge 20 ]
}

@test "without files it is the built-in policy that is asked" {
    check 0
    [ -z "$output" ]
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
    check 0 --config "$DIR/conf"
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

@test "what is wrong is told with its file and line, and status 78" {
    printf '%s\n' '# one' 'permit foo' >"$DIR/rules"
    check 78 --policy "$DIR/rules"
    says "authserverctl: $DIR/rules:2: as whom?"
    check 78 --policy "$DIR/rules" 'foo as foo'
    printf '%s\n' "policy = \"$DIR/rules\"" >"$DIR/conf"
    check 78 --config "$DIR/conf"
    says "$DIR/rules:2: as whom?"
    printf '\nlifetime = never\n' >"$DIR/conf"
    check 78 --config "$DIR/conf"
    says "$DIR/conf:2: lifetime: "
    echo 'subject-pattern = "["' >"$DIR/conf"
    check 78 --config "$DIR/conf"
    echo 'permit foo as self' >"$DIR/rules"
    chmod 0666 "$DIR/rules"
    check 78 --policy "$DIR/rules"
    says "$DIR/rules: others may write it"
    check 66 --policy "$DIR/none"
}

@test "a query that is none is a usage error" {
    local query

    for query in '' ' ' foo 'foo as' 'foo as a as b' 'foo as a ttl never' 'foo for a' \
        'foo via basic' 'foo as ../a' 'foo as a group'; do
        check 64 "$query" || { echo "query: $query"; return 1; }
    done
    status=0
    "$CTL" frobnicate 2>"$DIR/err" || status=$?
    [ "$status" -eq 64 ]
    status=0
    "$CTL" 2>"$DIR/err" || status=$?
    [ "$status" -eq 64 ]
}
