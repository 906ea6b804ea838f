#define _GNU_SOURCE /* F_OFD_SETLKW */
#include "store/tries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "jose/digest.h"
#include "store/record.h"
#include "store/system_error.h"

#define FILE_NAME "tries"

/*
 * A slot: 20 bits of the user's hash and 44 of a time in milliseconds since 1970. It is one
 * number, so that a process that dies while it writes leaves the old or the new one.
 */
enum {
	WAYS = 8,
	SETS = 2048,
	TAG_BITS = 20,
	TIME_BITS = 44,
	SEED = 32,
	HEAD = 64,
	SET_BYTES = WAYS * sizeof(uint64_t),
	FILE_BYTES = HEAD + SETS * SET_BYTES,
	MILLISECONDS = 1000,
};

#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

static const char magic[] = "authserver tries 1\n";

struct tries {
	int fd;
	unsigned char seed[SEED];
};

/* Where a user is counted. */
struct place {
	off_t at; /* of the set */
	uint64_t tag;
};

static int
make_file(const struct directory *d, const struct entropy *entropy, struct error *e)
{
	char *bytes = calloc(1, FILE_BYTES);
	struct record_draft f;
	int rc = -1;

	if (bytes == NULL)
		return system_error(e, ENOMEM, "cannot create %s/" FILE_NAME, d->path);
	memcpy(bytes, magic, sizeof(magic));
	if (entropy_fill(entropy, bytes + HEAD - SEED, SEED) == -1)
		system_error(e, errno, "no random bytes");
	else
		rc = record_draft(&f, d, bytes, FILE_BYTES, 0, e);
	free(bytes);
	if (rc == -1)
		return -1;
	if (record_name(&f, d, FILE_NAME) == -1 && errno != EEXIST)
		rc = record_refused(d, e);
	record_draft_close(&f, d);
	return rc;
}

/* Opens what is there. 1; 0 when there is none; -1. */
static int
open_file(struct tries *t, const struct directory *d, struct error *e)
{
	struct buffer bytes;
	const char *wrong;
	int rc = 1;

	buffer_init(&bytes, FILE_BYTES);
	t->fd = record_open(d, FILE_NAME, O_RDWR, &bytes, &wrong);
	if (t->fd == -1 && wrong == NULL) {
		rc = errno == ENOENT ? 0 : system_error(e, errno, "%s/" FILE_NAME, d->path);
		goto out;
	}
	if (wrong == NULL &&
	    (bytes.length != FILE_BYTES || memcmp(bytes.data, magic, sizeof(magic)) != 0))
		wrong = "damaged";
	if (wrong != NULL)
		rc = error_set(
		    e, ERROR_CONFIG, "%s/" FILE_NAME ": %s: remove it", d->path, wrong);
	else
		memcpy(t->seed, bytes.data + HEAD - SEED, SEED);
out:
	buffer_free(&bytes);
	return rc;
}

int
tries_open(
    struct tries **out, const struct state *s, const struct entropy *entropy, struct error *e)
{
	const struct directory *d = state_directory(s);
	struct tries *t = malloc(sizeof(*t));
	int rc;

	*out = NULL;
	if (t == NULL)
		return system_error(e, ENOMEM, "%s/" FILE_NAME, d->path);
	*t = (struct tries){.fd = -1};
	rc = open_file(t, d, e);
	if (rc == 0)
		rc = make_file(d, entropy, e) == 0 ? open_file(t, d, e) : -1;
	if (rc == 0)
		error_set(
		    e, ERROR_UNAVAILABLE, "%s/" FILE_NAME ": goes away: try again", d->path);
	if (rc != 1) {
		tries_close(t);
		return -1;
	}
	*out = t;
	return 0;
}

void
tries_close(struct tries *t)
{
	if (t == NULL)
		return;
	if (t->fd != -1)
		close(t->fd);
	free(t);
}

static int
find_place(struct place *p, const struct tries *t, const char *user, struct error *e)
{
	char digest[DIGEST_TEXT];
	struct buffer key;
	uint64_t hash = 0;
	int rc = -1;

	buffer_init(&key, SEED + LIMIT_PRINCIPAL);
	if (buffer_append(&key, t->seed, SEED) == -1 ||
	    buffer_append(&key, user, strlen(user)) == -1)
		error_set(
		    e, ERROR_UNAVAILABLE, "the user's name is too long, or out of memory");
	else
		rc = digest_text(digest, key.data, key.length, e);
	buffer_free(&key);
	if (rc == -1)
		return -1;
	/* Of 43 letters with six bits each. */
	for (size_t i = 0; i < DIGEST_TEXT - 1; i++)
		hash = hash * 131 + (unsigned char)digest[i];
	p->at = HEAD + (off_t)(hash % SETS) * (off_t)SET_BYTES;
	p->tag = hash / SETS & ((1U << TAG_BITS) - 1);
	return 0;
}

