#!/usr/bin/env bats
# A private key in a PKCS #11 token: SoftHSM2, by way of the engine that Debian 12 has
# (libengine-pkcs11-openssl). The token is the test's own.

load lib/fastcgi

PIN=opensesame

setup_file() {
    fastcgi_init
    export SOFTHSM2_CONF=$WORK/softhsm2.conf
    export PKCS11_MODULE_PATH=/usr/lib/softhsm/libsofthsm2.so
    mkdir "$WORK/softhsm"
    printf '%s\n' "directories.tokendir = $WORK/softhsm" 'objectstore.backend = file' \
        >"$SOFTHSM2_CONF"
    softhsm2-util --init-token --free --label authserver --so-pin abracadabra --pin "$PIN"
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$WORK/ec"
    openssl pkey -in "$WORK/ec" -pubout -out "$WORK/ec.pub"
    import key 01
    import ec 02
    # One that never was outside.
    pkcs11-tool --module "$PKCS11_MODULE_PATH" --token-label authserver --pin "$PIN" \
        --keypairgen --key-type EC:secp384r1 --label inside --id 03
}

teardown_file() { fastcgi_clean; }

setup() {
    fastcgi_begin
    printf '%s\n' "$PIN" >"$DIR/pin"
    chmod 0600 "$DIR/pin"
}

teardown() { fastcgi_end; }

# import NAME ID: a key file into the token.
import() {
    openssl pkcs8 -topk8 -nocrypt -in "$WORK/$1" -out "$WORK/$1.p8"
    softhsm2-util --import "$WORK/$1.p8" --token authserver --label "$1" --id "$2" --pin "$PIN"
}

# use OBJECT ALGORITHM [LINE]...: the configuration has the key of that name.
use() {
    KEY="pkcs11:token=authserver;object=$1;type=private"
    configure "algorithm = $2" "passphrase-file = \"$DIR/pin\"" "${@:3}"
}

