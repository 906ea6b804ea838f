/*
 * A token that is kept in a file for the next call, and what came of the last attempt to get
 * one. The file holds the token alone, for whatever else reads such files. Beside it lies
 * .NAME.lock, which says for which request the token is: one that answers another request, or
 * that somebody else put there, is not there for us.
 */
#ifndef TOOLS_AUTHSERVER_TOKEN_CACHE_H
#define TOOLS_AUTHSERVER_TOKEN_CACHE_H

#include "base/buffer.h"
#include "base/error.h"
#include "jose/digest.h"
#include "tools/authserver-token/life.h"

enum { CACHE_SERIAL = 17 }; /* 16 hexadecimal digits, and a NUL */

struct cache {
	char path[LIMIT_PATH];
	const char *name;      /* in path */
	char key[DIGEST_TEXT]; /* of the request */
	int folder;            /* -1: not open */
	int lock;              /* the same */
};

/* What is there for the request. */
struct found {
	enum { FOUND_NOTHING, FOUND_TOKEN, FOUND_FAILURE } what;
	char serial[CACHE_SERIAL]; /* of the attempt that it came of; "": there was none */
	struct buffer token;
	struct life life;     /* of the token */
	struct error failure; /* why the attempt came to nothing */
};

/*
 * Opens the cache at path for the request of which key is the digest;
 * the folder must be there. 0 and *c, to be closed
 * with cache_close(); or -1, and then there is nothing to close: ERROR_CONFIG when others have
 * their hands in it, ERROR_NO_INPUT and ERROR_UNAVAILABLE when it cannot be made here.
 */
int cache_open(struct cache *c, const char *path, const char key[DIGEST_TEXT], struct error *e);
void cache_close(struct cache *c);

/* Fills *f, to be freed with cache_forget(), without waiting for anybody. 0, or -1 and
 * ERROR_CONFIG when the file is not ours alone. */
int cache_look(const struct cache *c, struct found *f, struct error *e);
void cache_forget(struct found *f);

/* Has the attempt to this process: 1, or 0 when another has it, or -1. */
int cache_lock(const struct cache *c, struct error *e);

/* Keep what came of the attempt, by whoever has it. 0, or -1 and what was not kept. */
int cache_keep(const struct cache *c, const struct buffer *token, struct error *e);
int cache_keep_failure(const struct cache *c, const struct error *failure, struct error *e);

#endif
