# shellcheck shell=bash
# A web server and authserver, run from the configuration files that are shipped, for tests.
#
# The gateway is one of
#   nginx-fcgi         nginx/basic.conf, authserver.fcgi under spawn-fcgi
#   nginx-sidecar      nginx/sidecar.conf, the same with --permit-anonymous
#   apache-proxy-fcgi  apache/proxy_fcgi.conf, authserver.fcgi under spawn-fcgi
#   apache-authnz-fcgi apache/authnz_fcgi.conf, the same; it makes no tokens, but believes them
#   apache-fcgid       apache/mod_fcgid.conf, which starts authserver.fcgi
#   apache-cgi         apache/cgi.conf, which runs authserver.cgi
#   nginx-fcgiwrap     nginx/cgi-fcgiwrap.conf, fcgiwrap runs authserver.cgi
#
# An instance is one pair with files of its own below $WORK/NAME: etc, run, tokens, log, web.
# Of the shipped files only ports and paths are changed. As root the programs run as users of
# their own, as they would on a machine in use; otherwise all run as the caller.
#
# setup_file:  gateway_init; gateway_create main; gateway_start main
# setup:       gateway_use main
# teardown_file: gateway_end

load lib/quick
load lib/plain

# The password of a user is this and its name: words that no log line has by chance.
PASSWORD=opensesame

# --- the users and the place ------------------------------------------------------

gateway_init() {
    quick
    SOURCE=$(cd "${BATS_TEST_DIRNAME:?}/.." && pwd)
    BUILD=${BUILD:-$SOURCE/build}
    WORK=$(mktemp -d "${GATEWAY_TMPDIR:-${TMPDIR:-/tmp}}/gateway.XXXXXX")
    chmod 0755 "$WORK"
    if [ "$EUID" -eq 0 ]; then
        WEB_USER=www-data
        case $GATEWAY in
        nginx-fcgi | nginx-sidecar | apache-proxy-fcgi | apache-authnz-fcgi)
            # A user of its own, which is also in the group that token files are given to.
            AUTH_USER=daemon
            ;;
        *)
            # The web server starts the program as its own user.
            AUTH_USER=www-data
            ;;
        esac
        TOKEN_GROUP=www-data
        AUTH_GROUPS=$(id -g "$AUTH_USER"),$(getent group "$TOKEN_GROUP" | cut -d: -f3)
    else
        WEB_USER=$(id -un)
        AUTH_USER=$WEB_USER
        TOKEN_GROUP=$(id -Gn)
        TOKEN_GROUP=${TOKEN_GROUP##* }
        AUTH_GROUPS=
    fi
    export SOURCE BUILD WORK WEB_USER AUTH_USER AUTH_GROUPS TOKEN_GROUP

    # The programs, where the web server's user can reach them.
    install -d -m 0755 "$WORK/bin"
    install -m 0755 "$BUILD/authserver.fcgi" "$BUILD/authserver.cgi" \
        "$BUILD/authserver-resolver" "$BUILD/authserver-password" "$WORK/bin/"

    # One key and one password file for all instances.
    install -d -m 0700 "$WORK/rsa"
    rsa_keys "$WORK/rsa"
    mv "$WORK/rsa/other" "$WORK/key.pem"
    mv "$WORK/rsa/other.pub" "$WORK/key.pub"
    mv "$WORK/rsa/other.jwk" "$WORK/key.jwk"
    htpasswd -bcB -C 4 "$WORK/htpasswd" alice "$PASSWORD-alice" 2>/dev/null
    htpasswd -bB -C 4 "$WORK/htpasswd" bob "$PASSWORD-bob" 2>/dev/null
}

# --- instances --------------------------------------------------------------------

# gateway_create NAME [LINE]...: files of an instance; LINEs go into authserver.conf.
gateway_create() {
    local at=$WORK/$1

    shift
    [ -d "$WORK/.blank" ] || gateway_blank "$WORK/.blank"
    cp -rp "$WORK/.blank" "$at"
    {
        printf '%s\n' "private-key = \"$at/etc/key.pem\""
        printf '%s\n' "directory = \"$at/tokens\""
        printf '%s\n' "group = \"$TOKEN_GROUP\""
        printf '%s\n' 'issuer = "https://first.example"'
        [ "$#" -eq 0 ] || printf '%s\n' "$@"
    } >"$at/etc/authserver.conf"
}

