#include "signer/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

enum { DEPTH_MAX = 16 }; /* of nested claims: they are filled in by recursion */

/* The claims that we set, which a profile's own claims may not. */
static const char *const ours[] = {
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "act", "client_id"};

/* Those whose names nobody but people's applications depend on: a token without "exp" would
 * live for ever to a verifier. */
static const char *const renamable[] = {"sub", "jti", "act", "client_id", "groups"};

static const char *const variables[] = {"subject", "caller", "host", "email", "namespace"};

#define HAS(list, name, length) has(list, sizeof(list) / sizeof((list)[0]), name, length)

static bool
has(const char *const *list, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == length && memcmp(list[i], name, length) == 0)
			return true;
	return false;
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
		if (!HAS(variables, text + 2, strcspn(text + 2, "}")) ||
		    strchr(text, '}') == NULL)
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

	s->extra = json_loads(p->claims, JSON_REJECT_DUPLICATES, &wrong);
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

/* The new name of a claim; its own when it keeps that. */
static const char *
new_name(const struct profile *p, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; p != NULL && i < p->rename.count; i++) {
		const char *pair = p->rename.items[i];

		if (strncmp(pair, name, length) == 0 && pair[length] == '=')
			return pair + length + 1;
	}
	return name;
}

static int
check_renames(const struct shape *s, struct error *e)
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

	*s = (struct shape){.profile = profile, .type = "JWT"};
	if (profile != NULL) {
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
	    (profile->claims != NULL && read_claims(s, e) == -1) || check_renames(s, e) == -1) {
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

static const char *
find_value(const struct claim_values *v, const char *name)
{
	const char *const values[] = {
	    v->grant->subject, v->caller, v->host, v->email, v->space};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (strncmp(variables[i], name, strlen(variables[i])) == 0)
			return values[i];
	return "";
}

/* The text with its ${NAME}s replaced. What a value holds is not looked at again. */
static json_t *
fill_string(const char *text, const struct claim_values *v)
{
	struct buffer filled;
	json_t *made = NULL;

	buffer_init(&filled, LIMIT_TOKEN);
	for (;;) {
		const char *at = strstr(text, "${");
		size_t length = at == NULL ? strlen(text) : (size_t)(at - text);

		if (buffer_append(&filled, text, length) == -1)
			goto out;
		if (at == NULL)
			break;
		if (buffer_printf(&filled, "%s", find_value(v, at + 2)) == -1)
			goto out;
		text = strchr(at, '}') + 1;
	}
	made = json_stringn(filled.data != NULL ? filled.data : "", filled.length);
out:
	buffer_free(&filled);
	return made;
}

/* A copy of value with every string in it filled. */
static json_t *
fill(const json_t *value, const struct claim_values *v)
{
	const char *key;
	json_t *inner, *made;
	size_t i;

	if (json_is_string(value))
		return fill_string(json_string_value(value), v);
	if (json_is_array(value)) {
		made = json_array();
		json_array_foreach (value, i, inner)
			if (json_array_append_new(made, fill(inner, v)) == -1)
				goto fail;
		return made;
	}
	if (json_is_object(value)) {
		made = json_object();
		json_object_foreach ((json_t *)value, key, inner)
			if (json_object_set_new(made, key, fill(inner, v)) == -1)
				goto fail;
		return made;
	}
	return json_deep_copy(value);
fail:
	json_decref(made);
	return NULL;
}

/* Takes value over. */
static int
put(json_t *claims, const struct shape *s, const char *name, json_t *value)
{
	return json_object_set_new(claims, new_name(s->profile, name), value);
}

/* One audience is a string, several are an array (RFC 7519, 4.1.3). */
static int
put_audience(json_t *claims, const struct shape *s, const struct grant *g)
{
	const struct strings none = {0};
	const struct strings *own = s->profile != NULL ? &s->profile->audience : &none;
	json_t *list;

	if (*g->audience != '\0')
		return put(claims, s, "aud", json_string(g->audience));
	if (own->count == 0)
		return 0;
	if (own->count == 1)
		return put(claims, s, "aud", json_string(own->items[0]));
	list = json_array();
	for (size_t i = 0; i < own->count; i++) {
		if (json_array_append_new(list, json_string(own->items[i])) == -1) {
			json_decref(list);
			return -1;
		}
	}
	return put(claims, s, "aud", list);
}

/* An array of the groups, each of which ends in a newline. */
static json_t *
group_list(const char *groups)
{
	json_t *list = json_array();

	while (*groups != '\0') {
		size_t length = strcspn(groups, "\n");

		if (json_array_append_new(list, json_stringn(groups, length)) == -1) {
			json_decref(list);
			return NULL;
		}
		groups += length + (groups[length] == '\n');
	}
	return list;
}

/* Those of the standards. */
static int
put_registered(json_t *claims, const struct shape *s, const struct claim_values *v)
{
	const struct grant *g = v->grant;
	bool access_token = strcmp(s->type, "at+jwt") == 0;

	if (put(claims, s, "sub", json_string(g->subject)) == -1 ||
	    put(claims, s, "iss", json_string(v->issuer)) == -1 ||
	    put(claims, s, "iat", json_integer(v->now)) == -1 ||
	    put(claims, s, "exp", json_integer(v->now + g->lifetime)) == -1 ||
	    put(claims, s, "jti", json_string(v->jti)) == -1 ||
	    put_audience(claims, s, g) == -1)
		return -1;
	if (s->profile != NULL && s->profile->nbf &&
	    put(claims, s, "nbf", json_integer(v->now)) == -1)
		return -1;
	if (*g->actor != '\0' &&
	    put(claims, s, "act", json_pack("{s:s}", "sub", g->actor)) == -1)
		return -1;
	if (v->groups != NULL && put(claims, s, "groups", group_list(v->groups)) == -1)
		return -1;
	return access_token ? put(claims, s, "client_id", json_string(v->caller)) : 0;
}

static int
put_extra(json_t *claims, const struct shape *s, const struct claim_values *v)
{
	const char *name;
	json_t *value;

	if (s->extra == NULL)
		return 0;
	json_object_foreach (s->extra, name, value) {
		if (json_object_get(claims, new_name(s->profile, name)) != NULL)
			continue; /* "groups" */
		if (put(claims, s, name, fill(value, v)) == -1)
			return -1;
	}
	return 0;
}

char *
shape_claims(const struct shape *s, const struct claim_values *v)
{
	json_t *claims = json_object();
	char *text = NULL;

	if (claims != NULL && put_registered(claims, s, v) == 0 && put_extra(claims, s, v) == 0)
		text = json_dumps(claims, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(claims);
	return text;
}
