# shellcheck shell=bash
# Programs with another clock, by the library of faketime(1). Not by that program itself: it makes a
# semaphore that is named by its process number and fails where one of that number has been, and was
# killed.

for CLOCK_LIBRARY in /usr/lib/*/faketime/libfaketime.so.1; do
    [ -e "$CLOCK_LIBRARY" ] || { echo "install faketime: $CLOCK_LIBRARY is missing" >&2; exit 69; }
done

# with_clock TIME COMMAND...: by a clock that stands at TIME, or is OFFSET away: -910s, +2d.
with_clock() {
    local time=$1

    shift
    LD_PRELOAD=$CLOCK_LIBRARY FAKETIME=$time "$@"
}
