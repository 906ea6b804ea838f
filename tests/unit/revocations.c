#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/revocations.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

const struct revocation_subject revocations_token = {.issuer = "us",
    .jti = "id1",
    .subject = "jane",
    .issued = STATES_NOW,
    REVOCATIONS_SIGNED("header.payload")};

void
revocations_add_token(const struct states_fixture *f, const struct revocation_subject *t)
{
	struct error e;

	stores_check(revocation_add_token(f->state, t, REVOCATIONS_EXPIRES, &e), &e);
}

void
revocations_add_subject(
    const struct states_fixture *f, const char *issuer, const char *subject, int64_t before)
{
	struct error e;

	stores_check(
	    revocation_add_subject(f->state, issuer, subject, before, REVOCATIONS_EXPIRES, &e),
	    &e);
}

bool
revocations_holds(const struct states_fixture *f, const struct revocation_subject *t)
{
	struct error e = {0};

	if (revocation_check(f->state, t, &e) == 0)
		return false;
	assert_int_equal(e.code, ERROR_UNAUTHENTICATED);
	assert_string_equal(e.text, "the token is not valid");
	assert_non_null(strstr(e.detail, "revoked"));
	return true;
}

/* The only entry there is. */
void
revocations_find(const struct states_fixture *f, char path[LIMIT_PATH])
{
	char folder[LIMIT_PATH / 2];
	DIR *entries;

	(void)snprintf(folder, sizeof(folder), "%s/revoked", f->path);
	entries = opendir(folder);
	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		if (*entry->d_name != '.')
			(void)snprintf(path, LIMIT_PATH, "%s/%s", folder, entry->d_name);
	closedir(entries);
}