/* Others wait while a set is changed: two system calls. */
static int
lock_set(const struct tries *t, const struct place *p, short type)
{
	struct flock lock = {
	    .l_type = type, .l_whence = SEEK_SET, .l_start = p->at, .l_len = SET_BYTES};
	int rc;

	do
		rc = fcntl(t->fd, F_OFD_SETLKW, &lock);
	while (rc == -1 && errno == EINTR);
	return rc;
}

static int
read_set(const struct tries *t, const struct place *p, uint64_t slots[WAYS])
{
	ssize_t n = pread(t->fd, slots, SET_BYTES, p->at);

	if (n == -1)
		return -1;
	errno = EIO; /* should it be short */
	return n == SET_BYTES ? 0 : -1;
}

static int
write_slot(const struct tries *t, const struct place *p, size_t i, uint64_t slot)
{
	ssize_t n = pwrite(t->fd, &slot, sizeof(slot), p->at + (off_t)(i * sizeof(slot)));

	if (n == -1)
		return -1;
	errno = EIO;
	return n == sizeof(slot) ? 0 : -1;
}

/* The user's slot, or the one of whoever is forgotten first. */
static size_t
choose_slot(const uint64_t slots[WAYS], uint64_t tag)
{
	size_t chosen = 0;

	for (size_t i = 0; i < WAYS; i++) {
		if (slots[i] >> TIME_BITS == tag && slots[i] != 0)
			return i;
		if ((slots[i] & TIME_MASK) < (slots[chosen] & TIME_MASK))
			chosen = i;
	}
	return chosen;
}

/* What one try costs of the window, in milliseconds. */
static uint64_t
share_of(const struct tries_limits *l)
{
	uint64_t window = (uint64_t)l->window * MILLISECONDS;

	return window / l->most > 0 ? window / l->most : 1;
}

/* Counts a try in the set; 0 and *wait, in milliseconds, 0: admitted. -1 and errno. */
static int
count_in_set(const struct tries *t, const struct place *p, const struct tries_limits *l,
    uint64_t now, uint64_t *wait)
{
	uint64_t window = (uint64_t)l->window * MILLISECONDS;
	uint64_t share = share_of(l);
	uint64_t slots[WAYS];
	uint64_t until = now;
	size_t i;

	if (read_set(t, p, slots) == -1)
		return -1;
	i = choose_slot(slots, p->tag);
	if (slots[i] >> TIME_BITS == p->tag && (slots[i] & TIME_MASK) > now)
		until = slots[i] & TIME_MASK;
	/* From before the clock was set back, or by another configuration: as much as can be.
	 */
	if (until > now + window)
		until = now + window;
	*wait = until + share > now + window ? until + share - now - window : 0;
	if (*wait == 0)
		until += share;
	return write_slot(t, p, i, p->tag << TIME_BITS | (until & TIME_MASK));
}

int
tries_admit(struct tries *t, const char *user, const struct tries_limits *limits, int64_t now,
    int64_t *wait, struct error *e)
{
	uint64_t milliseconds = 0;
	struct place p;
	int rc;

	*wait = 0;
	if (now < 0 || find_place(&p, t, user, e) == -1)
		return now < 0 ? error_set(e, ERROR_UNAVAILABLE, "the clock is not set") : -1;
	rc = lock_set(t, &p, F_WRLCK);
	if (rc == 0) {
		rc = count_in_set(t, &p, limits, (uint64_t)now * MILLISECONDS, &milliseconds);
		if (rc == -1)
			system_error(e, errno, "tries of passwords");
		(void)lock_set(t, &p, F_UNLCK);
	} else {
		system_error(e, errno, "tries of passwords");
	}
	if (rc == -1 || milliseconds == 0)
		return rc;
	*wait = (int64_t)((milliseconds + MILLISECONDS - 1) / MILLISECONDS);
	return error_set(e, ERROR_LIMITED, "too many passwords were tried: wait %lld seconds",
	    (long long)*wait);
}

void
tries_forgive(struct tries *t, const char *user)
{
	uint64_t slots[WAYS];
	struct place p;
	struct error e;

	if (find_place(&p, t, user, &e) == -1 || lock_set(t, &p, F_WRLCK) == -1)
		return;
	for (size_t i = 0; read_set(t, &p, slots) == 0 && i < WAYS; i++)
		if (slots[i] != 0 && slots[i] >> TIME_BITS == p.tag)
			(void)write_slot(t, &p, i, 0);
	(void)lock_set(t, &p, F_UNLCK);
}

void
tries_return(struct tries *t, const char *user, const struct tries_limits *limits)
{
	uint64_t share = share_of(limits);
	uint64_t slots[WAYS];
	struct place p;
	struct error e;

	if (find_place(&p, t, user, &e) == -1 || lock_set(t, &p, F_WRLCK) == -1)
		return;
	for (size_t i = 0; read_set(t, &p, slots) == 0 && i < WAYS; i++) {
		uint64_t until = slots[i] & TIME_MASK;

		if (slots[i] != 0 && slots[i] >> TIME_BITS == p.tag && until > share)
			(void)write_slot(t, &p, i, p.tag << TIME_BITS | (until - share));
	}
	(void)lock_set(t, &p, F_UNLCK);
}
