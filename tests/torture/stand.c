#include "tests/torture/stand.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "identity/lookup_message.h"

enum { DEADLINE = 2 }; /* seconds, of a look-up */

static const char groups[] = "staff\nwheel\n";

static void
answer(const struct lookup_request *q, struct lookup_answer *a)
{
	static struct membership m = {.known = true};
	static const struct error none = {0};

	memcpy(m.groups, groups, sizeof(groups));
	if (q->head.kind == LOOKUP_PASSWORD)
		lookup_answer_init_verdict(a, q->head.id, PASSWORD_RIGHT, NULL);
	else
		lookup_answer_init(a, q->head.id, &m, 0, &none);
}

/* What was asked over the link, as the resolver would, and what became of asking. Who waits for
 * an answer that was lost waits for the deadline. */
static int
resolve(const struct stand *s, int rc)
{
	static struct lookup_request q;
	static struct lookup_answer a;

	while (recv(s->link[1], &q, sizeof(q), MSG_DONTWAIT) > 0) {
		answer(&q, &a);
		if (courier_answer(s->link[1], &a, lookup_answer_size(&a), MSG_DONTWAIT) != 0)
			abort();
		(void)lookup_remote_receive(s->remote);
	}
	while (lookup_remote_busy(s->remote)) {
		(void)lookup_remote_receive(s->remote);
		lookup_remote_expire(s->remote);
	}
	return rc;
}

/* From the first question on, as in authserver.cgi. */
static int
connect_resolver(struct stand *s, struct error *e)
{
	if (s->remote != NULL)
		return 0;
	if (s->link[0] == -1 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->link) == -1)
		abort();
	return lookup_remote_new(
	    &s->remote, s->link[0], DEADLINE, &clock_system, &entropy_system, e);
}

static int
look_up(
    struct lookup *self, const char *user, lookup_done *done, void *context, struct error *e)
{
	struct stand *s = (struct stand *)((char *)self - offsetof(struct stand, lookup));

	if (connect_resolver(s, e) == -1)
		return -1;
	return resolve(
	    s, lookup_submit(lookup_remote_lookup(s->remote), user, done, context, e));
}

static int
check_password(struct password_checker *self, const struct password_question *q,
    password_done *done, void *context, struct error *e)
{
	struct stand *s = (struct stand *)((char *)self - offsetof(struct stand, passwords));

	if (connect_resolver(s, e) == -1)
		return -1;
	return resolve(
	    s, password_submit(lookup_remote_passwords(s->remote), q, done, context, e));
}

void
stand_close(struct stand *s)
{
	service_close(s->service);
	lookup_remote_free(s->remote);
	for (int i = 0; i < 2 && s->remote != NULL; i++)
		close(s->link[i]);
	if (s->signs)
		signing_close(&s->signing);
	policy_free(s->policy);
	config_free(&s->config);
	s->service = NULL;
	s->remote = NULL;
	s->policy = NULL;
	s->signs = false;
}

int
stand_open(struct stand *s, struct error *e)
{
	struct service_parts parts = {.config = &s->config,
	    .signer = &s->signer.signer,
	    .lookup = &s->lookup,
	    .passwords = &s->passwords,
	    .log = &s->log,
	    .clock = &clock_system,
	    .entropy = &entropy_system};

	s->config = (struct config){0};
	s->link[0] = s->link[1] = -1;
	s->lookup.submit = look_up;
	s->passwords.submit = check_password;
	if (flags_load(&s->flags, &s->config, e) == -1 || signing_check(&s->config, e) == -1 ||
	    policy_open(&s->policy, &s->config, e) == -1 ||
	    signing_open(
		&s->signing, &s->config, s->policy, &clock_system, &entropy_system, e) == -1)
		return -1;
	s->signs = true;
	signer_local_init(&s->signer, &s->signing);
	parts.policy = s->policy;
	return service_open(&s->service, &parts, e);
}

bool
stand_respond(struct gateway *g, const struct response *r)
{
	struct call *c = (struct call *)g;
	struct buffer text;
	bool taken;

	/* As the adapters do. */
	buffer_init(&text, LIMIT_RESPONSE + LIMIT_ERROR_TEXT);
	taken = response_render(r, &text) == 0;
	buffer_free(&text);
	c->answers++;
	c->status = taken ? r->status : 0;
	(void)snprintf(c->body, sizeof(c->body), "%.*s", (int)r->body.length,
	    r->body.data != NULL ? r->body.data : "");
	return taken;
}
