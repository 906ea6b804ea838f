# shellcheck shell=bash
# What TAP says, as bats, cmocka and our own programs print it.

# tap_count FILE KIND: sets ok, not_ok and planned to numbers, and skips to the lines of what was
# skipped, which ok counts too. KIND is cmocka, in whose words that is not ok, or another. No
# program is started for it: there are hundreds of files.
tap_count() {
    local line IFS= skip='^ok [0-9]+ (.* )?# *[Ss][Kk][Ii][Pp]( |$)'

    ok=0 not_ok=0 planned=0 skips=()
    [ "$2" != cmocka ] || skip='^(not )?ok [0-9]+( - [^ ]+)? # SKIP( |$)'
    while read -r line || [ -n "$line" ]; do
        line=${line%$'\r'}
        case $line in
        'ok '* | 'not ok '*)
            # Anything else is what somebody said.
            if [[ ! $line =~ ^(not )?ok\ [0-9]+(\ |$) ]]; then
                continue
            elif [[ $line =~ $skip ]]; then
                skips+=("$line")
            elif [[ $line == 'not '* ]]; then
                not_ok=$((not_ok + 1))
                continue
            fi
            ok=$((ok + 1))
            ;;
        1..*[!0-9]*) ;;
        1..[0-9]*) planned=$((planned + ${line#1..})) ;;
        esac
    done <"$1"
}
