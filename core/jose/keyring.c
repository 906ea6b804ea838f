#define _DEFAULT_SOURCE /* timegm */
#include "jose/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"

struct keyring {
	int64_t longest;
	size_t count;
	struct period *periods; /* in the order of activation, as are the two below */
	struct key **keys;
	char **files;
	bool failed; /* what was told keeps it from being opened */
};

static int
grow(struct keyring *r, struct error *e)
{
	size_t count = r->count + 1;
	struct period *periods = realloc(r->periods, count * sizeof(*periods));
	struct key **keys = NULL;
	char **files = NULL;

	if (periods != NULL) {
		r->periods = periods;
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
		keys = realloc(r->keys, count * sizeof(*keys));
	}
	if (keys != NULL) {
		r->keys = keys;
		files = realloc(r->files, count * sizeof(*files));
	}
	if (files == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	r->files = files;
	return 0;
}

/* By time, then by name: a directory's own order differs from node to node. */
static bool
goes_before(int64_t from, const char *file, int64_t other, const char *other_file)
{
	return from < other || (from == other && strcmp(file, other_file) < 0);
}

/* Puts the key at its place in the order; it is r's then, or freed on failure. */
static int
add(struct keyring *r, struct key *k, const char *file, int64_t from, struct error *e)
{
	struct period period = {.from = from, .algorithm = key_algorithm(k)};
	size_t at = r->count;
	char *copy = NULL;

	for (size_t i = 0; i < r->count; i++) {
		if (r->periods[i].from != from || r->periods[i].algorithm != period.algorithm)
			continue;
		error_set(e, ERROR_CONFIG, "%s and %s: two %s keys with one activation time",
		    r->files[i], file, period.algorithm->name);
		goto fail;
	}
	if (r->count == LIMIT_KEYS) {
		error_set(e, ERROR_CONFIG, "more than %d keys: prune those that have expired",
		    LIMIT_KEYS);
		goto fail;
	}
	if (grow(r, e) == -1)
		goto fail;
	copy = strdup(file);
	if (copy == NULL) {
		error_set(e, ERROR_INTERNAL, "out of memory");
		goto fail;
	}
	for (; at > 0 && goes_before(from, file, r->periods[at - 1].from, r->files[at - 1]);
	     at--) {
		r->periods[at] = r->periods[at - 1];
		r->keys[at] = r->keys[at - 1];
		r->files[at] = r->files[at - 1];
	}
	r->periods[at] = period;
	r->keys[at] = k;
	r->files[at] = copy;
	r->count++;
	return 0;
fail:
	key_free(k);
	return -1;
}

/* The two digits at text, or -1. */
static int
two_digits(const char *text)
{
	uint64_t n;

	return parse_number(text, 2, 99, &n) == 0 ? (int)n : -1;
}

/* "20261122T000000Z", and only what a clock can show. */
static int
parse_time(const char *text, int64_t *time)
{
	struct tm tm = {0}, same;
	int century = two_digits(text), year = two_digits(text + 2);
	time_t seconds;

	tm.tm_year = century * 100 + year - 1900;
	tm.tm_mon = two_digits(text + 4) - 1;
	tm.tm_mday = two_digits(text + 6);
	tm.tm_hour = two_digits(text + 9);
	tm.tm_min = two_digits(text + 11);
	tm.tm_sec = two_digits(text + 13);
	if (century < 19 || year < 0 || text[8] != 'T' || text[15] != 'Z')
		return -1;
	same = tm;
	seconds = timegm(&same);
	/* timegm() makes March 2 of February 30. */
	if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday ||
	    same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min ||
	    same.tm_sec != tm.tm_sec || seconds < 0)
		return -1;
	*time = seconds;
	return 0;
}

