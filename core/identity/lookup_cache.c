#define _GNU_SOURCE /* strdup */
#include "identity/lookup_cache.h"

#include <stdlib.h>
#include <string.h>

/* A user has one of the ways of a set; of those that are all taken, the one that is good for
 * the shortest time goes. */
enum { WAYS = 4 };

struct entry {
	char *user; /* NULL: free */
	struct membership *m;
	int64_t until;
};

struct lookup_cache {
	size_t sets;
	struct entry entries[]; /* WAYS a set */
};

struct lookup_cache *
lookup_cache_new(size_t users)
{
	size_t sets = users / WAYS + 1;
	struct lookup_cache *c = calloc(1, sizeof(*c) + sets * WAYS * sizeof(struct entry));

	if (c != NULL)
		c->sets = sets;
	return c;
}

static void
empty(struct entry *entry)
{
	free(entry->user);
	free(entry->m);
	*entry = (struct entry){0};
}

void
lookup_cache_free(struct lookup_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->sets * WAYS; i++)
		empty(&c->entries[i]);
	free(c);
}

/* The user's set: by FNV-1a. */
static size_t
first_way(const struct lookup_cache *c, const char *user)
{
	uint64_t hash = 14695981039346656037U;

	for (; *user != '\0'; user++)
		hash = (hash ^ (unsigned char)*user) * 1099511628211U;
	return (size_t)(hash % c->sets) * WAYS;
}

const struct membership *
lookup_cache_get(const struct lookup_cache *c, const char *user, int64_t *until)
{
	size_t first = first_way(c, user);

	for (size_t i = first; i < first + WAYS; i++) {
		const struct entry *entry = &c->entries[i];

		if (entry->user == NULL || strcmp(entry->user, user) != 0)
			continue;
		*until = entry->until;
		return entry->m;
	}
	return NULL;
}

void
lookup_cache_put(
    struct lookup_cache *c, const char *user, const struct membership *m, int64_t until)
{
	size_t first = first_way(c, user);
	struct entry *chosen = &c->entries[first];
	struct entry made = {.user = strdup(user), .m = membership_keep(m), .until = until};

	if (made.user == NULL || made.m == NULL) {
		empty(&made);
		return;
	}
	for (size_t i = first; i < first + WAYS; i++) {
		struct entry *entry = &c->entries[i];

		if (entry->user != NULL && strcmp(entry->user, user) == 0) {
			chosen = entry;
			break;
		}
		if (chosen->user != NULL &&
		    (entry->user == NULL || entry->until < chosen->until))
			chosen = entry;
	}
	empty(chosen);
	*chosen = made;
}
