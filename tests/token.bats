#!/usr/bin/env bats
# The token endpoint (RFC 6749, 3.2): what it takes, and what it answers. Its grants: the
# caller's own here; passwords and refresh tokens in refresh.bats, other tokens in exchange.bats.

load lib/fastcgi
load lib/grants

setup_file() { fastcgi_init; }
teardown_file() { fastcgi_clean; }

setup() { fastcgi_begin 'grants = { "client_credentials" }'; }
teardown() { fastcgi_end; }

@test "a caller gets a token for itself" {
    serve
    grant grant_type=client_credentials
    [ "$STATUS" = 200 ]
    field Content-Type application/json
    field Cache-Control no-store
    field Pragma no-cache
    holds 'it["token_type"] == "Bearer" and 0 < it["expires_in"] <= 86400 and len(it) == 3'
    access
    token verify "$WORK/key.pub" "$DIR/access"
    claims 'it["sub"] == "alice" and it["iss"] == "https://first.example" and "act" not in it'
    # It is the client's alone: no file, and no log has it.
    [ "$(token_count)" = 0 ]
    logged 'Issued a token by client_credentials: subject alice, caller alice'
    refute grep -q eyJ "$LOG"
}

@test "what a token shall be may be said" {
    configure 'grants = { "client_credentials" }' \
        'profile "p" { claims = "{\"x\": 1}" lifetime = "10m" }'
    serve
    grant grant_type=client_credentials audience=okera profile=p ttl=1m
    [ "$STATUS" = 200 ]
    access
    claims 'it["aud"] == "okera" and it["x"] == 1 and it["exp"] - it["iat"] == 60'
    grant grant_type=client_credentials resource=https://api.example/x
    access
    claims 'it["aud"] == "https://api.example/x"'
    grant grant_type=client_credentials audience= profile= ttl=
    [ "$STATUS" = 200 ]
}

@test "what is wrong has its error (RFC 6749, 5.2)" {
    local type=grant_type=client_credentials row status error

    serve
    while read -r status error row; do
        # shellcheck disable=SC2086 # a list of fields
        grant $row
        fails "$status" "$error"
    done <<-EOF
	400 invalid_request
	400 invalid_request audience=x
	400 invalid_request grant_type=
	400 unsupported_grant_type grant_type=password username=alice password=x
	400 unsupported_grant_type grant_type=authorization_code
	400 invalid_request grant_type=client_credentials%00
	400 invalid_request $type $type
	400 invalid_request $type ttl=0
	400 invalid_request $type ttl=1m ttl=1m
	400 invalid_request $type profile=nope
	400 invalid_request $type client_id=bob
	400 invalid_request $type ttl=%zz
	400 invalid_scope $type scope=openid
	400 invalid_target $type audience=a resource=https://b.example
	400 invalid_target $type audience=%ff
	403 access_denied $type ttl=30d
	EOF
    grant $type client_id=alice other=thing other=thing
    [ "$STATUS" = 200 ]
    grant_as "" $type
    fails 401 invalid_client
    ask PATH_INFO=/oauth2/token REQUEST_METHOD=GET
    fails 405 method_not_allowed
    ask PATH_INFO=/oauth2/token REQUEST_METHOD=POST CONTENT_TYPE=application/json \
        'text={"grant_type":"client_credentials"}'
    fails 415 invalid_request
    ask PATH_INFO=/oauth2/token REQUEST_METHOD=POST HTTP_ORIGIN=http://localhost \
        CONTENT_TYPE=application/x-www-form-urlencoded "text=$type"
    fails 403 access_denied
    [ "$(times_logged 'Issued a token')" = 1 ]
}

@test "policy decides, and its refusal is in the audit log" {
    mkdir -m 0755 "$DIR/logs"
    printf 'permit authenticated as self\ndeny alice as self\n' >"$DIR/policy"
    configure 'grants = { "client_credentials" }' "policy = \"$DIR/policy\"" "audit = \"$DIR/logs/audit\""
    serve
    grant grant_type=client_credentials
    fails 403 access_denied
    grant_as bob grant_type=client_credentials
    [ "$STATUS" = 200 ]
    [ "$(jq -c '[.caller, .path, .grant, .verdict, .status, .subject]' "$DIR/logs/audit")" = \
        '["alice","/oauth2/token","client_credentials","deny",403,"alice"]
["bob","/oauth2/token","client_credentials","permit",200,"bob"]' ]
}

@test "nothing is on that is not configured, and the metadata says what is" {
    configure
    serve
    grant grant_type=client_credentials
    fails 404 not_found
    ask PATH_INFO=/.well-known/oauth-authorization-server
    holds '"token_endpoint" not in it and "grant_types_supported" not in it'
    stop
    configure 'grants = { "client_credentials", "token-exchange" }'
    serve
    ask PATH_INFO=/.well-known/oauth-authorization-server
    holds 'it["token_endpoint"] == "https://first.example/oauth2/token"'
    holds 'it["grant_types_supported"] == ["client_credentials",
        "urn:ietf:params:oauth:grant-type:token-exchange"]'
}
