#include "tools/authserver-token/life.h"

#include <string.h>

#include <jansson.h>

#include "jose/jws_parse.h"

enum { MIN_LIFE = 60, MIN_PART = 10 };

static int
refuse(struct error *e, const char *why)
{
	return error_set(
	    e, ERROR_UNAVAILABLE, "this is no token: %s: is it authserver that answers?", why);
}

/* The whole of it is printed, and goes into header fields. */
static bool
is_plain(const char *token, size_t length)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.";

	for (size_t i = 0; i < length; i++)
		if (memchr(plain, token[i], sizeof(plain) - 1) == NULL)
			return false;
	return true;
}

static int
read_time(const json_t *claims, const char *name, bool *has, int64_t *time, struct error *e)
{
	const json_t *value = json_object_get(claims, name);

	if (value == NULL)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return refuse(e, "a time in it is not an integer from 0 on");
	*has = true;
	*time = json_integer_value(value);
	return 0;
}

static int
read_claims(struct life *l, const json_t *claims, struct error *e)
{
	const char *subject = json_string_value(json_object_get(claims, "sub"));

	if (read_time(claims, "exp", &l->ends, &l->expires, e) == -1 ||
	    read_time(claims, "iat", &l->dated, &l->issued, e) == -1)
		return -1;
	if (subject != NULL && strlen(subject) < sizeof(l->subject))
		memcpy(l->subject, subject, strlen(subject) + 1);
	return 0;
}

int
life_read(struct life *l, const char *token, size_t length, struct error *e)
{
	json_t *claims = NULL;
	struct error why;
	struct jws jws;
	int rc = -1;

	*l = (struct life){0};
	if (!is_plain(token, length) || jws_parse(&jws, token, length, &why) == -1)
		return refuse(e, "it has not the form of one");
	claims = jws_object(jws.payload, jws.payload_length, "payload", &why);
	if (claims == NULL)
		refuse(e, "its claims are not JSON");
	else
		rc = read_claims(l, claims, e);
	json_decref(claims);
	jws_close(&jws);
	return rc;
}

bool
life_ended(const struct life *l, int64_t now)
{
	return l->ends && l->expires <= now;
}

bool
life_enough(const struct life *l, int64_t now, int64_t min_life)
{
	int64_t whole;

	if (!l->ends || life_ended(l, now) || (l->dated && l->issued - LIMIT_SKEW > now))
		return false;
	if (min_life == 0) {
		min_life = MIN_LIFE;
		if (l->dated && l->issued < l->expires) {
			whole = l->expires - l->issued;
			if (whole / MIN_PART < min_life)
				min_life = whole / MIN_PART;
		}
	}
	return l->expires - now >= min_life;
}
