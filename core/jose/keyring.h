/*
 * The keys that a service signs with and publishes: one file, one key behind a URI, or a
 * directory in which each file's name starts with its activation time:
 *
 *     20261122T000000Z.pem         of the configured algorithm, if its type can have it
 *     20261122T000000Z.ES256.pem   of this algorithm
 *
 * Other names that end in ".pem" are refused; the rest is left alone, as are names that
 * start with a dot, so that a Kubernetes Secret volume can be such a directory. States follow
 * from time alone (timeline.h). A keyring never changes once it is open.
 */
#ifndef JOSE_KEYRING_H
#define JOSE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "jose/key.h"
#include "jose/timeline.h"

struct keyring;

struct keyring_source {
	const char *path;            /* file, directory or URI */
	const char *passphrase_file; /* NULL: no key is encrypted */
	const char *algorithm;       /* of keys whose name says none */
	int64_t longest;             /* the longest life of a token, in seconds */
	bool may_be_empty;           /* a directory without a key is a ring without one */
	error_tell *tell;            /* NULL: the first error is the only one */
	void *context;               /* of tell */
};

/*
 * Loads every key. One that does not load refuses the whole ring: ERROR_NO_INPUT,
 * ERROR_CONFIG with the file's name. Two keys of one activation time and algorithm are
 * refused. With tell the other keys are tried all the same, and it gets each error. *out is
 * NULL on failure, else keyring_free() it.
 */
int keyring_open(struct keyring **out, const struct keyring_source *source, struct error *e);
void keyring_free(struct keyring *r);

/* Signs with every key and verifies it by the public half, and sees that all can be published.
 * ERROR_CONFIG names the file. */
int keyring_test(const struct keyring *r, struct error *e);

/*
 * The key that signs with the algorithm (a name for algorithm_find()) at now a token that
 * lives until expires, both in seconds since 1970. NULL and ERROR_UNAVAILABLE when none is
 * active, or when it would expire before the token. It belongs to r.
 */
const struct key *keyring_pick(const struct keyring *r, const struct algorithm *algorithm,
    int64_t now, int64_t expires, struct error *e);

/* One key of the ring. All pointers belong to r. */
struct keyring_entry {
	const struct key *key;
	const char *file;     /* the name in the directory, or the path */
	int64_t from;         /* activation, seconds since 1970; 0 for a single key */
	int64_t end;          /* when it expires; INT64_MAX: not foreseen */
	enum key_state state; /* at the moment asked for */
};

size_t keyring_count(const struct keyring *r);

/* The i-th key, in the order of activation and then of names, at now. */
struct keyring_entry keyring_get(const struct keyring *r, size_t i, int64_t now);

/*
 * Appends the JWK Set (RFC 7517, 5) of all keys that have not expired at now; *fresh is for
 * how many seconds it may be kept: until a state changes, and at most KEYRING_FRESH.
 */
enum { KEYRING_FRESH = 600 };
int keyring_publish(
    const struct keyring *r, int64_t now, struct buffer *json, int64_t *fresh, struct error *e);

/*
 * The activation time and the algorithm that a file name of a directory says; *algorithm is
 * NULL when it says none. 0, or -1: it is not the name of a key.
 */
int keyring_parse_name(const char *name, int64_t *from, const struct algorithm **algorithm);

/* The name of a key that starts to sign at from (seconds since 1970); size of name is
 * LIMIT_FILE_NAME. */
void keyring_format_name(char *name, int64_t from, const struct algorithm *algorithm);

#endif
