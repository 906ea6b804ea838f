#define _GNU_SOURCE /* explicit_bzero */
#include "store/refresh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/record.h"
#include "store/refresh_record.h"
#include "store/refresh_token.h"
#include "store/system_error.h"

enum {
	FILE_NAME = sizeof(REFRESH_PREFIX) + REFRESH_NAME,
};

struct refresh_lease {
	const struct directory *directory;
	char name[FILE_NAME];
	char stem[REFRESH_NAME + REFRESH_PROOF]; /* what all tokens of the family begin with */
	char secret[DIGEST_TEXT];                /* of the token that was taken */
	struct refresh_record record;
	int fd;                      /* the record that was found; locked */
	struct record_draft rotated; /* the record of the successor; fd -1: none yet */
	int64_t due;                 /* its time */
};

/* One text for whoever asks: what is wrong with a token helps nobody but a thief. */
static int
refuse(struct error *e, const char *reason)
{
	error_set(e, ERROR_GRANT,
	    "the refresh token is not valid: it has expired, was used or was revoked: log in "
	    "again");
	return error_detail(e, "refresh token: %s", reason);
}

static int
refuse_family(struct error *e, const char *name, const char *reason)
{
	refuse(e, reason);
	return error_detail(e, "refresh token of %s: %s", name, reason);
}

static void
name_family(char name[FILE_NAME], const char *token)
{
	(void)snprintf(name, FILE_NAME, REFRESH_PREFIX "%.*s", REFRESH_NAME, token);
}

static int
make_draft(struct record_draft *f, const struct directory *d, const struct refresh_record *r,
    struct error *e)
{
	struct buffer bytes;
	int rc = -1;

	buffer_init(&bytes, REFRESH_RECORD);
	if (refresh_record_write(r, &bytes, e) == 0)
		rc = record_draft(f, d, bytes.data, bytes.length, refresh_record_due(r), e);
	buffer_free(&bytes);
	return rc;
}

int
refresh_begin(const struct state *s, const struct refresh_family *family,
    const struct refresh_limits *limits, int64_t now, const struct entropy *entropy,
    char token[REFRESH_TOKEN], struct error *e)
{
	struct refresh_record r = {
	    .confirmed = true, .used = now, .limits = *limits, .family = *family};
	char name[FILE_NAME];
	struct record_draft f;
	int rc = -1;

	memset(token, 0, REFRESH_TOKEN);
	if (s == NULL)
		return error_set(e, ERROR_CONFIG,
		    "there are no refresh tokens without a state directory: set the key "
		    "'state'");
	r.family.created = now;
	if (state_take(s, state_refresh(s), e) == -1)
		return -1;
	if (refresh_token_draw(token, 0, entropy, e) == 0 &&
	    refresh_token_proof(r.proof, token, e) == 0 &&
	    refresh_token_secret(r.current, token, e) == 0 &&
	    make_draft(&f, state_refresh(s), &r, e) == 0) {
		name_family(name, token);
		rc = record_name(&f, state_refresh(s), name);
		if (rc == -1)
			record_refused(state_refresh(s), e);
		record_draft_close(&f, state_refresh(s));
	}
	if (rc == -1) {
		state_give_back(s, state_refresh(s));
		explicit_bzero(token, REFRESH_TOKEN);
	}
	return rc;
}

/* Opens and reads the record of the lease's family. *e is ERROR_GRANT when there is none or it
 * is no record. */
static int
read_record(struct refresh_lease *l, struct error *e)
{
	struct buffer bytes;
	const char *wrong;
	int read = -1, rc = -1;

	buffer_init(&bytes, REFRESH_RECORD);
	l->fd = record_open(l->directory, l->name, O_RDWR, &bytes, &wrong);
	if (l->fd == -1 && wrong != NULL)
		refuse_family(e, l->name, wrong);
	else if (l->fd == -1 && errno == ENOENT)
		refuse(e, "unknown");
	else if (l->fd == -1)
		system_error(e, errno, "%s/%s", l->directory->path, l->name);
	else if ((read = refresh_record_read(&l->record, &bytes)) == -1)
		refuse_family(e, l->name, "its file is damaged: remove it");
	else if (read == 1)
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
	else
		rc = 0;
	buffer_free(&bytes);
	return rc;
}

/* Finds the family that the token proves to be of. */
static int
find_family(struct refresh_lease *l, const struct state *s, const char *token, struct error *e)
{
	char proof[DIGEST_TEXT];

	if (s == NULL || !refresh_token_is_one(token))
		return refuse(e, s == NULL ? "there is no state directory" : "malformed");
	l->directory = state_refresh(s);
	name_family(l->name, token);
	memcpy(l->stem, token, sizeof(l->stem));
	if (refresh_token_proof(proof, token, e) == -1 ||
	    refresh_token_secret(l->secret, token, e) == -1 || read_record(l, e) == -1)
		return -1;
	return digest_equal(proof, l->record.proof) ? 0
						    : refuse(e, "unknown, with the name of a "
								"family that there is");
}

/* The directory's way to the disk, too: what was ended must not come back. */
static int
end_family(const struct directory *d, const char *name, struct error *e)
{
	if (unlinkat(d->fd, name, 0) == -1 && errno != ENOENT)
		return system_error(e, errno, "cannot delete %s/%s", d->path, name);
	record_sync(d);
	return 0;
}

static bool
is_over(int64_t since, int64_t now, int64_t own, int64_t given)
{
	int64_t most = given < own ? given : own;
	int64_t age = now - since;

	return age >= most || age < -most;
}

