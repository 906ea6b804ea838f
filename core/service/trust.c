#include "service/trust.h"

#include <stdlib.h>
#include <string.h>

enum {
	RETRY = 5, /* seconds until what could not be had is asked for again */
	/* Seconds between two questions about unknown kids. The resolver, which many ask, sees
	 * to it that others are not asked as often. */
	ANEW = 5,
};

/* A party whose keys are somewhere else. */
struct place {
	struct trust *trust;
	size_t party; /* of the verifier */
	bool asking;
	int64_t fresh;       /* monotonic nanoseconds until which its keys are not asked for */
	int64_t trusted;     /* and until which they may be used */
	int64_t anew;        /* before which an unknown kid is no reason to ask */
	struct error reason; /* why it has none */
};

/* A token that is being judged. Sets of places are bits. */
struct judgement {
	const char *token;
	size_t length;
	char kid[LIMIT_KID_GIVEN]; /* "": none */
	bool hopeless;             /* no keys could make it good, so it waits for none */
	uint64_t asked;            /* whose keys were waited for */
	uint64_t awaited;          /* of them, those that have not come yet */
	trust_done *done;
	void *context;
	struct judgement *next;
};

struct trust {
	struct verifier *verifier;
	const struct clock *clock;
	struct lookup *lookup;
	struct judgement *waiting;
	size_t count;
	struct place places[LIMIT_VERIFY];
};

