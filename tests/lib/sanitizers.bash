# shellcheck shell=bash
# What tests have to know of a build with SAN=, or one that counts lines. What such a build cannot
# show is left out by not_with here and nowhere else, so that tests/run counts it.

# sanitized [NAME]: whether what is tested was built with sanitizers; with the one of that name.
sanitized() {
    local names=

    { read -r names <"$(built)/sanitizers"; } 2>/dev/null || return 1
    [[ ,$names, == *",${1:-$names},"* ]]
}

built() { echo "${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}"; }

# not_with SANITIZER WHY: leaves the test out of builds with it; "any" is any, "counters" what
# counts lines.
not_with() {
    local name=$1

    if [ "$name" = counters ]; then
        [ ! -e "$(built)/counters" ] || skip "built to count lines: $2"
        return
    fi
    [ "$name" != any ] || name=
    ! sanitized ${name:+"$name"} || skip "built with a sanitizer: $2"
}
