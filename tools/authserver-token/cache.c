#define _DEFAULT_SOURCE /* flock */
#include "tools/authserver-token/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/file_write.h"
#include "base/parse.h"
#include "tools/authserver-token/private.h"

/*
 * The record of the last attempt is one write(2) of RECORD bytes: a line that says what came
 * of it, and a line with the digest of the request, of that line and of the token. Whoever
 * reads a record that is half another, or beside a token of another, reads none.
 *
 *   kept SERIAL
 *   failed SERIAL CODE TEXT
 */
enum { RECORD = 1024, SEALED = DIGEST_TEXT + RECORD + LIMIT_TOKEN };

static int
seal(char digest[DIGEST_TEXT], const struct cache *c, const char *line, size_t length,
    const struct buffer *token, struct error *e)
{
	struct buffer all;
	int rc;

	buffer_init(&all, SEALED);
	rc = buffer_printf(&all, "%s\n%.*s\n", c->key, (int)length, line);
	if (rc == 0 && token != NULL && token->length > 0)
		rc = buffer_append(&all, token->data, token->length);
	rc = rc == 0 ? digest_text(digest, all.data, all.length, e)
		     : error_set(e, ERROR_UNAVAILABLE, "out of memory");
	buffer_free(&all);
	return rc;
}

int
cache_open(struct cache *c, const char *path, const char key[DIGEST_TEXT], struct error *e)
{
	char folder[LIMIT_PATH], lock[LIMIT_FILE_NAME];
	const char *slash = strrchr(path, '/');
	size_t name = slash != NULL ? (size_t)(slash + 1 - path) : 0;

	*c = (struct cache){.folder = -1, .lock = -1};
	if (strlen(path) >= sizeof(c->path) || path[name] == '\0' ||
	    snprintf(lock, sizeof(lock), ".%s.lock", path + name) >= (int)sizeof(lock))
		return error_set(e, ERROR_CONFIG, "%.256s: not the path of a file", path);
	memcpy(c->path, path, strlen(path) + 1);
	memcpy(c->key, key, sizeof(c->key));
	c->name = c->path + name;
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)name, path);
	if (name == 0)
		memcpy(folder, ".", sizeof("."));
	c->folder = private_folder(folder, e);
	if (c->folder != -1)
		c->lock = private_open(c->folder, lock, O_RDWR | O_CREAT, lock, e);
	if (c->lock != -1)
		return 0;
	cache_close(c);
	return -1;
}

void
cache_close(struct cache *c)
{
	if (c->lock != -1)
		close(c->lock);
	if (c->folder != -1)
		close(c->folder);
	c->lock = c->folder = -1;
}

/* Reads the token that is there, whosever. ERROR_CONFIG; a file of something else is none. */
static int
read_token(const struct cache *c, struct buffer *token, struct error *e)
{
	struct error why;
	int fd = private_open(c->folder, c->name, O_RDONLY, c->path, &why);

	if (fd == -1 && why.code == ERROR_CONFIG) {
		*e = why;
		return -1;
	}
	if (fd != -1) {
		if (file_read_open(fd, c->path, token, &why) == -1)
			buffer_free(token);
		close(fd);
	}
	return 0;
}

/* Whether the record is a whole one that says "WORD SERIAL": *rest is what it says then. */
static bool
read_serial(struct found *f, const char *line, const char *word, const char **rest)
{
	const size_t digits = CACHE_SERIAL - 1;
	size_t length = strlen(word);

	if (strncmp(line, word, length) != 0 || line[length] != ' ' ||
	    strspn(line + length + 1, "0123456789abcdef") != digits)
		return false;
	memcpy(f->serial, line + length + 1, digits);
	*rest = line + length + 1 + digits;
	return true;
}

