#!/usr/bin/env bats
# What the compiler and the linker put into every program against defects that are still in it:
# read from what was built.

load lib/quick
load lib/sanitizers

setup_file() {
    quick
    BUILT=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}
    SEEN=$BATS_FILE_TMPDIR
    export BUILT SEEN
    cd "$BUILT"
    printf '%s\n' authserver* >"$SEEN/programs"
    # What is read of one program begins with "File: ".
    readelf -Wl authserver* >"$SEEN/segments"
    readelf -Wd authserver* >"$SEEN/dynamic"
    readelf -W --dyn-syms authserver* >"$SEEN/symbols"
    readelf -Wn libauthserver.a >"$SEEN/notes"
    # What the compiler was told, if it says so; gcc does, when it was told -g, too.
    strings -a libauthserver.a | grep '^GNU C11 ' | sort | uniq -c >"$SEEN/flags" || true
    OBJECTS=$(ar t libauthserver.a | wc -l)
    export OBJECTS
}

# lines_with FILE PATTERN: the lines that match, with the program each is of before it.
lines_with() {
    awk -v pattern="$2" '/^File: / { name = $2 } $0 ~ pattern { print name, $0 }' "$SEEN/$1"
}

# in_each FILE PATTERN: a line of every program matches.
in_each() {
    grep -q -x authserver.fcgi "$SEEN/programs"
    diff "$SEEN/programs" <(lines_with "$1" "$2" | cut -d' ' -f1 | uniq)
}

in_none() {
    local found

    in_each "$1" '^File: '
    found=$(lines_with "$1" "$2")
    [ -z "$found" ] || { echo "$found"; return 1; }
}

built_by_gcc() { [ -s "$SEEN/flags" ] || skip "not built by gcc with -g"; }

# told FLAG: the compiler was, for every object.
told() {
    [ "$(awk -v flag="$1" 'index($0 " ", " " flag " ") { n += $1 } END { print n + 0 }' \
        "$SEEN/flags")" -eq "$OBJECTS" ] || { cat "$SEEN/flags"; return 1; }
}

@test "every program is loaded wherever the kernel chooses" {
    in_each segments '^Elf file type is DYN '
    in_each dynamic 'Flags:.* PIE'
}

@test "addresses of functions are found at the start, and read-only from then on" {
    in_each dynamic '\(FLAGS\) .*BIND_NOW'
    in_each dynamic 'Flags: NOW'
    in_each segments '^ *GNU_RELRO '
}

@test "no memory can be both written and executed, the stack neither" {
    in_each segments '^ *GNU_STACK .* RW  '
    in_none segments ' (RWE|WE|RW E) '
}

@test "constants and headers are not in the pages of code" {
    # What is executed begins a page of the file, and so does what follows it.
    in_each segments '^ *LOAD  *0x0+ .* R   0x'
    in_each segments '^ *LOAD .* R E 0x'
}

@test "a stack that was overrun ends the process" {
    in_each symbols ' UND __stack_chk_fail@'
    built_by_gcc
    told -fstack-protector-strong
}

@test "a function of the C library that would overrun its buffer ends the process" {
    not_with any "it checks those functions itself"
    ! grep -q -- ' -O0 ' "$SEEN/flags" || skip "built without optimization, which it needs"
    # The least of what each of them calls.
    in_each symbols ' UND __[a-z_]+_chk@'
    # What only the third level sees: that the size is known when it runs.
    nm "$BUILT/libauthserver.a" | grep -q ' U __getgroups_chk$'
}

@test "large frames touch the stack's guard, and locals are zero until they are set" {
    built_by_gcc
    told -fstack-clash-protection
    told -ftrivial-auto-var-init=zero
}

@test "jumps and returns go where the program meant them to" {
    case $(uname -m) in
    x86_64) [ "$(grep -c 'x86 feature: IBT, SHSTK' "$SEEN/notes")" -eq "$OBJECTS" ] ;;
    aarch64) [ "$(grep -c 'AArch64 feature: BTI, PAC' "$SEEN/notes")" -eq "$OBJECTS" ] ;;
    *) skip "not on this processor" ;;
    esac
}
