#!/usr/bin/env bats
# authserverctl keys, rotate, prune, jwks, mint and decode: a directory of keys through its life,
# and tokens that are signed with them. Every token and every JWK Set is checked by PyJWT and
# jose, which are not ours.

load lib/quick
load lib/clock

setup() {
    quick
    CTL=${AUTHSERVER_BUILD:-$BATS_TEST_DIRNAME/../build}/authserverctl
    DIR=$BATS_TEST_TMPDIR
    KEYS=$DIR/keys
    CONF=$DIR/conf
    NOW='2026-11-22 00:00:00'
    umask 022
    mkdir -m 0700 "$KEYS"
    cat >"$CONF" <<END
private-key = "$KEYS"
algorithm = ES256
lifetime = 1h
issuer = "https://tokens.example.org"
profile "aws" { audience = {"sts.amazonaws.com", "vault"} lifetime = 30m }
profile "slurm" { claims = "{\"sun\": \"\${subject}\", \"groups\": [\"of the profile\"]}" }
END
}

# ctl STATUS COMMAND ARGUMENT...: by the configuration; $output is stdout, $errors stderr.
ctl() {
    local wanted=$1 command=$2

    shift 2
    status=0
    output=$("$CTL" "$command" --config "$CONF" "$@" 2>"$DIR/errors") || status=$?
    errors=$(<"$DIR/errors")
    [ "$status" -eq "$wanted" ] || { echo "exit status $status: $output $errors"; return 1; }
}

# at TIME COMMAND...: with a clock that stands at TIME, in UTC.
at() {
    TZ=UTC with_clock "$@"
}

# ctl_at TIME STATUS COMMAND ARGUMENT...
ctl_at() {
    local time=$1 wanted=$2 command=$3

    shift 3
    status=0
    output=$(at "$time" "$CTL" "$command" --config "$CONF" "$@" 2>"$DIR/errors") || status=$?
    errors=$(<"$DIR/errors")
    [ "$status" -eq "$wanted" ] || { echo "exit status $status: $output $errors"; return 1; }
}

says() {
    [[ $errors == *"$1"* && $(wc -l <<<"$errors") -eq 1 ]] || { echo "$errors"; return 1; }
}

# python SCRIPT ARGUMENT...: with PyJWT, the JWK Set as "keys" by kid, and verify(token).
python() {
    local script=$1

    shift
    "$CTL" jwks --config "$CONF" >"$DIR/jwks"
    token run "$DIR/jwks" "$@" <<END
import json, sys
import jwt
jwks = json.load(open(sys.argv[1]))
keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(jwks).keys}

def verify(token, **options):
    header = jwt.get_unverified_header(token)
    key = keys[header["kid"]]
    return jwt.decode(token, key.key, algorithms=[header["alg"]],
        options={"require": ["sub", "iss", "iat", "exp", "jti"], "verify_aud": False}, **options)

$script
END
}

names() {
    (cd "$KEYS" && find . -mindepth 1 -printf '%P\n' | sort)
}

# --- rotate, keys -----------------------------------------------------------------

@test "the first key of a directory signs at once" {
    ctl_at "$NOW" 0 rotate
    [ "$(names)" = 20261122T000000Z.ES256.pem ]
    grep -qE "^active +2026-11-22T00:00:00Z +- +ES256 +[A-Za-z0-9_-]{43} +$KEYS/20261122T000000Z.ES256.pem$" <<<"$output"
    rotated=$output
    ctl_at "$NOW" 0 keys
    [ "$output" = "$rotated" ]
}

