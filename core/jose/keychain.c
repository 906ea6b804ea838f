#include "jose/keychain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dump.h"
#include "base/json.h"
#include "base/text.h"

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

/* Where a set comes from, and who is told what of it. */
struct reading {
	const char *name;
	error_tell *note; /* NULL: nobody */
	void *context;
	json_t *picked; /* gets the keys that are added; NULL: nothing does */
};

static int
add_jwk(
    struct keychain *c, json_t *jwk, const char *name, const struct reading *r, struct error *e)
{
	bool unfit = false;

	if (check_room(c, name, e) == -1)
		return -1;
	if (public_key_from_jwk(&c->keys[c->count], jwk, name, &unfit, e) == 0) {
		c->count++;
		if (r->picked != NULL && json_array_append(r->picked, jwk) == -1)
			return error_set(e, ERROR_INTERNAL, "out of memory");
		return 0;
	}
	if (unfit && r->note != NULL)
		r->note(r->context, e);
	return unfit ? 0 : -1;
}

static int
add_keys(struct keychain *c, const json_t *keys, const struct reading *r, struct error *e)
{
	char one[LIMIT_ERROR_TEXT];
	size_t before = c->count;

	if (!json_is_array(keys))
		return error_set(
		    e, ERROR_CONFIG, "%s: not a JWK Set: it has no array 'keys'", r->name);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		(void)snprintf(one, sizeof(one), "%.256s: key %zu", r->name, i + 1);
		if (add_jwk(c, json_array_get(keys, i), one, r, e) == -1)
			return -1;
	}
	if (c->count > before)
		return 0;
	return error_set(
	    e, ERROR_CONFIG, "%s: no key in it says that it verifies signatures", r->name);
}

static int
add_set(struct keychain *c, const char *text, size_t length, const struct reading *r,
    struct error *e)
{
	json_error_t wrong;
	json_t *set = json_read(text, length, &wrong);
	int rc;

	if (set == NULL) {
		text_plain(wrong.text); /* it quotes what it found */
		return error_set(
		    e, ERROR_CONFIG, "%s:%d: not JSON: %s", r->name, wrong.line, wrong.text);
	}
	rc = add_keys(c, json_object_get(set, "keys"), r, e);
	json_decref(set);
	return rc;
}

int
keychain_add_set(struct keychain *c, const char *text, size_t length, const char *name,
    error_tell *note, void *context, struct error *e)
{
	const struct reading r = {.name = name, .note = note, .context = context};

	return add_set(c, text, length, &r, e);
}

/* What a public key is made of; the rest of a JWK is not needed to verify. */
static json_t *
strip(const json_t *jwk)
{
	static const char *const members[] = {"kty", "alg", "kid", "crv", "x", "y", "n", "e"};
	json_t *key = json_object();

	for (size_t i = 0; key != NULL && i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *value = json_object_get(jwk, members[i]);

		if (value == NULL || json_object_set(key, members[i], value) == 0)
			continue;
		json_decref(key);
		key = NULL;
	}
	return key;
}

static int
write_set(const json_t *picked, struct buffer *to, const char *name, struct error *e)
{
	json_t *set = json_pack("{s:[]}", "keys");
	json_t *keys = json_object_get(set, "keys");
	char *text = NULL;
	int rc = 0;

	for (size_t i = 0; i < json_array_size(picked); i++)
		if (json_array_append_new(keys, strip(json_array_get(picked, i))) == -1)
			rc = error_set(e, ERROR_INTERNAL, "out of memory");
	if (rc == 0 && (text = dump_json(set, JSON_COMPACT)) == NULL)
		rc = error_set(e, ERROR_INTERNAL, "out of memory");
	if (rc == 0 && buffer_append(to, text, strlen(text)) == -1)
		rc = error_set(e, ERROR_CONFIG, "%s: its keys take more than %zu KiB", name,
		    (to->limit + 1) / 1024);
	free(text);
	json_decref(set);
	return rc;
}

int
keychain_pick(
    struct buffer *to, const char *text, size_t length, const char *name, struct error *e)
{
	const struct reading r = {.name = name, .picked = json_array()};
	struct keychain *c = keychain_new();
	int rc = -1;

	if (c == NULL || r.picked == NULL)
		error_set(e, ERROR_INTERNAL, "out of memory");
	else if (add_set(c, text, length, &r, e) == 0)
		rc = write_set(r.picked, to, name, e);
	json_decref(r.picked);
	keychain_free(c);
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
