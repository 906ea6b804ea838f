#include "tools/authserver/nginx_conf.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "tools/authserver/embedded.h"

enum { CONF_MAX = 64 * 1024 };

struct placeholder {
	const char *name; /* with its at signs */
	const char *value;
};

/* The placeholder that text starts with, or NULL. */
static const struct placeholder *
find(const struct placeholder *list, const char *text, size_t length)
{
	for (; list->name != NULL; list++) {
		size_t n = strlen(list->name);

		if (n <= length && memcmp(text, list->name, n) == 0)
			return list;
	}
	return NULL;
}

static int
render(struct buffer *to, const struct placeholder *list, const char *text, size_t length)
{
	while (length > 0) {
		const char *at = memchr(text, '@', length);
		size_t plain = at == NULL ? length : (size_t)(at - text);
		const struct placeholder *p;

		if (buffer_append(to, text, plain) == -1)
			return -1;
		text += plain;
		length -= plain;
		if (length == 0)
			break;
		p = find(list, text, length);
		if (buffer_append(
			to, p != NULL ? p->value : "@", p != NULL ? strlen(p->value) : 1) == -1)
			return -1;
		plain = p != NULL ? strlen(p->name) : 1;
		text += plain;
		length -= plain;
	}
	return 0;
}

int
nginx_conf_write(const struct rundir *r, const struct account *workers, uint16_t port,
    bool with_users, struct error *e)
{
	char number[8];
	bool root = workers->name != NULL;
	const struct placeholder list[] = {
	    {"@RUN@", r->path},
	    {"@SOCKET@", RUNDIR_SOCKET},
	    {"@PID@", RUNDIR_PID},
	    {"@USERS@", RUNDIR_USERS},
	    {"@PORT@", number},
	    {"@ACCOUNT@", root ? workers->name : ""},
	    {"@GROUP@", root ? workers->group : ""},
	    {"@AS_ROOT@", root ? "" : "# "},
	    {"@WITH_USERS@", with_users ? "" : "# "},
	    {0},
	};
	struct embedded source = embedded_nginx();
	struct buffer text;
	int rc = -1;

	(void)snprintf(number, sizeof(number), "%u", (unsigned int)port);
	buffer_init(&text, CONF_MAX);
	if (render(&text, list, source.text, source.length) == -1)
		error_set(e, ERROR_INTERNAL, "nginx's configuration does not fit");
	else
		rc = rundir_write(r, RUNDIR_CONFIG, text.data, text.length, e);
	buffer_free(&text);
	return rc;
}
