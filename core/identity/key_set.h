/* The public keys of a party that publishes them at a URL, as they travel between processes. */
#ifndef IDENTITY_KEY_SET_H
#define IDENTITY_KEY_SET_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct key_set {
	int64_t trusted;          /* nanoseconds for which it may be used at all, while there is
				     no newer one */
	char json[LIMIT_JWK_SET]; /* a JWK Set; last, since it is sent only as far as it goes */
};

/* The bytes that k has up to the end of its JSON. */
size_t key_set_size(const struct key_set *k);

#endif
