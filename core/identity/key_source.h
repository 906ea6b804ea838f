/*
 * Where a section verify has its keys from: the URL of a JWK Set (RFC 7517, 5). What is fetched
 * is checked whole, and only the keys that verify what we verify are passed on. For one thread
 * at a time; only the resolver uses it.
 */
#ifndef IDENTITY_KEY_SOURCE_H
#define IDENTITY_KEY_SOURCE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "config/verify.h"

struct key_source;

/*
 * Checks the URL and reads the section's ca-file, but reaches for no network. ERROR_CONFIG,
 * ERROR_NO_INPUT with FILE:LINE of the section; *out is NULL on failure, else
 * key_source_close() it. s must outlive it.
 */
int key_source_open(struct key_source **out, const struct verify_section *s, struct error *e);
void key_source_close(struct key_source *k);

/* Appends the keys, as keychain_pick() writes them; *fresh becomes the seconds for which they
 * need not be fetched again. ERROR_UNAVAILABLE within the section's timeout: there are none, or
 * they are not good. */
int key_source_fetch(struct key_source *k, struct buffer *to, int64_t *fresh, struct error *e);

#endif
