#!/usr/bin/env bats
# Token exchange (RFC 8693): a token of a party that is trusted for it becomes one of ours, which
# never says more.

load lib/fastcgi
load lib/grants

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }

setup() {
    fastcgi_begin
    IDP=(authserverctl mint --private-key "$WORK/other" --issuer https://idp.example)
    TRUSTED=("public-key = \"$WORK/other.pub\"" 'algorithm = "RS512"'
        'issuer = { "https://idp.example" }' 'exchange = true')
    trust
}

teardown() { fastcgi_end; }

JWT=urn:ietf:params:oauth:token-type:jwt
EXCHANGE=grant_type=urn:ietf:params:oauth:grant-type:token-exchange

# trust [LINE]...: in the section of the party; CONFIGURED goes behind it.
trust() {
    configure 'grants = { "token-exchange" }' "${OWN:-exchange-own = true}" 'verify-audience = { "*" }' 'profile "g" { groups = true }' \
        'verify "idp" {' "${TRUSTED[@]}" "$@" '}' "${CONFIGURED[@]}"
}

# theirs NAME [ARGUMENT]...: a token of the party, in $DIR/NAME.
theirs() { "$BUILD_PROGRAMS/${IDP[0]}" "${IDP[@]:1}" "${@:2}" >"$DIR/$1"; }

# ours NAME [ARGUMENT]...: one of our own.
ours() { "$BUILD_PROGRAMS/authserverctl" mint --config "$CONF" "${@:2}" >"$DIR/$1"; }

# signed NAME CLAIMS: by the party's key, with a Python expression of claims; now is the time.
signed() {
    token run "$WORK/other" <<-END >"$DIR/$1"
	import sys, time, jwt
	now = int(time.time())
	claims = {"sub": "alice", "iss": "https://idp.example", "exp": now + 600}
	claims.update($2)
	print(jwt.encode(claims, open(sys.argv[1]).read(), algorithm="RS512"), end="")
	END
}

# exchange NAME [NAME=VALUE]...: shows the token in $DIR/NAME, by nobody in particular.
exchange() {
    grant_as "" "$EXCHANGE" "subject_token=$(<"$DIR/$1")" "subject_token_type=$JWT" "${@:2}"
}

BUILD_PROGRAMS=${AUTHSERVER_BUILD:-${BUILD:-$BATS_TEST_DIRNAME/../build}}

@test "a trusted issuer's token becomes one of ours, for the same subject" {
    serve
    theirs t alice
    exchange t
    holds 'it["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token" and
        it["token_type"] == "Bearer"'
    access
    token verify "$WORK/key.pub" "$DIR/access"
    claims 'it["sub"] == "alice" and it["iss"] == "https://first.example" and "act" not in it and
        "groups" not in it and "aud" not in it'
    logged 'Issued a token by token-exchange: subject alice, caller alice'
    exchange t requested_token_type=$JWT
    holds 'it["issued_token_type"] == "urn:ietf:params:oauth:token-type:jwt"'
    exchange t requested_token_type=urn:ietf:params:oauth:token-type:access_token
    holds 'it["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"'
    for type in access_token id_token; do
        grant_as "" "$EXCHANGE" "subject_token=$(<"$DIR/t")" \
            "subject_token_type=urn:ietf:params:oauth:token-type:$type"
        [ "$STATUS" = 200 ]
    done
    refute grep -q eyJ "$LOG"
}

@test "our own tokens may be exchanged for less, where that is on" {
    OWN='exchange-own = false'
    trust
    serve
    ours t alice --ttl 10m
    exchange t ttl=1m
    fails 400 invalid_request
    stop
    OWN='exchange-own = true'
    CONFIGURED=('exchange-audience = { "okera" }')
    trust
    serve
    exchange t ttl=1m
    access
    claims 'it["sub"] == "alice" and it["exp"] - it["iat"] == 60 and it["aud"] == "okera"'
    exchange t audience=slurm
    fails 400 invalid_target
}

@test "a claim that a profile renames would be lost: such tokens are not exchanged" {
    for claim in act sub aud groups exp; do
        CONFIGURED=("profile \"r\" { rename = { \"$claim=other\" } }")
        trust
        fails_with 78 "exchange-own: profile 'r' renames a claim" "$FCGI" --config "$CONF" \
            --socket "$SOCKET"
    done
}

@test "it never ends after the one that was shown" {
    local shown

    serve
    theirs t alice --ttl 60s
    exchange t
    access
    shown=$(token claims "$DIR/t" | jq .exp)
    claims "it['exp'] == $shown"
    holds '0 < it["expires_in"] <= 60'
    exchange t ttl=1h
    access
    claims "it['exp'] == $shown"
    # Within the skew a verifier would still take it; nothing is made of it.
    signed old '{"exp": now - 5}'
    exchange old
    fails 400 invalid_grant
}

@test "a token that is not good is refused with one message" {
    local text

    serve
    theirs t alice
    text=$(<"$DIR/t")
    printf '%s' "${text}A" >"$DIR/longer"
    printf '%s' x.y.z >"$DIR/junk"
    signed old '{"exp": now - 100}'
    signed issuer '{"iss": "https://other.example"}'
    for bad in longer junk old issuer; do
        exchange "$bad"
        [ "$STATUS" = 400 ]
        [ "$BODY" = '{"error":"invalid_request","error_description":"subject_token: the token is not valid"}' ]
    done
}

@test "only parties that are trusted for it, and our own" {
    TRUSTED=("${TRUSTED[@]/exchange = true/exchange = false}")
    trust
    serve
    theirs t alice
    ask REMOTE_USER AUTH_TYPE PATH_INFO=/api/validate REQUEST_METHOD=POST \
        "HTTP_AUTHORIZATION=Bearer $(<"$DIR/t")"
    [ "$STATUS" = 200 ]
    exchange t
    fails 400 invalid_request
    logged 'tokens of this issuer are not exchanged here'
}

@test "fields that are missing or of another type are told (RFC 8693, 2.1)" {
    local shown

    serve
    theirs t alice
    shown="subject_token=$(<"$DIR/t")"
    grant_as "" "$EXCHANGE"
    fails 400 invalid_request
    grant_as "" "$EXCHANGE" "$shown"
    fails 400 invalid_request
    grant_as "" "$EXCHANGE" "$shown" subject_token_type=urn:ietf:params:oauth:token-type:saml2
    fails 400 invalid_request
    exchange t requested_token_type=urn:ietf:params:oauth:token-type:refresh_token
    fails 400 invalid_request
    exchange t "actor_token=$(<"$DIR/t")"
    fails 400 invalid_request
    exchange t "actor_token_type=$JWT"
    fails 400 invalid_request
    [ "$(times_logged 'Issued a token')" = 0 ]
}

@test "a party's users are of its realm" {
    trust 'user-claim = "email"' 'realm = "example.org"'
    serve
    signed t '{"email": "alice@example.org"}'
    exchange t
    access
    claims 'it["sub"] == "alice"'
    for user in alice alice@other.org alice@example.orgx @example.org root/x@example.org; do
        signed t "{'email': '$user'}"
        exchange t
        [ "$STATUS" = 400 ] || [ "$STATUS" = 403 ]
    done
    [ "$(times_logged 'Issued a token')" = 1 ]
}

@test "policy knows the party, and what it may be for" {
    printf '%s\n' 'permit any via token:idp as self ttl 1m audience okera' >"$DIR/policy"
    CONFIGURED=("policy = \"$DIR/policy\"")
    trust 'exchange-audience = { "okera", "other" }'
    serve
    theirs t alice
    exchange t
    fails 400 invalid_target
    exchange t audience=okera
    access
    claims 'it["aud"] == "okera" and it["exp"] - it["iat"] == 60'
    exchange t audience=other
    fails 403 access_denied
    ours own alice
    exchange own
    fails 403 access_denied
    # A web server cannot pretend to have seen a token.
    grant_as "" grant_type=client_credentials
    ask PATH_INFO=/alice AUTH_TYPE=token:idp
    refused 400
}

@test "audiences are those of the token, or those that are listed for the party" {
    trust 'audience = { "*" }'
    serve
    signed long '{"aud": "a" * 2000}'
    exchange long
    fails 400 invalid_target
    theirs one alice --audience a
    signed two '{"aud": ["a", "b"]}'
    exchange one
    access
    claims 'it["aud"] == "a"'
    exchange one audience=b
    fails 400 invalid_target
    exchange two
    fails 400 invalid_target
    exchange two audience=b
    access
    claims 'it["aud"] == "b"'
    stop
    trust 'audience = { "*" }' 'exchange-audience = { "okera", "slurm" }'
    serve
    exchange one
    fails 400 invalid_target
    exchange one audience=a
    fails 400 invalid_target
    exchange one audience=slurm
    access
    claims 'it["aud"] == "slurm"'
}

@test "a token without an audience gets none, by request, rule or profile" {
    printf '%s\n' 'permit any as self' 'permit any as bob audience okera' >"$DIR/policy"
    CONFIGURED=("policy = \"$DIR/policy\"" 'profile "aws" { audience = { "sts.amazonaws.com" } }')
    trust
    serve
    theirs t alice
    theirs bob bob
    exchange t audience=payroll
    fails 400 invalid_target
    exchange t profile=aws
    fails 400 invalid_target
    exchange bob
    fails 400 invalid_target
    exchange t
    [ "$STATUS" = 200 ]
    stop
    trust 'exchange-audience = { "sts.amazonaws.com" }'
    serve
    exchange t profile=aws
    access
    claims 'it["aud"] == "sts.amazonaws.com"'
}

@test "a rule that refuses a group is not escaped by a token without it" {
    printf '%s\n' 'permit authenticated as self' 'deny :suspended as *' >"$DIR/policy"
    echo '{"alice": ["etl", "suspended"], "bob": ["etl"]}' >"$DIR/groups"
    CONFIGURED=("policy = \"$DIR/policy\"" 'groups {' 'resolvers = { "static" }'
        "static { file = \"$DIR/groups\" }" '}')
    trust
    serve
    for groups in '{"groups": ["etl"]}' '{}' '{"groups": ["etl", "suspended"]}'; do
        signed t "$groups"
        exchange t
        fails 403 access_denied
    done
    theirs t bob
    exchange t
    [ "$STATUS" = 200 ]
}

@test "groups are those that the token has, and of those that the sources know, never more" {
    echo '{"alice": ["etl", "ops"], "bob": ["etl"]}' >"$DIR/groups"
    CONFIGURED=('groups {' 'resolvers = { "static" }' "static { file = \"$DIR/groups\" }" '}')
    trust 'groups-claim = "roles"'
    serve
    signed t '{"roles": ["ETL", "admin"], "groups": ["ops"]}'
    exchange t profile=g
    access
    claims 'it["groups"] == ["etl"]'
    signed none '{}'
    exchange none profile=g
    access
    claims 'it["groups"] == []'
    signed bad '{"roles": "etl"}'
    exchange bad profile=g
    fails 400 invalid_request
    signed bad '{"roles": ["a\nb"]}'
    exchange bad profile=g
    fails 400 invalid_request
    stop
    CONFIGURED=('groups {' 'resolvers = { "claim" }' '}')
    trust 'groups-claim = "roles"'
    serve
    exchange t profile=g
    access
    claims 'it["groups"] == ["etl", "admin"]'
}

@test "groups that are required or that rules name are the token's" {
    printf '%s\n' 'permit :etl via token:idp as self' >"$DIR/policy"
    echo '{"alice": ["etl", "ops"]}' >"$DIR/groups"
    CONFIGURED=("policy = \"$DIR/policy\"" 'groups {' 'resolvers = { "static" }'
        "static { file = \"$DIR/groups\" }" 'required = { "ops" }' '}')
    trust
    serve
    signed t '{"groups": ["etl", "ops"]}'
    exchange t
    [ "$STATUS" = 200 ]
    signed t '{"groups": ["ops"]}'
    exchange t
    fails 403 access_denied
    signed t '{"groups": ["etl"]}'
    exchange t
    fails 403 access_denied
}

@test "an actor acts for the subject where policy lets it, and stays in the token" {
    printf '%s\n' 'permit any via token:own as self' 'permit svc via token:idp as alice' >"$DIR/policy"
    CONFIGURED=("policy = \"$DIR/policy\"")
    trust
    serve
    theirs alice alice
    theirs bob bob
    theirs svc svc
    exchange alice "actor_token=$(<"$DIR/svc")" "actor_token_type=$JWT"
    access "$DIR/acted"
    claims 'it["sub"] == "alice" and it["act"] == {"sub": "svc"}' "$DIR/acted"
    logged 'subject alice, caller svc'
    exchange alice
    fails 403 access_denied
    exchange bob "actor_token=$(<"$DIR/svc")" "actor_token_type=$JWT"
    fails 403 access_denied
    exchange alice "actor_token=x.y.z" "actor_token_type=$JWT"
    [ "$BODY" = '{"error":"invalid_request","error_description":"actor_token: the token is not valid"}' ]
    # Exchanged again, it is svc who asks, by a token of ours: not as if alice had.
    exchange acted
    fails 403 access_denied
    logged 'svc may not have a token for alice'
    exchange acted "actor_token=$(<"$DIR/svc")" "actor_token_type=$JWT"
    fails 400 invalid_request
    exchange alice "actor_token=$(<"$DIR/acted")" "actor_token_type=$JWT"
    fails 400 invalid_request
}

@test "a token may say who may act for its subject (RFC 8693, 4.4)" {
    printf '%s\n' 'permit any via token:idp as alice' >"$DIR/policy"
    CONFIGURED=("policy = \"$DIR/policy\"")
    trust
    serve
    theirs svc svc
    theirs other other
    signed t '{"may_act": {"sub": "svc", "iss": "https://idp.example"}}'
    exchange t "actor_token=$(<"$DIR/svc")" "actor_token_type=$JWT"
    [ "$STATUS" = 200 ]
    exchange t "actor_token=$(<"$DIR/other")" "actor_token_type=$JWT"
    fails 403 access_denied
    # Without an issuer it is one of the same.
    signed t '{"may_act": {"sub": "svc"}}'
    exchange t "actor_token=$(<"$DIR/svc")" "actor_token_type=$JWT"
    [ "$STATUS" = 200 ]
    ours own svc
    exchange t "actor_token=$(<"$DIR/own")" "actor_token_type=$JWT"
    fails 403 access_denied
    signed t '{"may_act": {}}'
    exchange t "actor_token=$(<"$DIR/svc")" "actor_token_type=$JWT"
    fails 403 access_denied
}

@test "with an actor's token it does not outlive that either" {
    printf '%s\n' 'permit any via token:idp as alice' >"$DIR/policy"
    CONFIGURED=("policy = \"$DIR/policy\"")
    trust
    serve
    theirs alice alice
    theirs svc svc --ttl 20s
    exchange alice "actor_token=$(<"$DIR/svc")" "actor_token_type=$JWT"
    holds 'it["expires_in"] <= 20'
}

# Whatever comes in, what comes out is no wider.
@test "exchange never widens" {
    local n

    echo '{"alice": ["a", "b", "c"], "bob": ["b", "d"]}' >"$DIR/groups"
    CONFIGURED=('groups {' 'resolvers = { "static" }' "static { file = \"$DIR/groups\" }" '}')
    trust 'audience = { "*" }'
    serve
    token run "$WORK/other" "$DIR" <<-'END'
	import itertools, random, sys, time, jwt
	key, now = open(sys.argv[1]).read(), int(time.time())
	for n in range(40):
	    claims = {"sub": random.choice(["alice", "bob"]), "iss": "https://idp.example",
	              "exp": now + random.choice([30, 60, 3600, 10**6])}
	    if random.random() < 0.8:
	        claims["groups"] = random.sample(["a", "b", "c", "d", "e"], random.randrange(5))
	    audiences = random.sample(["x", "y", "z"], random.randrange(4))
	    if audiences:
	        claims["aud"] = audiences if len(audiences) > 1 else audiences[0]
	    with open(f"{sys.argv[2]}/in.{n}", "w") as out:
	        out.write(jwt.encode(claims, key, algorithm="RS512"))
	    with open(f"{sys.argv[2]}/how.{n}", "w") as out:
	        ask = ["profile=g"] * random.randrange(2) + ["ttl=45s"] * random.randrange(2)
	        if random.random() < 0.6:
	            ask.append("audience=" + random.choice("xyz"))
	        print(*ask, file=out)
	END
    for n in {0..39}; do
        # shellcheck disable=SC2046 # a list of fields
        exchange "in.$n" $(<"$DIR/how.$n")
        [ "$STATUS" != 200 ] || access "$DIR/out.$n"
    done
    token run "$DIR" <<-'END'
	import os, sys, jwt
	def read(path):
	    return jwt.decode(open(path).read(), options={"verify_signature": False})
	def set_of(value):
	    return {value} if isinstance(value, str) else set(value)
	made = 0
	for n in range(40):
	    out = f"{sys.argv[1]}/out.{n}"
	    if not os.path.exists(out):
	        continue
	    shown, issued = read(f"{sys.argv[1]}/in.{n}"), read(out)
	    assert issued["sub"] == shown["sub"], n
	    assert issued["exp"] <= shown["exp"], n
	    assert set(issued.get("groups", [])) <= set(shown.get("groups", [])), n
	    assert ("aud" in issued) == ("aud" in shown), n
	    assert set_of(issued.get("aud", [])) <= set_of(shown.get("aud", [])), n
	    made += 1
	assert made >= 10, made
	END
}
