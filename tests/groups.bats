#!/usr/bin/env bats
# Groups in tokens and in policy, as authserver.fcgi and authserver.cgi have them from their
# sources; the sources themselves are in groups-*.bats. Here a script says who is in what, and
# counts how often it is asked.

load lib/fastcgi

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }

setup() {
    fastcgi_begin
    POLICY=$DIR/rules
    SCRIPTS=$DIR/scripts
    mkdir -m 0755 "$SCRIPTS"
    install -m 0755 /dev/stdin "$SCRIPTS/who" <<SCRIPT
#!/bin/bash
echo "\$1" >>"$DIR/asked"
[ ! -e "$DIR/slow" ] || sleep "\$(cat "$DIR/slow")"
[ ! -e "$DIR/broken" ] || exit 1
case \$1 in
alice) echo '{"groups": ["Analysts", "etl"], "email": "alice@example.com", "namespace": "a1"}' ;;
bob) echo '{"groups": ["staff"]}' ;;
svc) echo '{"groups": ["services"]}' ;;
*) echo '{"groups": null}' ;;
esac
SCRIPT
    policy 'permit authenticated as self' 'permit :services as *'
    sources
}

teardown() { fastcgi_end; }

MORE=()

# policy LINE...: writes the rules anew.
policy() {
    printf '%s\n' "$@" >"$DIR/new"
    mv "$DIR/new" "$POLICY"
}

# sources [LINE]...: the configuration anew, LINEs in its section groups.
sources() {
    local resolvers='resolvers = { "script" }'

    [[ ${1:-} != resolvers* ]] || resolvers=
    configure "policy = \"$POLICY\"" "${MORE[@]}" \
        'profile "g" { groups = true }' \
        "profile \"mail\" { claims = \"{\\\"email\\\":\\\"\${email}\\\",\\\"namespace\\\":\\\"\${namespace}\\\"}\" }" \
        'groups {' "$resolvers" "$@" \
        "script { directory = \"$SCRIPTS\"" 'files = { "who" }' "timeout = $((2 * ${PATIENCE:-1}))s" '}' '}'
}

g=QUERY_STRING=profile=g

# waiting NAME [PARAM]...: a request whose answer goes to $DIR/NAME; sets JOB.
waiting() {
    local name=$1

    shift
    "$ASK" "$SOCKET" "$@" >"$DIR/$name" 2>&1 3>&- &
    JOB=$!
    JOBS+=("$JOB")
}

asked() {
    local lines

    mapfile -t lines <"$DIR/asked"
    [ "${#lines[@]}" -eq "$1" ]
}

# has GROUP...: the last token's claim is exactly these.
has() {
    local list

    printf -v list "'%s', " "$@"
    token claim "$FILE" "it['groups'] == [${list%, }]"
}

# unserved: the last answer is a 503 that says when to try again, and there is no file.
unserved() {
    refused 503
    grep -q '^Retry-After: [0-9]' "$DIR/answer"
    [ "$(token_count)" -eq "${1:-0}" ]
}

# milliseconds COMMAND...: sets TOOK.
milliseconds() {
    local began=${EPOCHREALTIME/./}

    "$@"
    TOOK=$(((${EPOCHREALTIME/./} - began) / 1000))
}

# --- what tokens say --------------------------------------------------------------

@test "a profile that asks for groups has the subject's, in lower case; another has none" {
    serve
    mints $g
    has analysts etl
    mints
    token claim "$FILE" "'groups' not in it"
}

@test "tokens without a profile have groups where the configuration says so" {
    sources 'claim = true'
    serve
    mints
    has analysts etl
}

@test "policy goes by the caller's groups, the claim by the subject's" {
    serve
    mints REMOTE_USER=svc PATH_INFO=/bob $g
    has staff
    token claim "$FILE" "it['sub'] == 'bob' and it['act'] == {'sub': 'svc'}"
    ask REMOTE_USER=bob PATH_INFO=/alice $g
    refused 403
}

@test "a source's e-mail address and namespace go into a profile's claims" {
    serve
    mints QUERY_STRING=profile=mail
    token claim "$FILE" "it['email'] == 'alice@example.com' and it['namespace'] == 'a1'"
    mints REMOTE_USER=bob PATH_INFO=/bob QUERY_STRING=profile=mail
    token claim "$FILE" "it['email'] == '' and it['namespace'] == ''"
}

