/*
 * Whether a user's password is right, as the service sees it: ask, get called back with the
 * verdict. Another process asks PAM or a directory (lookup_remote.h, lookup_process.h). Nothing
 * of a question or its answer is kept.
 */
#ifndef IDENTITY_PASSWORD_H
#define IDENTITY_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A wrong password, an unknown user, an account that is locked or has expired: all are wrong.
 */
enum password_verdict { PASSWORD_WRONG, PASSWORD_RIGHT };

struct password_question {
	const char *user;
	const char *password; /* NULL: only whether the account may still be used */
};

/* e is NULL, or says why there is no verdict (ERROR_UNAVAILABLE). */
typedef void password_done(void *context, enum password_verdict verdict, const struct error *e);

struct password_checker {
	int (*submit)(struct password_checker *self, const struct password_question *q,
	    password_done *done, void *context, struct error *e);
};

/*
 * Asks. 0: done is called exactly once, maybe before this returns; what q points to may go at
 * once. -1: it is not called, and *e says why (ERROR_UNAVAILABLE).
 */
static inline int
password_submit(struct password_checker *c, const struct password_question *q,
    password_done *done, void *context, struct error *e)
{
	return c->submit(c, q, done, context, e);
}

/*
 * Whether there is anything to ask. An empty password never is: a directory takes it for a bind
 * of nobody, which is a success (RFC 4513, 5.1.2). Neither is one of LIMIT_PASSWORD bytes or
 * more, nor a user whose name no subject may have. Who is asked such a thing answers "wrong".
 */
bool password_is_askable(const struct password_question *q);

/* A question on its way: "USER\0PASSWORD\0", or "USER\0" without a password. */
enum { PASSWORD_TEXT = LIMIT_PRINCIPAL + LIMIT_PASSWORD };

/* Writes a question that is askable and returns its size. */
size_t password_pack(char text[PASSWORD_TEXT], const struct password_question *q);

/* Makes *q point into what password_pack() wrote. -1 when size bytes at text are no question
 * that is askable. */
int password_unpack(struct password_question *q, const char *text, size_t size);

/*
 * What the program that checks says: a line, "right", "wrong: WHY" or "cannot say: WHY", and
 * the exit status that goes with it. Both, since a module that exits in its midst may do so
 * with any status.
 */
#define PASSWORD_PROGRAM "authserver-password"
enum { PASSWORD_ANSWER = LIMIT_ERROR_TEXT + 16 };
enum { PASSWORD_EXIT_RIGHT = 0, PASSWORD_EXIT_WRONG = 1, PASSWORD_EXIT_UNSURE = 111 };

/* Writes the line for a check that returned rc: 0, right; -1 and ERROR_DENIED, wrong; -1 and
 * any other error, it cannot be said. Returns the exit status. */
int password_answer_write(char text[PASSWORD_ANSWER], int rc, const struct error *e);

/* What was meant, from size bytes and the exit status: as rc and *e above, ERROR_UNAVAILABLE
 * where it is neither right nor wrong. */
int password_answer_read(const char *text, size_t size, int status, struct error *e);

#endif
