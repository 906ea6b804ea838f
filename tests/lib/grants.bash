# shellcheck shell=bash
# Requests to the token endpoint, for tests that load lib/fastcgi.

# grant_as USER [NAME=VALUE]...: a form, its values encoded by the caller; "" is nobody.
grant_as() {
    local user=$1 IFS='&'
    local identity=("REMOTE_USER=$user" AUTH_TYPE=Basic)

    shift
    [ -n "$user" ] || identity=(REMOTE_USER AUTH_TYPE)
    ask PATH_INFO=/oauth2/token REQUEST_METHOD=POST "${identity[@]}" \
        CONTENT_TYPE=application/x-www-form-urlencoded "text=$*"
}

grant() { grant_as alice "$@"; }

# field NAME VALUE: the last answer has this field.
field() { grep -qx -e "$1: $2"$'\r' "$DIR/answer" || { cat "$DIR/answer"; return 1; }; }

# holds EXPRESSION: of the last answer, as "it".
holds() {
    token holds "($1)" <<<"$BODY" || { cat "$DIR/answer"; return 1; }
}

# access [FILE]: keeps the last answer's token there, or in $DIR/access.
access() {
    [ "$STATUS" = 200 ] || { cat "$DIR/answer"; return 1; }
    [[ $BODY =~ \"access_token\":\"([A-Za-z0-9._-]*)\" ]]
    printf '%s' "${BASH_REMATCH[1]}" >"${1:-$DIR/access}"
}

# claims EXPRESSION [FILE]: of the token that was kept.
claims() {
    token claim "${2:-$DIR/access}" "($1)"
}

# fails STATUS ERROR: so was the last request refused.
fails() {
    if [ "$STATUS" != "$1" ] || [[ $BODY != "{\"error\":\"$2\",\"error_description\":\""*'"}' ]]; then
        echo "wanted $1 $2:"
        cat "$DIR/answer"
        return 1
    fi
}