@test "what an administrator wrote down comes before what a source says" {
    echo '{"alice": {"email": "a@example.org"}}' >"$DIR/attributes"
    MORE=("attributes = \"$DIR/attributes\"")
    sources
    serve
    mints QUERY_STRING=profile=mail
    token claim "$FILE" "it['email'] == 'a@example.org' and it['namespace'] == 'a1'"
}

@test "a user whom no source knows has no token with groups, and others as before" {
    serve
    ask REMOTE_USER=carol PATH_INFO=/carol $g
    refused 403 'no source of groups knows carol'
    [ "$(token_count)" -eq 0 ]
    mints REMOTE_USER=carol PATH_INFO=/carol
}

@test "patterns say which groups are taken" {
    sources 'allow = { "an*", "staff" }'
    serve
    mints $g
    has analysts
}

@test "a user in more groups than may be has no token, not one with some of them" {
    sources 'most = 1'
    serve
    ask $g
    unserved
    logged 'more than 1 groups'
    mints REMOTE_USER=bob PATH_INFO=/bob $g
}

@test "who is in none of the required groups has no token, but for the exempt" {
    sources 'required = { "staff", "services" }' 'exempt = { "okera" }'
    serve
    ask
    refused 403 'alice is in none of the groups that are required'
    [ "$(token_count)" -eq 0 ]
    mints REMOTE_USER=bob PATH_INFO=/bob
    ask REMOTE_USER=carol PATH_INFO=/carol
    refused 403
    mints REMOTE_USER=okera PATH_INFO=/okera
    mints REMOTE_USER=okera PATH_INFO=/okera $g
    token claim "$FILE" "it['groups'] == []"
    # It is the subject that counts.
    ask REMOTE_USER=svc PATH_INFO=/alice
    refused 403
}

@test "without groups in rules or claims no source is asked, and no resolver runs" {
    policy 'permit authenticated as self'
    configure "policy = \"$POLICY\"" 'groups {' 'resolvers = { "script" }' \
        "script { directory = \"$SCRIPTS\"" 'files = { "who" }' '}' '}'
    serve
    mints
    find_parts
    [ -z "$RESOLVER" ]
    [ ! -e "$DIR/asked" ]
}

# --- sources that fail ------------------------------------------------------------

@test "a source that fails is a 503 where groups are needed, and nothing elsewhere" {
    policy 'permit authenticated as self'
    touch "$DIR/broken"
    serve
    ask $g
    unserved
    logged 'Refused with 503: caller alice, path /alice: groups from script'
    refute grep -q -F "$DIR" "$DIR/answer"
    mints
    rm "$DIR/broken"
    mints $g
}

@test "a rule about groups is not decided without them" {
    policy 'permit authenticated as self' 'deny :etl as *'
    touch "$DIR/broken"
    serve
    ask
    unserved
}

@test "the failure of an optional source is none" {
    echo '{"alice": ["static"]}' >"$DIR/static"
    sources 'resolvers = { "script", "static" }' 'optional = { "script" }' 'mode = merge' \
        "static { file = \"$DIR/static\" }"
    touch "$DIR/broken"
    serve
    mints $g
    has static
    logged 'Groups from script, which is optional'
}

@test "a source that hangs is a 503 within its timeout, then at once, and is asked again later" {
    sources 'retry = 2s'
    echo 30 >"$DIR/slow"
    serve
    milliseconds ask $g
    unserved
    # The timeout, and half a second more.
    [ "$TOOK" -ge 1900 ] && at_most "$TOOK" 2500
    milliseconds ask REMOTE_USER=bob PATH_INFO=/bob $g
    unserved
    at_most "$TOOK" 800
    asked 1
    rm "$DIR/slow"
    until_true 10 mints $g
}

@test "while a source hangs, requests that need none are served" {
    policy 'permit authenticated as self'
    sources
    sed -i 's/timeout = [0-9]*s/timeout = 60s/' "$CONF"
    echo 60 >"$DIR/slow"
    serve
    waiting hanging $g
    until_true 5 test -e "$DIR/asked"
    for _ in {1..10}; do
        milliseconds mints
        at_most "$TOOK" 1000
    done
    refute gone "$JOB"
}