@test "the next key signs in a day, and until then the old one does" {
    ctl_at "$NOW" 0 rotate --in 0s
    first=$(awk '{print $5}' <<<"$output")
    ctl_at "2026-11-22 01:00:00" 0 rotate
    [[ $output == next*2026-11-23T01:00:00Z*"$KEYS/20261123T010000Z.ES256.pem" ]]
    second=$(awk '{print $5}' <<<"$output")
    [ "$first" != "$second" ]
    # An hour is the longest life of a token, ten minutes the margin.
    ctl_at "2026-11-23 00:59:59" 0 keys
    [ "$(awk '{print $1, $2, $3, $5}' <<<"$output")" = "active 2026-11-22T00:00:00Z 2026-11-23T02:10:00Z $first
next 2026-11-23T01:00:00Z - $second" ]
    ctl_at "2026-11-23 00:59:59" 0 mint alice
    [ "$("$CTL" decode <<<"$output" 2>/dev/null | jq -r .header.kid)" = "$first" ]
    ctl_at "2026-11-23 01:00:00" 0 keys
    [ "$(awk '{print $1}' <<<"$output" | paste -sd ' ')" = 'retired active' ]
    ctl_at "2026-11-23 01:00:00" 0 mint alice
    [ "$("$CTL" decode <<<"$output" 2>/dev/null | jq -r .header.kid)" = "$second" ]
    ctl_at "2026-11-23 02:09:59" 0 jwks
    [ "$(jq -r '.keys[].kid' <<<"$output")" = "$first"$'\n'"$second" ]
    ctl_at "2026-11-23 02:10:00" 0 jwks
    [ "$(jq -r '.keys[].kid' <<<"$output")" = "$second" ]
}

@test "keys --json has the same, with null for what there is not" {
    ctl_at "$NOW" 0 rotate
    ctl_at "$NOW" 0 rotate --in 1h
    ctl_at "$NOW" 0 keys --json
    [ "$(jq -c '[.[] | [.state, .activation, .end, .algorithm]]' <<<"$output")" = '[["active","2026-11-22T00:00:00Z","2026-11-22T02:10:00Z","ES256"],["next","2026-11-22T01:00:00Z",null,"ES256"]]' ]
    [ "$(jq -r '.[1].file' <<<"$output")" = "$KEYS/20261122T010000Z.ES256.pem" ]
    ctl 0 keys --json --private-key "$KEYS/20261122T010000Z.ES256.pem"
    [ "$(jq -c '[.[] | [.state, .activation, .end]]' <<<"$output")" = '[["active",null,null]]' ]
    [ "$(jq -r '.[0].file' <<<"$output")" = "$KEYS/20261122T010000Z.ES256.pem" ]
}

@test "a new key is whole, its owner's alone, and nothing else is left" {
    umask 0
    ctl 0 rotate
    file=$(awk '{print $6}' <<<"$output")
    [ "$(stat -c '%a %u %h' "$file")" = "600 $(id -u) 1" ]
    [ "$(names | wc -l)" -eq 1 ]
    openssl pkey -in "$file" -noout -check
    # It is said nowhere.
    grep -v -e ----- "$file" >"$DIR/lines"
    [ "$(grep -cF -f "$DIR/lines" <<<"$output$errors")" -eq 0 ]
}

@test "there is a key for each algorithm, and PyJWT verifies what it signs" {
    local algorithm

    for algorithm in RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA; do
        ctl 0 rotate --in 0s --force --algorithm "$algorithm"
        ctl 0 mint alice --set "algorithm=$algorithm"
        echo "$output" >>"$DIR/tokens"
    done
    ctl 0 keys
    [ "$(awk '{print $1}' <<<"$output" | sort -u)" = active ]
    python 'seen = set()
for token in open(sys.argv[2]):
    assert verify(token.strip())["sub"] == "alice"
    seen.add(jwt.get_unverified_header(token.strip())["alg"])
assert len(seen) == len(keys) == 10, seen' "$DIR/tokens"
    ctl 0 rotate --algorithm rsa256 --bits 3072 --in 2h
    openssl pkey -in "$(awk '{print $6}' <<<"$output")" -noout -text | grep -q '3072 bit'
    openssl pkey -in "$(find "$KEYS" -name '*.RS512.pem')" -noout -text | grep -q '2048 bit'
    ctl 64 rotate --algorithm EdDSA --bits 3072 --in 2h
}

@test "with a passphrase file a new key is encrypted" {
    echo 'correct horse' >"$DIR/passphrase"
    echo "passphrase-file = \"$DIR/passphrase\"" >>"$CONF"
    ctl 0 rotate
    grep -q 'BEGIN ENCRYPTED PRIVATE KEY' "$KEYS"/*
    openssl pkey -in "$KEYS"/*.pem -noout -passin 'pass:correct horse'
    ctl 0 rotate
    ctl 0 mint alice
    rm "$DIR/passphrase"
    ctl 66 rotate
    says "$DIR/passphrase: No such file"
    [ "$(names | wc -l)" -eq 2 ]
}

@test "rotate refuses what would harm: too soon, out of order, too many, a single key" {
    ctl_at "$NOW" 0 rotate
    ctl_at "$NOW" 1 rotate --in 19m
    says 'give --in 20m or more, or --force'
    ctl_at "$NOW" 1 rotate --in 1199
    ctl_at "$NOW" 1 rotate --in 0 --algorithm RS512
    ctl_at "$NOW" 0 rotate --in 20m
    ctl_at "$NOW" 1 rotate --in 20m
    says "$KEYS/20261122T002000Z.ES256.pem: signs from 2026-11-22T00:20:00Z on"
    ctl_at "$NOW" 1 rotate --in 5m --force
    says 'give a longer --in'
    ctl_at "$NOW" 0 rotate --in 1201 --force
    [ "$(names | wc -l)" -eq 3 ]
    ctl 1 rotate --private-key "$KEYS/20261122T000000Z.ES256.pem"
    says 'make a directory'
    ctl 66 rotate --private-key "$DIR/none"
}

@test "rotate stops at as many keys as a keyring has" {
    local i

    ctl_at "$NOW" 0 rotate
    for i in $(seq 10 59) $(seq 60 72); do
        cp -p "$KEYS/20261122T000000Z.ES256.pem" \
            "$KEYS/2025010$((i / 60 + 1))T0000$((i % 60 / 10))$((i % 10))Z.ES256.pem"
    done
    [ "$(names | wc -l)" -eq 64 ]
    ctl 0 keys
    ctl 1 rotate
    says 'has 64 keys, the most there can be: prune'
    [ "$(names | wc -l)" -eq 64 ]
    ctl 0 prune
    ctl 0 rotate --in 2h
}

@test "of rotations at one time one makes the key, and none is cut short" {
    local i good=0 pids=()

    ctl_at "$NOW" 0 rotate
    for i in $(seq 12); do
        at "$NOW" "$CTL" rotate --config "$CONF" --in 1h >"$DIR/out.$i" 2>&1 &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        if wait "$i"; then good=$((good + 1)); fi
    done
    [ "$good" -eq 1 ]
    [ "$(names)" = '20261122T000000Z.ES256.pem
20261122T010000Z.ES256.pem' ]
    [ "$(cat "$DIR"/out.* | grep -cv -e '^next' -e 'exists already' -e 'has to come after it')" -eq 0 ]
    openssl pkey -in "$KEYS/20261122T010000Z.ES256.pem" -noout -check
}

@test "root makes keys for the owner of the directory, and for the group of one of its own" {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    chmod 0755 "$BATS_RUN_TMPDIR" "$DIR"
    chown games "$KEYS"
    ctl 0 rotate
    [ "$(stat -c '%a %U' "$KEYS"/*)" = '600 games' ]
    ctl 0 rotate
    ctl 0 keys
    ctl 0 mint alice
    ctl 0 jwks --out "$DIR/jwks"
    [ "$(stat -c '%U' "$DIR/jwks")" = root ]
    setpriv --reuid=games --regid=games --clear-groups "$CTL" mint --config "$CONF" alice
    rm "$KEYS"/*
    chown root:games "$KEYS"
    chmod 0750 "$KEYS"
    ctl 0 rotate
    [ "$(stat -c '%a %U %G' "$KEYS"/*)" = '640 root games' ]
    setpriv --reuid=nobody --regid=games --clear-groups "$CTL" mint --config "$CONF" alice
    status=0
    setpriv --reuid=nobody --regid=games --clear-groups "$CTL" rotate --config "$CONF" || status=$?
    [ "$status" -eq 77 ]
    [ "$(names | wc -l)" -eq 1 ]
}

# --- prune ------------------------------------------------------------------------

@test "prune deletes what has expired and nothing else" {
    ctl_at "2026-11-20 00:00:00" 0 rotate
    ctl_at "2026-11-20 00:00:00" 0 rotate --in 24h
    ctl_at "2026-11-20 00:00:00" 0 rotate --in 0s --force --algorithm RS256
    ctl_at "$NOW" 0 rotate
    ctl_at "2026-11-21 01:09:59" 0 prune
    [ -z "$output" ]
    ctl_at "2026-11-21 01:10:00" 0 prune --dry-run
    [ "$output" = "Would delete: $KEYS/20261120T000000Z.ES256.pem" ]
    [ "$(names | wc -l)" -eq 4 ]
    ctl_at "2026-11-21 01:10:00" 0 prune
    [ "$output" = "Deleted: $KEYS/20261120T000000Z.ES256.pem" ]
    [ "$(names)" = '20261120T000000Z.RS256.pem
20261121T000000Z.ES256.pem
20261123T000000Z.ES256.pem' ]
    # The last of each algorithm stays, however old.
    ctl_at "2099-01-01 00:00:00" 0 prune
    [ "$(names)" = '20261120T000000Z.RS256.pem
20261123T000000Z.ES256.pem' ]
    ctl_at "2099-01-01 00:00:00" 0 prune
    [ -z "$output" ]
    ctl 1 prune --private-key "$KEYS/20261123T000000Z.ES256.pem"
}

# --- jwks -------------------------------------------------------------------------

@test "the JWK Set is one to jose and PyJWT, and has no private member" {
    local algorithm

    for algorithm in RS512 ES256 ES512 EdDSA; do
        ctl 0 rotate --in 0s --force --algorithm "$algorithm"
    done
    python 'assert set(k["alg"] for k in jwks["keys"]) == {"RS512", "ES256", "ES512", "EdDSA"}
for k in jwks["keys"]:
    assert k["use"] == "sig" and len(k["kid"]) == 43
    assert not set(k) & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}, k'
    jq '{keys: [.keys[] | select(.kty != "OKP")]}' "$DIR/jwks" >"$DIR/known"
    # jose names a key by what it computes itself.
    [ "$(jose jwk thp -a S256 -i "$DIR/known")" = "$(jq -r '.keys[].kid' "$DIR/known")" ]
    for algorithm in RS512 ES256 ES512; do
        ctl 0 mint alice --set "algorithm=$algorithm"
        echo -n "$output" >"$DIR/token"
        jose jws ver -i "$DIR/token" -k "$DIR/known" -O "$DIR/claims"
        [ "$(jq -r .sub "$DIR/claims")" = alice ]
    done
}

@test "jwks --out is readable by a web server and replaces the file at once" {
    ctl 0 rotate
    umask 077
    ctl 0 jwks --out "$DIR/jwks.json"
    [ -z "$output" ]
    [ "$(stat -c %a "$DIR/jwks.json")" = 644 ]
    exec 4<"$DIR/jwks.json"
    ctl 0 rotate
    ctl 0 jwks --out "$DIR/jwks.json"
    [ "$(jq '.keys | length' "$DIR/jwks.json")" -eq 2 ]
    [ "$(jq '.keys | length' <&4)" -eq 1 ]
    exec 4<&-
    [ -z "$(find "$DIR" -maxdepth 1 -name '.*json*')" ]
    cd "$DIR"
    ctl 0 jwks --out here.json
    cmp here.json jwks.json
    ctl 69 jwks --out "$DIR/none/jwks.json"
    says "$DIR/none/jwks.json: cannot be written: No such file"
}

# --- mint -------------------------------------------------------------------------

@test "mint prints one token that PyJWT verifies, whatever policy says" {
    ctl 0 rotate
    ctl 0 mint okera --groups root
    [ "$(wc -l <<<"$output")" -eq 1 ]
    [ -z "$errors" ]
    python 'claims = verify(sys.argv[2], issuer="https://tokens.example.org")
assert list(claims) == ["sub", "iss", "iat", "exp", "jti", "groups"], claims
assert claims["sub"] == "okera" and claims["groups"] == ["root"]
assert claims["exp"] - claims["iat"] == 3600' "$output"
    ctl 0 mint bob --ttl 90s --audience vault --groups 'a b,c'
    python 'claims = verify(sys.argv[2])
assert claims["exp"] - claims["iat"] == 90
assert claims["aud"] == "vault" and claims["groups"] == ["a b", "c"]' "$output"
    ctl 0 mint bob --groups ''
    python 'assert verify(sys.argv[2])["groups"] == []' "$output"
    ctl 0 mint bob --issuer https://other.example.org
    python 'verify(sys.argv[2], issuer="https://other.example.org")' "$output"
}

@test "mint gives the profile's shape" {
    ctl 0 rotate
    ctl 0 mint bob --profile aws
    python 'claims = verify(sys.argv[2])
assert claims["aud"] == ["sts.amazonaws.com", "vault"]
assert claims["exp"] - claims["iat"] == 1800' "$output"
    ctl 0 mint bob --profile aws --audience vault
    python 'assert verify(sys.argv[2])["aud"] == "vault"' "$output"
    ctl 0 mint bob --profile slurm
    python 'claims = verify(sys.argv[2])
assert claims["sun"] == "bob" and claims["groups"] == ["of the profile"], claims' "$output"
    # What is given for this token goes before what the profile says of all.
    ctl 0 mint bob --profile slurm --groups etl
    python 'assert verify(sys.argv[2])["groups"] == ["etl"]' "$output"
}

@test "mint holds to the grammar of subjects, to profiles and to lifetimes" {
    local subject

    ctl 0 rotate
    ctl 1 mint bob --ttl 61m
    says 'authserverctl: ttl is over the limit of 3600 seconds'
    [ -z "$output" ]
    ctl 1 mint bob --profile aws --ttl 31m
    says 'over the limit of 1800 seconds'
    ctl 0 mint bob --ttl 2h --set lifetime=3h
    ctl 1 mint bob --profile aws --audience other
    says 'this audience is not allowed'
    ctl 64 mint bob --profile none
    ctl 64 mint bob --ttl never
    ctl 64 mint bob --groups a,,b
    ctl 64 mint bob --groups ,a
    ctl 64 mint bob --groups a,
    ctl 64 mint bob --groups $'a\nb'
    for subject in '' . .. ../a a/b -a 'John Doe' $'a\nb'; do
        ctl 64 mint -- "$subject" || { echo "$subject"; return 1; }
        [ -z "$output" ]
    done
    ctl 0 mint --set 'subject-pattern=[A-Z][a-z]+ [A-Z][a-z]+' -- 'John Doe'
    python 'assert verify(sys.argv[2])["sub"] == "John Doe"' "$output"
    rm "$KEYS"/*
    ctl 78 mint bob
    says 'no key in it'
}

# --- decode -----------------------------------------------------------------------

@test "decode shows header, claims and times, from a file, stdin or an argument" {
    ctl_at "$NOW" 0 rotate
    ctl_at "$NOW" 0 mint alice
    token=$output
    echo "$token" >"$DIR/token"
    ctl 0 keys
    "$CTL" decode "$DIR/token" >"$DIR/1" 2>"$DIR/errors"
    [ "$(<"$DIR/errors")" = 'authserverctl: nothing was verified: anybody can have written this token' ]
    "$CTL" decode <"$DIR/token" >"$DIR/2"
    "$CTL" decode - <"$DIR/token" >"$DIR/3"
    "$CTL" decode "$token" >"$DIR/4"
    printf '%s\r\n' "$token" | "$CTL" decode >"$DIR/5"
    printf '%s' "$token" | "$CTL" decode >"$DIR/6"
    md5sum "$DIR"/[1-6] | awk '{print $1}' | sort -u | wc -l | grep -qx 1
    [ "$(jq -r .header.kid "$DIR/1")" = "$(awk '{print $5}' <<<"$output")" ]
    [ "$(jq -c '[.claims.sub, .claims.iat, .times.iat, .times.exp, .verified]' "$DIR/1")" = \
        '["alice",1795305600,"2026-11-22T00:00:00Z","2026-11-22T01:00:00Z",false]' ]
    /usr/bin/python3 -c 'import json, sys, jwt
ours = json.load(open(sys.argv[1]))
assert ours["header"] == jwt.get_unverified_header(sys.argv[2])
assert ours["claims"] == jwt.decode(sys.argv[2], options={"verify_signature": False})' "$DIR/1" "$token"
}

# part TEXT: as base64url.
part() {
    printf '%s' "$1" | base64 -w 0 | tr '+/' '-_' | tr -d =
}

@test "decode takes a time that is none as it is, and shows control bytes to no terminal" {
    printf '%s.%s.AA' "$(part '{"alg":"RS512"}')" \
        "$(part '{"exp":99999999999999,"iat":"never","nbf":1.5,"x":"\u001b[31m\u009b"}')" >"$DIR/token"
    "$CTL" decode "$DIR/token" >"$DIR/out"
    [ "$(jq -c .times "$DIR/out")" = '{}' ]
    [ "$(LC_ALL=C grep -c '[^ -~]' "$DIR/out")" -eq 0 ]
}

@test "decode refuses what is not a token, in one line, with status 1" {
    local good header=eyJhbGciOiJFUzI1NiJ9 claims=eyJzdWIiOiJhIn0 text

    good=$header.$claims.AAAA
    printf '%s' "$good" | "$CTL" decode
    for text in '' . .. a.b.c 'not a token' "$header" "$header.$claims" "$header.$claims." \
        "$good.AAAA" "$good=" "$header=.$claims.AAAA" " $good" "$good " $'\n'"$good" "$good"$'\n\n' \
        "$header.$claims.AAAAA" "$header.$claims.AB" "$header.$claims.+AAA" "$header.$claims.A/AA" \
        "$(part '[1]').$claims.AAAA" "$(part '"a"').$claims.AAAA" "$header.$(part '[]').AAAA" \
        "$header.$(part null).AAAA" "$header.$(part '{"a":1,"a":2}').AAAA" \
        "$header.$(part '{"a":1} x').AAAA" "$header.$(part '{"a"').AAAA" "$header..AAAA" \
        ".$claims.AAAA" "eyJhbGciOiJFUzI1NiJ9 .$claims.AAAA" "$header.$(part $'{"a":"\xff"}').AAAA"; do
        status=0
        printf '%s' "$text" | "$CTL" decode >"$DIR/out" 2>"$DIR/errors" || status=$?
        [ "$status" -eq 1 ] && [ ! -s "$DIR/out" ] && [ "$(wc -l <"$DIR/errors")" -eq 1 ] || {
            echo "$status: $text"
            return 1
        }
    done
    head -c 20000 /dev/zero | tr '\0' A >"$DIR/long"
    status=0
    "$CTL" decode "$DIR/long" 2>"$DIR/errors" || status=$?
    [ "$status" -eq 1 ]
    status=0
    "$CTL" decode "$DIR/none" 2>"$DIR/errors" || status=$?
    [ "$status" -eq 66 ]
}