int
trust_open(struct trust **out, struct verifier *v, const struct clock *clock, struct error *e)
{
	struct trust *t = calloc(1, sizeof(*t));

	*out = t;
	if (t == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	t->verifier = v;
	t->clock = clock;
	for (size_t i = 0; i < verifier_count(v); i++)
		if (verifier_get(v, i).keys_url != NULL)
			t->places[t->count++] = (struct place){.trust = t, .party = i};
	return 0;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	while (t->waiting != NULL) {
		struct judgement *j = t->waiting;

		t->waiting = j->next;
		free(j);
	}
	free(t);
}

void
trust_set_lookup(struct trust *t, struct lookup *l)
{
	t->lookup = l;
}

/* --- keys --- */

static bool
has_keys(const struct place *p)
{
	return verifier_get(p->trust->verifier, p->party).keys != NULL;
}

static uint64_t
bit_of(const struct place *p)
{
	return UINT64_C(1) << (p - p->trust->places);
}

static void step(struct trust *t, struct judgement *j);

/* Goes on with who has waited for the place. They are taken out first: what they do may lead
 * here again. */
static void
wake(struct place *p)
{
	struct trust *t = p->trust;
	struct judgement *woken = NULL;

	for (struct judgement **at = &t->waiting; *at != NULL;) {
		struct judgement *j = *at;

		if ((j->awaited & bit_of(p)) == 0) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		j->awaited &= ~bit_of(p);
		j->next = woken;
		woken = j;
	}
	while (woken != NULL) {
		struct judgement *j = woken;

		woken = j->next;
		step(t, j);
	}
}

static int
use(struct place *p, const struct key_set *set, struct error *e)
{
	struct verifier *v = p->trust->verifier;
	struct keychain *keys = keychain_new();

	if (keys == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	if (keychain_add_set(keys, set->json, strlen(set->json), verifier_get(v, p->party).name,
		NULL, NULL, e) == -1) {
		keychain_free(keys);
		return -1;
	}
	verifier_set_keys(v, p->party, keys);
	return 0;
}

/* Without an answer the keys that are there go on to be used. */
static void
take_keys(void *context, const struct key_set *set, int64_t keep, const struct error *failure)
{
	struct place *p = context;
	int64_t now = clock_monotonic(p->trust->clock);
	struct error e = *failure;

	p->asking = false;
	if (set != NULL && use(p, set, &e) == 0) {
		p->fresh = now + keep;
		p->trusted = now + set->trusted;
	} else {
		p->reason = e;
		p->fresh = now + RETRY * NANOSECONDS;
	}
	wake(p);
}

static void
ask(struct place *p, bool anew)
{
	struct trust *t = p->trust;
	const struct lookup_keys which = {
	    .section = verifier_get(t->verifier, p->party).name, .anew = anew};
	struct error e;

	if (p->asking)
		return;
	if (anew)
		p->anew = clock_monotonic(t->clock) + ANEW * NANOSECONDS;
	p->asking = true;
	if (t->lookup == NULL)
		error_set(&e, ERROR_UNAVAILABLE, "there is no resolver");
	else if (lookup_submit_keys(t->lookup, &which, take_keys, p, &e) == 0)
		return;
	take_keys(p, NULL, 0, &e);
}

/* What is old is asked for, and what is too old goes. */
static void
age(struct trust *t)
{
	int64_t now = clock_monotonic(t->clock);

	for (size_t i = 0; i < t->count; i++) {
		struct place *p = &t->places[i];

		if (!has_keys(p))
			continue;
		if (now >= p->trusted)
			verifier_set_keys(t->verifier, p->party, NULL);
		else if (now >= p->fresh)
			ask(p, false);
	}
}

/* --- tokens --- */

static bool
is_known(const struct trust *t, const char *kid)
{
	for (size_t i = 0; *kid != '\0' && i < verifier_count(t->verifier); i++) {
		const struct keychain *keys = verifier_get(t->verifier, i).keys;

		if (keys != NULL && keychain_has(keys, kid))
			return true;
	}
	return false;
}

/* Asks for keys by which the token may be good, and notes which. */
static void
seek(struct trust *t, struct judgement *j)
{
	int64_t now = clock_monotonic(t->clock);

	if (j->hopeless || is_known(t, j->kid))
		return;
	for (size_t i = 0; i < t->count; i++) {
		struct place *p = &t->places[i];
		bool anew = has_keys(p);

		if ((j->asked & bit_of(p)) != 0 ||
		    (anew && (*j->kid == '\0' || (!p->asking && now < p->anew))))
			continue;
		j->asked |= bit_of(p);
		ask(p, anew);
		if (p->asking)
			j->awaited |= bit_of(p);
	}
}

/* A party that it may be of has no keys: nobody can say. */
static void
excuse(const struct trust *t, const struct judgement *j, struct error *e)
{
	for (size_t i = 0; i < t->count; i++)
		if ((j->asked & bit_of(&t->places[i])) != 0 && !has_keys(&t->places[i]) &&
		    !is_known(t, j->kid)) {
			error_set(e, ERROR_UNAVAILABLE,
			    "whether the token is valid cannot be said now: %s",
			    t->places[i].reason.text);
			return;
		}
}

static void
step(struct trust *t, struct judgement *j)
{
	int64_t now = clock_realtime(t->clock) / NANOSECONDS;
	struct verified v;
	struct error e = {0};
	uint64_t before;
	int rc;

	do {
		before = j->asked;
		rc = verifier_verify(t->verifier, j->token, j->length, now, &v, &e);
		if (rc == -1 && j->awaited == 0)
			seek(t, j);
	} while (rc == -1 && j->awaited == 0 && j->asked != before);
	if (rc == -1 && j->awaited != 0) {
		j->next = t->waiting;
		t->waiting = j;
		return;
	}
	if (rc == -1)
		excuse(t, j, &e);
	j->done(j->context, rc == 0 ? &v : NULL, &e);
	verified_free(&v);
	free(j);
}

void
trust_judge(struct trust *t, const char *token, size_t length, trust_done *done, void *context)
{
	struct judgement *j = calloc(1, sizeof(*j));
	struct error e;

	if (j == NULL) {
		error_set(&e, ERROR_UNAVAILABLE, "out of memory");
		done(context, NULL, &e);
		return;
	}
	*j = (struct judgement){
	    .token = token, .length = length, .done = done, .context = context};
	j->hopeless = verifier_read_kid(token, length, j->kid, &e) == -1;
	age(t);
	step(t, j);
}