# gateway_blank FOLDER: what an instance has from the start.
gateway_blank() {
    install -d -m 0755 "$1" "$1/etc" "$1/run" "$1/web" "$1/log" "$1/pid"
    install -m 0640 "$WORK/htpasswd" "$1/etc/htpasswd"
    install -m 0600 "$WORK/key.pem" "$1/etc/key.pem"
    install -d -m 0750 "$1/tokens"
    if [ "$EUID" -eq 0 ]; then
        chgrp "$WEB_USER" "$1/etc/htpasswd"
        chown "$AUTH_USER" "$1/etc/key.pem" "$1/tokens" "$1/run"
        chown "$WEB_USER" "$1/web"
    fi
}

# gateway_start NAME [SED-EXPRESSION]: starts an instance and waits until it serves. The
# expression changes the shipped configuration, for tests of a configuration gone wrong.
gateway_start() {
    local name=$1 edit=${2:-} attempt

    gateway_use "$name"
    gateway_start_program
    # Two tests may choose one port; the server that comes second is given another.
    for attempt in 1 2 3 4 5; do
        PORT=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        printf '%s\n' "$PORT" >"$AT/port"
        rm -f "$AT"/web/*.pid
        case $GATEWAY in
        nginx-*) gateway_start_nginx "$edit" ;;
        apache-*) gateway_start_apache "$edit" ;;
        esac
        if gateway_wait_web; then
            gateway_use "$name"
            return 0
        fi
        gateway_stop_one web
    done
    echo "gateway: $GATEWAY does not start ($attempt attempts):" >&2
    cat "$AT"/log/* >&2
    return 1
}

# gateway_use NAME: sets AT, TOKENS, CONF, LOG, URL for an instance.
gateway_use() {
    AT=$WORK/$1
    TOKENS=$AT/tokens
    CONF=$AT/etc/authserver.conf
    LOG=$AT/log
    PORT=
    [ ! -e "$AT/port" ] || read -r PORT <"$AT/port"
    URL=http://127.0.0.1:$PORT
    export AT TOKENS CONF LOG URL
}

# gateway_stop NAME: ends an instance's processes.
gateway_stop() {
    AT=$WORK/$1
    gateway_stop_one web
    gateway_stop_one program
}

# Ends everything and takes the files away.
gateway_end() {
    local at

    [ -n "${WORK:-}" ] || return 0
    for at in "$WORK"/*/pid; do
        [ -d "$at" ] || continue
        at=${at%/pid}
        gateway_stop "${at##*/}"
    done
    rm -rf "$WORK"
}

# --- processes --------------------------------------------------------------------

# gateway_spawn WHAT [NAME=VALUE]... COMMAND...: runs it in a process group of its own, so that
# a signal meant for its group cannot reach the tests, and keeps its pid.
gateway_spawn() {
    local what=$1

    shift
    setsid env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" >>"$LOG/$what.out" 2>&1 \
        </dev/null 3>&- &
    printf '%s\n' "$!" >"$AT/pid/$what"
}

gateway_alive() {
    local pid

    [ -e "$AT/pid/$1" ] && read -r pid <"$AT/pid/$1" && kill -0 "$pid" 2>/dev/null
}

# gateway_stop_one WHAT: SIGTERM; then the same for what it left behind (fcgiwrap leaves its
# children), and SIGKILL where that is not enough.
gateway_stop_one() {
    local pid

    [ -e "$AT/pid/$1" ] && read -r pid <"$AT/pid/$1" || return 0
    rm -f "$AT/pid/$1"
    kill -TERM "$pid" 2>/dev/null || true
    until_true 20 gateway_process_gone "$pid" || true
    kill -TERM -- "-$pid" 2>/dev/null || return 0
    until_true 4 gateway_gone "$pid" || kill -KILL -- "-$pid" 2>/dev/null || true
}

gateway_process_gone() {
    ! kill -0 "$1" 2>/dev/null
}

# Nobody is left of the process group.
gateway_gone() {
    ! kill -0 -- "-$1" 2>/dev/null
}

