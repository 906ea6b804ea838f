#!/usr/bin/env bats
# nginx/auth_request.conf as it is shipped, beside nginx/basic.conf: nginx asks authserver whether
# the token of a request is good, before it serves a file.

load lib/gateway
load lib/http

setup_file() {
    export GATEWAY=nginx-fcgi SERVED HOST
    # An address of this file's own: all of 127.0.0.0/8 is this host.
    HOST=127.$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1)).$((RANDOM % 254 + 1))
    gateway_init
    install -d -m 0755 "$WORK/srv/files/etl"
    echo of-everybody >"$WORK/srv/files/index.html"
    echo of-etl >"$WORK/srv/files/etl/data"
    echo '{"alice": ["etl"], "bob": ["staff"]}' >"$WORK/groups"
    chmod 0644 "$WORK/groups"
    gateway_create main 'groups {' 'resolvers = { "static" }' 'claim = true' \
        "static { file = \"$WORK/groups\" }" '}'
    # A socket beside the port, and a place for the files.
    SERVED=$WORK/main/web/files.sock
    sed -e "s|listen 127.0.0.1:5002|listen unix:$SERVED; listen $HOST:5002|" -e "s|/srv/authserver|$WORK/srv|" \
        "$SOURCE/nginx/auth_request.conf" >"$WORK/auth_request.conf"
    gateway_start main "\$a include $WORK/auth_request.conf;"
}

setup() {
    gateway_use main
    http_begin
}

teardown() { gateway_stop_one prometheus; }
teardown_file() { gateway_end; }

# shown TOKEN PATH [CURL-ARGUMENT]...: asks the server of the files.
shown() {
    local token=$1 path=$2

    shift 2
    request --unix-socket "$SERVED" -H "Authorization: Bearer $token" "$@" "http://localhost$path"
}

# token_of USER
token_of() {
    request_as "$1" -H 'Accept: application/jwt' "$URL/$1"
    [ "$STATUS" = 200 ]
    TOKEN=$(cat "$BODY")
}

@test "a file is served to who has a good token" {
    token_of alice
    shown "$TOKEN" /files/
    [ "$STATUS" = 200 ] && [ "$(cat "$BODY")" = of-everybody ]
    header X-Served-To alice
}

@test "without a token, with a bad one, with a password: 401 that says what is wanted" {
    token_of alice
    request --unix-socket "$SERVED" http://localhost/files/
    [ "$STATUS" = 401 ]
    header WWW-Authenticate 'Bearer realm="authserver"'
    shown "${TOKEN%?}" /files/
    [ "$STATUS" = 401 ]
    header WWW-Authenticate 'Bearer realm="authserver", error="invalid_token"'
    request --unix-socket "$SERVED" -u "alice:$PASSWORD-alice" http://localhost/files/
    [ "$STATUS" = 401 ]
}

@test "a folder of a group is for tokens with that group" {
    token_of alice
    shown "$TOKEN" /files/etl/data
    [ "$STATUS" = 200 ] && [ "$(cat "$BODY")" = of-etl ]
    token_of bob
    shown "$TOKEN" /files/etl/data
    [ "$STATUS" = 403 ]
    shown "$TOKEN" /files/etl/data -H 'AUTHSERVER-GROUPS: staff' -H 'X-Auth-Groups: etl'
    [ "$STATUS" = 403 ]
    shown "$TOKEN" /files/
    [ "$STATUS" = 200 ]
}

@test "what a client says of itself has no effect, nor has its method or its body" {
    token_of bob
    shown "$TOKEN" /files/ -H 'X-Auth-Subject: root' -H 'X-Served-To: root'
    [ "$STATUS" = 200 ]
    header X-Served-To bob
    shown "$TOKEN" /files/ -d "$(printf 'x%.0s' {1..5000})"
    [ "$STATUS" = 405 ]
    shown x /files/ -X DELETE
    [ "$STATUS" = 401 ]
    shown "$TOKEN" /files/ -H 'Origin: https://app.example' -H 'Host: files.example'
    [ "$STATUS" = 200 ]
}

