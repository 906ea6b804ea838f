# shellcheck shell=bash
# nginx as another's web server, which publishes over TLS, for tests that load lib/quick and lib/ca.
# WEB is its directory.

# web_start <LOCATIONS: nginx, on a port that nobody else has, which is then in $WEB/port. Directories
# of bats are closed to other users, so that its workers stay who it is.
web_start() {
    local locations port

    locations=$(cat)
    mkdir -p "$WEB/temp"
    for _ in 1 2 3 4 5; do
        port=$((19000 + RANDOM % 1000))
        web_configure "$port" "$locations" >"$WEB/nginx.conf"
        setsid /usr/sbin/nginx -p "$WEB" -e "$WEB/error" -c "$WEB/nginx.conf" \
            >"$WEB/out" 2>&1 </dev/null 3>&- &
        echo "$!" >"$WEB/pid"
        echo "$port" >"$WEB/port"
        until_true 5 web_answers_or_died "$port"
        gone "$(<"$WEB/pid")" || return 0
    done
    cat "$WEB/out" "$WEB/error"
    return 1
}

web_stop() {
    local pid

    [ -e "$WEB/pid" ] || return 0
    pid=$(<"$WEB/pid")
    kill -TERM "$pid" 2>/dev/null && until_true 5 gone "$pid"
}

web_answers_or_died() {
    gone "$(<"$WEB/pid")" ||
        curl -s -f -o /dev/null --cacert "$CA/ca.crt" "https://127.0.0.1:$1/up"
}

web_configure() {
    [ "$(id -u)" -ne 0 ] || echo 'user root root;'
    cat <<NGINX
daemon off;
pid $WEB/nginx.pid;
worker_processes 1;
events { worker_connections 64; }
http {
    access_log $WEB/access;
    client_body_temp_path $WEB/temp/body;
    proxy_temp_path $WEB/temp/proxy;
    fastcgi_temp_path $WEB/temp/fastcgi;
    uwsgi_temp_path $WEB/temp/uwsgi;
    scgi_temp_path $WEB/temp/scgi;
    default_type application/json;
    server {
        listen 127.0.0.1:$1 ssl;
        listen 127.0.0.2:$1 ssl;
        ssl_certificate $CA/server.crt;
        ssl_certificate_key $CA/server.key;
        ssl_client_certificate $CA/ca.crt;
        ssl_verify_client optional;
        location /up { return 204; }
$2
    }
}
NGINX
}
