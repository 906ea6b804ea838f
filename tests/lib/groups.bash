# shellcheck shell=bash
# What the tests of sources of groups share: a configuration, and what authserver-resolver says.
#
# groups_begin sets RESOLVER, DIR and CONF. write_groups makes CONF.

load lib/quick

groups_begin() {
    quick
    umask 022
    RESOLVER=${AUTHSERVER_BUILD:-$BATS_TEST_DIRNAME/../build}/authserver-resolver
    DIR=$BATS_TEST_TMPDIR
    CONF=$DIR/conf
    USER_ASKED=alice
}

# write_groups RESOLVERS [LINE]...: a configuration with a section groups.
write_groups() {
    local resolvers=$1

    shift
    {
        printf 'groups {\n    resolvers = {%s}\n' "$resolvers"
        printf '    %s\n' "$@"
        printf '}\n'
    } >"$CONF"
}

# show STATUS [ARGUMENT]...: asks for USER_ASKED; $DIR/out and $DIR/err are what was said, TOOK
# the milliseconds.
show() {
    local wanted=$1 status=0 began

    shift
    began=${EPOCHREALTIME/./}
    "$RESOLVER" --config "$CONF" --show "$USER_ASKED" "$@" >"$DIR/out" 2>"$DIR/err" || status=$?
    TOOK=$(((${EPOCHREALTIME/./} - began) / 1000))
    [ "$status" -eq "$wanted" ] || { echo "exit status $status"; cat "$DIR/out" "$DIR/err"; return 1; }
}

# knows GROUP...: the user's groups are these, in this order.
knows() {
    show 0 --json
    jq -e '.groups == $ARGS.positional' "$DIR/out" --args "$@" >/dev/null ||
        { cat "$DIR/out"; return 1; }
}

knows_nobody() {
    show 1 --json
    jq -e '.known == false and .groups == []' "$DIR/out" >/dev/null
}

# fails TEXT...: there is no answer, and one line says why, with each TEXT in it.
fails() {
    show 69
    says "$@"
}

# misconfigured STATUS TEXT...: refused before anything is asked; TEXT as above, and where.
misconfigured() {
    show "$1"
    shift
    [ ! -s "$DIR/out" ]
    says "$CONF:" "$@"
}

says() {
    local said='' text

    IFS= read -rd '' said <"$DIR/err" || true
    [[ $said == *$'\n' && ${said%$'\n'} != *$'\n'* ]] || { cat "$DIR/err"; return 1; }
    for text in "$@"; do
        [[ $said == *"$text"* ]] || { cat "$DIR/err"; return 1; }
    done
}

# in_time SECONDS: the answer came within them and half a second.
in_time() {
    at_most "$TOOK" $(($1 * 1000 + 500))
}

# ends PID...: the processes are gone, or nobody has waited for them yet.
ends() {
    local pid

    for pid in "$@"; do
        [[ $pid =~ ^[0-9]+$ ]]
        until_true 2 gone "$pid" || { echo "$pid is still there"; return 1; }
    done
}

gone() {
    local line

    { read -rd '' line <"/proc/$1/stat"; } 2>/dev/null || [ -n "${line:-}" ] || return 0
    # After the name, which may have anything in it.
    [[ ${line##*)} == ' Z '* ]]
}