/* Whether the family has ended by itself. */
static int
check_age(const struct refresh_lease *l, const struct refresh_limits *limits, int64_t now,
    struct error *e)
{
	const struct refresh_record *r = &l->record;

	if (limits == NULL)
		limits = &r->limits;
	if (is_over(r->family.created, now, r->limits.lifetime, limits->lifetime))
		return refuse_family(e, l->name, "expired");
	if (is_over(r->used, now, r->limits.idle, limits->idle))
		return refuse_family(e, l->name, "not used for too long");
	return 0;
}

/*
 * Holds the family. Nobody waits: whoever has it may be this very process, at another request.
 * A record that was replaced since it was read was in use a moment ago.
 */
static int
hold(const struct refresh_lease *l, bool again, struct error *e)
{
	char confirmed = '0';
	int current;

	if (record_lock(l->fd, RECORD_USE) == 0 &&
	    (!again || record_lock(l->fd, RECORD_DELIVERY) == 0)) {
		/* Who was handing out the successor may have done so since this was read. */
		if (again && pread(l->fd, &confirmed, 1, REFRESH_CONFIRMED) != 1)
			return system_error(e, errno, "%s/%s", l->directory->path, l->name);
		current = record_is_current(l->directory, l->name, l->fd);
		if (current == -1)
			return system_error(e, errno, "%s/%s", l->directory->path, l->name);
		if (confirmed == '0' && current == 1)
			return 0;
	} else if (errno != EAGAIN) {
		return system_error(e, errno, "cannot lock %s/%s", l->directory->path, l->name);
	}
	return refuse_family(e, l->name, "in use at this moment");
}

static int
take(struct refresh_lease *l, const struct state *s, const char *token,
    const struct refresh_limits *limits, int64_t now, struct error *e)
{
	const struct refresh_record *r = &l->record;
	bool newest, again;

	if (find_family(l, s, token, e) == -1)
		return -1;
	newest = digest_equal(l->secret, r->current);
	again = !newest && !r->confirmed && digest_equal(l->secret, r->previous);
	if (!newest && !again) {
		if (end_family(l->directory, l->name, e) == -1)
			return -1;
		return refuse_family(
		    e, l->name, "an old one was used again: its family has ended");
	}
	return check_age(l, limits, now, e) == 0 ? hold(l, again, e) : -1;
}

int
refresh_take(struct refresh_lease **out, const struct state *s, const char *token,
    const struct refresh_limits *limits, int64_t now, struct error *e)
{
	struct refresh_lease *l = malloc(sizeof(*l));

	*out = NULL;
	if (l == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*l = (struct refresh_lease){.fd = -1, .rotated.fd = -1};
	if (take(l, s, token, limits, now, e) == -1) {
		refresh_release(l);
		return -1;
	}
	*out = l;
	return 0;
}

const struct refresh_family *
refresh_family(const struct refresh_lease *lease)
{
	return &lease->record.family;
}

/* Puts the successor's record in the place of the one that is held. */
static int
replace(struct refresh_lease *l, const struct refresh_record *next, struct error *e)
{
	struct record_draft *f = &l->rotated;

	if (make_draft(f, l->directory, next, e) == -1)
		return -1;
	l->due = refresh_record_due(next);
	/* Before it has its name: until it is confirmed nobody takes the old token again. */
	if (record_lock(f->fd, RECORD_DELIVERY) == 0 &&
	    record_replace(f, l->directory, l->name) == 0)
		return 0;
	if (errno == ENOENT)
		refuse_family(e, l->name, "its family was ended meanwhile");
	else
		record_refused(l->directory, e);
	record_draft_close(f, l->directory);
	return -1;
}

int
refresh_rotate(struct refresh_lease *lease, int64_t now, const struct entropy *entropy,
    char token[REFRESH_TOKEN], struct error *e)
{
	struct refresh_record next = lease->record;
	int rc = -1;

	next.confirmed = false;
	next.used = now;
	memcpy(next.previous, lease->secret, sizeof(next.previous));
	memcpy(token, lease->stem, sizeof(lease->stem));
	if (refresh_token_draw(token, sizeof(lease->stem), entropy, e) == 0 &&
	    refresh_token_secret(next.current, token, e) == 0)
		rc = replace(lease, &next, e);
	if (rc == -1)
		explicit_bzero(token, REFRESH_TOKEN);
	return rc;
}

void
refresh_confirm(struct refresh_lease *lease)
{
	/* Should it fail, the old token can be used once more, and whoever has the new one
	 * finds out. */
	if (lease->rotated.fd != -1)
		record_mark(lease->rotated.fd, REFRESH_CONFIRMED, '1', lease->due);
}

void
refresh_release(struct refresh_lease *lease)
{
	if (lease == NULL)
		return;
	if (lease->rotated.fd != -1)
		record_draft_close(&lease->rotated, lease->directory);
	record_close(lease->fd);
	explicit_bzero(lease, sizeof(*lease));
	free(lease);
}

int
refresh_end(const struct state *s, const char *token, struct error *e)
{
	struct refresh_lease l = {.fd = -1, .rotated.fd = -1};
	int rc = find_family(&l, s, token, e);

	if (rc == 0)
		rc = end_family(l.directory, l.name, e);
	else if (e->code == ERROR_GRANT) /* there is no such family */
		rc = 0;
	record_close(l.fd);
	explicit_bzero(&l, sizeof(l));
	return rc;
}
