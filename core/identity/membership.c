#include "identity/membership.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool
groups_have(const char *groups, const char *name, size_t length)
{
	while (groups != NULL && *groups != '\0') {
		if (*groups == *name && strncmp(groups, name, length) == 0 &&
		    groups[length] == '\n')
			return true;
		groups = strchr(groups, '\n');
		groups += groups != NULL;
	}
	return false;
}

int
membership_add(struct membership *m, const char *name, size_t length, struct error *e)
{
	size_t used = strlen(m->groups);
	char copy[LIMIT_GROUP_NAME];

	if (length == 0 || length >= sizeof(copy) || memchr(name, '\0', length) != NULL)
		return error_set(e, ERROR_UNAVAILABLE,
		    "a group's name is empty or longer than %d bytes", LIMIT_GROUP_NAME - 1);
	memcpy(copy, name, length);
	copy[length] = '\0';
	if (!text_clean(copy))
		return error_set(e, ERROR_UNAVAILABLE,
		    "a group's name is not UTF-8 or has control characters");
	if (groups_have(m->groups, copy, length))
		return 0;
	if (used + length + 2 > sizeof(m->groups))
		return error_set(e, ERROR_UNAVAILABLE, "more groups than %zu bytes hold",
		    sizeof(m->groups) - 1);
	memcpy(m->groups + used, copy, length);
	memcpy(m->groups + used + length, "\n", 2);
	return 0;
}

int
membership_merge(struct membership *to, const struct membership *from, struct error *e)
{
	const char *end;

	to->known = to->known || from->known;
	if (*to->email == '\0')
		memcpy(to->email, from->email, sizeof(to->email));
	if (*to->space == '\0')
		memcpy(to->space, from->space, sizeof(to->space));
	for (const char *g = from->groups; *g != '\0'; g = end + 1) {
		end = strchr(g, '\n');
		if (membership_add(to, g, (size_t)(end - g), e) == -1)
			return -1;
	}
	return 0;
}

static bool
matches_any(const char *name, const struct strings *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->items[i], name, 0) == 0)
			return true;
	return false;
}

void
membership_allow(struct membership *m, const struct strings *patterns)
{
	char *to = m->groups;
	char *next;

	if (patterns->count == 0)
		return;
	for (char *g = m->groups; *g != '\0'; g = next) {
		size_t length = strcspn(g, "\n");
		bool kept;

		next = g + length + 1;
		g[length] = '\0';
		kept = matches_any(g, patterns);
		g[length] = '\n';
		if (!kept)
			continue;
		/* What was kept before ends at to, at or before g. */
		memmove(to, g, length + 1);
		to += length + 1;
	}
	*to = '\0';
}

void
membership_fold(struct membership *m)
{
	struct membership once = {0};
	struct error e;

	for (char *c = m->groups; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	/* Cannot fail: what is added is what was there. */
	(void)membership_merge(&once, m, &e);
	memcpy(m->groups, once.groups, sizeof(m->groups));
}

size_t
membership_count(const struct membership *m)
{
	size_t count = 0;

	for (const char *c = m->groups; *c != '\0'; c++)
		count += *c == '\n';
	return count;
}

size_t
membership_size(const struct membership *m)
{
	return offsetof(struct membership, groups) + strlen(m->groups) + 1;
}

void
membership_copy(struct membership *to, const struct membership *from)
{
	memcpy(to, from, membership_size(from));
}

struct membership *
membership_keep(const struct membership *m)
{
	size_t size = membership_size(m);
	struct membership *kept = malloc(size);

	return kept == NULL ? NULL : memcpy(kept, m, size);
}
