/* GET or POST /SUBJECT: a token for SUBJECT in a file, and the answer is its path. */
#define _GNU_SOURCE /* explicit_bzero */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "identity/groups.h"
#include "service/internal.h"
#include "store/live.h"

/* A mint that waits for its signature. */
struct mint {
	struct service *service;
	struct gateway *gateway;
	struct request request;
	struct query query;
	unsigned int live; /* most token files of the subject at once; 0: no limit */
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
	unsigned int count;

	if (m->live == 0)
		return 0;
	if (live_count(&m->service->directory, m->query.subject, &count, e) == -1)
		return -1;
	if (count < m->live)
		return 0;
	return error_set(e, ERROR_LIMITED,
	    "%s has %u token files, the most at once: use one of them, or wait until one is "
	    "gone",
	    m->query.subject, count);
}

static void
signed_or_not(void *context, const struct signature *s, const struct error *failure)
{
	struct mint *m = context;
	struct service *service = m->service;
	struct error e = *failure;
	char path[LIMIT_PATH];

	if (s != NULL && check_live(m, &e) == 0 &&
	    publish_token(&service->directory, &service->publish, m->query.subject,
		clock_realtime(service->parts.clock), s->token, s->length, path, &e) == 0) {
		log_token(m, path);
		if (answer(m, s, path, &e) == 0)
			goto out;
	}
	service_refuse(service, m->gateway, &m->request, &e);
out:
	free(m);
}

/* Asks policy; the signer asks again, and it is the signer's grant that counts. */
static int
check_policy(const struct service *s, struct mint *m, struct error *e)
{
	struct query *q = &m->query;
	struct grant g;

	if (policy_needs_groups(s->parts.policy) && principal_authenticated(&q->caller) &&
	    groups_lookup(q->caller.name, q->groups, e) == -1)
		return -1;
	if (policy_permit(s->parts.policy, q, &g, e) == -1)
		return error_detail(e, "%s", g.where);
	m->live = g.live;
	return 0;
}

int
mint_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct mint *m = malloc(sizeof(*m));

	if (m == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*m = (struct mint){.service = s, .gateway = g, .request = *r};
	if (read_query(&m->query, s, r, e) == -1 || check_policy(s, m, e) == -1 ||
	    subject_check(s->grammar, m->query.subject, e) == -1 || check_live(m, e) == -1 ||
	    signer_submit(s->parts.signer, &m->query, signed_or_not, m, e) == -1) {
		free(m);
		return -1;
	}
	return 0;
}
