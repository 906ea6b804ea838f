# shellcheck shell=bash
# Certificates for tests of TLS: a CA and what it signs, a foreign CA, and certificates that
# nobody may believe. Everything is below a directory that ca_create makes; nothing of it is
# worth anything elsewhere.
#
# ca_create DIRECTORY: sets CA, and makes in it
#   ca             the CA: ca.crt, ca.key
#   server         for localhost, 127.0.0.1 and gateway.example.org
#   alice, bob     clients of the CA
#   mail           a client with an e-mail address as subjectAltName: alice@example.org
#   mail-foreign   the same: alice@evil.example
#   mail-subject   a client with alice@example.org in its subject
#   comma          a client whose organisation is "x,CN=bob", named janedoe
#   selfsigned     "alice" by itself
#   expired        "alice" by the CA, until yesterday
#   foreign        "alice" by another CA of the same name
#
# A copy of SHARED_CA, which tests/run makes once.

ca_create() {
    CA=$1
    export CA
    if [ -n "${SHARED_CA:-}" ]; then
        cp -rp "$SHARED_CA" "$CA"
        return
    fi
    install -d -m 0755 "$CA"
    ca_authority ca
    ca_authority other
    ca_sign ca server '/CN=localhost' serverAuth \
        'DNS:localhost,DNS:gateway.example.org,IP:127.0.0.1'
    ca_sign ca alice '/O=Example/CN=alice' clientAuth
    ca_sign ca bob '/O=Example/CN=bob' clientAuth
    ca_sign ca mail '/O=Example/CN=4711' clientAuth 'email:alice@example.org'
    ca_sign ca mail-foreign '/O=Example/CN=4712' clientAuth 'email:alice@evil.example'
    ca_sign ca mail-subject '/O=Example/CN=4713/emailAddress=alice@example.org' clientAuth
    ca_sign ca comma '/CN=janedoe/O=x,CN=bob' clientAuth
    ca_sign other foreign '/O=Example/CN=alice' clientAuth
    ca_request expired '/O=Example/CN=alice'
    ca_expired
    ca_key selfsigned
    openssl req -x509 -key "$CA/selfsigned.key" -subj '/O=Example/CN=alice' -days 1 \
        -addext extendedKeyUsage=clientAuth -out "$CA/selfsigned.crt"
}

ca_key() {
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$CA/$1.key"
}

ca_authority() {
    ca_key "$1"
    openssl req -x509 -key "$CA/$1.key" -subj '/O=Example/CN=Test CA' -days 1 \
        -out "$CA/$1.crt"
}

ca_request() {
    ca_key "$1"
    openssl req -new -key "$CA/$1.key" -subj "$2" -out "$CA/$1.csr"
}

# ca_sign AUTHORITY NAME SUBJECT USAGE [SUBJECT-ALTERNATIVE-NAME]
ca_sign() {
    ca_request "$2" "$3"
    {
        echo "extendedKeyUsage = $4"
        [ -z "${5:-}" ] || echo "subjectAltName = $5"
    } >"$CA/$2.ext"
    openssl x509 -req -in "$CA/$2.csr" -CA "$CA/$1.crt" -CAkey "$CA/$1.key" -days 1 \
        -extfile "$CA/$2.ext" -out "$CA/$2.crt" 2>/dev/null
}

# openssl x509 makes no certificates of the past; openssl ca does.
ca_expired() {
    : >"$CA/index"
    cat >"$CA/ca.cnf" <<CNF
[ca]
default_ca = test
[test]
database = $CA/index
new_certs_dir = $CA
default_md = sha256
rand_serial = yes
unique_subject = no
policy = any
x509_extensions = client
[any]
organizationName = supplied
commonName = supplied
[client]
extendedKeyUsage = clientAuth
CNF
    openssl ca -batch -notext -config "$CA/ca.cnf" -cert "$CA/ca.crt" -keyfile "$CA/ca.key" \
        -in "$CA/expired.csr" -out "$CA/expired.crt" \
        -startdate "$(date -u -d '-2 days' +%Y%m%d%H%M%SZ)" \
        -enddate "$(date -u -d '-1 day' +%Y%m%d%H%M%SZ)" 2>/dev/null
}

# ca_install NAME: the server's certificate and the CA of its clients, as the shipped
# configurations name them, for an instance of gateway.bash.
ca_install() {
    local to=$WORK/$1/etc

    install -m 0644 "$CA/server.crt" "$to/server.crt"
    install -m 0600 "$CA/server.key" "$to/server.key"
    install -m 0644 "$CA/ca.crt" "$to/clients.crt"
    install -m 0644 "$CA/ca.crt" "$to/ca.crt"
}

# request_with CERTIFICATE [CURL-ARGUMENT]...: as request of http.bash, with a client certificate.
request_with() {
    local certificate=$CA/$1

    shift
    request --cert "$certificate.crt" --key "$certificate.key" "$@"
}

# refused_by_tls CERTIFICATE [CURL-ARGUMENT]...: the request comes to nothing, be it in the handshake or
# by an answer that is not of authserver; no token is made. So does each of several, with --next
# between them: one curl makes them all.
refused_by_tls() {
    local certificate=$CA/$1 asked=1 arguments argument statuses
    local common=(-s --path-as-is -m 30 --cacert "$CA/ca.crt" --cert "$certificate.crt"
        --key "$certificate.key" -D "$HEADERS" -o "$BODY" -w '%{http_code}\n')

    shift
    arguments=("${common[@]}")
    for argument in "$@"; do
        arguments+=("$argument")
        [ "$argument" != --next ] || arguments+=("${common[@]}") asked=$((asked + 1))
    done
    : >"$HEADERS"
    : >"$BODY"
    mapfile -t statuses < <(curl "${arguments[@]}")
    [ "${#statuses[@]}" -eq "$asked" ]
    for STATUS in "${statuses[@]}"; do
        case $STATUS in
        000 | 400 | 403) ;;
        *)
            echo "expected of $certificate, $asked times: a failed handshake, 400 or 403;" \
                "there were ${statuses[*]}"
            show
            ;;
        esac
    done
    no_file
}
