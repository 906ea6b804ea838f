/*
 * Public keys of one party, to verify its tokens with. Read from texts: whoever has a file, an
 * answer of a web server or the keys of a keyring as JSON hands over the bytes. Built once,
 * then never changed, so that several threads may use it.
 */
#ifndef JOSE_KEYCHAIN_H
#define JOSE_KEYCHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "jose/public_key.h"

struct keychain;

/* An empty one, NULL when memory is short; keychain_free() it. */
struct keychain *keychain_new(void);
void keychain_free(struct keychain *c);

/* Adds the key of a PEM text, as public_key_from_pem(). ERROR_CONFIG, as more than LIMIT_KEYS
 * keys are. */
int keychain_add_pem(struct keychain *c, const char *text, size_t length, const char *algorithm,
    const char *name, struct error *e);

/*
 * Adds the keys of a JWK Set (RFC 7517, 5). Those that are for something else are passed over,
 * and note, unless NULL, is called with each; what is wrong refuses the whole set, as does one
 * with no key for us. name stands in messages. ERROR_CONFIG; c then holds a part and is to be
 * freed.
 */
int keychain_add_set(struct keychain *c, const char *text, size_t length, const char *name,
    error_tell *note, void *context, struct error *e);

/*
 * Appends to *to a JWK Set of those keys of another one, from anywhere, that
 * keychain_add_set() would take, with nothing but what it takes to verify by them. Errors as
 * there; one that *to cannot hold is ERROR_CONFIG, too.
 */
int keychain_pick(
    struct buffer *to, const char *text, size_t length, const char *name, struct error *e);

size_t keychain_count(const struct keychain *c);
const struct public_key *keychain_get(const struct keychain *c, size_t i);

/* Whether one of the keys has this "kid"; kid may be NULL. */
bool keychain_has(const struct keychain *c, const char *kid);

#endif
