/* Sections that describe whose tokens are believed. */
#define _GNU_SOURCE /* strdup */
#include <stdlib.h>
#include <string.h>

#include "config/section.h"

#define FIELD(name) offsetof(struct verify_section, name)

static const struct key_row rows[] = {
    {"public-key", NULL, key_set_path, FIELD(public_key)},
    {"algorithm", NULL, key_set_string, FIELD(algorithm)},
    {"keys", NULL, key_set_path, FIELD(keys)},
    {"keys-url", NULL, key_set_string, FIELD(keys_url)},
    {"ca-file", NULL, key_set_path, FIELD(ca_file)},
    {"insecure", "false", key_set_bool, FIELD(insecure)},
    {"timeout", "5s", key_set_timeout, FIELD(timeout)},
    {"stale", "24h", key_set_duration, FIELD(stale)},
    {"issuer", NULL, key_set_item, FIELD(issuer)},
    {"audience", NULL, key_set_item, FIELD(audience)},
    {"user-claim", "sub", key_set_string, FIELD(user_claim)},
    {"exchange", "false", key_set_bool, FIELD(exchange)},
    {"groups-claim", "groups", key_set_string, FIELD(groups_claim)},
    {"realm", NULL, key_set_string, FIELD(realm)},
    {"exchange-audience", NULL, key_set_item, FIELD(exchange_audience)},
};

const struct table verify_keys = {rows, sizeof(rows) / sizeof(rows[0])};

int
verify_add(struct verify_sections *to, const char *name, const char *where, struct error *e)
{
	struct verify_section *items, *s;

	if (!section_name_is_plain(name))
		return error_set(e, ERROR_CONFIG,
		    "%s: verify '%.64s': a name is of letters, digits and ._-", where, name);
	if (to->count == LIMIT_VERIFY)
		return error_set(
		    e, ERROR_CONFIG, "%s: more than %d sections verify", where, LIMIT_VERIFY);
	items = realloc(to->items, (to->count + 1) * sizeof(*items));
	if (items == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	to->items = items;
	s = &items[to->count++];
	*s = (struct verify_section){.name = strdup(name), .where = strdup(where)};
	if (s->name == NULL || s->where == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	return key_set_initial(verify_keys.rows, verify_keys.count, s, e);
}

/* What is wrong with where the keys come from; NULL when nothing is. */
static const char *
find_wrong(const struct verify_section *s)
{
	const char *url = s->keys_url;

	if ((s->public_key != NULL) + (s->keys != NULL) + (url != NULL) != 1)
		return "give one of public-key, a PEM file, keys, a JWK Set, and keys-url, "
		       "where one is published";
	if (s->public_key != NULL && s->algorithm == NULL)
		return "algorithm is missing, such as RS256: a key verifies with one";
	if (s->public_key == NULL && s->algorithm != NULL)
		return "algorithm goes with public-key: a JWK Set says it of each key";
	if (url == NULL && (s->ca_file != NULL || s->insecure))
		return "ca-file and insecure go with keys-url";
	if (url != NULL && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return "keys-url is none of http or https";
	if (s->exchange && strlen(s->name) >= LIMIT_PARTY)
		return "the name is too long for exchange: rules say via token:NAME";
	if (!s->exchange && (s->realm != NULL || s->exchange_audience.count > 0))
		return "realm and exchange-audience go with exchange = true";
	return NULL;
}

int
verify_check(const struct verify_section *s, struct error *e)
{
	const char *wrong = find_wrong(s);

	return wrong == NULL ? 0
			     : error_set(e, ERROR_CONFIG, "%s: verify '%s': %s", s->where,
				   s->name, wrong);
}

int64_t
verify_deadline(const struct verify_sections *sections)
{
	int64_t most = 0;

	for (size_t i = 0; i < sections->count; i++)
		if (sections->items[i].keys_url != NULL && sections->items[i].timeout > most)
			most = sections->items[i].timeout;
	return most;
}

void
verify_free(struct verify_sections *sections)
{
	for (size_t i = 0; i < sections->count; i++) {
		struct verify_section *s = &sections->items[i];

		key_free_fields(verify_keys.rows, verify_keys.count, s);
		free(s->name);
		free(s->where);
	}
	free(sections->items);
	*sections = (struct verify_sections){0};
}

int
config_check_pairs(const struct config *c, struct error *e)
{
	if (c->jwt_public_key.count == c->jwt_algorithm.count)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "jwt-public-key has %zu items and jwt-algorithm %zu: each key has its algorithm at "
	    "the same place",
	    c->jwt_public_key.count, c->jwt_algorithm.count);
}
