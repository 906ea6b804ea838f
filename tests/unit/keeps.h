/* What tests of authserver-keep's files share: a folder with some, an issuer that keeps them,
 * and the group "staff". What is linked with keeps.o has getgrnam_r() go through it. */
#ifndef TESTS_UNIT_KEEPS_H
#define TESTS_UNIT_KEEPS_H

#include <stddef.h>

#include "tools/authserver-keep/issuer.h"

/* {"alg":"RS512"}, and a token whose subject is jane. */
#define KEEPS_HEADER "eyJhbGciOiJSUzUxMiJ9."
#define KEEPS_JANE KEEPS_HEADER "eyJzdWIiOiJqYW5lIn0.YQ"

struct keeps_fixture {
	char folder[32];
	char *pattern; /* of files in the folder */
	struct log log;
	struct issuer issuer;
	struct keep_section sections[3];
	struct error e;
};

/* Of the group "staff", the only one there is. */
extern char **keeps_members;

int keeps_enter(void **state);
int keeps_leave(void **state);

/* A file of the folder with this in it. */
void keeps_write(
    const struct keeps_fixture *f, const char *name, const char *text, size_t length);

#endif