/* " CODE TEXT" */
static bool
read_failure(struct error *failure, const char *text, const char *end)
{
	const char *blank =
	    *text == ' ' ? memchr(text + 1, ' ', (size_t)(end - text - 1)) : NULL;
	uint64_t code;

	if (blank == NULL || parse_number(text + 1, (size_t)(blank - text - 1),
				 ERROR_NO_PERMISSION, &code) == -1)
		return false;
	error_set(failure, (enum error_code)code, "%.*s", (int)(end - blank - 1), blank + 1);
	return true;
}

int
cache_look(const struct cache *c, struct found *f, struct error *e)
{
	char record[RECORD + 1], digest[DIGEST_TEXT];
	const char *end, *rest = record;
	struct error none;
	ssize_t n;
	bool kept;

	*f = (struct found){0};
	buffer_init(&f->token, LIMIT_TOKEN);
	/* The record first: when it is there, so is the token that it is about. */
	n = pread(c->lock, record, RECORD, 0);
	record[n > 0 ? n : 0] = '\0';
	if (read_token(c, &f->token, e) == -1)
		return -1;
	end = strchr(record, '\n');
	kept = read_serial(f, record, "kept", &rest);
	if (end == NULL || (!kept && !read_serial(f, record, "failed", &rest)))
		return 0;
	if (seal(digest, c, record, (size_t)(end - record), kept ? &f->token : NULL, &none) ==
		-1 ||
	    strncmp(end + 1, digest, strlen(digest)) != 0)
		return 0;
	if (!kept)
		f->what = read_failure(&f->failure, rest, end) ? FOUND_FAILURE : FOUND_NOTHING;
	else if (f->token.length > 0 &&
		 life_read(&f->life, f->token.data, f->token.length, &none) == 0)
		f->what = FOUND_TOKEN;
	return 0;
}

void
cache_forget(struct found *f)
{
	buffer_free(&f->token);
	*f = (struct found){0};
}

int
cache_lock(const struct cache *c, struct error *e)
{
	if (flock(c->lock, LOCK_EX | LOCK_NB) == 0)
		return 1;
	if (errno == EWOULDBLOCK || errno == EINTR)
		return 0;
	return error_set(
	    e, ERROR_UNAVAILABLE, "%s: cannot be locked: %s", c->path, strerror(errno));
}

static int
write_record(
    const struct cache *c, const char *line, const struct buffer *token, struct error *e)
{
	char record[RECORD] = {0}, digest[DIGEST_TEXT];
	ssize_t n;

	if (seal(digest, c, line, strlen(line), token, e) == -1)
		return -1;
	(void)snprintf(record, sizeof(record), "%s\n%s\n", line, digest);
	do
		n = pwrite(c->lock, record, sizeof(record), 0);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(record))
		return error_set(e, ERROR_UNAVAILABLE, "%s: the record of it: %s", c->path,
		    n == -1 ? strerror(errno) : "no room");
	return 0;
}

static int
draw_serial(uint64_t *serial, struct error *e)
{
	if (entropy_fill(&entropy_system, serial, sizeof(*serial)) == -1)
		return error_set(e, ERROR_UNAVAILABLE, "no randomness: %s", strerror(errno));
	return 0;
}

int
cache_keep(const struct cache *c, const struct buffer *token, struct error *e)
{
	const struct file_form form = {.mode = 0600, .group = (gid_t)-1, .replace = true};
	char line[RECORD / 2];
	uint64_t serial;

	if (draw_serial(&serial, e) == -1 ||
	    file_write(c->path, token->data, token->length, &form, e) == -1)
		return -1;
	(void)snprintf(line, sizeof(line), "kept %016" PRIx64, serial);
	return write_record(c, line, token, e);
}

int
cache_keep_failure(const struct cache *c, const struct error *failure, struct error *e)
{
	char line[LIMIT_ERROR_TEXT + 64];
	uint64_t serial;

	if (draw_serial(&serial, e) == -1)
		return -1;
	(void)snprintf(line, sizeof(line), "failed %016" PRIx64 " %d %s", serial,
	    (int)failure->code, failure->text);
	return write_record(c, line, NULL, e);
}