@test "old groups count while the source fails, if the configuration says so, and not for ever" {
    sources 'cache = 1s' 'stale = 15s' 'retry = 1s'
    serve
    mints $g
    touch "$DIR/broken"
    sleep 1.2
    mints $g
    has analysts etl
    logged 'The groups of alice are those of [0-9]* seconds ago: groups from script'
    ask REMOTE_USER=bob PATH_INFO=/bob $g
    unserved 2
    # And a shorter time, for somebody else's groups.
    sources 'cache = 1s' 'stale = 1s' 'retry = 1s'
    rm "$DIR/broken"
    kill -HUP "$MONITOR"
    until_true 10 logged 'Reloaded'
    mints REMOTE_USER=bob PATH_INFO=/bob $g
    touch "$DIR/broken"
    sleep 2.5
    ask REMOTE_USER=bob PATH_INFO=/bob $g
    unserved 3
}

# --- one look-up for many ---------------------------------------------------------

@test "an answer is kept for all workers for as long as the configuration says" {
    sources 'cache = 60s'
    sed -i '1i workers = 3' "$CONF"
    serve
    for _ in {1..12}; do
        mints $g
    done
    asked 1
    # That nobody knows a user is an answer too.
    for _ in {1..4}; do
        ask REMOTE_USER=carol PATH_INFO=/carol $g
        refused 403
    done
    asked 2
}

@test "an answer is asked for anew when its time is over" {
    sources 'cache = 1s'
    serve
    mints $g
    sleep 1.2
    mints $g
    asked 2
}

@test "a thousand requests at once for one user are one look-up" {
    policy 'permit any groups-of *'
    echo 1 >"$DIR/slow"
    serve
    client flight "$SOCKET" 1000 PATH_INFO=/api/groups/alice >"$DIR/flight"
    [ "$(sort "$DIR/flight" | uniq -c | tr -s ' ')" = ' 1000 200
 1 sent' ]
    asked 1
}

@test "250 users with 200 groups each, asked for at once, are all answered" {
    policy 'permit any groups-of *'
    sources "static { file = \"$DIR/static\" }"
    sed -i -e '1i workers = 1' -e 's/resolvers = .*/resolvers = { "static", "script" }/' "$CONF"
    /usr/bin/python3 -c 'import json; print(json.dumps(
        {f"user{n}": [f"a-group-of-user-{n}-and-others-{i}" for i in range(200)] for n in range(250)}))' \
        >"$DIR/static"
    serve
    client users "$SOCKET" 250 >"$DIR/users"
    [ "$(sort "$DIR/users" | uniq -c | tr -s ' ')" = ' 250 200' ]
}

@test "a resolver that is killed is started again, and who waited is answered" {
    echo 1 >"$DIR/slow"
    serve
    waiting late $g
    until_true 5 test -e "$DIR/asked"
    find_parts
    kill -KILL "$RESOLVER"
    wait "$JOB"
    grep -q '^Status: 200' "$DIR/late"
    logged "Resolver $RESOLVER ended by signal 9; starting another"
    asked 2
    # Its successor ends with the server.
    find_parts
    stop
    until_true 5 gone "$RESOLVER"
}

# --- the configuration ------------------------------------------------------------

@test "other sources are in force after a reload; wrong ones are not, and it is said" {
    serve
    mints $g
    echo '{"alice": ["other"]}' >"$DIR/static"
    configure "policy = \"$POLICY\"" 'profile "g" { groups = true }' 'groups {' \
        'resolvers = { "static" }' "static { file = \"$DIR/static\" }" '}'
    kill -HUP "$MONITOR"
    until_true 10 logged 'Reloaded'
    mints $g
    has other
    echo '{"alice": 1}' >"$DIR/static"
    kill -HUP "$MONITOR"
    until_true 10 logged "$DIR/static: 'alice': want a list of groups"
    mints $g
    has other
}

