#!/usr/bin/env bats
# Keys that come and go in a directory while the service runs: five rotations on two servers
# under load, and the watch that sees key files without a signal.
#
# The five rotations are in progress from the start; the last test waits for their end.

load lib/fastcgi

setup_file() {
    local i

    fastcgi_init
    export KEYS=$WORK/keys
    mkdir "$KEYS"
    for i in 1 2 3 4 5; do
        openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$KEYS/$i"
    done
    begin_rotations
}

teardown_file() {
    local pid

    [ -e "$WORK/two/verdict" ] || kill -TERM -- "-$(<"$WORK/two/run.pid")"
    for pid in $(<"$WORK/two/1.pid") $(<"$WORK/two/2.pid"); do
        kill -TERM "$pid"
        until_true 10 gone "$pid"
    done
    fastcgi_clean
}

setup() {
    fastcgi_begin
    VOLUME=$DIR/volume
    RECENTLY=$(date -u -d '-1 hour' +%Y%m%dT%H%M%SZ)
    mkdir "$VOLUME"
    sed -i "s|^private-key = .*|private-key = \"$VOLUME\"|" "$CONF"
}

teardown() { fastcgi_end; }

# --- two servers, five rotations --------------------------------------------------

begin_rotations() {
    local i at=$WORK/two

    mkdir -m 0711 "$at"
    for i in 1 2; do
        mkdir -m 0700 "$at/keys.$i" "$at/tokens.$i"
        install -m 0600 "$WORK/key" "$at/keys.$i/20200101T000000Z.pem"
        printf '%s\n' "private-key = \"$at/keys.$i\"" "directory = \"$at/tokens.$i\"" \
            'issuer = "https://first.example"' 'lifetime = 5s' >"$at/conf.$i"
        # timeout: should nobody be left to end it.
        setsid timeout 300 "$FCGI" --config "$at/conf.$i" --socket "$at/socket.$i" \
            >"$at/log.$i" 2>&1 </dev/null 3>&- &
        echo "$!" >"$at/$i.pid"
        until_true 20 grep -q 'Ready$' "$at/log.$i"
    done
    # shellcheck disable=SC2016 # of the inner shell
    setsid timeout 300 bash -c '"$@" >"$0/out" 2>&1 && echo good >"$0/verdict" ||
        echo bad >"$0/verdict"' "$at" "$BATS_TEST_DIRNAME/lib/rotation.py" \
        "$KEYS" "$at"/keys.[12] "$at"/socket.[12] </dev/null >/dev/null 2>&1 3>&- &
    echo "$!" >"$at/run.pid"
}

# --- the watch --------------------------------------------------------------------

# put FROM NAME: a key file comes into the volume as a whole.
put() {
    install -m 0600 "$1" "$VOLUME/.new"
    mv "$VOLUME/.new" "$VOLUME/$2"
}

# publishes COUNT: so many keys.
publishes() {
    ask PATH_INFO=/.well-known/jwks.json
    [ "$STATUS" = 200 ] && [ "$(grep -o '"kid":' <<<"$BODY" | wc -l)" -eq "$1" ]
}

# by KEY: the last token was signed by it.
by() {
    token verify <(openssl pkey -in "$1" -pubout) "$FILE"
}

# kid KEY: by an implementation that is not ours.
kid() {
    token jwk <(openssl pkey -in "$1" -pubout) | jose jwk thp -a S256 -i -
}

signs_by() {
    mints && by "$1" 2>/dev/null
}

# ready CONFIGURATION: the service is, and says this of its configuration.
ready() {
    ask PATH_INFO=/-/ready
    [ "$STATUS" = 200 ] && [[ $BODY == *'"ready":true'*"\"configuration\":\"$1"* ]]
}

@test "a key file that arrives is published at the next look, without a signal" {
    put "$WORK/key" 20200101T000000Z.pem
    serve
    publishes 1
    put "$KEYS/1" 20990101T000000Z.pem
    # It looks every ten seconds, and has to load the key.
    until_true 12 publishes 2
    logged 'Reloaded: a file changed$'
    # Its time has not come.
    mints
    by "$WORK/key"
}

@test "the swap of a Kubernetes volume is seen: a name more, and another key by an old name" {
    local data=..2026_11_22

    mkdir "$VOLUME/$data.1"
    install -m 0600 "$WORK/key" "$VOLUME/$data.1/20200101T000000Z.pem"
    ln -s "$data.1" "$VOLUME/..data"
    ln -s ..data/20200101T000000Z.pem "$VOLUME/20200101T000000Z.pem"
    serve
    mints
    by "$WORK/key"

    mkdir "$VOLUME/$data.2"
    install -m 0600 "$KEYS/1" "$VOLUME/$data.2/20200101T000000Z.pem"
    install -m 0600 "$KEYS/2" "$VOLUME/$data.2/$RECENTLY.pem"
    ln -s "..data/$RECENTLY.pem" "$VOLUME/$RECENTLY.pem"
    ln -s "$data.2" "$VOLUME/..data_tmp"
    mv -T "$VOLUME/..data_tmp" "$VOLUME/..data"
    rm -r "$VOLUME/$data.1"
    until_true 13 signs_by "$KEYS/2"
    publishes 2
    refute grep -q "$(kid "$WORK/key")" <<<"$BODY"
    grep -q "$(kid "$KEYS/1")" <<<"$BODY"
    refute logged 'Not reloaded'
}

@test "half a key leaves the old ones in service, is said once, and is over when it is whole" {
    put "$WORK/key" 20200101T000000Z.pem
    put "$KEYS/1" "$RECENTLY.pem"
    serve
    ready ok
    # In its place, so that the folder has not changed.
    head -c 800 "$KEYS/2" >"$VOLUME/$RECENTLY.pem"
    until_true 13 ready 'an older one'
    mints
    by "$KEYS/1"
    publishes 2
    # Looked at again, and no word more.
    sleep 11
    ready 'an older one'
    [ "$(times_logged "Not reloaded.*$VOLUME/$RECENTLY.pem: ")" -eq 1 ]
    [ "$(times_logged 'Not reloaded')" -eq 1 ]
    cat "$KEYS/2" >"$VOLUME/$RECENTLY.pem"
    until_true 13 ready ok
    publishes 2
    mints
    by "$KEYS/2"
    [ "$(times_logged 'Not reloaded')" -eq 1 ]
}

@test "two servers, five rotations, load on both: nothing fails, all verifies with the other's keys" {
    local at=$WORK/two

    until_true 60 test -e "$at/verdict"
    cat "$at/out"
    [ "$(<"$at/verdict")" = good ] || { grep -hv 'Generated token' "$at"/log.[12]; return 1; }
    grep -qE '^[0-9]{3,} tokens, 5 rotations, 0 failures$' "$at/out"
    [ "$(cat "$at"/log.[12] | grep -c 'Reloaded: a file changed$')" -ge 4 ]
    refute grep -q -e 'ended by' -e 'Not reloaded' -e Refused "$at"/log.[12]
}
