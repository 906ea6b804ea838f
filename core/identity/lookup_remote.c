#define _GNU_SOURCE /* explicit_bzero, strdup */
#include "identity/lookup_remote.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "identity/lookup_cache.h"
#include "identity/lookup_message.h"

enum {
	USERS = 1024, /* that are kept; the resolver keeps more, for all who ask it */
	PENDING = 256,
	PASSWORDS = 128, /* of them */
};

/* Somebody who waits for an answer. */
struct wait {
	union {
		lookup_done *done; /* of LOOKUP_USER */
		lookup_keys_done *keys_done;
		password_done *password_done; /* of LOOKUP_PASSWORD */
	};
	void *context;
	struct wait *next;
};

/* What was asked for. However many wait for a user, it is one request. */
struct flight {
	struct lookup_remote *remote;
	enum lookup_what what;
	char *name;
	struct wait *waits;
	struct flight *next;
};

struct lookup_remote {
	struct lookup lookup; /* first, so that the one leads to the other */
	struct password_checker passwords;
	struct courier *courier;
	struct lookup_cache *cache;
	const struct clock *clock;
	struct flight *flights;
};

static int
check(void *answer, size_t size)
{
	return lookup_answer_check(answer, size);
}

static void
flight_free(struct flight *f)
{
	while (f->waits != NULL) {
		struct wait *w = f->waits;

		f->waits = w->next;
		free(w);
	}
	free(f->name);
	free(f);
}

