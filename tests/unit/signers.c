#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/signers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct query
signers_ask(const char *caller, const char *subject, const char *audience, int64_t lifetime)
{
	struct query q = {.lifetime = lifetime};

	(void)snprintf(q.caller.name, sizeof(q.caller.name), "%s", caller);
	(void)snprintf(q.caller.scheme, sizeof(q.caller.scheme), "Basic");
	(void)snprintf(q.subject, sizeof(q.subject), "%s", subject);
	(void)snprintf(q.audience, sizeof(q.audience), "%s", audience);
	return q;
}

int
signers_open(struct signing *signing, const struct policy *policy, const struct clock *clock,
    const struct entropy *entropy)
{
	static const char pem[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	    "-----END PRIVATE KEY-----\n";
	char path[] = "/tmp/test_signer.XXXXXX";
	static char algorithm[] = "EdDSA", issuer[] = "192.0.2.7";
	static struct config config;
	struct error e = {0};
	int fd;
	int rc = -1;

	/* The signing leads to it. */
	config = (struct config){.private_key = path,
	    .algorithm = algorithm,
	    .kid = KID_THUMBPRINT,
	    .issuer = issuer,
	    .lifetime = 3600};
	umask(077);
	fd = mkstemp(path);
	if (fd == -1)
		return -1;
	if (write(fd, pem, sizeof(pem) - 1) == sizeof(pem) - 1)
		rc = signing_open(signing, &config, policy, clock, entropy, &e);
	close(fd);
	unlink(path);
	return rc;
}

static struct signers_fixture fixture;

static int64_t
read_now(void *state)
{
	return ((const struct signers_fixture *)state)->now;
}

int
signers_enter(void **state)
{
	struct signers_fixture *f = &fixture;
	int ends[2];
	struct error e = {0};

	*f = (struct signers_fixture){.now = 1000 * NANOSECONDS};
	*state = f;
	f->clock = (struct clock){.realtime = read_now, .monotonic = read_now, .state = f};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
		return -1;
	f->worker = ends[0];
	f->signer = ends[1];
	return signer_remote_new(&f->remote, f->worker, 2, &f->clock, &entropy_system, &e);
}

int
signers_leave(void **state)
{
	struct signers_fixture *f = *state;

	signer_remote_free(f->remote);
	close(f->worker);
	if (f->signer != -1)
		close(f->signer);
	return 0;
}

static void
keep_outcome(void *context, const struct signature *s, const struct error *e)
{
	struct signers_outcome *o = context;
	struct error ignored;

	o->calls++;
	o->ok = s != NULL;
	o->code = e->code;
	o->expires = s != NULL ? s->expires : 0;
	(void)snprintf(o->text, sizeof(o->text), "%.63s", s != NULL ? s->token : e->text);
	if (o->again != NULL)
		assert_int_equal(signers_submit(o->again, SIGNERS_TABLE, &ignored), 0);
}

int
signers_submit(struct signers_fixture *f, size_t i, struct error *e)
{
	struct query q = signers_ask("alice", "", "", 0);

	(void)snprintf(q.subject, sizeof(q.subject), "%zu", i);
	return signer_submit(
	    signer_remote_signer(f->remote), &q, keep_outcome, &f->outcomes[i], e);
}