int
keyring_parse_name(const char *name, int64_t *from, const struct algorithm **algorithm)
{
	enum { TIME = 16, SUFFIX = 4 };
	char text[16];
	size_t length = strlen(name);
	size_t between;

	*algorithm = NULL;
	if (length < TIME + SUFFIX || strcmp(name + length - SUFFIX, ".pem") != 0)
		return -1;
	if (parse_time(name, from) == -1)
		return -1;
	between = length - TIME - SUFFIX; /* ".ES256" or nothing */
	if (between == 0)
		return 0;
	if (name[TIME] != '.' || between < 2 || between > sizeof(text))
		return -1;
	memcpy(text, name + TIME + 1, between - 1);
	text[between - 1] = '\0';
	*algorithm = algorithm_find(text);
	return *algorithm == NULL ? -1 : 0;
}

void
keyring_format_name(char *name, int64_t from, const struct algorithm *algorithm)
{
	time_t seconds = (time_t)from;
	struct tm tm = {0};
	char time[32];

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(time, sizeof(time), "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(name, LIMIT_FILE_NAME, "%s.%s.pem", time, algorithm->name);
}

static int
check_owner(const struct stat *st, const char *path, struct error *e)
{
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "%s: belongs to uid %u, which could change it: chown it to root", path,
	    (unsigned int)st->st_uid);
}

/* A link is as much its owner's as a file is; in a sticky directory others can make some. */
static int
check_link(const char *path, struct error *e)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return error_set(e, ERROR_NO_INPUT, "%s: %s", path, strerror(errno));
	return check_owner(&st, path, e);
}

static int
add_file(struct keyring *r, const struct keyring_source *s, const char *name, struct error *e)
{
	const struct algorithm *said;
	char path[LIMIT_PATH];
	struct key_source source = {
	    .path = path, .passphrase_file = s->passphrase_file, .trusted = true};
	struct key *k;
	int64_t from;

	if (snprintf(path, sizeof(path), "%s/%s", s->path, name) >= (int)sizeof(path))
		return error_set(e, ERROR_CONFIG, "%s: the path is too long", s->path);
	if (keyring_parse_name(name, &from, &said) == -1)
		return error_set(e, ERROR_CONFIG,
		    "%s: the name of a key is its activation time in UTC, such as "
		    "20261122T000000Z.pem or 20261122T000000Z.ES256.pem",
		    path);
	source.algorithm = said != NULL ? said->name : s->algorithm;
	source.or_own = said == NULL;
	if (check_link(path, e) == -1 || key_load(&k, &source, e) == -1)
		return -1;
	if (add(r, k, name, from, e) == -1)
		return error_prefix(e, "%s", s->path);
	return 0;
}

static bool
is_key_name(const char *name)
{
	size_t length = strlen(name);

	return *name != '.' && length > 4 && strcmp(name + length - 4, ".pem") == 0;
}

/* Whoever can write the directory chooses the keys, and its owner always can. Others cannot
 * where it is sticky, since the files' owners are looked at. */
static int
check_directory(DIR *directory, const char *path, struct error *e)
{
	struct stat st;

	if (fstat(dirfd(directory), &st) == -1)
		return error_set(e, ERROR_NO_INPUT, "%s: %s", path, strerror(errno));
	if (check_owner(&st, path, e) == -1)
		return -1;
	if ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)
		return error_set(e, ERROR_CONFIG,
		    "%s: others may write it (mode %04o): chmod go-w it", path,
		    (unsigned int)(st.st_mode & 07777));
	return 0;
}

static int
add_directory(struct keyring *r, const struct keyring_source *s, struct error *e)
{
	DIR *directory = opendir(s->path);
	struct dirent *entry;
	int rc;

	if (directory == NULL)
		return error_set(e, ERROR_NO_INPUT, "%s: %s", s->path, strerror(errno));
	rc = check_directory(directory, s->path, e);
	while (rc == 0 && (entry = readdir(directory)) != NULL) {
		if (is_key_name(entry->d_name))
			rc = add_file(r, s, entry->d_name, e);
		if (rc == -1 && s->tell != NULL) {
			s->tell(s->context, e);
			r->failed = true;
			rc = 0;
		}
	}
	closedir(directory);
	if (rc == 0 && r->count == 0 && !s->may_be_empty && !r->failed)
		return error_set(e, ERROR_CONFIG,
		    "%s: no key in it: its files are called 20261122T000000Z.pem after their "
		    "activation time in UTC",
		    s->path);
	return rc;
}

