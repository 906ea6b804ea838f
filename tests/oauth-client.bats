#!/usr/bin/env bats
# A client library that is not ours (requests-oauthlib) at the token endpoint, through nginx as it
# is shipped; a second authserver is the identity provider whose tokens are exchanged.

load lib/gateway
load lib/ca
load lib/slapd

setup_file() {
    export GATEWAY=nginx-fcgi
    gateway_init
    ca_create "$WORK/ca"
    slapd_start "$WORK/slapd"
    gateway_create idp 'issuer = "https://idp.example"' 'grants = { "client_credentials" }'
    sed -i '/first.example/d' "$WORK/idp/etc/authserver.conf"
    gateway_start idp
    IDP=$URL
    create_main
    install -m 0644 "$SOURCE/nginx/grants.conf" "$WORK/grants.conf"
    gateway_start main "1i include $WORK/grants.conf;
        s|include authserver_public;|&\\n    include authserver_grants;|"
    export IDP
}

teardown_file() {
    slapd_stop
    gateway_end
}

# The one that is asked for everything else; it fetches the provider's keys itself.
create_main() {
    gateway_create main 'grants = { "client_credentials", "password", "refresh_token",' \
        '"token-exchange" }' "state = \"$WORK/main/state\"" \
        'verify "idp" {' "keys-url = \"$IDP/.well-known/jwks.json\"" \
        'issuer = { "https://idp.example" }' 'audience = { "portal" }' 'exchange = true' \
        'exchange-audience = { "okera" }' '}' \
        'password "ldap" {' "uri = { \"$SLAPD_URL\" }" "ca-file = \"$WORK/main/etc/ca.crt\"" \
        'bind-dn = "cn=search,dc=example,dc=org"' "password-file = \"$WORK/main/etc/search\"" \
        'base = "ou=people,dc=example,dc=org"' 'delay = 0' '}'
    (umask 077 && echo search >"$WORK/main/etc/search")
    install -m 0644 "$CA/ca.crt" "$WORK/main/etc/ca.crt"
    install -d -m 0700 "$WORK/main/state"
    # Its own key, not the provider's.
    install -m 0600 "$WORK/rsa/key" "$WORK/main/etc/key.pem"
    if [ "$(id -u)" -eq 0 ]; then
        chown "$AUTH_USER" "$WORK/main/etc/search" "$WORK/main/state" "$WORK/main/etc/key.pem"
    fi
}

setup() {
    quick
    gateway_use main
}

# python: the script on stdin, with what it needs. fetch(client, **more) asks for a token, and
# claims(token) are those of one that our published keys verify.
python() {
    {
        cat <<-'END'
	import os, sys, jwt
	os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # 127.0.0.1
	from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient, OAuth2Error
	from requests.auth import HTTPBasicAuth
	from requests_oauthlib import OAuth2Session
	url, idp, password = sys.argv[1:]
	EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
	JWT = "urn:ietf:params:oauth:token-type:jwt"

	def auth(user):
	    return HTTPBasicAuth(user, password + "-" + user)

	def claims(token, base=url):
	    key = jwt.PyJWKClient(base + "/.well-known/jwks.json").get_signing_key_from_jwt(token).key
	    return jwt.decode(token, key, ["RS512"], options={"verify_aud": False})

	def fetch(client, base=url, user="alice", **more):
	    session = OAuth2Session(client=client)
	    return session.fetch_token(base + "/oauth2/token", auth=auth(user), **more)
	END
        cat
    } >"$BATS_TEST_TMPDIR/script"
    /usr/bin/python3 "$BATS_TEST_TMPDIR/script" "$URL" "$IDP" "$PASSWORD"
}

@test "client credentials" {
    python <<-'END'
	token = fetch(BackendApplicationClient("alice"), audience="okera")
	assert token["token_type"] == "Bearer" and 0 < token["expires_in"] <= 86400, token
	it = claims(token["access_token"])
	assert it["sub"] == "alice" and it["aud"] == "okera", it
	try:
	    fetch(BackendApplicationClient("alice"), ttl="30d")
	    assert False
	except OAuth2Error as e:
	    assert e.error == "access_denied", e.error
	END
}

