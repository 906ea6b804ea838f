#include "identity/claimed.h"

#include <string.h>

static const char claim[] = "claim";

bool
claimed_suffice(const struct groups_config *c)
{
	return c->mode == GROUPS_FIRST && c->resolvers.count > 0 &&
	       strcmp(c->resolvers.items[0], claim) == 0;
}

/* Adds those of groups that one of the lists has; both NULL: all. */
static int
add(struct membership *to, const char *groups, const char *spelt, const char *folded,
    struct error *e)
{
	for (const char *g = groups; *g != '\0';) {
		size_t length = strcspn(g, "\n");

		if ((spelt == NULL || groups_have(spelt, g, length) ||
			groups_have(folded, g, length)) &&
		    membership_add(to, g, length, e) == -1)
			return -1;
		g += length + (g[length] == '\n');
	}
	return 0;
}

/* The token's groups as names are compared. */
static int
read_claimed(struct membership *shown, const char *claimed, struct error *e)
{
	*shown = (struct membership){.known = true};
	if (add(shown, claimed, NULL, NULL, e) == -1)
		return -1;
	membership_fold(shown);
	return 0;
}

int
claimed_apply(
    const struct groups_config *c, const char *claimed, struct membership *m, struct error *e)
{
	bool listed = strings_have(&c->resolvers, claim);
	bool whole = listed && (!m->known || c->mode == GROUPS_MERGE || claimed_suffice(c));
	struct membership shown;
	struct membership kept = {.known = m->known || listed};

	if (read_claimed(&shown, claimed, e) == -1)
		return -1;
	if (whole) {
		memcpy(kept.groups, shown.groups, sizeof(kept.groups));
		membership_allow(&kept, &c->allow);
	} else if (add(&kept, m->groups, claimed, shown.groups, e) == -1) {
		return -1;
	}
	if (membership_count(&kept) > c->most)
		return error_set(e, ERROR_UNAVAILABLE,
		    "the token has more than %u groups, the most that there may be", c->most);
	memcpy(m->groups, kept.groups, sizeof(m->groups));
	m->known = kept.known;
	return 0;
}

int
claimed_join(
    const struct groups_config *c, const char *claimed, struct membership *m, struct error *e)
{
	struct membership shown;

	if (!strings_have(&c->resolvers, claim))
		return 0;
	return read_claimed(&shown, claimed, e) == -1 ? -1 : membership_merge(m, &shown, e);
}