@test "what is wrong with a source is said at the start" {
    local start=("$FCGI" --config "$CONF" --socket "$SOCKET")

    sources 'mode = both'
    fails_with 78 'mode: .both. is not first or merge' "${start[@]}"
    sources 'optional = { "ldap" }'
    fails_with 78 'groups: optional names a source that is not among resolvers' "${start[@]}"
    sources 'allow = {}'
    fails_with 78 'allow: an empty list would mean everything' "${start[@]}"
    sources 'required = {}'
    fails_with 78 'required: an empty list would mean everything' "${start[@]}"
    sources 'required = { "Staff" }'
    fails_with 78 'a name in required or allow has a capital letter' "${start[@]}"
    # The host's accounts would decide in its place.
    sources 'static { file = "/nonexistent" }'
    fails_with 78 'there is a section static, but resolvers does not name it' "${start[@]}"
    sources
    policy 'permit authenticated as self' 'deny :Staff as *'
    fails_with 78 "$POLICY:2: ':Staff' is nobody: names of groups are lower case" "${start[@]}"
    run "${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}/authserverctl" check --config "$CONF"
    [ "$status" -eq 1 ]
    [[ $output == *"$POLICY:2: ':Staff' is nobody"* ]]
    policy 'permit authenticated as self'
    chmod 0777 "$SCRIPTS/who"
    fails_with 78 "$SCRIPTS/who" "${start[@]}"
}

# --- GET /api/groups/USER ---------------------------------------------------------

api=PATH_INFO=/api/groups/

@test "who a rule lets may read groups, and nobody else" {
    policy 'permit svc groups-of *' 'permit :etl groups-of self' 'deny any groups-of root'
    serve
    ask REMOTE_USER=svc ${api}alice
    [ "$STATUS" = 200 ] && [ "$BODY" = '{"groups":["analysts","etl"]}' ]
    grep -q '^Content-Type: application/json' "$DIR/answer"
    ask ${api}alice
    [ "$STATUS" = 200 ]
    ask ${api}bob
    refused 403 '"error":"access_denied"'
    ask REMOTE_USER=svc ${api}root
    refused 403
    ask REMOTE_USER=bob ${api}bob
    refused 403
    ask REMOTE_USER AUTH_TYPE ${api}alice
    refused 401 '"error":"invalid_client"'
    ask REMOTE_USER=svc ${api}carol
    refused 404 '"error":"not_found"'
    [ "$(token_count)" -eq 0 ]
}

@test "a rule about tokens lets nobody read groups, and the other way round" {
    policy 'permit any as *'
    serve
    ask ${api}alice
    refused 403
    policy 'permit any groups-of *'
    kill -HUP "$MONITOR"
    until_true 10 logged 'Reloaded'
    ask ${api}alice
    [ "$STATUS" = 200 ]
    ask
    refused 403
}

@test "a rule about reading groups has no say in tokens, whatever the sources do" {
    policy 'permit authenticated as self' 'permit :etl groups-of *'
    touch "$DIR/broken"
    serve
    mints
    ask ${api}alice
    refused 503
    [ ! -e "$DIR/asked" ] || asked 1
}

@test "what is no reading of one user's groups is refused in JSON" {
    policy 'permit any groups-of *'
    serve
    ask ${api}alice REQUEST_METHOD=POST
    refused 405 '"error":"method_not_allowed"'
    grep -q '^Allow: GET' "$DIR/answer"
    ask ${api}alice QUERY_STRING=x=1
    refused 400 '"error":"invalid_request"'
    ask "${api}a/b"
    refused 404
    ask "$api"
    refused 400
    ask "${api}a*"
    refused 400
    ask ${api}alice HTTP_HOST=evil.example
    refused 403
    ask ${api}alice HTTP_ORIGIN=http://localhost
    refused 403
    touch "$DIR/broken"
    ask ${api}bob
    refused 503 '"error":"temporarily_unavailable"'
}

# --- CGI and the command line -----------------------------------------------------

@test "authserver.cgi asks the same sources, and no variable of a request reaches a script" {
    # shellcheck disable=SC2016 # the script's own
    sed -i "2i env >$DIR/environment" "$SCRIPTS/who"
    execute "$CGI" "AUTHSERVER_CONFIG=$CONF" HTTP_PROXY=http://127.0.0.1:9 $g \
        >"$DIR/answer" 2>"$LOG" </dev/null
    read_answer
    minted
    has analysts etl
    refute grep -qE 'PROXY|REMOTE_USER|HTTP_' "$DIR/environment"
    touch "$DIR/broken"
    execute "$CGI" "AUTHSERVER_CONFIG=$CONF" $g >"$DIR/answer" 2>"$LOG" </dev/null || true
    read_answer
    unserved 1
    logged 'groups from script'
}

