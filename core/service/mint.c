/* GET or POST /SUBJECT: a token for SUBJECT in a file, and the answer is its path. */
#define _GNU_SOURCE /* explicit_bzero */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "service/internal.h"
#include "store/live.h"

/* A mint, while it waits for what is known of caller and subject, and for its signature. */
struct mint {
	struct service *service;
	struct gateway *gateway;
	struct request request;
	struct query query;
	struct grant grant; /* as policy gave it here; the signer's own is what counts */
	bool asked;         /* policy was: the grant names a rule */
	/* What the query leads to; NULL while it was not looked up. */
	struct membership *caller;
	struct membership *subject;
};

static int
check_request(const struct request *r, struct mint_query *asked, struct error *e)
{
	if (r->body_length > 0)
		return error_set(e, ERROR_MALFORMED, "a request for a token has no body");
	return request_mint_query(r->query, asked, e);
}

/* Fills q from the request. "/" asks for the caller itself. */
static int
read_query(struct query *q, const struct service *s, const struct request *r, struct error *e)
{
	const char *subject = r->path + 1;
	struct mint_query asked;

	if (check_request(r, &asked, e) == -1)
		return -1;
	*q = (struct query){.caller = r->caller, .lifetime = asked.ttl};
	if (*subject == '\0' && principal_authenticated(&r->caller))
		subject = r->caller.name;
	if (*subject != '\0' && subject_check(s->grammar, subject, e) == -1)
		return -1;
	memcpy(q->subject, subject, strlen(subject) + 1);
	memcpy(q->audience, asked.audience, sizeof(q->audience));
	memcpy(q->profile, asked.profile, sizeof(q->profile));
	return 0;
}

static int
put_json(struct buffer *body, const struct mint *m, const struct signature *s, const char *path)
{
	int64_t now = clock_realtime(m->service->parts.clock) / NANOSECONDS;
	json_t *object =
	    json_pack("{s:s, s:s, s:I, s:s}", "access_token", s->token, "token_type", "Bearer",
		"expires_in", (json_int_t)(s->expires - now), "token_file", path);
	char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
	int rc = text == NULL ? -1 : buffer_append(body, text, strlen(text));

	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
	json_decref(object);
	return rc;
}

static int
answer(struct mint *m, const struct signature *s, const char *path, struct error *e)
{
	static const char *const types[] = {
	    [MEDIA_PATH] = "text/plain; charset=utf-8",
	    [MEDIA_JWT] = "application/jwt",
	    [MEDIA_JSON] = "application/json",
	};
	struct response r;
	int rc = -1;

	response_init(&r, types[m->request.media]);
	switch (m->request.media) {
	case MEDIA_PATH:
		rc = buffer_append(&r.body, path, strlen(path));
		break;
	case MEDIA_JWT:
		rc = buffer_append(&r.body, s->token, s->length);
		break;
	case MEDIA_JSON:
		rc = put_json(&r.body, m, s, path);
		break;
	}
	if (rc == 0)
		m->gateway->respond(m->gateway, &r);
	else
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
	response_free(&r);
	return rc;
}

static void
log_token(const struct mint *m, const char *path)
{
	const struct query *q = &m->query;

	if (principal_authenticated(&q->caller) && strcmp(q->caller.name, q->subject) != 0)
		log_line(m->service->parts.log, LOG_LEVEL_INFO,
		    "Generated token: %s (subject %s, caller %s)", path, q->subject,
		    q->caller.name);
	else
		log_line(m->service->parts.log, LOG_LEVEL_INFO, "Generated token: %s", path);
}

/* Asked before the signature is made, and again before it is published. */
static int
check_live(const struct mint *m, struct error *e)
{
	struct service *s = m->service;
	unsigned int count;

	if (live_admit(s->bound, &s->directory, s->parts.clock, e) == -1)
		return -1;
	if (m->grant.live == 0)
		return 0;
	if (live_count(&s->directory, m->query.subject, &count, e) == -1)
		return -1;
	if (count < m->grant.live)
		return 0;
	return error_set(e, ERROR_LIMITED,
	    "%s has %u token files, the most at once: use one of them, or wait until one is "
	    "gone",
	    m->query.subject, count);
}

