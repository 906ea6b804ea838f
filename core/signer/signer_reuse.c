#define _GNU_SOURCE /* explicit_bzero */
#include "signer/signer_reuse.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "jose/digest.h"
#include "store/revocations.h"

/* A query leads to one of them, and takes it from another. */
enum { PLACES = 512 };

struct kept {
	char query[DIGEST_TEXT];
	char subject[LIMIT_SUBJECT];
	char *token; /* NULL: nothing is kept here */
	struct signature made;
	int64_t issued; /* seconds since 1970, or a little later */
};

struct signer_reuse {
	struct signer signer; /* first, so that the one leads to the other */
	struct signer_reuse_parts parts;
	struct signer *next;
	struct kept places[PLACES];
};

/* A query that is being asked. */
struct asking {
	struct signer_reuse *reuse;
	char query[DIGEST_TEXT];
	char subject[LIMIT_SUBJECT];
	signer_done *done;
	void *context;
};

static int64_t
now(const struct signer_reuse *r)
{
	return clock_realtime(r->parts.clock) / NANOSECONDS;
}

static struct kept *
place_of(struct signer_reuse *r, const char query[DIGEST_TEXT])
{
	unsigned int n = 0;

	for (size_t i = 0; i < 4; i++)
		n = n * 64 + (unsigned char)query[i];
	return &r->places[n % PLACES];
}

static void
forget(struct kept *k)
{
	if (k->token != NULL)
		explicit_bzero(k->token, k->made.length);
	free(k->token);
	*k = (struct kept){0};
}

/* What tokens differ by, and nothing else: a text that is not there is not an empty one. */
static int
digest(char out[DIGEST_TEXT], const struct query *q, struct error *e)
{
	const char *const texts[] = {q->caller.name, q->caller.scheme, q->subject, q->audience,
	    q->profile, q->caller_groups, q->subject_groups, q->email, q->space};
	enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
	struct buffer whole;
	int rc;

	buffer_init(&whole, sizeof(*q) + 2 * LIMIT_GROUPS + LIMIT_EMAIL + LIMIT_NAMESPACE);
	rc =
	    buffer_printf(&whole, "%lld %lld", (long long)q->lifetime, (long long)q->not_after);
	for (size_t i = 0; rc == 0 && i < TEXTS; i++)
		rc = texts[i] == NULL ? buffer_append(&whole, "-", 2)
				      : buffer_printf(&whole, "+%s%c", texts[i], '\0');
	rc = rc == 0 ? digest_text(out, whole.data, whole.length, e)
		     : error_set(e, ERROR_UNAVAILABLE, "out of memory");
	buffer_free(&whole);
	return rc;
}

static bool
is_good(const struct signer_reuse *r, const struct kept *k)
{
	/* By both: the token has its jti under another name where its profile says so. */
	const struct revocation_subject t = {.issuer = r->parts.issuer,
	    .jti = k->made.jti,
	    .subject = k->subject,
	    .issued = k->issued,
	    .signed_part = k->token,
	    .signed_length = (size_t)(strrchr(k->token, '.') - k->token)};
	int64_t life = k->made.expires - k->issued, left = k->made.expires - now(r);
	struct error e;

	/* A clock that was set back makes nothing younger than it is. */
	return r->parts.percent < 100 && left <= life && left > 0 &&
	       left * 100 >= life * r->parts.percent &&
	       revocation_check(r->parts.state, &t, &e) == 0;
}

static void
keep(struct asking *a, const struct signature *s)
{
	struct kept *k = place_of(a->reuse, a->query);
	char *token = malloc(s->length + 1);

	if (token == NULL)
		return;
	forget(k);
	memcpy(token, s->token, s->length + 1);
	*k = (struct kept){.token = token, .made = *s, .issued = now(a->reuse)};
	k->made.token = token;
	memcpy(k->query, a->query, sizeof(k->query));
	memcpy(k->subject, a->subject, sizeof(k->subject));
}

static void
made(void *context, const struct signature *s, const struct error *e)
{
	struct asking *a = context;

	if (s != NULL)
		keep(a, s);
	a->done(a->context, s, e);
	free(a);
}

static int
submit(struct signer *self, const struct query *q, signer_done *done, void *context,
    struct error *e)
{
	static const struct error none = {0};
	struct signer_reuse *r = (struct signer_reuse *)self;
	struct asking *a = malloc(sizeof(*a));
	struct kept *k;

	if (a == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*a = (struct asking){.reuse = r, .done = done, .context = context};
	memcpy(a->subject, q->subject, sizeof(a->subject));
	if (digest(a->query, q, e) == -1) {
		free(a);
		return -1;
	}
	k = place_of(r, a->query);
	if (k->token != NULL && memcmp(k->query, a->query, sizeof(k->query)) == 0 &&
	    is_good(r, k)) {
		free(a);
		done(context, &k->made, &none);
		return 0;
	}
	if (signer_submit(r->next, q, made, a, e) == 0)
		return 0;
	free(a);
	return -1;
}

static int
publish(struct signer *self, signer_done *done, void *context, struct error *e)
{
	return signer_publish(((struct signer_reuse *)self)->next, done, context, e);
}

struct signer_reuse *
signer_reuse_new(const struct signer_reuse_parts *parts)
{
	struct signer_reuse *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->signer = (struct signer){.submit = submit, .publish = publish};
	r->parts = *parts;
	return r;
}

void
signer_reuse_free(struct signer_reuse *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < PLACES; i++)
		forget(&r->places[i]);
	free(r);
}

struct signer *
signer_reuse_signer(struct signer_reuse *r, struct signer *next)
{
	r->next = next;
	return &r->signer;
}
