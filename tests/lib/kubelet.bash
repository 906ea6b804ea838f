# shellcheck shell=bash
# What the kubelet and a container engine do for a pod, in namespaces that pod_run has made: its
# volumes with the owners and modes that they have in a cluster, and containers with a root file
# system that nobody can write, their own process numbers, one loopback device for all, no
# capabilities and a small RLIMIT_MEMLOCK. Run as
#
#   kubelet.bash FOLDER LAYER DESCRIPTION SECRETS SCRIPT
#
# LAYER is over the root of this machine, DESCRIPTION is what pod.py says, SECRETS has a folder
# for each Secret. SCRIPT is what the test does; the functions below are for it.
set -eu

# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE[0]%/*}/quick.bash"

at=$1 layer=$2 description=$3 secrets=$4 script=$5
root=$at/root
declare -A identity mounts environment arguments image volumes limits
group=

# --- what pod.py says -------------------------------------------------------------

fsgroup() { group=$1; }

# What fsGroup does to a volume that is not the host's, and to one that is only read.
give_to_group() { # FOLDER MODE
    chgrp -R "$group" "$1"
    chmod -R "$2" "$1"
    find "$1" -type d -exec chmod g+sx {} +
}

volume() {
    local to=$at/volumes/$1

    mkdir -p "$to"
    volumes[$1]=$to
    case $2 in
    empty)
        # tmpfs has the sticky bit by itself, a folder on disk has it not.
        [ "$3" != Memory ] || mount -t tmpfs -o mode=1777 tmpfs "$to"
        [ "$3" = Memory ] || chmod 0777 "$to"
        give_to_group "$to" g+rw
        ;;
    secret)
        mount -t tmpfs -o mode=1777 tmpfs "$to"
        limits[$1]=$4
        secret_write "$1" "$secrets/$3"
        ;;
    host)
        to=$at/host$3
        mkdir -p "$to"
        chmod 0755 "$to"
        volumes[$1]=$to
        ;;
    esac
}

container() {
    identity[$1]="--reuid=$3 --regid=$4 --groups=$group --bounding-set=$5 --inh-caps=$5"
    [ "$3" -ne 0 ] || identity[$1]="--groups=$group --bounding-set=$5 --inh-caps=$5"
    image[$1]=$2
    mounts[$1]='' environment[$1]='' arguments[$1]=''
}
env() { environment[$1]+=" $(printf %q "$2")"; }
argument() { arguments[$1]+=" $(printf %q "$2")"; }
mount_() { mounts[$1]+="$2 $3 $4"$'\n'; }

# --- for the test -----------------------------------------------------------------

# secret_write VOLUME FOLDER: the files of the folder as those of a Secret: in a folder that
# ..data leads to, which is replaced as a whole.
secret_write() {
    local to=${volumes[$1]} old new file

    old=$(readlink "$to/..data" || true)
    new=$(mktemp -d "$to/..2026_11_22_XXXXXX")
    chmod 0755 "$new"
    for file in "$2"/*; do
        install -m "${limits[$1]}" "$file" "$new"
    done
    give_to_group "$new" g+r
    ln -s "${new##*/}" "$to/..data_tmp"
    mv -T "$to/..data_tmp" "$to/..data"
    for file in "$2"/*; do
        [ -L "$to/${file##*/}" ] || ln -s "..data/${file##*/}" "$to/${file##*/}"
    done
    for file in "$to"/*; do
        [ -e "$file" ] || rm "$file"
    done
    [ -z "$old" ] || rm -r "${to:?}/$old"
    chgrp "$group" "$to"
    chmod 3777 "$to"
}

# enter CONTAINER COMMAND...: the command as a process of that container, alone in new process
# numbers. Its standard streams are the caller's.
enter() {
    local name=$1

    shift
    # shellcheck disable=SC2016,SC2086 # its own; words
    exec unshare --mount --pid --fork --kill-child -- bash -c '
        root=$1 mounts=$2
        shift 2
        mount -a -T "$mounts"
        ulimit -l 64
        exec chroot "$root" "$@"' - "$root" "$at/$name.fstab" \
        setpriv ${identity[$name]} --no-new-privs -- \
        /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        PYTHONUNBUFFERED=1 "$@"
}

# places CONTAINER: writes CONTAINER.fstab, which says where its volumes are and where they go.
places() {
    local name to how

    echo "proc $root/proc proc defaults"
    while read -r name to how; do
        [ -z "$name" ] || echo "${volumes[$name]} $root$to none bind,$how"
    done <<<"${mounts[$1]}"
} >"$at/$1.fstab"

declare -A process
entrypoint() {
    case ${image[$1]} in
    authserver) echo /usr/local/lib/authserver/entrypoint ;;
    example-service) echo '/usr/bin/python3 /usr/local/lib/example-service/service.py' ;;
    esac
}

# start CONTAINER [NAME=VALUE]...: runs its entrypoint; what it says goes to CONTAINER.log.
start() {
    local name=$1 words

    shift
    eval "words=(${environment[$name]})"
    words+=("$@")
    # shellcheck disable=SC2207
    words+=($(entrypoint "$name"))
    eval "words+=(${arguments[$name]})"
    (enter "$name" "${words[@]}") >"$at/$name.log" 2>&1 </dev/null &
    process[$name]=$!
}

# run CONTAINER COMMAND...: a command in the container, as kubectl exec has it.
run() { (enter "$@"); }

# What a path of the token volume is here, where looking costs nothing.
seen() { echo "${volumes[tokens]}/${1#/run/authserver/}"; }
# Bash does not end a script for "! command": this does.
refute() { if "$@"; then return 1; fi; }

# The first process of a container, which the kubelet's signals go to.
first() {
    local processes

    children_of processes "${process[$1]}"
    echo "${processes[0]}"
}
ended() { ! kill -0 "${process[$1]}" 2>/dev/null; }
says() { grep -q -- "$2" "$at/$1.log"; }
listens_or_ended() {
    local log=

    [ ! -e "$at/$1.log" ] || IFS= read -rd '' log <"$at/$1.log" || true
    [[ $log == *' Listening on '* ]] || ended "$1"
}

# start_authserver [NAME=VALUE]...
start_authserver() {
    start authserver "$@"
    until_true 20 listens_or_ended authserver
    if ended authserver; then
        cat "$at/authserver.log"
        return 1
    fi
}

# get URL [CURLFLAG...]: body in $body, status in $code.
get() {
    body=$(curl -s --noproxy '*' -w '\n%{http_code}' "${@:2}" "$1")
    code=${body##*$'\n'}
    body=${body%$'\n'*}
}

# --- the machine ------------------------------------------------------------------

ip link set lo up
mkdir -p "$root"
mount -t tmpfs tmpfs "$at"
mkdir "$root" "$at/volumes" "$at/host"
# Of two layers none may be within the other. Without a folder for what is written nothing can be.
cp -a "$layer" "$at/layer"
mount -t overlay -o "lowerdir=$at/layer:${ROOT_TREE:-/}" overlay "$root"
mount --bind /dev "$root/dev"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
while read -r line; do
    eval "${line/#mount /mount_ }"
done <"$description"
for name in "${!mounts[@]}"; do
    while read -r _ to _; do
        case $to in /run/*) mkdir -p "$root$to" ;; esac
    done <<<"${mounts[$name]}"
    places "$name"
done
# Of another name than the volume that goes there: mount(8) leaves out what is there already.
mount -t tmpfs -o ro,mode=1777 sealed "$root/tmp"
mount -o remount,ro "$root/run"
eval "$script"
