#!/usr/bin/env bats
# The image's entrypoint in the pods of deploy/kubernetes: the root file system cannot be written,
# the volumes have the owners and modes that the kubelet gives them. AUTHSERVER_BUILD names the
# build folder. It takes root; lib/pod.bash says how it is done. "make check-image" does the same in
# the file system of the image itself.

load lib/pod

setup_file() { pod_init; }
teardown_file() { pod_end; }
setup() { quick; }

@test "the sidecar: a password becomes a token that the application may read and not touch" {
    pod_run sidecar '
        start_authserver
        get http://127.0.0.1:5001/alice -u alice:wonderland
        [ "$code" = 200 ]
        [[ $body =~ ^/run/authserver/tokens/alice\.[0-9]{19}\.token$ ]]
        token=$body
        # As the application, by its group alone.
        [[ $(run application cat "$token") == eyJ* ]]
        [ "$(run application stat -c "%u:%g %a" "$token")" = "1000:1000 640" ]
        refute run application rm -f "$token"
        refute run application touch /run/authserver/new
        refute run application ls /etc/authserver/keys/20200101T000000Z.pem
        # The key is in another container and nowhere else; the tokens are its.
        run authserver authserverctl verify --private-key=/etc/authserver/keys "$(run application cat "$token")" >/dev/null
        get http://127.0.0.1:5001/alice -u alice:wrong
        [ "$code" = 401 ]
        gone() { [ ! -e "$(seen "$token")" ]; }
        until_true 13 gone
        says authserver "Deleted token: $token"'
}