static void
end(struct mint *m)
{
	free(m->caller);
	free(m->subject);
	free(m);
}

static void
refuse(struct mint *m, const struct error *e)
{
	const struct outcome o = {.query = &m->query,
	    .ttl = m->query.lifetime,
	    .rule = m->asked ? m->grant.where : NULL};

	service_refuse(m->service, m->gateway, &m->request, &o, e);
	end(m);
}

static int
publish(struct mint *m, const struct signature *s, char path[LIMIT_PATH], struct error *e)
{
	struct service *service = m->service;

	if (check_live(m, e) == -1 ||
	    live_take(service->bound, &service->directory, service->parts.clock, e) == -1)
		return -1;
	if (publish_token(&service->directory, &service->publish, m->query.subject,
		clock_realtime(service->parts.clock), s->token, s->length, path, e) == 0)
		return 0;
	live_give_back(service->bound);
	return -1;
}

static void
signed_or_not(void *context, const struct signature *s, const struct error *failure)
{
	struct mint *m = context;
	const struct outcome o = {.query = &m->query,
	    .grant = &m->grant,
	    .signature = s,
	    .ttl = m->grant.lifetime,
	    .rule = m->grant.where};
	struct error e = *failure;
	char path[LIMIT_PATH];

	if (s == NULL || publish(m, s, path, &e) == -1) {
		refuse(m, &e);
		return;
	}
	log_token(m, path);
	service_audit(m->service, &m->request, &o, 200, NULL);
	if (answer(m, s, path, &e) == -1)
		refuse(m, &e);
	else
		end(m);
}

static void
order(struct mint *m)
{
	struct error e = {0};

	if (signer_submit(m->service->parts.signer, &m->query, signed_or_not, m, &e) == -1)
		refuse(m, &e);
}

/* Keeps what a look-up found. 0, or -1 and what went wrong. */
static int
keep(struct membership **kept, const struct membership *m, struct error *e)
{
	if (m == NULL)
		return -1;
	*kept = membership_keep(m);
	return *kept != NULL ? 0 : error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

static void
subject_known(void *context, const struct membership *found, const struct error *failure)
{
	struct mint *m = context;
	struct error e = *failure;

	if (keep(&m->subject, found, &e) == -1 ||
	    knowledge_use(
		&m->query, m->subject, m->service->parts.config, m->grant.profile, &e) == -1)
		refuse(m, &e);
	else
		order(m);
}

/* Asks policy, and then who the subject is; the signer asks policy again, and it is the
 * signer's grant that counts. */
static void
decide(struct mint *m)
{
	static const struct error none = {0};
	const struct service *s = m->service;
	struct query *q = &m->query;
	struct error e = {0};

	m->asked = true;
	if (policy_permit(s->parts.policy, q, &m->grant, &e) == -1 ||
	    subject_check(s->grammar, q->subject, &e) == -1 || check_live(m, &e) == -1)
		refuse(m, &e);
	else if (!knowledge_needed(s->parts.config, m->grant.profile, q->subject))
		order(m);
	else if (m->caller != NULL && strcmp(q->caller.name, q->subject) == 0)
		subject_known(m, m->caller, &none);
	else if (lookup_submit(s->parts.lookup, q->subject, subject_known, m, &e) == -1)
		refuse(m, &e);
}

static void
caller_known(void *context, const struct membership *found, const struct error *failure)
{
	struct mint *m = context;
	struct error e = *failure;

	if (keep(&m->caller, found, &e) == -1) {
		refuse(m, &e);
		return;
	}
	m->query.caller_groups = m->caller->groups;
	decide(m);
}

int
mint_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct mint *m = malloc(sizeof(*m));

	if (m == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*m = (struct mint){.service = s, .gateway = g, .request = *r};
	if (read_query(&m->query, s, r, e) == -1)
		refuse(m, e);
	else if (!policy_needs_groups(s->parts.policy, VERB_AS) ||
		 !principal_authenticated(&m->query.caller))
		decide(m);
	else if (lookup_submit(s->parts.lookup, m->query.caller.name, caller_known, m, e) == -1)
		refuse(m, e);
	return 0;
}