gateway_answers() {
    local answer=

    exchange answer "$PORT" $'GET /-/healthy HTTP/1.0\r\n\r\n' && [ -n "$answer" ]
}

# A web server writes its pid once it has the port: who answers before may be another test's.
gateway_serves() {
    compgen -G "$AT/web/*.pid" >/dev/null && gateway_answers
}

gateway_serves_or_died() {
    ! gateway_alive web || gateway_serves
}

gateway_wait_web() {
    until_true 20 gateway_serves_or_died && gateway_alive web && gateway_serves
}

# --- authserver's side ------------------------------------------------------------

# What runs beside the web server: nothing where it starts the program itself.
gateway_start_program() {
    case $GATEWAY in
    nginx-fcgi | nginx-sidecar | apache-proxy-fcgi | apache-authnz-fcgi)
        rm -f "$AT/run/authserver.sock"
        gateway_as_auth spawn-fcgi -n -s "$AT/run/authserver.sock" -M 0660 -- \
            "$WORK/bin/authserver.fcgi" --config "$CONF"
        until_true 20 gateway_socket "$AT/run/authserver.sock"
        ;;
    nginx-fcgiwrap)
        rm -f "$AT/run/fcgiwrap.socket"
        gateway_as_auth spawn-fcgi -n -s "$AT/run/fcgiwrap.socket" -M 0660 -- \
            /usr/sbin/fcgiwrap -f -c 4
        until_true 20 gateway_socket "$AT/run/fcgiwrap.socket"
        ;;
    esac
}

gateway_socket() {
    [ -S "$1" ] || return 1
    [ "$EUID" -ne 0 ] || chgrp "$WEB_USER" "$1"
}

gateway_as_auth() {
    if [ "$EUID" -eq 0 ]; then
        gateway_spawn program setpriv --reuid "$AUTH_USER" --regid "$AUTH_USER" \
            --groups "$AUTH_GROUPS" "$@"
    else
        gateway_spawn program "$@"
    fi
}

# The pids of authserver's monitors, those that Apache started included.
gateway_monitors() {
    case $GATEWAY in
    nginx-fcgi | nginx-sidecar | apache-proxy-fcgi | apache-authnz-fcgi) cat "$AT/pid/program" ;;
    apache-fcgid)
        # A monitor is an authserver.fcgi whose parent is none.
        ps -e -o pid=,ppid=,sid=,args= | awk -v sid="$(cat "$AT/pid/web")" \
            -v program="$WORK/bin/authserver.fcgi" '
            $3 == sid && $4 == program { parent[$1] = $2 }
            END { for (p in parent) if (!(parent[p] in parent)) print p }'
        ;;
    esac
}

# Makes authserver read its configuration again; a CGI program reads it each time.
gateway_reload() {
    local pid

    for pid in $(gateway_monitors); do
        kill -HUP "$pid"
    done
}

# gateway_break, gateway_repair: takes away what answers while the web server stays, and puts
# it back. Where the web server starts the program, the program cannot start for want of a key.
gateway_break() {
    local pid

    case $GATEWAY in
    apache-cgi | apache-fcgid)
        mv "$AT/etc/key.pem" "$AT/etc/key.away"
        for pid in $(gateway_monitors); do
            kill -TERM "$pid"
            until_true 20 gateway_process_gone "$pid"
        done
        ;;
    *) gateway_stop_one program ;;
    esac
}

gateway_repair() {
    case $GATEWAY in
    apache-cgi | apache-fcgid) mv "$AT/etc/key.away" "$AT/etc/key.pem" ;;
    *) gateway_start_program ;;
    esac
}

# --- the web servers --------------------------------------------------------------

# gateway_configure SHIPPED EDIT: a shipped file with this instance's port and paths.
gateway_configure() {
    sed -e "s|127\.0\.0\.1:500[12]|127.0.0.1:$PORT|g" \
        -e "s|/usr/local/lib/authserver|$WORK/bin|g" \
        -e "s|/etc/authserver/|$AT/etc/|g" \
        -e "s|/run/authserver/|$AT/run/|g" \
        -e "s|/run/fcgiwrap\.socket|$AT/run/fcgiwrap.socket|g" \
        -e "s|/var/lib/apache2/fcgid/sock|$AT/web/fcgid|g" \
        -e "$2" "$SOURCE/$1"
}