@test "nobody reaches the inner locations, and there is nothing else" {
    token_of alice
    shown "$TOKEN" /authserver/authorize
    [ "$STATUS" = 404 ]
    shown "$TOKEN" /api/authorize
    [ "$STATUS" = 404 ]
    shown "$TOKEN" /alice
    [ "$STATUS" = 404 ]
}

@test "verifiers elsewhere ask whether a token is good" {
    token_of alice
    shown "$TOKEN" /api/validate -X POST -H 'Accept: application/json'
    [ "$STATUS" = 200 ] && [ "$(cat "$BODY")" = '{"sub":"alice"}' ]
    shown "$TOKEN" /api/get-user
    [ "$STATUS" = 200 ] && [ "$(cat "$BODY")" = '{"user":"alice"}' ]
    shown "x$TOKEN" /api/validate -X POST
    [ "$STATUS" = 401 ]
}

@test "a program that sends its token from a file gets in: curl -H @file" {
    token_of alice
    printf 'Authorization: Bearer %s\n' "$TOKEN" >"$BATS_TEST_TMPDIR/header"
    request --unix-socket "$SERVED" -H "@$BATS_TEST_TMPDIR/header" http://localhost/files/
    [ "$STATUS" = 200 ]
}

# prometheus_says PATH FILTER: whether what its API answers passes a filter of jq.
prometheus_says() {
    curl -sf "http://$HOST:9090/api/v1/$1" | jq -e "$2" >/dev/null
}

# scraped HEALTH ERROR: how its last scrape of the one target went.
scraped() {
    prometheus_says targets?state=active ".data.activeTargets[0] |
        .health == \"$1\" and .lastError == \"$2\""
}

@test "Prometheus scrapes with the token in a file, and with what takes its place" {
    local bad='server returned HTTP status 401 Unauthorized'

    echo 'answers_total 42' >"$WORK/srv/files/metrics"
    cat >"$BATS_TEST_TMPDIR/prometheus.yml" <<PROMETHEUS
global:
  scrape_interval: 500ms
  scrape_timeout: 500ms
scrape_configs:
  - job_name: protected
    metrics_path: /files/metrics
    static_configs:
      - targets: ["$HOST:5002"]
    authorization:
      credentials_file: $BATS_TEST_TMPDIR/token
PROMETHEUS
    token_of alice
    echo "$TOKEN" >"$BATS_TEST_TMPDIR/token"
    gateway_spawn prometheus prometheus --config.file="$BATS_TEST_TMPDIR/prometheus.yml" \
        --storage.tsdb.path="$BATS_TEST_TMPDIR/data" --web.listen-address="$HOST:9090"
    until_true 30 scraped up ''
    until_true 10 prometheus_says query?query=up '.data.result[0].value[1] == "1"'
    until_true 10 prometheus_says query?query=answers_total '.data.result[0].value[1] == "42"'
    echo "${TOKEN%?}" >"$BATS_TEST_TMPDIR/token"
    until_true 10 scraped down "$bad"
    token_of bob
    echo "$TOKEN" >"$BATS_TEST_TMPDIR/next"
    mv "$BATS_TEST_TMPDIR/next" "$BATS_TEST_TMPDIR/token"
    until_true 10 scraped up ''
    rm "$BATS_TEST_TMPDIR/token"
    until_true 10 prometheus_says query?query=up '.data.result[0].value[1] == "0"'
    must_not grep -rn eyJ "$LOG"
}

@test "when authserver is stopped, nothing is served, and clients are told to try again" {
    token_of alice
    gateway_stop_one program
    shown "$TOKEN" /files/
    [ "$STATUS" = 503 ]
    header Retry-After 5
    shown "$TOKEN" /api/validate -X POST
    [ "$STATUS" = 503 ]
    header Retry-After 5
    gateway_start_program
    until_true 10 served
}

served() {
    shown "$TOKEN" /files/
    [ "$STATUS" = 200 ]
}