@test "the sidecar: the example service gets its tokens there" {
    [ -x "${ROOT_TREE:-}/usr/bin/python3" ] || skip "the application has an image of its own"
    pod_run sidecar '
        start_authserver
        printf "HTTP/1.0 200 OK\r\n\r\nfrom behind" | nc -l -N 127.0.0.1 8081 >$at/asked &
        start application UPSTREAM=http://127.0.0.1:8081/
        answers() { curl -s -o /dev/null --noproxy "*" http://127.0.0.1:8080/healthy; }
        until_true 10 answers
        get http://127.0.0.1:8080/report -u alice:wonderland
        [ "$code" = 200 ] && [ "$body" = "from behind" ]
        grep -q "^GET /report " $at/asked
        grep -q "^Authorization: Bearer eyJ" $at/asked'
}

@test "the probes say how it is, and SIGTERM ends it within seconds and takes the tokens along" {
    pod_run sidecar '
        probe=/usr/local/lib/authserver/probe
        refute run authserver $probe healthy
        start_authserver
        run authserver $probe healthy
        run authserver $probe ready
        refute run authserver env PORT=5002 $probe healthy
        get http://127.0.0.1:5001/alice -u alice:wonderland
        [ -e "$(seen "$body")" ]
        kill -TERM "$(first authserver)"
        until_true 5 ended authserver
        wait "${process[authserver]}"
        [ ! -e "$(seen "$body")" ]'
}

@test "the variables of the environment are flags" {
    pod_run sidecar '
        mkdir $at/one && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $at/one/mine 2>/dev/null
        secret_write keys $at/one
        start_authserver PORT=6001 TOKEN_DIR=/run/authserver/elsewhere PRIVATE_KEY_FILE=mine \
            ALGORITHM=ES256 GID=1000
        says authserver "Listening on 127.0.0.1:6001 - writing to ./run/authserver/elsewhere."
        get http://127.0.0.1:6001/alice -u alice:wonderland
        [[ $body == /run/authserver/elsewhere/alice.*.token ]]
        run application cat "$body" | cut -d. -f1 | base64 -d 2>/dev/null | grep -q "\"alg\":\"ES256\""'
}

@test "a variable that is empty is not set; paths are absolute or in SECRET_DIR; other programs are run" {
    pod_run sidecar '
        start_authserver PORT= ALGORITHM= GID= SECRET_DIR=/nowhere \
            PRIVATE_KEY_FILE=/etc/authserver/keys/20200101T000000Z.pem
        get http://127.0.0.1:5001/alice -u alice:wonderland
        [ "$(run application stat -c %g "$body")" = 1000 ]
        # What is no flag is a program of the image.
        run authserver /usr/local/lib/authserver/entrypoint authserverctl keys \
            --private-key=/etc/authserver/keys | grep -q 20200101T000000Z'
}

@test "a bad value ends it with one line that says what to do" {
    pod_run sidecar '
        refused() { # LINE NAME=VALUE
            start authserver "$2"
            until_true 10 ended authserver
            status=0
            wait "${process[authserver]}" || status=$?
            cat $at/authserver.log
            [ "$status" -ne 0 ]
            [ "$(wc -l <$at/authserver.log)" -eq 1 ]
            grep -q -- "$1" $at/authserver.log
        }
        refused "port: .99999. is not a number from 1 to 65535" PORT=99999
        refused "no group .nobodys." GID=nobodys
        refused "algorithm.*HS256" ALGORITHM=HS256
        refused "/etc/authserver/keys/absent: No such file" PRIVATE_KEY_FILE=absent
        refused "/nowhere" SECRET_DIR=/nowhere
        refused "Read-only file system" TOKEN_DIR=/var/tokens
        refused "everybody may write it" TOKEN_DIR=/run/authserver'
}

@test "a volume for tokens on disk is refused: nothing keeps others from replacing what is in it" {
    pod_run sidecar '
        refute start_authserver
        says authserver "/run/authserver: others may write it (mode 2777)"' \
        's/ empty Memory/ empty Disk/'
}

@test "a key that all may read, as from a Secret with mode 0644, does for the original's clients" {
    pod_run sidecar '
        start_authserver
        [ "$(run authserver stat -Lc %a /etc/authserver/keys/20200101T000000Z.pem)" = 644 ]
        get http://127.0.0.1:5001/alice -u alice:wonderland
        [ "$code" = 200 ]' 's/ 400$/ 644/'
}

@test "a Secret that is updated is a rotation, without a restart and without a lost request" {
    pod_run sidecar '
        start_authserver
        get http://127.0.0.1:5001/.well-known/jwks.json
        [ "$(jq ".keys | length" <<<"$body")" -eq 1 ]
        get http://127.0.0.1:5001/alice -u alice:wonderland
        before=$(run application cat "$body")
        # For a time that was a minute ago: in use as soon as it is seen.
        cp -r $secrets/authserver-keys $at/two
        openssl genpkey -quiet -algorithm RSA \
            -out "$at/two/$(date -u -d "1 minute ago" +%Y%m%dT%H%M%SZ).pem"
        secret_write keys $at/two
        two() { get http://127.0.0.1:5001/.well-known/jwks.json; [ "$(jq ".keys | length" <<<"$body")" -eq 2 ]; }
        INTERVAL=0.5
        until_true 15 two
        get http://127.0.0.1:5001/alice -u alice:wonderland
        after=$(run application cat "$body")
        [ "${before%%.*}" != "${after%%.*}" ]
        for token in "$before" "$after"; do
            run authserver authserverctl verify --private-key=/etc/authserver/keys "$token" >/dev/null
        done
        # One that is no key leaves those that there are.
        cp -r $at/two $at/three
        echo nothing >$at/three/20990101T000000Z.pem
        secret_write keys $at/three
        until_true 15 says authserver 20990101T000000Z
        get http://127.0.0.1:5001/alice -u alice:wonderland
        [ "$code" = 200 ]'
}

@test "a user of another number, as OpenShift gives, does" {
    pod_run sidecar '
        start_authserver
        get http://127.0.0.1:5001/alice -u alice:wonderland
        [[ $(run application cat "$body") == eyJ* ]]' 's/^container authserver authserver 1000 /container authserver authserver 1000680000 /'
}

@test "on a node: the folder is made as root with one capability, the rest is not root" {
    pod_run node '
        start directory
        until_true 10 ended directory
        wait "${process[directory]}" || { cat $at/directory.log; exit 1; }
        [ "$(stat -c "%u:%g %a" $at/host/run/authserver/tokens)" = "64001:64001 750" ]
        start_authserver
        get http://127.0.0.1:5001/alice -u alice:wonderland
        [ "$(stat -c "%u:%g %a" "$at/host$body")" = "64001:64001 640" ]
        get http://127.0.0.1:5001/alice
        [ "$code" = 401 ]
        # Again, as after an update.
        kill -TERM "$(first authserver)"
        until_true 5 ended authserver
        start directory
        until_true 10 ended directory
        wait "${process[directory]}"
        start_authserver'
}
