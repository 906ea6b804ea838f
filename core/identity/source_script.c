/* Programs in one directory that are given a user and print {"groups": [...]}. */
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "identity/script_file.h"
#include "identity/script_run.h"
#include "identity/source.h"

struct script_source {
	struct source source; /* first, so that the one leads to the other */
	const struct script_config *config;
};

/* {"groups": null} is how a script says that it does not know the user. */
static bool
is_unknown(const struct buffer *output)
{
	json_error_t wrong;
	json_t *object = json_read(output->data, output->length, &wrong);
	bool unknown = json_is_null(json_object_get(object, "groups"));

	json_decref(object);
	return unknown;
}

static int
read_output(const struct buffer *output, struct membership *m, struct error *e)
{
	if (output->length == 0)
		return error_set(e, ERROR_UNAVAILABLE, "prints nothing");
	if (is_unknown(output))
		return 0;
	return source_reply(m, output->data, output->length, e);
}

/* Opened anew, since the file may have been replaced, and by one that may not be run. */
static int
ask_script(const struct script_config *c, const char *file, struct script_run *r,
    struct membership *m, struct error *e)
{
	char path[LIMIT_PATH];
	struct buffer output;
	int rc = -1;

	r->fd = script_file_open(c->directory, file, e);
	if (r->fd == -1 || script_file_path(path, c->directory, file, e) == -1) {
		e->code = ERROR_UNAVAILABLE;
		return -1;
	}
	r->path = path;
	buffer_init(&output, LIMIT_REPLY);
	if (script_run(r, &output, e) == 0)
		rc = read_output(&output, m, e);
	if (rc == -1)
		error_prefix(e, "%.256s", path);
	buffer_free(&output);
	close(r->fd);
	r->path = NULL;
	return rc;
}

/*
 * One after the other, so that a look-up never is more than one process, and the last of the
 * list first: it has the highest priority, and membership_merge() puts behind what is there.
 */
static int
script_lookup(struct source *self, const char *user, struct membership *m, struct error *e)
{
	const struct script_config *c = ((struct script_source *)self)->config;
	struct script_run run = {.user = user,
	    .deadline = clock_monotonic(&clock_system) + c->timeout * NANOSECONDS};

	if (*user == '-')
		return 0; /* no subject begins so, and to a program it is a flag */
	for (size_t i = c->files.count; i > 0; i--) {
		struct membership one = {0};

		if (ask_script(c, c->files.items[i - 1], &run, &one, e) == -1 ||
		    membership_merge(m, &one, e) == -1)
			return -1;
	}
	return 0;
}

static void
script_close(struct source *self)
{
	free(self);
}

int
source_script_open(struct source **out, const struct groups_config *c, struct error *e)
{
	struct script_source *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	s->source = (struct source){.lookup = script_lookup, .close = script_close};
	s->config = &c->script;
	for (size_t i = 0; i < c->script.files.count; i++) {
		int fd = script_file_open(c->script.directory, c->script.files.items[i], e);

		if (fd == -1) {
			script_close(&s->source);
			return error_prefix(e, "%s: groups: script", c->where);
		}
		close(fd);
	}
	*out = &s->source;
	return 0;
}
