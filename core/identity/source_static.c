/* A file that is one JSON object: {"janedoe": ["analysts", "etl"]}. Once read it never changes:
 * threads share it. */
#include <stdlib.h>

#include "identity/json_file.h"
#include "identity/source.h"

struct static_source {
	struct source source; /* first, so that the one leads to the other */
	json_t *users;
};

static int
add_all(struct membership *m, const json_t *list, struct error *e)
{
	json_t *group;
	size_t i;

	m->known = true;
	json_array_foreach (list, i, group)
		if (membership_add(m, json_string_value(group), json_string_length(group), e) ==
		    -1)
			return -1;
	return 0;
}

static int
static_lookup(struct source *self, const char *user, struct membership *m, struct error *e)
{
	const struct static_source *s = (struct static_source *)self;
	const json_t *list = json_object_get(s->users, user);

	return list == NULL ? 0 : add_all(m, list, e);
}

static void
static_close(struct source *self)
{
	struct static_source *s = (struct static_source *)self;

	json_decref(s->users);
	free(s);
}

/* Every list is tried, so that what is wrong is said at the start. */
static int
check(json_t *users, const char *path, struct error *e)
{
	const char *user;
	json_t *list, *group;
	size_t i;

	json_object_foreach (users, user, list) {
		struct membership m = {0};

		if (!json_is_array(list))
			return error_set(
			    e, ERROR_CONFIG, "%s: '%.64s': want a list of groups", path, user);
		json_array_foreach (list, i, group)
			if (!json_is_string(group))
				return error_set(e, ERROR_CONFIG,
				    "%s: '%.64s': want a list of strings", path, user);
		if (add_all(&m, list, e) == -1) {
			e->code = ERROR_CONFIG;
			return error_prefix(e, "%s: '%.64s'", path, user);
		}
	}
	return 0;
}

int
source_static_open(struct source **out, const struct groups_config *c, struct error *e)
{
	const char *path = c->static_file;
	struct static_source *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	s->source = (struct source){.lookup = static_lookup, .close = static_close};
	s->users = json_file_read(path, e);
	if (s->users == NULL || check(s->users, path, e) == -1) {
		static_close(&s->source);
		return -1;
	}
	*out = &s->source;
	return 0;
}
