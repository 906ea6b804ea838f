/* What tests of revocations share: a token, and what is done with it in the state of a test. */
#ifndef TESTS_UNIT_REVOCATIONS_H
#define TESTS_UNIT_REVOCATIONS_H

#include "store/revocations.h"
#include "tests/unit/states.h"

enum { REVOCATIONS_EXPIRES = STATES_NOW + 3600 };

#define REVOCATIONS_SIGNED(text) .signed_part = (text), .signed_length = sizeof(text) - 1

/* As far as revocation knows it. */
extern const struct revocation_subject revocations_token;

void revocations_add_token(const struct states_fixture *f, const struct revocation_subject *t);
void revocations_add_subject(
    const struct states_fixture *f, const char *issuer, const char *subject, int64_t before);

/* Whether it is revoked; that this cannot be said ends the test. */
bool revocations_holds(const struct states_fixture *f, const struct revocation_subject *t);

/* The path of the only entry there is. */
void revocations_find(const struct states_fixture *f, char path[LIMIT_PATH]);

#endif
