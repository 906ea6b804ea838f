#include "signer/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/dump.h"
#include "identity/groups_json.h"

static const char *
value_of(const struct claim_values *v, int variable)
{
	switch (variable) {
	case SHAPE_SUBJECT:
		return v->grant->subject;
	case SHAPE_CALLER:
		return v->caller;
	case SHAPE_HOST:
		return v->host;
	case SHAPE_EMAIL:
		return v->email;
	case SHAPE_NAMESPACE:
		return v->space;
	default:
		return ""; /* shape_open() has refused others */
	}
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
		if (buffer_printf(&filled, "%s", value_of(v, shape_variable(at + 2))) == -1)
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

/* Those of the standards. */
static int
put_registered(json_t *claims, const struct shape *s, const struct claim_values *v)
{
	const struct grant *g = v->grant;
	bool access_token = strcmp(s->type, "at+jwt") == 0;

	if (put(claims, s, "sub", json_string(g->subject)) == -1 ||
	    put(claims, s, "iss", json_string(v->issuer)) == -1 ||
	    put(claims, s, "iat", json_integer(v->now)) == -1 ||
	    put(claims, s, "exp", json_integer(v->expires)) == -1 ||
	    put(claims, s, "jti", json_string(v->jti)) == -1 ||
	    put_audience(claims, s, g) == -1)
		return -1;
	if (s->profile != NULL && s->profile->nbf &&
	    put(claims, s, "nbf", json_integer(v->now)) == -1)
		return -1;
	if (*g->actor != '\0' &&
	    put(claims, s, "act", json_pack("{s:s}", "sub", g->actor)) == -1)
		return -1;
	if (v->groups != NULL && put(claims, s, "groups", groups_json(v->groups)) == -1)
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
claims_build(const struct shape *s, const struct claim_values *v)
{
	json_t *claims = json_object();
	char *text = NULL;

	if (claims != NULL && put_registered(claims, s, v) == 0 && put_extra(claims, s, v) == 0)
		text = dump_json(claims, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(claims);
	return text;
}
