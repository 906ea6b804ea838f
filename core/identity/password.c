#include "identity/password.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool
is_user(const char *user)
{
	return *user != '\0' && strlen(user) < LIMIT_PRINCIPAL && text_clean(user) &&
	       strchr(user, '/') == NULL && strcmp(user, ".") != 0 && strcmp(user, "..") != 0;
}

bool
password_is_askable(const struct password_question *q)
{
	return is_user(q->user) &&
	       (q->password == NULL ||
		   (*q->password != '\0' && strlen(q->password) < LIMIT_PASSWORD));
}

size_t
password_pack(char text[PASSWORD_TEXT], const struct password_question *q)
{
	size_t user = strlen(q->user) + 1;
	size_t password = q->password != NULL ? strlen(q->password) + 1 : 0;

	memcpy(text, q->user, user);
	if (password > 0)
		memcpy(text + user, q->password, password);
	return user + password;
}

int
password_unpack(struct password_question *q, const char *text, size_t size)
{
	const char *end = memchr(text, '\0', size);
	size_t left;

	*q = (struct password_question){.user = text};
	if (end == NULL)
		return -1;
	left = size - (size_t)(end + 1 - text);
	/* The first NUL is that of the name, and the second one, at the very end, that of the
	 * password: a password with another in it is none. */
	if (left > 0) {
		q->password = end + 1;
		if (memchr(q->password, '\0', left) != q->password + left - 1)
			return -1;
	}
	return password_is_askable(q) ? 0 : -1;
}

#define RIGHT "right"
#define WRONG "wrong"
#define UNSURE "cannot say"

int
password_answer_write(char text[PASSWORD_ANSWER], int rc, const struct error *e)
{
	bool wrong = e->code == ERROR_DENIED;

	if (rc == 0) {
		(void)snprintf(text, PASSWORD_ANSWER, RIGHT "\n");
		return PASSWORD_EXIT_RIGHT;
	}
	(void)snprintf(text, PASSWORD_ANSWER, "%s: %s\n", wrong ? WRONG : UNSURE, e->text);
	return wrong ? PASSWORD_EXIT_WRONG : PASSWORD_EXIT_UNSURE;
}

/* What stands behind the word on the line; NULL when it is another word, or no line. */
static const char *
find_reason(const char *line, const char *word)
{
	size_t length = strlen(word);

	return strncmp(line, word, length) == 0 && strncmp(line + length, ": ", 2) == 0
		   ? line + length + 2
		   : NULL;
}

int
password_answer_read(const char *text, size_t size, int status, struct error *e)
{
	char line[PASSWORD_ANSWER];
	const char *why;

	if (size == 0 || size > sizeof(line) || text[size - 1] != '\n' ||
	    memchr(text, '\0', size) != NULL)
		return error_set(e, ERROR_UNAVAILABLE,
		    PASSWORD_PROGRAM " said nothing, and exited with status %d", status);
	memcpy(line, text, size - 1);
	line[size - 1] = '\0';
	if (status == PASSWORD_EXIT_RIGHT && strcmp(line, RIGHT) == 0)
		return 0;
	why = find_reason(line, WRONG);
	if (status == PASSWORD_EXIT_WRONG && why != NULL)
		return error_set(e, ERROR_DENIED, "%s", why);
	why = find_reason(line, UNSURE);
	if (status == PASSWORD_EXIT_UNSURE && why != NULL)
		return error_set(e, ERROR_UNAVAILABLE, "%s", why);
	return error_set(e, ERROR_UNAVAILABLE,
	    PASSWORD_PROGRAM " said one thing, and exited with status %d", status);
}
