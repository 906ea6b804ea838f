# shellcheck shell=bash
# Before each command bats notes where it stands: 0.3 ms, which is more than the command takes when
# it is one of bash's own, and a helper has many.
#
# quick: for setup and setup_file. From here on the commands of the test itself are noted, not
# those of the functions that it calls: for a failure in one of these the line that called it is
# shown. TRACE=1 has them all noted.

quick() {
    [ -n "${TRACE:-}" ] || set +T
}
