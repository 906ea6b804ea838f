#include "store/revocations.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "jose/refuse.h"
#include "store/record.h"
#include "store/revocation_entry.h"
#include "store/revocation_name.h"
#include "store/system_error.h"

enum {
	ADDS_TRIED = 100, /* each time another process was quicker */
};

static int
cannot_say(struct error *e, const struct directory *d, const char *name, const char *why)
{
	return error_set(e, ERROR_UNAVAILABLE,
	    "%s/%s: %s: whether tokens were revoked cannot be said: remove it, or bring back "
	    "what "
	    "it was",
	    d->path, name, why);
}

/* 1 and the entry, 0 when there is none, -1. *fd stays open when it is not NULL. */
static int
read_entry(struct revocation_entry *out, const struct directory *d, const char *name, int *fd,
    struct error *e)
{
	struct buffer bytes;
	const char *wrong;
	int opened, rc = 1;

	buffer_init(&bytes, REVOCATION_ENTRY);
	opened = record_open(d, name, fd != NULL ? O_RDWR : O_RDONLY, &bytes, &wrong);
	if (opened == -1 && wrong == NULL && errno == ENOENT)
		rc = 0;
	else if (opened == -1 && wrong == NULL)
		rc = system_error(e, errno, "%s/%s", d->path, name);
	else if (opened == -1 || revocation_entry_read(out, &bytes) == -1)
		rc = cannot_say(e, d, name, wrong != NULL ? wrong : "damaged");
	buffer_free(&bytes);
	if (fd != NULL && rc == 1) {
		*fd = opened;
		return 1;
	}
	record_close(opened);
	return rc;
}

static int
check_token(const struct directory *d, const struct revocation_subject *t, struct error *e)
{
	char names[REVOCATION_NAMES][REVOCATION_NAME];
	struct stat st;
	size_t count;

	if (revocation_name_token(names, &count, t, e) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (fstatat(d->fd, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			return refuse(e, "it was revoked");
		if (errno != ENOENT)
			return system_error(e, errno, "%s/%s", d->path, names[i]);
	}
	return 0;
}

static int
check_subject(const struct directory *d, const struct revocation_subject *t, struct error *e)
{
	char name[REVOCATION_NAME];
	struct revocation_entry entry;
	int found;

	if (t->subject == NULL)
		return 0;
	if (revocation_name_subject(name, t->issuer, t->subject, e) == -1)
		return -1;
	found = read_entry(&entry, d, name, NULL, e);
	if (found != 1)
		return found;
	if (t->issued > entry.before)
		return 0;
	return refuse(e, "what its subject got up to %" PRId64 " was revoked", entry.before);
}

int
revocation_check(const struct state *s, const struct revocation_subject *t, struct error *e)
{
	const struct directory *d;

	if (s == NULL)
		return 0;
	d = state_revoked(s);
	if (check_token(d, t, e) == 0 && check_subject(d, t, e) == 0)
		/* In a directory that was removed, or that others do not use any more, nothing
		 * is ever found. */
		return directory_check(d, e);
	/* Whatever it was: it cannot be said, and whoever asked may ask again. */
	if (e->code != ERROR_UNAUTHENTICATED)
		e->code = ERROR_UNAVAILABLE;
	return -1;
}

static int
make_draft(struct record_draft *f, const struct directory *d,
    const struct revocation_entry *entry, struct error *e)
{
	char text[REVOCATION_ENTRY + 1];

	revocation_entry_write(text, entry);
	return record_draft(f, d, text, REVOCATION_ENTRY, entry->expires, e);
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* 1: done; 0: another process was quicker, try again; -1. */
static int
add_first(const struct state *s, const char *name, const struct revocation_entry *entry,
    struct error *e)
{
	const struct directory *d = state_revoked(s);
	struct record_draft f;
	int rc = -1;

	if (state_take(s, d, e) == -1)
		return -1;
	if (make_draft(&f, d, entry, e) == 0) {
		rc = 1;
		if (record_name(&f, d, name) == -1)
			rc = errno == EEXIST ? 0 : record_refused(d, e);
		record_draft_close(&f, d);
	}
	if (rc != 1)
		state_give_back(s, d);
	return rc;
}

/* The same where there is one already, which fd has open and locked. */
static int
add_more(const struct directory *d, const char *name, int fd,
    const struct revocation_entry *old, const struct revocation_entry *entry, struct error *e)
{
	const struct revocation_entry both = {.expires = later(old->expires, entry->expires),
	    .before = later(old->before, entry->before)};
	struct record_draft f;
	int rc = record_is_current(d, name, fd);

	if (rc == -1)
		return system_error(e, errno, "%s/%s", d->path, name);
	if (rc == 0)
		return 0;
	if (both.expires == old->expires && both.before == old->before)
		return 1;
	if (make_draft(&f, d, &both, e) == -1)
		return -1;
	if (record_replace(&f, d, name) == -1)
		rc = record_refused(d, e);
	record_draft_close(&f, d);
	return rc;
}

static int
try_add(const struct state *s, const char *name, const struct revocation_entry *entry,
    struct error *e)
{
	const struct directory *d = state_revoked(s);
	struct revocation_entry old = {0};
	int fd = -1;
	int rc = read_entry(&old, d, name, &fd, e);

	if (rc == 0)
		return add_first(s, name, entry, e);
	if (rc == -1)
		return -1;
	/* Held for the while of one such call. */
	rc = record_lock_wait(fd, RECORD_USE) == 0
		 ? add_more(d, name, fd, &old, entry, e)
		 : system_error(e, errno, "cannot lock %s/%s", d->path, name);
	record_close(fd);
	return rc;
}

static int
add(const struct state *s, const char *name, const struct revocation_entry *entry,
    struct error *e)
{
	const struct directory *d = state_revoked(s);
	int rc = 0;

	if (entry->expires < 0 || entry->before < 0)
		return error_set(e, ERROR_MALFORMED, "a time before 1970");
	for (int i = 0; i < ADDS_TRIED && rc == 0; i++)
		rc = try_add(s, name, entry, e);
	if (rc == 0)
		return error_set(e, ERROR_UNAVAILABLE, "%s/%s: changes all the time: try again",
		    d->path, name);
	if (rc == -1 || directory_check(d, e) == -1)
		return -1;
	record_sync(d);
	return 0;
}

static int
no_state(struct error *e)
{
	return error_set(e, ERROR_CONFIG,
	    "nothing can be revoked without a state directory: set the key 'state'");
}

int
revocation_add_token(
    const struct state *s, const struct revocation_subject *t, int64_t expires, struct error *e)
{
	const struct revocation_entry entry = {.expires = expires};
	char names[REVOCATION_NAMES][REVOCATION_NAME];
	size_t count;

	if (s == NULL)
		return no_state(e);
	if (revocation_name_token(names, &count, t, e) == -1)
		return -1;
	if (count == 0)
		return error_set(e, ERROR_MALFORMED, "there is nothing to know the token by");
	return add(s, names[0], &entry, e);
}

int
revocation_add_subject(const struct state *s, const char *issuer, const char *subject,
    int64_t before, int64_t expires, struct error *e)
{
	const struct revocation_entry entry = {.expires = expires, .before = before};
	char name[REVOCATION_NAME];

	if (s == NULL)
		return no_state(e);
	if (revocation_name_subject(name, issuer, subject, e) == -1)
		return -1;
	return add(s, name, &entry, e);
}
