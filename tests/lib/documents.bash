# shellcheck shell=bash
# The commands that the documents show, as docs.bats describes them, and what programs say of their
# flags. SOURCE is the top of the sources, BUILD the build folder, DOCS the folder that the commands
# are written to.

# Turns a document into "S section" lines and "C text" lines, which may be commands.
lines_of() {
    case $1 in
    README.md)
        awk 'BEGIN { print "S First screen" }
            /^```/ { inside = !inside && $0 == "```console"; next }
            /^## / && !inside { print "S " substr($0, 4) }
            inside { print "C " $0 }' "$SOURCE/README.md"
        ;;
    INSTALL)
        awk '/^-+$/ { print "S " before } { before = $0 }
            /^    / { print "C " substr($0, 5) } /^$/ { print "C " }' "$SOURCE/INSTALL"
        ;;
    *)
        mandoc -Tascii -Owidth=300 "$SOURCE/man/$1" 2>/dev/null | sed 's/.\x08//g' |
            awk '/^[A-Z]/ { inside = $0 == "EXAMPLES"; if (inside) print "S EXAMPLES" }
                inside { sub(/^           /, ""); print "C " $0 }'
        ;;
    esac
}

# Writes each command of a document to a file of its own in $DOCS/DOCUMENT: NUMBER.user or
# NUMBER.root, and its section to NUMBER.section.
extract() {
    mkdir "$DOCS/$1"
    lines_of "$1" | awk -v to="$DOCS/$1" '
        function finish() {
            name = sprintf("%s/%03d", to, ++count)
            printf "%s\n", text >(name (who == "#" ? ".root" : ".user"))
            print section >(name ".section")
            text = ""
            open = 0
        }
        /^S / { section = substr($0, 3); next }
        {
            line = substr($0, 3)
            if (tag != "") {
                text = text "\n" line
                if (line == tag) { tag = ""; finish() }
                next
            }
            if (!open) {
                if (line !~ /^[$#] /) next
                who = substr(line, 1, 1)
                line = substr(line, 3)
                text = line
                open = 1
            } else
                text = text "\n" line
            if (match(line, /<<\047[A-Z]+\047/))
                tag = substr(line, RSTART + 3, RLENGTH - 4)
            else if (line !~ /[\\|]$/)
                finish()
        }'
}

# shellcheck disable=SC2034 # for the tests
readonly programs=(authserver authserver-keep authserver-reap authserver-token authserverctl
    authserver.fcgi authserver.cgi authserver-resolver authserver-password)

# What a program says of its flags, and of those of its commands. It is asked once.
help_of() {
    local command help=$BATS_FILE_TMPDIR/help-$1

    [ -e "$help" ] || {
        "$BUILD/$1" --help >"$help-itself"
        cat "$help-itself"
        [ "$1" != authserverctl ] || while read -r command; do
            "$BUILD/$1" "$command" --help
        done < <(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$help-itself")
    } >"$help-new"
    [ -e "$help" ] || mv "$help-new" "$help"
    cat "$help"
}
