#include "service/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/dump.h"
#include "base/text.h"

enum { TEXT_MAX = 512 }; /* bytes of one member: a line is written whole */

struct audit {
	int fd;     /* -1 for syslog(3) */
	bool torn;  /* the last line was cut short, by a full disk */
	char *path; /* NULL unless it is a file of ours */
};

static int
open_file(const char *path, int *fd, struct error *e)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
			  O_NONBLOCK; /* nothing but a file is waited for */
	struct stat st;

	*fd = open(path, flags, 0640);
	if (*fd == -1)
		return error_set(e, errno == EACCES ? ERROR_NO_PERMISSION : ERROR_CONFIG,
		    "audit: %s: %s", path, strerror(errno));
	if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	close(*fd);
	*fd = -1;
	return error_set(e, ERROR_CONFIG, "audit: %s: not a regular file", path);
}

int
audit_open(struct audit **out, const char *target, struct error *e)
{
	struct audit *a;

	*out = NULL;
	if (target == NULL || strcmp(target, "none") == 0)
		return 0;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	a->fd = strcmp(target, "syslog") == 0 ? -1 : STDERR_FILENO;
	if (*target == '/') {
		a->path = strdup(target);
		a->fd = -1;
		if (a->path == NULL)
			error_set(e, ERROR_INTERNAL, "out of memory");
		if (a->path == NULL || open_file(target, &a->fd, e) == -1) {
			audit_close(a);
			return -1;
		}
	}
	*out = a;
	return 0;
}

void
audit_close(struct audit *a)
{
	if (a == NULL)
		return;
	if (a->path != NULL && a->fd != -1)
		close(a->fd);
	free(a->path);
	free(a);
}

int
audit_reopen(struct audit *a, struct error *e)
{
	int fd;

	if (a == NULL || a->path == NULL)
		return 0;
	if (open_file(a->path, &fd, e) == -1)
		return -1;
	close(a->fd);
	a->fd = fd;
	return 0;
}

int
audit_descriptor(const struct audit *a)
{
	return a == NULL || a->path == NULL ? -1 : a->fd;
}

/* Text as it is, if it is UTF-8 and not too long for a line; else with \\xNN for the bytes that
 * are not plain, and cut. */
static json_t *
bounded(const char *text)
{
	char shown[TEXT_MAX + sizeof("\\xff...")];
	size_t n = 0;

	if (strlen(text) <= TEXT_MAX && text_clean(text))
		return json_string(text);
	for (; *text != '\0' && n < TEXT_MAX; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= ' ' && c <= '~')
			shown[n++] = (char)c;
		else
			n += (size_t)snprintf(shown + n, 5, "\\x%02x", c);
	}
	(void)snprintf(shown + n, sizeof(shown) - n, "%s", *text != '\0' ? "..." : "");
	return json_string(shown);
}

/* A line that is being built. */
struct line {
	json_t *members;
	bool whole; /* memory was there for each: what lacks one would tell something else */
};

static void
put(struct line *line, const char *name, json_t *value)
{
	if (json_object_set_new(line->members, name, value) == -1)
		line->whole = false;
}

/* Left out where there is nothing. */
static void
put_text(struct line *line, const char *name, const char *text)
{
	if (text != NULL && *text != '\0')
		put(line, name, bounded(text));
}

static void
put_time(struct line *line, const struct clock *clock)
{
	int64_t now = clock_realtime(clock);
	time_t seconds = (time_t)(now / NANOSECONDS);
	char text[64];
	struct tm tm;
	size_t n = 0;

	if (gmtime_r(&seconds, &tm) != NULL)
		n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, sizeof(text) - n, ".%06dZ",
	    (int)(now % NANOSECONDS / (NANOSECONDS / 1000000)));
	put_text(line, "time", text);
}

static const char *
verdict(const struct decision *d)
{
	if (d->refusal == NULL)
		return "permit";
	return d->refusal->code >= ERROR_INTERNAL ? "error" : "deny";
}

/* What was granted, where it was; what was asked for says less, since rules and profiles have
 * defaults. */
static void
put_query(struct line *line, const struct query *q, const struct grant *g)
{
	const struct profile *p = g != NULL ? g->profile : NULL;
	const struct strings none = {0};
	const struct strings *list = p != NULL ? &p->audience : &none;

	put_text(line, "subject", q->subject);
	put_text(line, "profile", p != NULL ? p->name : q->profile);
	put_text(line, "audience", g != NULL ? g->audience : q->audience);
	if (g == NULL || *g->audience != '\0' || list->count == 0)
		return;
	put(line, "audience", json_array());
	for (size_t i = 0; i < list->count; i++)
		if (json_array_append_new(json_object_get(line->members, "audience"),
			bounded(list->items[i])) == -1)
			line->whole = false;
}

static void
build(struct line *line, const struct decision *d, const struct clock *clock)
{
	const struct request *r = d->request;
	/* Who a grant is for need not be whom the web server has authenticated. */
	const struct principal *caller =
	    d->query != NULL && principal_authenticated(&d->query->caller) ? &d->query->caller
									   : &r->caller;

	*line = (struct line){.members = json_object(), .whole = true};
	put_time(line, clock);
	put_text(line, "request", d->id);
	put_text(line, "caller", caller->name);
	put_text(line, "auth", caller->scheme);
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): an array has an address */
	if (strcmp(caller->name, r->caller.name) != 0)
		put_text(line, "client", r->caller.name);
	put_text(line, "path", r->path);
	put_text(line, "grant", d->grant_type);
	if (d->query != NULL)
		put_query(line, d->query, d->grant);
	if (d->ttl != 0)
		put(line, "ttl", json_integer(d->ttl));
	if (d->signature != NULL) {
		put_text(line, "jti", d->signature->jti);
		put_text(line, "kid", d->signature->kid);
	}
	put_text(line, "verdict", verdict(d));
	put_text(line, "rule", d->rule);
	put_text(line, "reason", d->refusal != NULL ? d->refusal->text : NULL);
	put_text(line, "detail", d->refusal != NULL ? d->refusal->detail : NULL);
	put(line, "status", json_integer(d->status));
	put(line, "duration_us", json_integer(d->duration / 1000));
}

/* A line that was cut short must not run into the next one. */
static int
write_line(struct audit *a, char *text, size_t length)
{
	ssize_t n;

	if (a->torn && write(a->fd, "\n", 1) == 1)
		a->torn = false;
	text[length++] = '\n'; /* in place of the NUL */
	do
		n = write(a->fd, text, length);
	while (n == -1 && errno == EINTR);
	if (n == -1 || n == (ssize_t)length)
		return n == -1 ? -1 : 0;
	a->torn = a->torn || n > 0;
	errno = ENOSPC;
	return -1;
}

int
audit_write(struct audit *a, const struct decision *d, const struct clock *clock)
{
	struct line line;
	char *text = NULL;
	int rc = 0;

	if (a == NULL)
		return 0;
	build(&line, d, clock);
	if (line.whole)
		text = dump_json(
		    line.members, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER);
	json_decref(line.members);
	errno = ENOMEM;
	if (text == NULL)
		return -1;
	if (a->fd == -1)
		syslog(LOG_AUTHPRIV | LOG_INFO, "%s", text);
	else
		rc = write_line(a, text, strlen(text));
	free(text);
	return rc;
}
