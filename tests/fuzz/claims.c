/*
 * jose/claims_check: what a verified token says. Input: a byte that says which rules hold, and
 * the claims.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "jose/claims_check.h"
#include "tests/fuzz/fuzz.h"

static const int64_t now = 1700000000;
enum { SKEW = 60 };

static char *issuers[] = {"https://a.example", "b"};
static char *audiences[] = {"okera", "sts.example"};
static char *anybody[] = {AUDIENCE_ANY};

static bool
has(char *const *items, size_t count, const json_t *text)
{
	for (size_t i = 0; i < count; i++)
		if (json_is_string(text) && strcmp(items[i], json_string_value(text)) == 0)
			return true;
	return false;
}

/* A time that is there is a whole number, from 0 on. */
static int64_t
time_of(const json_t *claims, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(claims, name);

	REQUIRE(value == NULL || json_is_integer(value));
	REQUIRE(value == NULL || json_integer_value(value) >= 0);
	return value != NULL ? json_integer_value(value) : otherwise;
}

static void
check_audience(const json_t *claims, const struct claims_rules *rules)
{
	const json_t *aud = json_object_get(claims, "aud");
	bool any = rules->audiences == anybody;
	bool ours = has(rules->audiences, rules->audience_count, aud);
	json_t *one;
	size_t i;

	json_array_foreach ((json_t *)aud, i, one) {
		REQUIRE(json_is_string(one));
		ours = ours || has(rules->audiences, rules->audience_count, one);
	}
	REQUIRE(aud == NULL || ours || any);
	REQUIRE(aud != NULL || !rules->audience_required || rules->audience_count == 0 || any);
}

static void
check_accepted(const json_t *claims, const struct claims_rules *rules, const char *user)
{
	json_t *groups = json_object_get(claims, "groups");
	json_t *one;
	size_t i;

	REQUIRE(time_of(claims, "exp", -1) > now - SKEW);
	REQUIRE(time_of(claims, "nbf", 0) <= now + SKEW);
	REQUIRE(time_of(claims, "iat", 0) <= now + SKEW);
	REQUIRE(rules->issuer_count == 0 ||
		has(rules->issuers, rules->issuer_count, json_object_get(claims, "iss")));
	check_audience(claims, rules);
	REQUIRE(user == json_string_value(json_object_get(claims, rules->user_claim)));
	REQUIRE(*user != '\0' && strlen(user) < LIMIT_PRINCIPAL && text_clean(user));
	REQUIRE(groups == NULL || json_is_array(groups));
	REQUIRE(json_array_size(groups) <= LIMIT_GROUP_COUNT);
	json_array_foreach (groups, i, one)
		REQUIRE(json_string_length(one) > 0 &&
			json_string_length(one) < LIMIT_GROUP_NAME &&
			text_clean(json_string_value(one)));
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	uint8_t way = fuzz_byte(&in);
	struct claims_rules rules = {.issuers = issuers,
	    .issuer_count = (way & 1) != 0 ? 2 : 0,
	    .audiences = (way & 2) != 0 ? anybody : audiences,
	    .audience_count = (way & 4) == 0   ? 0
			      : (way & 2) != 0 ? 1
					       : 2,
	    .audience_required = (way & 8) != 0,
	    .user_claim = (way & 16) != 0 ? "preferred_username" : "sub"};
	json_t *claims = json_loadb(
	    in.left > 0 ? (const char *)in.at : "", in.left, JSON_REJECT_DUPLICATES, NULL);
	const char *user = "";
	struct error e = {0};

	if (rules.audience_count == 0)
		rules.audiences = audiences;
	if (json_is_object(claims)) {
		if (claims_check(claims, &rules, now, SKEW, &user, &e) == 0) {
			check_accepted(claims, &rules, user);
		} else {
			REQUIRE(user == NULL && e.code == ERROR_UNAUTHENTICATED);
			fuzz_require_error(&e);
		}
	}
	json_decref(claims);
}

const struct fuzz_target fuzz_claims = {.name = "claims", .run = run};
