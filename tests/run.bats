#!/usr/bin/env bats
# tests/run itself: which jobs pass, what it counts, and the server of tokens that it has for tests.

load lib/quick

# shellcheck disable=SC2016 # scripts
# A folder of tests whose jobs are scripts that print TAP: those of bats, and unit tests.
setup_file() {
    quick
    DIR=$BATS_FILE_TMPDIR
    export DIR
    mkdir -p "$DIR/tests" "$DIR/bin" "$DIR/build/tests/unit"
    ln -s "$BATS_TEST_DIRNAME/run" "$BATS_TEST_DIRNAME/lib" "$DIR/tests/"
    printf '#!/bin/bash\n. "./$2"\n' >"$DIR/bin/bats"
    chmod +x "$DIR/bin/bats"

    bats_job kept 'echo 1..2; echo "ok 1 a"; echo "ok 2 b # c"'
    bats_job said 'printf "%s\n" 1..1 "ok, so be it" "ok 1a" "not ok at all" "okay 1" "ok 1 a"'
    bats_job skipped 'printf "%s\n" 1..4 "ok 1 a # skip why # not" "ok 2 b #1 # skip" "ok 3 # skipped" "ok 4 c"'
    bats_job fewer 'echo 1..2; echo "ok 1 a"'
    bats_job more 'printf "%s\n" 1..1 "ok 1 a" "ok 1 a"'
    bats_job planless 'echo "ok 1 a"'
    bats_job empty 'echo 1..0'
    bats_job status 'echo 1..1; echo "ok 1 a"; exit 3'
    bats_job refused 'printf "%s\n" 1..2 "not ok 1 a # SKIP" "ok 2 b"'
    unit_job kept 'printf "%s\n" 1..1 "ok 1 - a"'
    unit_job skipped 'printf "%s\n" 1..3 "not ok 1 # SKIP a" "not ok 2 - b # SKIP" "ok 3 - skip"'
    unit_job refused 'printf "%s\n" 1..2 "not ok 1 - a" "ok 2 - b"; exit 1'
    unit_job twice 'printf "%s\n" 1..2 "ok 1 - a" "ok 2 - b" "ok 2 - b"'
    # Where a failure is wanted, that of the server must not do.
    bats_job vain '. lib/quick.bash; echo "0 none" >"$TOKEN_SERVER"
        ! token verify a b 2>/dev/null && [ "$(token claims a 2>&1 || echo $?)" = \
            "token claims: no answer of the server that tests/run has for it"$'"'\n125'"' ] &&
            echo 1..1 && echo "ok 1 a"'
    PATH=$DIR/bin:$PATH TESTS='@(bats/job|unit/test)_*' "$DIR/tests/run" "$DIR/build" \
        >"$DIR/said" 2>&1 && status=0 || status=$?
    echo "$status" >"$DIR/status"
}

setup() { quick; }

bats_job() { printf '%s\n' "$2" >"$DIR/tests/job_$1.bats"; }

unit_job() {
    printf '#!/bin/bash\n%s\n' "$2" >"$DIR/build/tests/unit/test_$1"
    chmod +x "$DIR/build/tests/unit/test_$1"
}

# says LINE: it is what the run printed.
says() { grep -qxF -e "$1" "$DIR/said" || { cat "$DIR/said"; return 1; }; }

fails() { says "FAILED: $1"; }

passes() {
    ! grep -F "FAILED: $1:" "$DIR/said" || return 1
    grep -q "^  $1: $2 passed, 0 failed, " "$DIR/said"
}

@test "a job whose results are those of its plan passes" {
    passes bats/job_kept 2
    passes unit/test_kept 1
}

@test "a job with fewer or more results than planned, or without a plan, fails" {
    fails 'bats/job_fewer: 0 failed, 1 results of 2, exit status 0'
    fails 'bats/job_more: 0 failed, 2 results of 1, exit status 0'
    fails 'bats/job_planless: 0 failed, 1 results of 0, exit status 0'
    fails 'bats/job_empty: 0 failed, 0 results of 0, exit status 0'
    fails 'unit/test_twice: 0 failed, 3 results of 2, exit status 0'
}

@test "a job whose exit status is another than its results say fails" {
    fails 'bats/job_status: 0 failed, 1 results of 1, exit status 3'
}

@test "only lines that are results are counted" {
    passes bats/job_said 1
}

@test "what is skipped is named and counted, and is no failure" {
    passes bats/job_skipped 4
    passes unit/test_skipped 3
    says 'SKIPPED: bats/job_skipped: 1 a # skip why # not'
    says 'SKIPPED: bats/job_skipped: 2 b #1 # skip'
    says 'SKIPPED: unit/test_skipped: 1 # SKIP a'
    says 'SKIPPED: unit/test_skipped: 2 - b # SKIP'
}

@test "what is not ok is a failure, but for cmocka's word for what is skipped" {
    fails 'bats/job_refused: 1 failed, 2 results of 2, exit status 0'
    fails 'unit/test_refused: 1 failed, 2 results of 2, exit status 1'
}

# bats does not escape what names have of TAP's words.
@test "no test has a name that reads as if it was skipped" {
    run grep -niE '^@test .*# *skip' "$BATS_TEST_DIRNAME"/*.bats
    [ "$status" -eq 1 ]
}

@test "a server of tokens that does not answer is a failure of the run" {
    passes bats/job_vain 1
    fails 'the server of tokens did not answer'
}

@test "the last lines have the sums, and the exit status is 1" {
    [ "$(tail -n 2 "$DIR/said")" = '4 skipped, which SKIPPED names
18 passed, 9 failed' ]
    [ "$(<"$DIR/status")" -eq 1 ]
}

@test "the server of tokens answers who has its secret alone, and is held up by nobody" {
    local TOKEN_SERVER=$DIR/tokens port secret silent wrong words got status pid began

    "$BATS_TEST_DIRNAME/lib/token" serve "$TOKEN_SERVER" 3>&- </dev/null &
    pid=$!
    until_true 20 test -s "$TOKEN_SERVER"
    read -r port secret <"$TOKEN_SERVER"
    exec {silent}<>"/dev/tcp/127.0.0.1/$port"
    began=${EPOCHREALTIME/./}
    printf e30.eyJhIjoxfQ.x >"$DIR/token"
    [ "$(token claims "$DIR/token")" = '{"a":1}' ]
    at_most "$(((${EPOCHREALTIME/./} - began) / 1000))" 2000
    for words in "${secret%?}" "${secret}0" "" "$secret$secret$secret$secret"; do
        exec {wrong}<>"/dev/tcp/127.0.0.1/$port"
        printf '%s\0' 5 "$words" / "" claims "$DIR/token" >&"$wrong"
        ! IFS= read -rd '' -t 60 got <&"$wrong" || return 1
        [ -z "$got" ]
        exec {wrong}>&-
    done
    # Hung up on: an end, where a read in vain would be 142.
    status=0
    IFS= read -rd '' -t $((20 * ${PATIENCE:-1})) got <&"$silent" || status=$?
    [ "$status" -eq 1 ]
    exec {silent}>&-
    kill -STOP "$pid"
    status=0
    TOKEN_WITHIN=1 token claims "$DIR/token" 2>"$DIR/vain" || status=$?
    kill -KILL "$pid"
    [ "$status" -eq 125 ]
    diff "$DIR/vain" "$TOKEN_SERVER.vain"
}
