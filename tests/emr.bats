#!/usr/bin/env bats
# deploy/emr/bootstrap on a throwaway machine: an overlay of this one's root, in namespaces. The
# archive is that of "make install"; systemctl is a stand-in that verifies the units and starts what
# they say as who they say. AUTHSERVER_BUILD names the build folder. It takes root.

load lib/quick

setup_file() {
    quick
    SOURCE=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    BUILD=$(cd "${AUTHSERVER_BUILD:-${BUILD:-$SOURCE/build}}" && pwd)
    AT=$BATS_FILE_TMPDIR
    MACHINES=
    export SOURCE BUILD AT MACHINES
    [ "$(id -u)" -eq 0 ] && namespaces mount -t tmpfs tmpfs /mnt 2>/dev/null || return 0
    MACHINES=yes
    mkdir "$AT/files"
    env -u MAKEFLAGS -u MAKELEVEL make -s -o all -C "$SOURCE" install BUILD="$BUILD" \
        DESTDIR="$AT/stage" PREFIX=/usr/local
    # Quickly: nobody keeps it.
    tar -C "$AT/stage" -I 'gzip -1' -cf "$AT/files/authserver.tar.gz" usr
    tar -C "$SOURCE/deploy/emr/settings" -czf "$AT/files/settings.tar.gz" .
    cp "$SOURCE/deploy/emr/bootstrap" "$AT/files"
    rsa_keys "$AT"
    mv "$AT/key" "$AT/files/key.pem"
    htpasswd -bc "$AT/files/users" alice wonderland 2>/dev/null
    write_systemctl
    write_host
}

setup() { quick; }

namespaces() { timeout 60 unshare --mount --net --pid --fork --kill-child --mount-proc "$@"; }

write_systemctl() {
    cat >"$AT/files/systemctl" <<'STUB'
#!/bin/bash
# daemon-reload, enable and restart, without systemd.
set -eu
key() { sed -n "s/^$2=//p" "/etc/systemd/system/$1.service"; }
case $1 in
daemon-reload)
    systemd-analyze verify --man=no /etc/systemd/system/authserver*.service 2>&1 |
        grep authserver >&2 && exit 1
    exit 0
    ;;
enable) ;;
restart)
    for name in "${@:2}"; do
        [ ! -e "/pid.$name" ] || kill "$(cat "/pid.$name")"
        user=$(key "$name" User)
        [ -z "$(key "$name" RuntimeDirectory)" ] ||
            install -d -m "$(key "$name" RuntimeDirectoryMode)" -o "$user" "/run/$(key "$name" RuntimeDirectory)"
        # shellcheck disable=SC2046
        setsid setpriv --reuid="$user" --regid="$user" --init-groups $(key "$name" ExecStart) \
            </dev/null >>"/log.$name" 2>&1 &
        echo $! >"/pid.$name"
        sleep 0.3
    done
    ;;
esac
STUB
    chmod 0755 "$AT/files/systemctl"
}

write_host() {
    cat >"$AT/host" <<'HOST'
set -eu
at=$1 files=$2 script=$3 root=$1/root
ip link set lo up
mount -t tmpfs tmpfs "$at"
mkdir "$at/upper" "$at/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$at/upper,workdir=$at/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
rm -rf "$root/etc/authserver" "$root/usr/local/bin"/authserver* "$root/usr/local/lib/authserver"
cp -r "$files" "$root/files"
chroot "$root" useradd -m hadoop
exec chroot "$root" bash -euc '
    PATH=/files:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    unset XDG_RUNTIME_DIR AUTHSERVER_BUILD BUILD
    bootstrap() {
        /files/bootstrap --authserver=/files/authserver.tar.gz --private-key=/files/key.pem "$@"
    }
    as() { HOME=/ setpriv --reuid="$1" --regid="$1" --init-groups "${@:2}"; }
    until_true() {
        local i
        for ((i = 0; i < $1 * 10; i++)); do "${@:2}" >/dev/null 2>&1 && return 0; sleep 0.1; done
        return 1
    }
    claims() { cut -d. -f2 | tr _- /+ | base64 -d 2>/dev/null || true; }
    cd /
    eval "$1"' - "$script"
HOST
}

machine() {
    [ -n "$MACHINES" ] || skip "needs root and namespaces"
    mkdir "$BATS_TEST_TMPDIR/machine"
    namespaces bash "$AT/host" "$BATS_TEST_TMPDIR/machine" "$AT/files" "$1" 3>&- </dev/null
}

