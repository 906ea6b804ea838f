/*
 * Which tokens a key was found to have signed, lately: a client shows one token many times, and
 * a signature is most of what it costs to judge it. Only that is remembered, by the digests of
 * the whole token and of the key; its claims are judged each time. For the files of this
 * folder, and for one thread.
 */
#ifndef JOSE_MEMO_H
#define JOSE_MEMO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "jose/digest.h"

struct memo;

/* NULL when memory is short; else memo_free() it. */
struct memo *memo_new(void);
void memo_free(struct memo *m);

/* The digest of a token, by which it is known. 0, or -1 and ERROR_UNAVAILABLE. */
int memo_digest(char digest[DIGEST_TEXT], const char *token, size_t length, struct error *e);

/* Whether it was said that the key of this digest signed the token. */
bool memo_has(const struct memo *m, const char digest[DIGEST_TEXT], const char *key);

/* Says so. Another token may be forgotten for it. */
void memo_add(struct memo *m, const char digest[DIGEST_TEXT], const char *key);

#endif