@test "a password, and refresh tokens for a client that authenticates" {
    python <<-'END'
	session = OAuth2Session(client=LegacyApplicationClient("alice"))
	first = session.fetch_token(url + "/oauth2/token", username="bob",
	                            password=password + "-bob", auth=auth("alice"))
	assert claims(first["access_token"])["sub"] == "bob"
	second = session.refresh_token(url + "/oauth2/token", auth=auth("alice"))
	assert claims(second["access_token"])["sub"] == "bob"
	assert second["refresh_token"] != first["refresh_token"]
	try:
	    session.refresh_token(url + "/oauth2/token", refresh_token=first["refresh_token"],
	                          auth=auth("alice"))
	    assert False
	except OAuth2Error as e:
	    assert e.error == "invalid_grant", e.error
	END
}

@test "an authserver's token is exchanged at another one" {
    python <<-'END'
	theirs = fetch(BackendApplicationClient("bob"), base=idp, user="bob", audience="portal")
	assert claims(theirs["access_token"], idp)["iss"] == "https://idp.example"
	client = BackendApplicationClient("alice")
	client.grant_type = EXCHANGE
	ours = fetch(client, subject_token=theirs["access_token"], subject_token_type=JWT)
	assert ours["issued_token_type"].endswith(":access_token"), ours
	it, shown = claims(ours["access_token"]), claims(theirs["access_token"], idp)
	assert it["sub"] == "bob" and it["iss"] == "https://first.example" and it["aud"] == "okera", it
	assert it["exp"] <= shown["exp"]
	other = fetch(BackendApplicationClient("bob"), base=idp, user="bob", audience="elsewhere")
	try:
	    client = BackendApplicationClient("alice")
	    client.grant_type = EXCHANGE
	    fetch(client, subject_token=other["access_token"], subject_token_type=JWT)
	    assert False
	except OAuth2Error as e:
	    assert e.error == "invalid_request", e.error
	END
}

# ask [CURL-ARGUMENT]...: sets STATUS; the body goes to $BATS_TEST_TMPDIR/body.
ask() {
    STATUS=$(curl -s -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}' "$@")
}

@test "with a password or a token to show no account is needed, and none is given" {
    ask -d "username=bob&password=$PASSWORD-bob" "$URL/api/token"
    [ "$STATUS" = 200 ]
    jq -er .token "$BATS_TEST_TMPDIR/body" >"$BATS_TEST_TMPDIR/token"
    ask -H 'Content-Type: application/json' -d "{\"username\":\"bob\",\"password\":\"no\"}" \
        "$URL/api/token"
    [ "$STATUS" = 400 ]
    ask -d "token=$(cat "$BATS_TEST_TMPDIR/token")" "$URL/oauth2/revoke"
    [ "$STATUS" = 404 ] # it is off
    # The caller's own token is for who has authenticated.
    ask -d grant_type=client_credentials "$URL/oauth2/token"
    [ "$STATUS" = 401 ]
    ask -u "alice:$PASSWORD-alice" -d grant_type=client_credentials "$URL/oauth2/token"
    [ "$STATUS" = 200 ]
    for credentials in alice:wrong alice: :x nobody:x; do
        ask -u "$credentials" -d grant_type=client_credentials "$URL/oauth2/token"
        [ "$STATUS" = 401 ]
    done
    for field in 'Authorization: Bearer x' 'Authorization: Basic' 'Authorization: Basic =' \
        'Remote-User: alice' 'Auth-Type: Basic' 'Authorization;'; do
        ask -H "$field" -d grant_type=client_credentials "$URL/oauth2/token"
        [ "$STATUS" = 401 ] || { echo "$field: $STATUS"; false; }
    done
    # Elsewhere they are wanted as before.
    ask "$URL/alice"
    [ "$STATUS" = 401 ]
    ask -X POST "$URL/api/get-token"
    [ "$STATUS" = 401 ]
}