@test "each account of the node has tokens for itself, by the settings that shells and Presto have" {
    machine '
        bootstrap --settings=/files/settings.tar.gz --issuer=https://tokens.example.org
        until_true 10 test -S /run/authserver/peer.sock
        token=$(as hadoop bash -c ". /etc/profile.d/authserver.sh && \$OKERA_TOKEN_RETRIEVAL_SCRIPT")
        [[ $(claims <<<"$token") == *"\"sub\":\"hadoop\",\"iss\":\"https://tokens.example.org\""* ]]
        for name in presto trino; do
            script=$(sed -n "s/^Environment=OKERA_TOKEN_RETRIEVAL_SCRIPT=//p" \
                /etc/systemd/system/$name-server.service.d/authserver.conf)
            [ -x "$script" ]
        done
        [ "$(stat -c "%U %a" /etc/authserver/key.pem)" = "authserver 400" ]
        [ "$(stat -c "%U:%G %a" /run/authserver/tokens)" = "authserver:okera 750" ]
        # Again: everything is put in place anew.
        bootstrap --settings=/files/settings.tar.gz --issuer=https://other.example.org
        new() { as hadoop authserver-token | claims | grep -q https://other.example.org; }
        until_true 10 new'
}

@test "with a port it is what the Okera Auth Server was, and asks for a password" {
    machine '
        bootstrap --port=5001 --directory=/tmp/tokens --algorithm=rsa512 --group=okera --users=/files/users
        answers() { curl -s http://127.0.0.1:5001/-/healthy; }
        until_true 10 answers
        token=$(curl -s http://alice:wonderland@localhost:5001/alice)
        [[ $token =~ ^/tmp/tokens/alice\.[0-9]{19}\.token$ ]]
        [[ $(as hadoop cat "$token") == eyJ* ]]
        [ "$(curl -s -o /dev/null -w "%{http_code}" http://localhost:5001/alice)" = 401 ]'
}

@test "what is wrong is one line, and nothing is started" {
    machine '
        refused() { # LINE PARAMETER...
            ! "${@:2}" >/out 2>&1 || { echo "accepted: $*"; return 1; }
            cat /out
            [ "$(wc -l </out)" -eq 1 ] && grep -q "^bootstrap: .*$1" /out
            [ -z "$(ls /pid.* 2>/dev/null)" ]
        }
        refused "authserver=ARCHIVE is required" /files/bootstrap
        refused "private-key=FILE is required" /files/bootstrap --authserver=/files/authserver.tar.gz
        refused "no such parameter" bootstrap --prot=5001
        refused "needs --users=FILE, or" bootstrap --port=5001
        refused "go with --port" bootstrap --permit-anonymous
        refused "not both" bootstrap --port=5001 --permit-anonymous --users=/files/users
        refused "no name of a group" bootstrap --group="okera x"
        refused "letters, digits" bootstrap --issuer="https://x %n"
        refused "s3://, https:// or an absolute path" bootstrap --policy=http://example.org/policy
        refused "HS256" bootstrap --algorithm=HS256
        echo nothing >/files/none
        refused "key.pem" /files/bootstrap --authserver=/files/authserver.tar.gz --private-key=/files/none
        tar -C /etc -czf /files/other.tar.gz hostname
        rm -r /usr/local/lib/authserver
        refused "has no usr/local" /files/bootstrap --authserver=/files/other.tar.gz --private-key=/files/key.pem'
}

@test "the settings name one program, and EMR's are the ones that EMR reads" {
    cd "$SOURCE/deploy/emr"
    [ "$(grep -rhoE 'OKERA_TOKEN_RETRIEVAL_SCRIPT[":= ]+[^" ]*' settings configurations.json |
        sed 's/.*[": =]//' | sort -u)" = /usr/local/bin/authserver-token ]
    jq -e 'all(.[]; (.Classification | IN("hive-env", "spark-env")) and .Configurations[0].Classification == "export")' configurations.json
    # The head of the script and its parameters are the same.
    diff <(sed -n 's/^#   *\(and .*\)\{0,1\}\(--[a-z-]*\).*/\2/p' bootstrap | sort -u) \
        <(sed -n 's/^    \(--[a-z-]*\).*) .*;;$/\1/p' bootstrap | sort -u)
}
