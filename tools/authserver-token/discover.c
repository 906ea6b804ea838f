#include "tools/authserver-token/discover.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/account.h"
#include "base/file.h"
#include "tools/authserver-token/life.h"
#include "tools/authserver-token/private.h"

/* Takes the token if it is one that will do, and of the subject, if that is told. */
static int
take(struct buffer *token, const char *text, const char *subject, const struct discovery *d)
{
	static const char blanks[] = " \t\r\n\v\f";
	struct life life;
	struct error why;
	size_t length;

	if (text == NULL)
		return 0;
	text += strspn(text, blanks);
	length = strcspn(text, blanks);
	if (text[length + strspn(text + length, blanks)] != '\0')
		return 0;
	if (life_read(&life, text, length, &why) == -1 ||
	    !life_enough(&life, d->now, d->min_life) ||
	    (subject != NULL && strcmp(life.subject, subject) != 0))
		return 0;
	return buffer_append(token, text, length) == 0 ? 1 : 0;
}

static int
take_named(struct buffer *token, const struct discovery *d)
{
	const char *path = d->get("BEARER_TOKEN_FILE");
	struct buffer text;
	struct error why;
	int found = 0;

	if (path == NULL || *path == '\0')
		return 0;
	buffer_init(&text, LIMIT_TOKEN);
	if (file_read(path, &text, NULL, &why) == 0)
		found = take(token, text.data, NULL, d);
	buffer_free(&text);
	return found;
}

static int
take_usual(struct buffer *token, const struct discovery *d)
{
	const char *folder = d->get("XDG_RUNTIME_DIR");
	char account[LIMIT_PRINCIPAL], path[LIMIT_PATH];
	struct buffer text;
	struct error why;
	int found = 0;
	int fd;

	if (folder == NULL || *folder != '/')
		folder = "/tmp";
	if (snprintf(path, sizeof(path), "%s/bt_u%u", folder, (unsigned int)geteuid()) >=
		(int)sizeof(path) ||
	    account_name(geteuid(), account, sizeof(account), &why) == -1)
		return 0;
	fd = private_open(AT_FDCWD, path, O_RDONLY, path, &why);
	if (fd == -1)
		return 0;
	buffer_init(&text, LIMIT_TOKEN);
	if (file_read_open(fd, path, &text, &why) == 0)
		found = take(token, text.data, account, d);
	buffer_free(&text);
	close(fd);
	return found;
}

int
discover_token(struct buffer *token, const struct discovery *d)
{
	if (d->rank > RANK_FILE)
		return 0;
	if (take(token, d->get("BEARER_TOKEN"), NULL, d) == 1 || take_named(token, d) == 1)
		return 1;
	return d->rank == RANK_NONE ? take_usual(token, d) : 0;
}
