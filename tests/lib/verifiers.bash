# shellcheck shell=bash
# Programs that believe tokens, for tests: none of them is ours, and each is run as its users
# run it. Needs gateway.bash. A verifier that is a server is an instance of its own below
# $WORK, which gateway_end ends.
#
# A verifier is a function VERIFIER TOKEN-FILE, whose exit status is its verdict; what it said is
# in $SAID. A server's address is in the file $WORK/NAME/port.

SAID=$BATS_RUN_TMPDIR/said

# --- servers ----------------------------------------------------------------------

# verifier_start NAME COMMAND...: runs a server whose configuration "configure_NAME PORT" prints
# for a port of its choice, until "NAME_answers PORT" says so. In COMMAND, @ is the folder.
verifier_start() {
    local name=$1 attempt port

    shift
    AT=$WORK/$name LOG=$WORK/$name/log
    install -d -m 0755 "$AT" "$AT/pid" "$LOG" "$AT/run"
    for attempt in 1 2 3 4 5; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        "configure_$name" "$port" >"$AT/conf"
        gateway_spawn program "${@//@/$AT}"
        if until_true 20 verifier_up "$name" "$port" && gateway_alive program; then
            printf '%s\n' "$port" >"$AT/port"
            return 0
        fi
        gateway_stop_one program
    done
    echo "$name does not start ($attempt attempts):"
    cat "$LOG"/*
    return 1
}

# It answers, or is gone.
verifier_up() {
    ! gateway_alive program || "$1_answers" "$2"
}

port_of() { echo "$(<"$WORK/$1/port")"; }

# as_bearer URL TOKEN-FILE: whether the server lets the bearer in, as alice.
as_bearer() {
    local header=$BATS_TEST_TMPDIR/bearer

    printf 'Authorization: Bearer %s' "$(<"$2")" >"$header"
    curl -s -i -m 20 -H "@$header" "$1" >"$SAID"
    grep -q '^HTTP/1.1 200' "$SAID" && grep -qi $'^X-Caller: alice\r$' "$SAID"
}

# --- HAProxy: jwt_verify ----------------------------------------------------------

# It knows no JWK Set: the PEM files of the keys that are published are made from it.
haproxy_start() {
    curl -s "$1/.well-known/jwks.json" >"$WORK/haproxy.keys"
    install -d -m 0755 "$WORK/haproxy.d"
    token pems "$WORK/haproxy.d" <"$WORK/haproxy.keys"
    verifier_start haproxy haproxy -db -f @/conf
}

configure_haproxy() {
    local pem algorithm

    cat <<CONF
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 2s
frontend resource
    bind 127.0.0.1:$1
    http-request return status 204 if { path /up }
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.algorithm) var(txn.bearer),jwt_header_query('\$.alg')
CONF
    for pem in "$WORK"/haproxy.d/*.[RE]S256.pem; do
        algorithm=${pem%.pem}
        algorithm=${algorithm##*.}
        echo "    acl $algorithm var(txn.algorithm) -m str $algorithm"
        echo "    http-request set-var(txn.good) int(1)" \
            "if $algorithm { var(txn.bearer),jwt_verify(\"$algorithm\",\"$pem\") 1 }"
    done
    cat <<CONF
    http-request deny deny_status 401 unless { var(txn.good) -m int 1 }
    http-request set-var(txn.caller) var(txn.bearer),jwt_payload_query('\$.sub')
    http-request return status 200 hdr X-Caller %[var(txn.caller)]
CONF
}

haproxy_answers() { curl -s -o /dev/null "http://127.0.0.1:$1/up"; }

haproxy_verifies() { as_bearer "http://127.0.0.1:$(port_of haproxy)/" "$1"; }

# --- Apache: mod_oauth2, mod_auth_openidc -----------------------------------------

# apache_start URL HTTPS-URL: two modules, each with its own place. mod_auth_openidc takes keys
# from https alone.
apache_start() {
    KEYS_URL=$1 KEYS_HTTPS=$2
    install -d -m 0755 "$WORK/apache" "$WORK/apache/htdocs"
    echo welcome >"$WORK/apache/htdocs/oauth2"
    echo welcome >"$WORK/apache/htdocs/openidc"
    verifier_start apache apache2 -D FOREGROUND -f @/conf
}

configure_apache() {
    local module

    cat <<CONF
ServerRoot $AT
DefaultRuntimeDir $AT/run
PidFile $AT/run/pid
Listen 127.0.0.1:$1
ServerName localhost
ErrorLog $LOG/error
LogLevel info
DocumentRoot $AT/htdocs
CONF
    [ "$(id -u)" -ne 0 ] || printf 'User %s\nGroup %s\n' "$WEB_USER" "$WEB_USER"
    for module in mpm_event authn_core authz_core authz_user headers oauth2 auth_openidc; do
        echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"
    done
    cat <<CONF
OIDCCryptoPassphrase only-for-tests
OIDCOAuthVerifyJwksUri $KEYS_HTTPS/.well-known/jwks.json
OIDCCABundlePath $CA/ca.crt
OIDCOAuthRemoteUserClaim sub
Header always set X-Caller "expr=%{REMOTE_USER}"
<Directory $AT/htdocs>
    Require all granted
</Directory>
<Location /oauth2>
    AuthType oauth2
    OAuth2TokenVerify jwks_uri $KEYS_URL/.well-known/jwks.json verify.exp=required&verify.iat=required
    OAuth2TargetPass remote_user_claim=sub
    Require oauth2_claim aud:apache
</Location>
<Location /openidc>
    AuthType oauth20
    Require claim aud:apache
</Location>
CONF
}

apache_answers() { curl -s -o /dev/null "http://127.0.0.1:$1/"; }

mod_oauth2_verifies() { as_bearer "http://127.0.0.1:$(port_of apache)/oauth2" "$1"; }
mod_auth_openidc_verifies() { as_bearer "http://127.0.0.1:$(port_of apache)/openidc" "$1"; }

# --- libraries --------------------------------------------------------------------

# The verdict of jose(1) on the JWK Set as it is served.
jose_verifies() {
    curl -s "$URL/.well-known/jwks.json" >"$BATS_TEST_TMPDIR/set"
    jose jws ver -i "$1" -k "$BATS_TEST_TMPDIR/set" -O "$BATS_TEST_TMPDIR/claims" >"$SAID" 2>&1 &&
        token claims "$1" | cmp -s - "$BATS_TEST_TMPDIR/claims"
}

# AUDIENCE, of the test, is whom the token must be for.
pyjwt_verifies() {
    token trusted "$URL/.well-known/jwks.json" https://first.example \
        "$AUDIENCE" "$1" >"$SAID" 2>&1
}

node_verifies() {
    node "$BATS_TEST_DIRNAME/lib/verify.js" "$URL/.well-known/jwks.json" https://first.example \
        "$AUDIENCE" "$1" >"$SAID" 2>&1
}

# --- Dovecot: tokens as passwords, validated locally ------------------------------

# A file for each key, named after the algorithm and the kid. Nobody has to wait after a failure.
dovecot_start() {
    local pem name at=$WORK/dovecot/keys/default

    install -d -m 0755 "$WORK/dovecot.d" "$WORK/dovecot" "$WORK/dovecot/keys" "$at"
    curl -s "$1/.well-known/jwks.json" |
        token pems "$WORK/dovecot.d"
    for pem in "$WORK"/dovecot.d/*.pem; do
        name=${pem##*/}
        name=${name%.pem}
        install -D -m 0644 "$pem" "$at/${name##*.}/${name%.*}"
    done
    cat >"$WORK/dovecot/oauth2" <<CONF
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$WORK/dovecot/keys/
username_attribute = sub
issuers = https://first.example
CONF
    verifier_start dovecot dovecot -F -c @/conf
}

