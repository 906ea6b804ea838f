# shellcheck shell=bash
# A throwaway machine that boots systemd, by systemd-nspawn: an overlay of a root file system,
# with a network of its own that has loopback only, and nothing of what is enabled on this one.
# Takes root. MACHINE_ROOT is the root file system, this machine's own by default.

# machine_start FOLDER: 1 when there can be no such machine, with the reason on stdout.
machine_start() {
    local tool

    MACHINE=$1
    export MACHINE
    [ "$(id -u)" -eq 0 ] || {
        echo 'needs root'
        return 1
    }
    for tool in systemd-nspawn unshare nsenter; do
        type -P "$tool" >/dev/null || {
            echo "needs $tool"
            return 1
        }
    done
    mkdir -p "$MACHINE"
    machine_script >"$MACHINE/script"
    timeout -k 5 1200 unshare --mount --fork --kill-child \
        bash "$MACHINE/script" "$MACHINE" "${MACHINE_ROOT:-/}" \
        >"$MACHINE/console" 2>&1 </dev/null 3>&- &
    echo $! >"$MACHINE/pid"
    machine_wait || {
        echo "systemd-nspawn does not boot here: $(tail -n 1 "$MACHINE/console")"
        machine_stop
        return 1
    }
}

machine_script() {
    cat <<'SCRIPT'
set -e
at=$1 lower=$2 root=$1/root
mkdir -p "$at/memory" "$root"
mount -t tmpfs tmpfs "$at/memory"
mkdir "$at/memory/upper" "$at/memory/work"
mount -t overlay overlay \
    -o "lowerdir=$lower,upperdir=$at/memory/upper,workdir=$at/memory/work" "$root"
# As on a machine where nothing was set up.
rm -rf "$root/etc/systemd/system" "$root"/etc/rc?.d/* "$root/usr/sbin/policy-rc.d" \
    "$root/etc/authserver" "$root"/etc/nginx/conf.d/* "$root"/var/log/{nginx,apache2}/* \
    "$root"/var/cache/authserver-machine*
mkdir "$root/etc/systemd/system"
ln -s /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
: >"$root/etc/machine-id"
# 133: it wants to be started again.
status=133
while [ "$status" -eq 133 ]; do
    status=0
    systemd-nspawn --quiet --directory="$root" --boot --private-network --register=no \
        --keep-unit --resolv-conf=off --timezone=off --console=pipe || status=$?
done
SCRIPT
}

# The number of the machine's first process.
machine_leader() {
    local pid
    pid=$(pgrep -P "$(cat "$MACHINE/pid")" -x unshare) && pid=$(pgrep -P "$pid" -x bash) &&
        pid=$(pgrep -P "$pid" -x systemd-nspawn) && pgrep -P "$pid" -x systemd
}

# Until it has started all, 30 seconds at most.
machine_wait() {
    local i

    for ((i = 0; i < 150; i++)); do
        kill -0 "$(cat "$MACHINE/pid")" 2>/dev/null || return 1
        case $(inside systemctl is-system-running 2>/dev/null) in
        running | degraded) return 0 ;;
        esac
        sleep 0.2
    done
    return 1
}

machine_reboot() {
    local before

    before=$(machine_leader)
    inside systemctl reboot || true
    tail --pid="$before" -f /dev/null
    machine_wait
}

machine_stop() {
    local pid

    pid=$(cat "$MACHINE/pid" 2>/dev/null) || return 0
    inside systemctl --no-block poweroff 2>/dev/null || true
    timeout 20 tail --pid="$pid" -f /dev/null || kill -KILL "$(machine_leader)" 2>/dev/null || true
    timeout 5 tail --pid="$pid" -f /dev/null || kill "$pid" 2>/dev/null || true
}

# inside COMMAND...: as the machine's root, in /root.
inside() {
    local leader

    leader=$(machine_leader) || return 1
    nsenter --target "$leader" --all -- env -i -C /root HOME=/root LC_ALL=C LANG=C \
        DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" 3>&-
}
