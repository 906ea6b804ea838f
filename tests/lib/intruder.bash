# shellcheck shell=bash
# What the same user tries on a process that has a key, for tests that load lib/quick.
#
# intruder_begin FOLDER: FOLDER can be entered by all. Sets AS_USER, which runs a command without
# privileges: as root that is as nobody; STANDING, a process that this user may look into; and
# INTRUDER.
# intruder_end:          ends that process

intruder_begin() {
    AS_USER=(env)
    [ "$(id -u)" -ne 0 ] || AS_USER=(setpriv --reuid nobody --regid nogroup --clear-groups)
    INTRUDER=$1/intruder.py
    CORES=$1/cores
    install -m 0755 "$BATS_TEST_DIRNAME/lib/intruder.py" "$1"
    mkdir -m 0777 "$CORES"
    "${AS_USER[@]}" "$INTRUDER" stand >"$1/standing" 3>&- &
    STANDING=$!
    until_true 10 grep -q standing "$1/standing"
}

intruder_end() {
    [ -z "${STANDING:-}" ] || kill "$STANDING" 2>/dev/null || true
}

# dumped PID: whether gcore(1) makes a core of it.
dumped() {
    "${AS_USER[@]}" gcore -o "$CORES/core" "$1" >"$CORES/said.$1" 2>&1 || true
    [ -s "$CORES/core.$1" ]
}

# can PID: what the user can do to it.
can() { "${AS_USER[@]}" "$INTRUDER" attempts "$1" | tr '\n' ' '; }

# untouchable PID...: nothing of that, which the user can do to a process of its own else.
untouchable() {
    local pid

    if grep -qs '[23]' /proc/sys/kernel/yama/ptrace_scope; then
        skip "Yama lets no user trace anything (kernel.yama.ptrace_scope)"
    fi
    [ "$(can "$STANDING")" = 'mem vm attach seize ' ]
    dumped "$STANDING"
    for pid; do
        [ "$(stat -c %U "/proc/$pid/mem")" = root ]
        [ -z "$(can "$pid")" ] || { echo "$pid: $(can "$pid")"; return 1; }
        ! dumped "$pid" || { echo "$pid: gcore"; return 1; }
    done
}