static void
take_out(struct flight *f)
{
	struct flight **at = &f->remote->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

static void
tell_membership(const struct flight *f, const struct lookup_answer *a, const struct error *e)
{
	const struct membership *m = a != NULL ? &a->m : NULL;

	for (struct wait *w = f->waits; w != NULL; w = w->next)
		w->done(w->context, m, e);
}

static void
tell_keys(const struct flight *f, const struct lookup_answer *a, const struct error *e)
{
	const struct key_set *keys = a != NULL ? &a->keys : NULL;

	for (struct wait *w = f->waits; w != NULL; w = w->next)
		w->keys_done(w->context, keys, a != NULL ? a->keep : 0, e);
}

static void
tell_verdict(const struct flight *f, const struct lookup_answer *a, const struct error *e)
{
	bool right = a != NULL && a->verdict == PASSWORD_RIGHT;

	for (struct wait *w = f->waits; w != NULL; w = w->next)
		w->password_done(
		    w->context, right ? PASSWORD_RIGHT : PASSWORD_WRONG, a != NULL ? NULL : e);
}

/* The answer when it has what was asked for; else NULL, and *e says why. */
static const struct lookup_answer *
read_answer(const struct flight *f, const struct lookup_answer *a, struct error *e)
{
	if (a == NULL)
		return NULL;
	if (!lookup_answer_fits(a, f->what))
		error_set(e, ERROR_UNAVAILABLE, "the resolver answered something else");
	else if (a->head.kind == LOOKUP_FAILED)
		error_set(e, ERROR_UNAVAILABLE, "%s", a->reason);
	else
		return a;
	return NULL;
}

/* The call stands for none: all that is needed is in the context. */
static void
deliver(courier_call *call, void *context, const void *answer, const struct error *e)
{
	struct flight *f = context;
	struct lookup_remote *r = f->remote;
	struct error failure = *e;
	const struct lookup_answer *a = read_answer(f, answer, &failure);

	(void)call;
	if (f->what == LOOKUP_USER && a != NULL && a->keep > 0)
		lookup_cache_put(r->cache, f->name, &a->m, clock_monotonic(r->clock) + a->keep);
	take_out(f); /* first: who is told may ask anew */
	if (f->what == LOOKUP_USER)
		tell_membership(f, a, &failure);
	else if (f->what == LOOKUP_PASSWORD)
		tell_verdict(f, a, &failure);
	else
		tell_keys(f, a, &failure);
	flight_free(f);
}

static void
no_call(void)
{
}

/* The password is nowhere but in the message. */
static int
ask_password(struct flight *f, const struct password_question *question, struct error *e)
{
	struct lookup_request q;
	size_t size = lookup_request_init_password(&q, question);
	int rc = courier_submit_once(f->remote->courier, &q, size, no_call, f, e);

	explicit_bzero(&q, sizeof(q));
	return rc;
}

static int
ask(struct flight *f, struct error *e)
{
	struct lookup_request q;

	if (lookup_request_init(&q, f->what, f->name, e) == -1)
		return -1;
	return courier_submit(f->remote->courier, &q, lookup_request_size(&q), no_call, f, e);
}

static int
add_wait(struct flight *f, const struct wait *given, struct error *e)
{
	struct wait *w = malloc(sizeof(*w));

	if (w == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*w = *given;
	w->next = f->waits;
	f->waits = w;
	return 0;
}

/* A request that is not sent yet, with one who waits for it. */
static struct flight *
flight_new(struct lookup_remote *r, enum lookup_what what, const char *name,
    const struct wait *w, struct error *e)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (f != NULL) {
		f->remote = r;
		f->what = what;
		f->name = strdup(name);
	}
	if (f != NULL && f->name != NULL && add_wait(f, w, e) == 0)
		return f;
	if (f != NULL)
		flight_free(f);
	error_set(e, ERROR_UNAVAILABLE, "out of memory");
	return NULL;
}

/* Once it was sent, or not. */
static int
take_off(struct flight *f, int sent)
{
	if (sent == -1) {
		flight_free(f);
		return -1;
	}
	f->next = f->remote->flights;
	f->remote->flights = f;
	return 0;
}

static int
start_flight(struct lookup_remote *r, enum lookup_what what, const char *name,
    const struct wait *w, struct error *e)
{
	struct flight *f = flight_new(r, what, name, w, e);

	return f == NULL ? -1 : take_off(f, ask(f, e));
}

static int
remote_submit(
    struct lookup *self, const char *user, lookup_done *done, void *context, struct error *e)
{
	static const struct error none = {0};
	struct lookup_remote *r = (struct lookup_remote *)self;
	const struct wait w = {.done = done, .context = context};
	int64_t until;
	const struct membership *kept = lookup_cache_get(r->cache, user, &until);

	if (kept != NULL && clock_monotonic(r->clock) < until) {
		done(context, kept, &none);
		return 0;
	}
	for (struct flight *f = r->flights; f != NULL; f = f->next)
		if (f->what == LOOKUP_USER && strcmp(f->name, user) == 0)
			return add_wait(f, &w, e);
	return start_flight(r, LOOKUP_USER, user, &w, e);
}

/* Not kept here: whoever asks makes keys of them, and keeps those. */
static int
remote_submit_keys(struct lookup *self, const struct lookup_keys *which, lookup_keys_done *done,
    void *context, struct error *e)
{
	const struct wait w = {.keys_done = done, .context = context};

	return start_flight((struct lookup_remote *)self,
	    which->anew ? LOOKUP_KEYS_ANEW : LOOKUP_KEYS, which->section, &w, e);
}

static struct lookup_remote *
of_passwords(struct password_checker *self)
{
	return (
	    struct lookup_remote *)((char *)self - offsetof(struct lookup_remote, passwords));
}

/* Wrong ones take long to be answered: those who guess do not keep others from asking for
 * something else. */
static bool
has_room(const struct lookup_remote *r)
{
	size_t count = 0;

	for (const struct flight *f = r->flights; f != NULL; f = f->next)
		count += f->what == LOOKUP_PASSWORD;
	return count < PASSWORDS;
}

static int
remote_submit_password(struct password_checker *self, const struct password_question *q,
    password_done *done, void *context, struct error *e)
{
	struct lookup_remote *r = of_passwords(self);
	const struct wait w = {.password_done = done, .context = context};
	struct flight *f;

	if (!password_is_askable(q)) {
		done(context, PASSWORD_WRONG, NULL);
		return 0;
	}
	if (!has_room(r))
		return error_set(
		    e, ERROR_UNAVAILABLE, "%d passwords are being checked", PASSWORDS);
	f = flight_new(r, LOOKUP_PASSWORD, q->user, &w, e);
	return f == NULL ? -1 : take_off(f, ask_password(f, q, e));
}

struct password_checker *
lookup_remote_passwords(struct lookup_remote *r)
{
	return &r->passwords;
}

struct lookup *
lookup_remote_lookup(struct lookup_remote *r)
{
	return &r->lookup;
}

int
lookup_remote_receive(struct lookup_remote *r)
{
	return courier_receive(r->courier);
}

void
lookup_remote_expire(struct lookup_remote *r)
{
	courier_expire(r->courier);
}

bool
lookup_remote_busy(const struct lookup_remote *r)
{
	return courier_busy(r->courier);
}

int
lookup_remote_new(struct lookup_remote **out, int fd, int64_t deadline,
    const struct clock *clock, const struct entropy *entropy, struct error *e)
{
	const struct courier_parts parts = {.fd = fd,
	    .clock = clock,
	    .entropy = entropy,
	    .peer = "the resolver",
	    .magic = LOOKUP_ANSWER_MAGIC,
	    .most = PENDING,
	    .answer_size = sizeof(struct lookup_answer),
	    .deadline = deadline * NANOSECONDS,
	    .check = check,
	    .deliver = deliver};
	struct lookup_remote *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (r == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	r->lookup = (struct lookup){.submit = remote_submit, .submit_keys = remote_submit_keys};
	r->passwords = (struct password_checker){.submit = remote_submit_password};
	r->clock = clock;
	r->cache = lookup_cache_new(USERS);
	if (r->cache == NULL) {
		error_set(e, ERROR_INTERNAL, "out of memory");
	} else if (courier_new(&r->courier, &parts, e) == 0) {
		*out = r;
		return 0;
	}
	lookup_cache_free(r->cache);
	free(r);
	return -1;
}

void
lookup_remote_free(struct lookup_remote *r)
{
	if (r == NULL)
		return;
	courier_free(r->courier);
	while (r->flights != NULL) {
		struct flight *f = r->flights;

		r->flights = f->next;
		flight_free(f);
	}
	lookup_cache_free(r->cache);
	free(r);
}
