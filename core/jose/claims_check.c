#include "jose/claims_check.h"

#include <string.h>

#include "base/text.h"
#include "jose/refuse.h"

/* A NumericDate (RFC 7519, 2), which for us is a whole number; *there is whether it exists. */
static int
get_time(const json_t *claims, const char *name, bool *there, int64_t *seconds, struct error *e)
{
	const json_t *value = json_object_get(claims, name);

	*there = value != NULL;
	*seconds = 0;
	if (value == NULL)
		return 0;
	if (json_typeof(value) != JSON_INTEGER || json_integer_value(value) < 0)
		return refuse(e, "its %s is not an integer from 0 on", name);
	*seconds = json_integer_value(value);
	return 0;
}

static int
check_times(const json_t *claims, int64_t now, int64_t skew, struct error *e)
{
	int64_t seconds;
	bool there;

	if (get_time(claims, "exp", &there, &seconds, e) == -1)
		return -1;
	if (!there)
		return refuse(e, "it has no exp");
	/* On this side of the comparison nothing overflows. */
	if (now - skew >= seconds)
		return refuse(e, "it expired at %lld", (long long)seconds);
	if (get_time(claims, "nbf", &there, &seconds, e) == -1)
		return -1;
	if (there && seconds > now + skew)
		return refuse(e, "its nbf is in the future: %lld", (long long)seconds);
	if (get_time(claims, "iat", &there, &seconds, e) == -1)
		return -1;
	if (there && seconds > now + skew)
		return refuse(e, "its iat is in the future: %lld", (long long)seconds);
	return 0;
}

static bool
among(char *const *items, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(items[i], text) == 0)
			return true;
	return false;
}

static int
check_issuer(const json_t *claims, const struct claims_rules *rules, struct error *e)
{
	const json_t *value = json_object_get(claims, "iss");
	const char *issuer = json_string_value(value);

	if (value != NULL && issuer == NULL)
		return refuse(e, "its iss is not a string");
	if (rules->issuer_count == 0)
		return 0;
	if (issuer == NULL)
		return refuse(e, "it has no iss");
	if (!among(rules->issuers, rules->issuer_count, issuer))
		return refuse(e, "its iss is '%.128s', which is not expected", issuer);
	return 0;
}

static int
check_audience(const json_t *claims, const struct claims_rules *rules, struct error *e)
{
	const json_t *value = json_object_get(claims, "aud");
	const char *text = json_string_value(value);
	bool any = among(rules->audiences, rules->audience_count, AUDIENCE_ANY);
	bool ours = any;

	if (value == NULL)
		return rules->audience_required && rules->audience_count > 0 && !any
			   ? refuse(e, "it has no aud")
			   : 0;
	if (text == NULL && json_typeof(value) != JSON_ARRAY)
		return refuse(e, "its aud is neither a string nor a list");
	if (text != NULL)
		ours = ours || among(rules->audiences, rules->audience_count, text);
	for (size_t i = 0; i < json_array_size(value); i++) {
		text = json_string_value(json_array_get(value, i));
		if (text == NULL)
			return refuse(e, "its aud has something else than strings");
		ours = ours || among(rules->audiences, rules->audience_count, text);
	}
	if (ours)
		return 0;
	return rules->audience_count > 0
		   ? refuse(e, "its aud is not expected")
		   : refuse(e, "it has an aud, and no audience is configured");
}

/* A text that may stand in answers, logs and lists. */
static bool
is_plain(const json_t *value, size_t size)
{
	const char *text = json_string_value(value);

	return text != NULL && *text != '\0' && json_string_length(value) < size &&
	       text_clean(text);
}

static int
check_groups(const json_t *claims, struct error *e)
{
	const json_t *groups = json_object_get(claims, "groups");

	if (groups == NULL)
		return 0;
	if (json_typeof(groups) != JSON_ARRAY || json_array_size(groups) > LIMIT_GROUP_COUNT)
		return refuse(e, "its groups are not a list of at most %d", LIMIT_GROUP_COUNT);
	for (size_t i = 0; i < json_array_size(groups); i++)
		if (!is_plain(json_array_get(groups, i), LIMIT_GROUP_NAME))
			return refuse(e, "one of its groups is not a plain text");
	return 0;
}

int
claims_check(const json_t *claims, const struct claims_rules *rules, int64_t now, int64_t skew,
    const char **user, struct error *e)
{
	const json_t *name = json_object_get(claims, rules->user_claim);

	*user = NULL;
	if (check_times(claims, now, skew, e) == -1 || check_issuer(claims, rules, e) == -1 ||
	    check_audience(claims, rules, e) == -1 || check_groups(claims, e) == -1)
		return -1;
	if (name == NULL)
		return refuse(e, "it has no %.64s", rules->user_claim);
	if (!is_plain(name, LIMIT_PRINCIPAL))
		return refuse(
		    e, "its %.64s is empty, too long or no plain text", rules->user_claim);
	*user = json_string_value(name);
	return 0;
}
