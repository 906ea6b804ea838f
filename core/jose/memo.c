#include "jose/memo.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 1024 };

struct memo {
	struct place {
		char digest[DIGEST_TEXT]; /* "": nothing is here, and no digest is that */
		char key[DIGEST_TEXT];
	} places[PLACES];
};

struct memo *
memo_new(void)
{
	return calloc(1, sizeof(struct memo));
}

void
memo_free(struct memo *m)
{
	free(m);
}

int
memo_digest(char digest[DIGEST_TEXT], const char *token, size_t length, struct error *e)
{
	return digest_text(digest, token, length, e);
}

/* Where a token has its place: the digest's first letters are as good as chance. */
static size_t
place_of(const char digest[DIGEST_TEXT])
{
	size_t n = 0;

	for (size_t i = 0; i < 4; i++)
		n = n * 31 + (unsigned char)digest[i];
	return n % PLACES;
}

bool
memo_has(const struct memo *m, const char digest[DIGEST_TEXT], const char *key)
{
	const struct place *p = &m->places[place_of(digest)];

	return digest_equal(p->digest, digest) && digest_equal(p->key, key);
}

void
memo_add(struct memo *m, const char digest[DIGEST_TEXT], const char *key)
{
	struct place *p = &m->places[place_of(digest)];

	memcpy(p->digest, digest, DIGEST_TEXT);
	memcpy(p->key, key, DIGEST_TEXT);
}
