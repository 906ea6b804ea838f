#include "jose/memo.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 1024 };

struct memo {
	struct {
		char digest[DIGEST_TEXT];
		const struct public_key *key; /* NULL: nothing is here. Never followed */
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
memo_has(const struct memo *m, const char digest[DIGEST_TEXT], const struct public_key *k)
{
	size_t i = place_of(digest);

	return m->places[i].key == k && digest_equal(m->places[i].digest, digest);
}

void
memo_add(struct memo *m, const char digest[DIGEST_TEXT], const struct public_key *k)
{
	size_t i = place_of(digest);

	memcpy(m->places[i].digest, digest, DIGEST_TEXT);
	m->places[i].key = k;
}

void
memo_clear(struct memo *m)
{
	memset(m, 0, sizeof(*m));
}
