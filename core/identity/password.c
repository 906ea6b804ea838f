#include "identity/password.h"

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