static int
add_single(struct keyring *r, const struct keyring_source *s, struct error *e)
{
	struct key_source source = {
	    .path = s->path, .passphrase_file = s->passphrase_file, .algorithm = s->algorithm};
	struct key *k;

	return key_load(&k, &source, e) == -1 ? -1 : add(r, k, s->path, 0, e);
}

int
keyring_open(struct keyring **out, const struct keyring_source *source, struct error *e)
{
	struct keyring *r = calloc(1, sizeof(*r));
	struct stat st;
	bool directory;
	int rc;

	*out = NULL;
	if (r == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	r->longest = source->longest;
	directory =
	    !key_is_uri(source->path) && stat(source->path, &st) == 0 && S_ISDIR(st.st_mode);
	rc = directory ? add_directory(r, source, e) : add_single(r, source, e);
	if (rc == -1 && source->tell != NULL)
		source->tell(source->context, e);
	if (rc == -1 || r->failed) {
		keyring_free(r);
		return -1;
	}
	*out = r;
	return 0;
}

void
keyring_free(struct keyring *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++) {
		key_free(r->keys[i]);
		free(r->files[i]);
	}
	free(r->periods);
	free(r->keys);
	free(r->files);
	free(r);
}

int
keyring_test(const struct keyring *r, struct error *e)
{
	struct buffer json;
	int64_t fresh;
	int rc;

	for (size_t i = 0; i < r->count; i++)
		if (key_test(r->keys[i], e) == -1)
			return error_prefix(e, "%s", r->files[i]);
	/* At a time when none has expired. */
	buffer_init(&json, LIMIT_JWK_SET - 1);
	rc = keyring_publish(r, 0, &json, &fresh, e);
	buffer_free(&json);
	return rc == 0 ? 0
		       : error_set(e, ERROR_CONFIG,
			     "the public keys take more than %d bytes: prune those that have "
			     "expired",
			     LIMIT_JWK_SET - 1);
}

const struct key *
keyring_pick(const struct keyring *r, const struct algorithm *algorithm, int64_t now,
    int64_t expires, struct error *e)
{
	int i = timeline_active(r->periods, r->count, algorithm, now);

	if (i == -1) {
		error_set(e, ERROR_UNAVAILABLE, "no key signs with %s now", algorithm->name);
		return NULL;
	}
	if (timeline_end(r->periods, r->count, (size_t)i, r->longest) < expires) {
		error_set(e, ERROR_UNAVAILABLE,
		    "%s: the key will be pruned before the token ends", r->files[i]);
		return NULL;
	}
	return r->keys[i];
}

size_t
keyring_count(const struct keyring *r)
{
	return r->count;
}

struct keyring_entry
keyring_get(const struct keyring *r, size_t i, int64_t now)
{
	return (struct keyring_entry){
	    .key = r->keys[i],
	    .file = r->files[i],
	    .from = r->periods[i].from,
	    .end = timeline_end(r->periods, r->count, i, r->longest),
	    .state = timeline_state(r->periods, r->count, i, now, r->longest),
	};
}

int
keyring_publish(
    const struct keyring *r, int64_t now, struct buffer *json, int64_t *fresh, struct error *e)
{
	int64_t change = timeline_change(r->periods, r->count, now, r->longest);
	const char *comma = "";

	*fresh = change - now < KEYRING_FRESH ? change - now : KEYRING_FRESH;
	if (buffer_printf(json, "{\"keys\":[") == -1)
		goto fail;
	for (size_t i = 0; i < r->count; i++) {
		if (keyring_get(r, i, now).state == KEY_STATE_EXPIRED)
			continue;
		if (buffer_printf(json, "%s", comma) == -1)
			goto fail;
		if (key_jwk(r->keys[i], json, e) == -1)
			return -1;
		comma = ",";
	}
	if (buffer_printf(json, "]}") == 0)
		return 0;
fail:
	return error_set(e, ERROR_UNAVAILABLE, "the keys do not fit into an answer");
}