configure_dovecot() {
    local me

    cat <<CONF
base_dir = $AT/run
state_dir = $AT/run
log_path = $LOG/dovecot
protocols =
ssl = no
auth_verbose = yes
auth_failure_delay = 0
auth_mechanisms = plain
passdb {
  driver = oauth2
  args = $AT/oauth2
}
service auth {
  chroot =
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
CONF
    [ "$(id -u)" -ne 0 ] || return 0
    me=$(id -un)
    printf '%s = %s\n' default_internal_user "$me" default_login_user "$me" \
        default_internal_group "$(id -gn)"
}

# It listens at no port: asked is its auth service, as the IMAP server asks it.
dovecot_answers() { [ -S "$AT/run/auth-client" ]; }

dovecot_verifies() {
    local log=$WORK/dovecot/log/dovecot before status=0

    before=$(wc -l <"$log")
    doveadm -c "$WORK/dovecot/conf" auth test alice "$(cat "$1")" >"$SAID" 2>&1 || status=$?
    # It logs why it refuses, after it has.
    [ "$status" -eq 0 ] || until_true 10 longer_than "$before" "$log"
    tail -n +"$((before + 1))" "$log" >>"$SAID"
    return "$status"
}

longer_than() { [ "$(wc -l <"$2")" -gt "$1" ]; }

# --- Slurm: auth/jwt --------------------------------------------------------------

# The controller reads the JWK Set from a file, when it starts.
slurm_start() {
    install -d -m 0755 "$WORK/slurm" "$WORK/slurm/state" "$WORK/slurm/spool"
    curl -s "$1/.well-known/jwks.json" >"$WORK/slurm/jwks"
    verifier_start slurm SLURM_CONF="$WORK/slurm/conf" slurmctld -D -i
}

# It listens at the address of this machine's name alone, which need not be 127.0.0.1.
configure_slurm() {
    local address _

    read -r address _ < <(getent ahostsv4 "$(uname -n)") || address=127.0.0.1
    cat <<CONF
ClusterName=test
SlurmctldHost=localhost($address)
SlurmctldPort=$1
SlurmUser=$(id -un)
AuthType=auth/none
CredType=cred/none
AuthAltTypes=auth/jwt
AuthAltParameters=jwks=$AT/jwks
StateSaveLocation=$AT/state
SlurmdSpoolDir=$AT/spool
SlurmctldPidFile=$AT/run/pid
ProctrackType=proctrack/linuxproc
SwitchType=switch/none
MpiDefault=none
CommunicationParameters=NoCtldInAddrAny
NodeName=n1 NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN
PartitionName=p Nodes=n1 Default=YES
CONF
}

slurm_answers() { grep -q 'Running as primary controller' "$LOG/program.out"; }

# slurm TOKEN-FILE COMMAND...: a client's command with the token; the controller's words, too.
slurm() {
    local log=$WORK/slurm/log/program.out token before status=0

    token=$(<"$1")
    before=$(wc -l <"$log")
    shift
    SLURM_CONF=$WORK/slurm/conf SLURM_JWT=$token timeout 20 "$@" >"$SAID" 2>&1 || status=$?
    [ "$status" -eq 0 ] || until_true 10 longer_than "$before" "$log"
    tail -n +"$((before + 1))" "$log" >>"$SAID"
    return "$status"
}

slurm_verifies() { slurm "$1" squeue; }
