/*
 * Where questions about passwords are answered: by processes that check one each, a few at a
 * time. Nothing is kept of them. "Wrong" is said only when the delay of the configuration is
 * over, or the next one, so that how long it took tells nothing; meanwhile others are checked.
 * For one thread, that of the sockets.
 */
#ifndef RESOLVER_GATE_H
#define RESOLVER_GATE_H

#include "base/clock.h"
#include "base/error.h"
#include "config/flags.h"
#include "config/password.h"
#include "identity/lookup_message.h"
#include "resolver/outbox.h"

enum {
	GATE_RUNNING = 16, /* processes at a time */
	GATE_MOST = 1024,  /* questions in hand; one more is refused */
};

struct gate;

struct gate_parts {
	const struct password_config *config;
	const struct flags *flags; /* that we were started with */
	const struct clock *clock;
};

/* Whether what the section names is there. Nothing is asked. ERROR_CONFIG, ERROR_NO_INPUT. */
int gate_check(const struct password_config *c, struct error *e);

/* Without a section password every question is refused. Errors as gate_check(). *out is NULL on
 * failure; else gate_close() it. */
int gate_open(struct gate **out, const struct gate_parts *parts, struct error *e);
void gate_close(struct gate *g);

/* Answers a question that lookup_request_check() has let pass, size bytes of it, to box, now or
 * later; until gate_forget(), box stays where it is. */
void gate_request(
    struct gate *g, struct outbox *box, const struct lookup_request *q, size_t size);

/* Readable when gate_collect() is to be called. */
int gate_descriptor(const struct gate *g);
void gate_collect(struct gate *g);

/* Answers what is due; milliseconds until the next is, -1: nothing will be. */
int gate_expire(struct gate *g);

/* Ends what runs; nobody is answered any more who has asked until now. */
void gate_forget(struct gate *g);

#endif
