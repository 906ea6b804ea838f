/* All that serves, in one process, for whoever makes its allocations fail: the service with the
 * signer, and who asks it. What a resolver in another process would know is said by itself: all
 * users are in a group, and every password is right. */
#ifndef TESTS_TORTURE_STAND_H
#define TESTS_TORTURE_STAND_H

#include <stdbool.h>

#include "config/flags.h"
#include "identity/lookup_remote.h"
#include "identity/policy.h"
#include "service/service.h"
#include "signer/signer_local.h"

enum { STAND_TEXT = 4096 };

struct stand {
	struct flags flags;
	struct config config;
	struct policy *policy;
	struct signing signing;
	bool signs;
	struct signer_local signer;
	struct lookup lookup;
	struct password_checker passwords;
	struct lookup_remote *remote;
	int link[2]; /* to the resolver, and its end; -1: nobody has asked */
	struct service *service;
	struct log log;
};

/* A request, and what is said to it. */
struct call {
	struct gateway gateway;
	int answers, status;
	char body[STAND_TEXT];
};

/* What a new generation does, and its signer, by s->flags. 0, or -1 and *e; stand_close() it in
 * any case. */
int stand_open(struct stand *s, struct error *e);
void stand_close(struct stand *s);

/* For a gateway that is part of a call. */
bool stand_respond(struct gateway *g, const struct response *r);

#endif
