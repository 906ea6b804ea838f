# shellcheck shell=bash
# What tests have to know of a build with SAN=. What such a build cannot show is left out by
# not_with here and nowhere else, so that tests/run counts it.

# sanitized [NAME]: whether what is tested was built with sanitizers; with the one of that name.
sanitized() {
    local names=

    { read -r names <"${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}/sanitizers"; } \
        2>/dev/null || return 1
    [[ ,$names, == *",${1:-$names},"* ]]
}

# not_with SANITIZER WHY: leaves the test out of builds with it; "any" is any.
not_with() {
    local name=$1

    [ "$name" != any ] || name=
    ! sanitized ${name:+"$name"} || skip "built with a sanitizer: $2"
}
