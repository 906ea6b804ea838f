#include "signer/shape.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

enum { DEPTH_MAX = 16 }; /* of nested claims: they are filled in by recursion */

/* The claims that we set, which a profile's own claims may not. */
static const char *const ours[] = {
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "act", "client_id"};

/* Those whose names nobody but people's applications depend on: a token without "exp" would
 * live for ever to a verifier. */
static const char *const renamable[] = {"sub", "jti", "act", "client_id", "groups"};

static const char *const variables[] = {
    [SHAPE_SUBJECT] = "subject",
    [SHAPE_CALLER] = "caller",
    [SHAPE_HOST] = "host",
    [SHAPE_EMAIL] = "email",
    [SHAPE_NAMESPACE] = "namespace",
};

#define HAS(list, name, length) has(list, sizeof(list) / sizeof((list)[0]), name, length)

static bool
has(const char *const *list, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == length && memcmp(list[i], name, length) == 0)
			return true;
	return false;
}

int
shape_variable(const char *text)
{
	size_t length = strcspn(text, "}");

	for (int i = 0; i < SHAPE_VARIABLES; i++)
		if (text[length] == '}' && strlen(variables[i]) == length &&
		    memcmp(variables[i], text, length) == 0)
			return i;
	return -1;
}

/* Every ${NAME} in every string, and that values are not nested without an end. */
static int
check_variables(const json_t *value, unsigned int depth, const char *where, struct error *e)
{
	const char *text = json_string_value(value);
	const char *key;
	json_t *inner;
	size_t i;

	if (depth > DEPTH_MAX)
		return error_set(
		    e, ERROR_CONFIG, "%s: claims: nested deeper than %d", where, DEPTH_MAX);
	for (text = text == NULL ? "" : text; (text = strstr(text, "${")) != NULL; text += 2)
		if (shape_variable(text + 2) == -1)
			return error_set(e, ERROR_CONFIG,
			    "%s: claims: '%.32s': ${subject}, ${caller}, ${host}, ${email} and "
			    "${namespace} exist",
			    where, text);
	if (json_is_array(value))
		json_array_foreach (value, i, inner)
			if (check_variables(inner, depth + 1, where, e) == -1)
				return -1;
	if (json_is_object(value))
		json_object_foreach ((json_t *)value, key, inner)
			if (check_variables(inner, depth + 1, where, e) == -1)
				return -1;
	return 0;
}

static int
read_claims(struct shape *s, struct error *e)
{
	const struct profile *p = s->profile;
	json_error_t wrong;
	const char *name;
	json_t *value;

	s->extra = json_read(p->claims, strlen(p->claims), &wrong);
	if (s->extra == NULL)
		return error_set(e, ERROR_CONFIG, "%s: claims: %s", p->where, wrong.text);
	if (!json_is_object(s->extra))
		return error_set(e, ERROR_CONFIG, "%s: claims: want a JSON object", p->where);
	json_object_foreach (s->extra, name, value)
		if (HAS(ours, name, strlen(name)))
			return error_set(e, ERROR_CONFIG,
			    "%s: claims: '%s' is set by authserver itself", p->where, name);
	return check_variables(s->extra, 0, p->where, e);
}

static int
check_renames(const struct shape *s, const struct config *c, struct error *e)
{
	const struct profile *p = s->profile;

	for (size_t i = 0; i < p->rename.count; i++) {
		const char *pair = p->rename.items[i];
		const char *to = strchr(pair, '=') + 1;
		bool clean = text_clean(to);
		bool taken = HAS(ours, to, strlen(to)) || json_object_get(s->extra, to) != NULL;

		if (!clean)
			return error_set(e, ERROR_CONFIG,
			    "%s: rename: '%.64s': not UTF-8 or with control characters",
			    p->where, pair);
		if (!HAS(renamable, pair, (size_t)(to - 1 - pair)))
			return error_set(e, ERROR_CONFIG,
			    "%s: rename: '%.64s': sub, jti, act, client_id and groups can be "
			    "renamed",
			    p->where, pair);
		if (strcmp(p->type, "JWT") != 0 && strncmp(pair, "groups=", 7) != 0)
			return error_set(e, ERROR_CONFIG,
			    "%s: rename: '%.64s': type at+jwt wants the claim as it is called",
			    p->where, pair);
		/* What the log calls it is what authserverctl revoke --jti is given. */
		if (c->state != NULL && strncmp(pair, "jti=", 4) == 0)
			return error_set(e, ERROR_CONFIG,
			    "%s: rename: '%.64s': with the key state, tokens are revoked by "
			    "jti: leave it its name",
			    p->where, pair);
		for (size_t j = 0; j < i; j++) {
			const char *other = p->rename.items[j];

			taken = taken || strcmp(strchr(other, '=') + 1, to) == 0 ||
				strncmp(other, pair, (size_t)(to - pair)) == 0;
		}
		if (taken)
			return error_set(e, ERROR_CONFIG,
			    "%s: rename: '%.64s': two claims with one name", p->where, pair);
	}
	return 0;
}

/* What json_string() would not take is no claim. */
static int
check_audience(const struct profile *p, struct error *e)
{
	for (size_t i = 0; i < p->audience.count; i++)
		if (strlen(p->audience.items[i]) >= LIMIT_AUDIENCE ||
		    !text_clean(p->audience.items[i]))
			return error_set(e, ERROR_CONFIG,
			    "%s: profile '%s': an audience of more than %d bytes, not UTF-8 or "
			    "with control characters",
			    p->where, p->name, LIMIT_AUDIENCE - 1);
	return 0;
}

/* An access token says for whom it is (RFC 9068, 2.2). */
static int
check_type(const struct shape *s, struct error *e)
{
	const struct profile *p = s->profile;

	if (strcmp(p->type, "at+jwt") == 0 && p->audience.count == 0)
		return error_set(e, ERROR_CONFIG,
		    "%s: profile '%s': type at+jwt needs an audience", p->where, p->name);
	return 0;
}

int
shape_open(
    struct shape *s, const struct config *c, const struct profile *profile, struct error *e)
{
	const char *algorithm = c->algorithm;
	enum config_kid kid = c->kid;

	*s = (struct shape){.profile = profile, .type = "JWT", .groups = c->groups.claim};
	if (profile != NULL) {
		s->groups = profile->groups;
		s->type = profile->type;
		if (profile->algorithm != NULL)
			algorithm = profile->algorithm;
		if (profile->kid != KID_UNSET)
			kid = profile->kid;
	}
	s->kid = kid == KID_THUMBPRINT;
	s->algorithm = algorithm_find(algorithm);
	if (s->algorithm == NULL) {
		error_set(e, ERROR_CONFIG,
		    "algorithm '%.32s' does not exist: one of " ALGORITHM_NAMES, algorithm);
		if (algorithm != c->algorithm)
			error_prefix(e, "%s: profile '%s'", profile->where, profile->name);
		return -1;
	}
	if (profile == NULL)
		return 0;
	if (check_type(s, e) == -1 || check_audience(profile, e) == -1 ||
	    (profile->claims != NULL && read_claims(s, e) == -1) ||
	    check_renames(s, c, e) == -1) {
		shape_close(s);
		return -1;
	}
	return 0;
}

void
shape_close(struct shape *s)
{
	json_decref(s->extra);
	*s = (struct shape){0};
}