@test "what an optional source's failure leaves is shown as such" {
    show() { "${CGI%/*}/authserver-resolver" --config "$CONF" --show "$@"; }

    echo '{"alice": ["static"]}' >"$DIR/static"
    sources 'optional = { "script" }' 'mode = merge' "static { file = \"$DIR/static\" }"
    sed -i 's/resolvers = .*/resolvers = { "script", "static" }/' "$CONF"
    show alice | grep -qx 'alice: analysts, etl, static email=alice@example.com namespace=a1'
    show alice --json | jq -e '.partial == false'
    touch "$DIR/broken"
    show alice | grep -qx 'alice: static (without script)'
    show alice --json | jq -e '.partial == true and .groups == ["static"]'
    run show carol
    [ "$status" -eq 1 ]
    [[ $output == *'carol: no source knows the user (without script)' ]]
}

@test "authserver.cgi waits for a resolver that starts slowly, whatever its sources' timeouts" {
    sources "static { file = \"$DIR/static\" }"
    sed -i 's/resolvers = .*/resolvers = { "static", "script" }/' "$CONF"
    echo '{"alice": ["static"]}' >"$DIR/static"
    mkdir "$DIR/programs"
    cp "$CGI" "$DIR/programs/authserver.cgi"
    printf '#!/bin/sh\nsleep 4\nexec "%s" "$@"\n' "${CGI%/*}/authserver-resolver" \
        >"$DIR/programs/authserver-resolver"
    chmod 0755 "$DIR/programs/authserver-resolver"
    execute "$DIR/programs/authserver.cgi" "AUTHSERVER_CONFIG=$CONF" $g \
        >"$DIR/answer" 2>"$LOG" </dev/null
    read_answer
    minted
    has static
}

@test "authserverctl asks the sources for a user, for a query and for what is wrong with them" {
    ctl() { "$AUTHSERVER_BUILD/authserverctl" "$@"; }

    export AUTHSERVER_BUILD=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}
    ctl groups --config "$CONF" alice >"$DIR/out"
    grep -qE '^script +[0-9.]+ ms  analysts, etl email=alice@example.com namespace=a1$' "$DIR/out"
    grep -qx 'alice: analysts, etl email=alice@example.com namespace=a1' "$DIR/out"
    ctl groups --config "$CONF" --json alice | token holds \
        "it['groups'] == ['analysts', 'etl'] and it['sources'][0]['source'] == 'script'"
    run ctl groups --config "$CONF" carol
    [ "$status" -eq 1 ]
    [[ $output == *'carol: no source knows the user' ]]
    [[ $(ctl check --config "$CONF" 'svc as bob') == "permit $POLICY:2 subject bob"* ]]
    run ctl check --config "$CONF" 'bob as alice'
    [ "$status" -eq 1 ]
    # What the service would say, groups that are required included.
    [[ $(ctl check --config "$CONF") == *'groups: script'* ]]
    sources 'required = { "staff" }'
    [[ $(ctl check --config "$CONF" 'bob as bob') == 'permit '* ]]
    run ctl check --config "$CONF" 'alice as alice'
    [ "$status" -eq 1 ]
    [[ $output == "deny $POLICY:1 alice is in none of the groups that are required" ]]
    [[ $(ctl check --config "$CONF" 'alice as alice group staff') == 'permit '* ]]
    run ctl check --config "$CONF" 'carol as carol profile g'
    [ "$status" -eq 1 ]
    [[ $output == "deny $POLICY:1 no source of groups knows carol" ]]
    sources
    policy 'permit :etl groups-of b*'
    [[ $(ctl check --config "$CONF" 'alice groups-of bob') == "permit $POLICY:1 groups-of bob" ]]
    run ctl check --config "$CONF" 'alice groups-of carol'
    [ "$status" -eq 1 ]
    touch "$DIR/broken"
    run ctl groups --config "$CONF" alice
    [ "$status" -eq 69 ]
    [[ $output == *'failed: '* ]]
    status=0
    ctl groups --config "$CONF" --json alice >"$DIR/out" || status=$?
    [ "$status" -eq 69 ]
    jq -e '.user == "alice" and (.error | startswith("groups from script: ")) and
        (.sources | length == 1 and .[0].source == "script" and .[0].error != null) and
        (has("known") or has("groups") | not)' "$DIR/out"
    rm "$SCRIPTS/who"
    run ctl check --config "$CONF"
    [ "$status" -eq 1 ]
    [[ $output == *"$SCRIPTS/who"* ]]
}
