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
    readelf -Wn authserver* >"$SEEN/notes"
    # All that we compile for them.
    objects=(core/*/*.o {fcgi,cgi,password,resolver,tools}/*.o tools/*/*.o)
    OBJECTS=$(cd "$BATS_TEST_DIRNAME/.." &&
        printf '%s\n' core/*/*.c {fcgi,cgi,password,resolver,tools}/*.c tools/*/*.c | wc -l)
    export OBJECTS
    readelf -Wn "${objects[@]}" >"$SEEN/object-notes"
    # What the compiler was told, if it says so; gcc does, when it was told -g, too.
    strings -a "${objects[@]}" | grep '^GNU C11 ' | sort | uniq -c >"$SEEN/flags" || true
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

@test "each object is compiled for a processor that sees to where jumps and returns go" {
    case $(uname -m) in
    x86_64) [ "$(grep -c 'x86 feature: IBT, SHSTK' "$SEEN/object-notes")" -eq "$OBJECTS" ] ;;
    aarch64) [ "$(grep -c 'AArch64 feature: BTI, PAC' "$SEEN/object-notes")" -eq "$OBJECTS" ] ;;
    *) skip "not on this processor" ;;
    esac
}

# The linker leaves the mark out where one object has none: those of Debian 12's C library, with
# which each program begins. Then nobody asks the processor for it.
@test "a program is marked for such a processor where the system's own objects are" {
    local object

    [ "$(uname -m)" = x86_64 ] || skip "not on this processor"
    for object in Scrt1.o crti.o crtn.o; do
        readelf -Wn "$(${CC:-cc} -print-file-name="$object")" >"$BATS_TEST_TMPDIR/notes"
        if ! grep -q 'x86 feature: .*IBT' "$BATS_TEST_TMPDIR/notes"; then
            echo "# $object is not marked, and so no program is" >&3
            in_none notes 'x86 feature: .*(IBT|SHSTK)'
            return
        fi
    done
    not_with any "what it links may have no mark"
    in_each notes 'x86 feature: IBT, SHSTK'
}
