# shellcheck shell=bash
# Pods without a cluster and without a container engine: namespaces, an overlay of this machine's
# root with what the image adds to it, and the volumes of the manifests. Takes root.
#
# setup_file: pod_init; teardown_file: pod_end; in a test: pod_run KUSTOMIZATION SCRIPT
#
# With ROOT_TREE=FOLDER the root is that of deploy/container/root-tree, and not this machine's.

load lib/quick

pod_namespaces() {
    timeout 60 unshare --mount --net --pid --fork --kill-child --mount-proc "$@"
}

# The programs as "make install" has them, the account, the entrypoint: the image, but for what
# Debian's packages bring, which this machine has.
pod_init() {
    quick
    SOURCE=$(cd "${BATS_TEST_DIRNAME:?}/.." && pwd)
    BUILD=$(cd "${AUTHSERVER_BUILD:-${BUILD:-$SOURCE/build}}" && pwd)
    PODS=
    export SOURCE BUILD PODS
    [ "$(id -u)" -eq 0 ] && pod_namespaces mount -t tmpfs tmpfs /mnt 2>/dev/null || return 0
    PODS=$(mktemp -d /tmp/authserver-pods.XXXXXX)
    mkdir -p "$PODS/layer/usr/local" "$PODS/memory" "$PODS/root" "$PODS/secrets"
    chmod 0755 "$PODS" "$PODS/layer"
    [ -n "${ROOT_TREE:-}" ] || pod_image
    install -d -m 0755 "$PODS/layer/etc/authserver/users"
    install -D -m 0755 "$SOURCE/deploy/example-service/service.py" \
        "$PODS/layer/usr/local/lib/example-service/service.py"
    pod_secrets
    pod_describe
}

# What the image adds to Debian.
pod_image() {
    env -u MAKEFLAGS -u MAKELEVEL make -s -o all -C "$SOURCE" install BUILD="$BUILD" \
        DESTDIR="$PODS/layer" PREFIX=/usr/local
    install -m 0755 "$SOURCE"/deploy/container/{setup,entrypoint,probe} \
        "$PODS/layer/usr/local/lib/authserver"
    pod_account
}

# The account is made as the image makes it, in memory: on a root that is an overlay itself no
# folder of it can be an upper one. What it changes becomes part of the layer.
pod_account() {
    # shellcheck disable=SC2016 # its own
    pod_namespaces bash -eu -c '
        mount -t tmpfs tmpfs "$1/memory"
        mkdir "$1/memory/scratch"
        cp -a "$1/layer" "$1/memory/upper"
        mount -t overlay overlay \
            -o "lowerdir=/,upperdir=$1/memory/upper,workdir=$1/memory/scratch" "$1/root"
        # This machine may have one with these numbers.
        chroot "$1/root" sh -c "
            for n in \$(getent passwd | sed -n \"s/^\([^:]*\):[^:]*:1000:.*/\1/p\"); do userdel \$n; done
            for n in \$(getent group | sed -n \"s/^\([^:]*\):[^:]*:1000:.*/\1/p\"); do groupdel \$n; done
            rm -rf /etc/authserver
            exec /usr/local/lib/authserver/setup account okera 1000"
        cp -a "$1/memory/upper/." "$1/layer"' - "$PODS" >"$PODS/account.log" 2>&1 ||
        { cat "$PODS/account.log" && return 1; }
}

pod_secrets() {
    mkdir "$PODS/secrets/authserver-keys" "$PODS/secrets/authserver-users"
    mkdir -m 0700 "$PODS/rsa"
    rsa_keys "$PODS/rsa"
    cp "$PODS/rsa/key" "$PODS/secrets/authserver-keys/20200101T000000Z.pem"
    htpasswd -bc "$PODS/secrets/authserver-users/htpasswd" alice wonderland 2>/dev/null
}

pod_end() { [ -z "${PODS:-}" ] || rm -rf "$PODS"; }

needs_pods() { [ -n "$PODS" ] || skip "needs root and namespaces"; }

# What the kubelet has to do, from the manifests.
pod_describe() {
    local name

    for name in sidecar node; do
        kubectl kustomize "$SOURCE/deploy/kubernetes/$name" >"$PODS/$name.yaml"
        /usr/bin/python3 "$SOURCE/tests/lib/pod.py" "$PODS/$name.yaml" >"$PODS/$name"
    done
}

# pod_run KUSTOMIZATION SCRIPT [SED-EXPRESSION]: the script in the pod that the folder below
# deploy/kubernetes describes. The expression changes that description.
pod_run() {
    needs_pods
    mkdir "$BATS_TEST_TMPDIR/pod"
    sed -e "${3:-}" "$PODS/$1" >"$BATS_TEST_TMPDIR/description"
    pod_namespaces bash "$SOURCE/tests/lib/kubelet.bash" "$BATS_TEST_TMPDIR/pod" "$PODS/layer" \
        "$BATS_TEST_TMPDIR/description" "$PODS/secrets" "$2" 3>&- </dev/null
}
