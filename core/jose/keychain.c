#include "jose/keychain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct keychain {
	struct public_key *keys[LIMIT_KEYS];
	size_t count;
};

struct keychain *
keychain_new(void)
{
	return calloc(1, sizeof(struct keychain));
}

void
keychain_free(struct keychain *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		public_key_free(c->keys[i]);
	free(c);
}

static int
check_room(const struct keychain *c, const char *name, struct error *e)
{
	if (c->count < LIMIT_KEYS)
		return 0;
	return error_set(e, ERROR_CONFIG, "%s: more than %d keys", name, LIMIT_KEYS);
}

int
keychain_add_pem(struct keychain *c, const char *text, size_t length, const char *algorithm,
    const char *name, struct error *e)
{
	if (check_room(c, name, e) == -1 ||
	    public_key_from_pem(&c->keys[c->count], text, length, algorithm, name, e) == -1)
		return -1;
	c->count++;
	return 0;
}

static int
add_jwk(struct keychain *c, const json_t *jwk, const char *name, error_tell *note,
    void *context, struct error *e)
{
	bool unfit = false;

	if (check_room(c, name, e) == -1)
		return -1;
	if (public_key_from_jwk(&c->keys[c->count], jwk, name, &unfit, e) == 0) {
		c->count++;
		return 0;
	}
	if (unfit && note != NULL)
		note(context, e);
	return unfit ? 0 : -1;
}

static int
add_keys(struct keychain *c, const json_t *keys, const char *name, error_tell *note,
    void *context, struct error *e)
{
	char one[LIMIT_ERROR_TEXT];
	const json_t *jwk;
	size_t before = c->count;
	size_t i;

	if (!json_is_array(keys))
		return error_set(
		    e, ERROR_CONFIG, "%s: not a JWK Set: it has no array 'keys'", name);
	json_array_foreach ((json_t *)keys, i, jwk) {
		(void)snprintf(one, sizeof(one), "%.256s: key %zu", name, i + 1);
		if (add_jwk(c, jwk, one, note, context, e) == -1)
			return -1;
	}
	if (c->count > before)
		return 0;
	return error_set(
	    e, ERROR_CONFIG, "%s: no key in it says that it verifies signatures", name);
}

int
keychain_add_set(struct keychain *c, const char *text, size_t length, const char *name,
    error_tell *note, void *context, struct error *e)
{
	json_error_t wrong;
	json_t *set = json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong);
	int rc;

	if (set == NULL)
		return error_set(
		    e, ERROR_CONFIG, "%s:%d: not JSON: %s", name, wrong.line, wrong.text);
	rc = add_keys(c, json_object_get(set, "keys"), name, note, context, e);
	json_decref(set);
	return rc;
}

size_t
keychain_count(const struct keychain *c)
{
	return c->count;
}

const struct public_key *
keychain_get(const struct keychain *c, size_t i)
{
	return c->keys[i];
}

bool
keychain_has(const struct keychain *c, const char *kid)
{
	for (size_t i = 0; kid != NULL && i < c->count; i++) {
		const char *id = public_key_id(c->keys[i]);

		if (id != NULL && strcmp(id, kid) == 0)
			return true;
	}
	return false;
}