gateway_start_nginx() {
    local shipped

    case $GATEWAY in
    nginx-fcgi) shipped=nginx/basic.conf ;;
    nginx-sidecar) shipped=nginx/sidecar.conf ;;
    nginx-fcgiwrap) shipped=nginx/cgi-fcgiwrap.conf ;;
    esac
    cp "$SOURCE"/nginx/authserver_* "$AT/web/"
    sed -i "s|/etc/authserver/|$AT/etc/|g" "$AT"/web/authserver_*
    gateway_configure "$shipped" "$1" >"$AT/web/authserver.conf"
    {
        [ "$EUID" -ne 0 ] || echo "user $WEB_USER;"
        cat <<NGINX
worker_processes 1;
worker_rlimit_nofile 8192;
pid $AT/web/nginx.pid;
error_log $LOG/web.error info;
events { worker_connections 4096; }
http {
    access_log $LOG/web.access;
    client_body_temp_path $AT/web/body;
    proxy_temp_path $AT/web/proxy;
    fastcgi_temp_path $AT/web/fastcgi;
    uwsgi_temp_path $AT/web/uwsgi;
    scgi_temp_path $AT/web/scgi;
    include authserver.conf;
}
NGINX
    } >"$AT/web/nginx.conf"
    gateway_spawn web nginx -c "$AT/web/nginx.conf" -e "$LOG/web.error" -g 'daemon off;'
}

# Debian's Apache: what it enables from the start, then what the shipped file says to enable.
gateway_start_apache() {
    local shipped modules module
    local stock='access_compat alias auth_basic authn_core authn_file authz_core authz_host
        authz_user autoindex deflate dir env filter mime mpm_event negotiation reqtimeout
        setenvif status'

    case $GATEWAY in
    apache-fcgid) shipped=apache/mod_fcgid.conf ;;
    apache-proxy-fcgi) shipped=apache/proxy_fcgi.conf ;;
    apache-authnz-fcgi) shipped=apache/authnz_fcgi.conf ;;
    apache-cgi) shipped=apache/cgi.conf ;;
    esac
    modules=$(sed -n 's/^# *a2enmod //p' "$SOURCE/$shipped")
    install -d -m 0755 "$AT/web/conf-available" "$AT/web/socks"
    install -m 0644 "$SOURCE/apache/authserver-limit" "$AT/web/conf-available/"
    sed "s|/usr/local/share/authserver/apache|$AT/web/conf-available|" \
        "$SOURCE/apache/authserver-common.conf" >"$AT/web/conf-available/authserver-common.conf"
    gateway_configure "$shipped" "$1" >"$AT/web/authserver.conf"
    {
        cat <<APACHE
ServerRoot $AT/web
DefaultRuntimeDir $AT/web
PidFile $AT/web/apache.pid
ServerName localhost
ErrorLog $LOG/web.error
LogLevel info
LogFormat "%h %l %u %t \"%r\" %>s %O" common
CustomLog $LOG/web.access common
<Directory />
    AllowOverride None
    Require all denied
</Directory>
APACHE
        [ "$EUID" -ne 0 ] || printf 'User %s\nGroup %s\n' "$WEB_USER" "$WEB_USER"
        for module in $stock $modules; do
            gateway_apache_module "$module"
        done
        printf '%s\n' '<IfModule fcgid_module>' "FcgidProcessTableFile $AT/web/fcgid_shm" \
            '</IfModule>' 'Include authserver.conf'
    } >"$AT/web/apache.conf"
    gateway_spawn web APACHE_RUN_DIR="$AT/web" APACHE_LOG_DIR="$LOG" apache2 -D FOREGROUND -f "$AT/web/apache.conf"
}

# A module after those that it depends on.
gateway_apache_module() {
    local line needed from=/etc/apache2/mods-available

    while read -r line; do
        [[ $line == '# Depends: '* ]] || continue
        for needed in ${line#*: }; do
            gateway_apache_module "$needed"
        done
    done <"$from/$1.load"
    echo "<IfModule !${1}_module>"
    echo "Include $from/$1.load"
    echo "</IfModule>"
    [ ! -e "$from/$1.conf" ] || echo "Include $from/$1.conf"
}
