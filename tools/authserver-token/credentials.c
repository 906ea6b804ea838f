#include "tools/authserver-token/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { IDENTITY = LIMIT_PATH, PASSWORD = LIMIT_PASSPHRASE };

static int
too_open(const char *path, mode_t mode, struct error *e)
{
	return error_set(e, ERROR_CONFIG,
	    "%s: others may read it (mode %04o): chmod 0600 it, and change the password", path,
	    (unsigned int)(mode & 07777));
}

static int
no_room(struct error *e)
{
	return error_set(e, ERROR_UNAVAILABLE, "a name is too long, or memory is short");
}

/* The first line of the file. */
static int
read_password(struct credentials *c, const struct request *r, struct error *e)
{
	const char *path = r->password_file;
	size_t length;
	mode_t mode;

	c->kind = CREDENTIALS_PASSWORD;
	if (file_read_trusted(path, &c->password, &mode, e) == -1)
		return -1;
	if ((mode & 077) != 0)
		return too_open(path, mode, e);
	length = c->password.data != NULL ? strcspn(c->password.data, "\r\n") : 0;
	if (length == 0)
		return error_set(e, ERROR_CONFIG, "%s: the first line is empty", path);
	c->password.data[length] = '\0';
	return buffer_printf(&c->identity, "password %s", r->user) == 0 ? 0 : no_room(e);
}

/* What is in it is libcurl's to read. Another user in it makes another file of it. */
static int
open_netrc(struct credentials *c, const char *path, struct error *e)
{
	struct stat st;

	c->kind = CREDENTIALS_NETRC;
	c->netrc = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (c->netrc == -1 || fstat(c->netrc, &st) == -1)
		return error_set(e, ERROR_NO_INPUT, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(e, ERROR_CONFIG, "%s: not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_set(e, ERROR_CONFIG, "%s: belongs to uid %u: chown it", path,
		    (unsigned int)st.st_uid);
	if ((st.st_mode & 077) != 0)
		return too_open(path, st.st_mode, e);
	if (buffer_printf(&c->identity, "netrc %llu %llu %lld.%09ld %lld.%09ld",
		(unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
		(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
		st.st_ctim.tv_nsec) == -1)
		return no_room(e);
	return 0;
}

/* Whether there is a .netrc at home, of which nobody said that it should be there. */
static bool
has_netrc(char path[LIMIT_PATH], const char *home)
{
	struct stat st;

	return home != NULL && *home == '/' &&
	       snprintf(path, LIMIT_PATH, "%s/.netrc", home) < LIMIT_PATH &&
	       stat(path, &st) == 0;
}

static int
choose(struct credentials *c, const struct request *r, const char *home, struct error *e)
{
	char path[LIMIT_PATH];

	if (r->url == NULL)
		return buffer_printf(&c->identity, "uid %u", (unsigned int)geteuid()) == 0
			   ? 0
			   : no_room(e);
	if (r->negotiate) {
		c->kind = CREDENTIALS_TICKET;
		return buffer_printf(&c->identity, "ticket ") == 0
			   ? principal_append(&c->identity, e)
			   : no_room(e);
	}
	if (r->password_file != NULL)
		return read_password(c, r, e);
	if (r->user != NULL)
		return error_set(
		    e, ERROR_CONFIG, "user %s without a password: give password-file", r->user);
	if (r->netrc_file != NULL || has_netrc(path, home))
		return open_netrc(c, r->netrc_file != NULL ? r->netrc_file : path, e);
	return buffer_append(&c->identity, "nobody", 6) == 0 ? 0 : no_room(e);
}

int
credentials_open(
    struct credentials *c, const struct request *r, const char *home, struct error *e)
{
	*c = (struct credentials){.netrc = -1};
	buffer_init(&c->password, PASSWORD);
	buffer_init(&c->identity, IDENTITY);
	if (choose(c, r, home, e) == 0)
		return 0;
	credentials_close(c);
	return -1;
}

void
credentials_close(struct credentials *c)
{
	buffer_free(&c->password);
	buffer_free(&c->identity);
	if (c->netrc != -1)
		close(c->netrc);
	c->netrc = -1;
}
