# shellcheck shell=bash
# A web server that runs another shipped configuration than gateway.bash does, for tests of how
# it finds out who is asking. Goes with gateway.bash, http.bash and ca.bash.
#
# setup_file:  auth_init; start NAME SHIPPED...; each test: at NAME
# teardown:    auth_teardown; an instance with a hyphen in its name is one test's alone

# The CA of the tests, whom curl believes.
auth_init() {
    gateway_init
    ca_create "$WORK/ca"
    export CURL_CA_BUNDLE=$CA/ca.crt
}

auth_teardown() {
    case ${AT##*/} in
    *-*) gateway_stop "${AT##*/}" ;;
    esac
}

# auth_start NAME SHIPPED [EDIT]: an instance that gateway_create made runs nginx/SHIPPED or
# apache/SHIPPED. gateway.bash runs one file of each server: for this it is given a folder in
# which SHIPPED goes by that name.
auth_start() {
    local name=$1 server=${GATEWAY%%-*} as=proxy_fcgi.conf folder

    [ "$server" = apache ] || as=basic.conf
    folder=$WORK/shipped-$name/$server
    ca_install "$name"
    install -d -m 0755 "$folder"
    cp "$SOURCE/$server"/authserver[-_]* "$folder/"
    cp "$SOURCE/$server/$2" "$folder/$as"
    SOURCE=$WORK/shipped-$name gateway_start "$name" "${3:-}"
}

# at NAME: the instance that a test is about.
at() {
    gateway_use "$1"
    case $1 in
    tls* | mtls*) URL=https://localhost:${URL##*:} ;;
    kerberos*) URL=http://localhost:${URL##*:} ;;
    esac
    http_begin
}

# of SUBJECT: whose token was made. What comes after it in a test must make another, or none.
of() {
    claims_of "$FILE"
    [[ $CLAIMS == "{\"sub\":\"$1\","* && $CLAIMS != *'"act"'* ]] || {
        echo "expected a token of $1: $CLAIMS"
        return 1
    }
    http_begin
}

# Everything that a client may try to say about itself, as curl's arguments.
forged() {
    local field scheme=Negotiate

    [[ $GATEWAY == apache-* ]] || scheme=tls-client
    for field in Remote-User Remote_User X-Remote-User X-Forwarded-User Remote-Ident; do
        printf '%s\n' -H "$field: $1"
    done
    for field in Auth-Type Auth_Type X-Auth-Type; do
        printf '%s\n' -H "$field: $scheme"
    done
    for field in X-SSL-Client-Verify SSL-Client-Verify Ssl_Client_Verify; do
        printf '%s\n' -H "$field: SUCCESS"
    done
    for field in X-SSL-Client-S-DN SSL-Client-S-DN X-SSL-Client-DN; do
        printf '%s\n' -H "$field: CN=$1"
    done
    for field in X-SSL-Client-CN X-SSL-Client-S-DN-CN SSL-Client-S-DN-CN Authenticate-Uid; do
        printf '%s\n' -H "$field: $1"
    done
    printf '%s\n' -H "X-SSL-Client-Cert: $(tr -d '\n' <"$CA/alice.crt")"
}

# All that the server listens on.
on_loopback_only() {
    local addresses

    addresses=$(ss -Hltnp | grep -F "pid=$(cat "$AT/pid/web")," | awk '{ print $4 }')
    [ "$addresses" = "127.0.0.1:${URL##*:}" ] || {
        echo "$addresses"
        return 1
    }
}