# verified ALGORITHM KEY: all tokens are by it, as PyJWT sees it.
verified() {
    token verify-as "$1" "$WORK/$2.pub" "$TOKENS"/*.token
}

# fails PATTERN: it does not start, for a reason in one line without the PIN.
fails() {
    fails_with 78 "$1" "$FCGI" --config "$CONF" --socket "$SOCKET"
    refute grep -F -e "$PIN" -e 'wrong-one' "$DIR/err"
    nobody_left
}

# --- tokens -----------------------------------------------------------------------

@test "an RSA key signs, with PKCS #1 and with PSS" {
    use key RS512 'profile "pss" { algorithm = "PS256" }'
    # One key has one algorithm: a profile with another one finds none.
    fails "profile 'pss': no key signs with PS256"
    use key RS512
    serve
    mints
    verified RS512 key
    stop
    rm "$TOKENS"/*
    use key PS256
    serve
    mints
    verified PS256 key
}

@test "an EC key signs" {
    use ec ES256
    serve
    mints
    verified ES256 ec
}

@test "a key that was made in the token signs, and is published for who verifies" {
    use inside ES384
    serve
    mints
    ask PATH_INFO=/.well-known/jwks.json
    [ "$STATUS" = 200 ]
    printf '%s' "$BODY" >"$DIR/set"
    jose jws ver -i "$FILE" -k "$DIR/set" -O-
    [[ $BODY =~ ^\{\"keys\":\[\{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"[A-Za-z0-9_-]{64}\",\"y\":\"[A-Za-z0-9_-]{64}\",\"alg\":\"ES384\",\"use\":\"sig\",\"kid\":\"[A-Za-z0-9_-]{43}\"\}\]\}$ ]]
}

@test "a key is published alike from a token and from a file" {
    local name published

    for name in key ec; do
        use "$name" "$([ "$name" = key ] && echo RS512 || echo ES256)"
        serve
        ask PATH_INFO=/.well-known/jwks.json
        published=$BODY
        stop
        rm "$SOCKET" "$LOG"
        install -m 0600 "$WORK/$name" "$DIR/file"
        sed -i "s|^private-key = .*|private-key = \"$DIR/file\"|; /^passphrase/d" "$CONF"
        serve
        ask PATH_INFO=/.well-known/jwks.json
        [ "$BODY" = "$published" ]
        stop
        rm "$SOCKET" "$LOG"
    done
}

@test "the CGI program mints with it" {
    use ec ES256
    execute "$CGI" "AUTHSERVER_CONFIG=$CONF" "SOFTHSM2_CONF=$SOFTHSM2_CONF" \
        "PKCS11_MODULE_PATH=$PKCS11_MODULE_PATH" >"$DIR/answer" 2>"$LOG"
    read_answer
    minted
    verified ES256 ec
    [ "$(wc -l <"$LOG")" -eq 1 ]
}

@test "the module may be p11-kit's, which Debian has without being told" {
    unset PKCS11_MODULE_PATH
    use key RS512
    serve
    mints
    verified RS512 key
}

@test "several threads sign at once: 208 requests give 208 tokens, and all of them verify" {
    local name algorithm

    for name in key ec; do
        algorithm=$([ "$name" = key ] && echo RS512 || echo ES256)
        use "$name" "$algorithm" 'signer-threads = 8'
        serve
        # No more are under way for a worker than are signed soon, which depends on the machine.
        : >"$DIR/flight"
        for _ in {1..26}; do
            client flight "$SOCKET" 8 >>"$DIR/flight"
        done
        [ "$(grep -cx 200 "$DIR/flight")" -eq 208 ] || {
            sort "$DIR/flight" | uniq -c
            return 1
        }
        [ "$(token_count)" -eq 208 ]
        verified "$algorithm" "$name"
        refute logged 'ended by'
        stop
        rm "$SOCKET" "$LOG" "$TOKENS"/*
    done
}

@test "a signer that dies opens the token again" {
    use ec ES256
    serve
    find_parts
    kill -KILL "$SIGNER"
    until_true 5 logged 'ended by signal 9; starting another'
    until_true 10 mints
    verified ES256 ec
}

# --- what is refused --------------------------------------------------------------

@test "a wrong PIN: one line that says so, and not the PIN" {
    use key RS512
    echo wrong-one >"$DIR/pin"
    fails "$KEY: .*PIN incorrect"
}

@test "no PIN: one line, and nobody is asked at a terminal" {
    use key RS512
    sed -i /^passphrase-file/d "$CONF"
    fails 'passphrase-file names no PIN'
    refute timeout 20 script -qefc "'$FCGI' --config '$CONF' --socket '$SOCKET'" "$DIR/typescript" \
        </dev/null >"$DIR/out"
    grep -q 'passphrase-file names no PIN' "$DIR/typescript"
    refute grep -qi 'enter' "$DIR/typescript"
}

@test "an object, a token and a module that are not there: one line that says what" {
    use nothing RS512
    fails 'object=nothing;type=private: .*object not found'
    use key RS512
    sed -i s/token=authserver/token=other/ "$CONF"
    fails 'token=other;.*: .*object not found'
    use key RS512
    # The dynamic loader has a line of its own there, with the file's name.
    refute env PKCS11_MODULE_PATH=/nowhere.so "$FCGI" --config "$CONF" --socket "$SOCKET" \
        2>"$DIR/err"
    [ "$(grep -c 'object=key;type=private: .*: Unable to load PKCS#11 module$' "$DIR/err")" -eq 1 ]
    KEY=nosuch:thing configure
    fails 'nosuch:thing: .*unregistered scheme'
}

@test "a key of another type than the algorithm's" {
    use key ES256
    fails 'a key of type RSA cannot sign with ES256'
    use ec RS512
    fails 'a key of type EC cannot sign with RS512'
    use ec ES384
    fails 'its curve is prime256v1, but ES384 needs P-384'
}

@test "a PIN in the URI is refused, and not logged" {
    KEY="pkcs11:token=authserver;object=key;type=private?pin-value=$PIN"
    configure
    fails 'private-key holds a PIN: put it into a file'
}

@test "a PIN that is wrong at a reload leaves the old key in service" {
    use key RS512
    serve
    echo wrong-one >"$DIR/pin"
    kill -HUP "$MONITOR"
    until_true 5 logged 'Not reloaded, the old configuration stays: pkcs11:.*: PIN incorrect'
    mints
    verified RS512 key
    refute grep -F -e "$PIN" -e wrong-one "$LOG"
}
