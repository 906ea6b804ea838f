/*
 * For tests of what authserver-token makes of answers: where it asks, and who answers there.
 */
#ifndef TESTS_UNIT_ASKING_H
#define TESTS_UNIT_ASKING_H

#include <sys/types.h>

#include "tools/authserver-token/ask.h"

/* {"alg":"RS512"} with {"exp":4000000000}; and the name of a token file. */
#define ASKING_TOKEN "eyJhbGciOiJSUzUxMiJ9.eyJleHAiOjQwMDAwMDAwMDB9.YQ"
#define ASKING_NAME "alice.1668177993995201518.token"

struct asking {
	char folder[32];
	char *file;   /* in the folder, called ASKING_NAME; not there yet */
	char *socket; /* the same */
	struct settings settings;
	struct request request; /* of all three */
	struct credentials credentials;
	int listener; /* at the URL */
	char url[64];
	struct buffer got;
	struct error e;
};

/* For cmocka: *state becomes a struct asking, and ends. */
int asking_make(void **state);
int asking_clean(void **state);

/* ask_token() of it: what there is goes to its got and e. */
int asking_ask(struct asking *f);

/* Makes the file, or another one of it. */
void asking_write(const char *path, const char *text, mode_t mode);

/* A process that gives the answer to the first who asks; asking_end() it. */
pid_t asking_serve(int listener, const void *answer, size_t length);

void asking_end(pid_t pid);

#endif
