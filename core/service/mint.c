/* GET or POST /SUBJECT: a token for SUBJECT in a file, and the answer is its path. */
#define _GNU_SOURCE /* explicit_bzero */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dump.h"
#include "service/issue.h"
#include "store/live.h"
#include "store/sweep.h"

/* A mint, while its token is made. */
struct mint {
	struct issue issue; /* first, so that the one leads to the other */
	struct gateway *gateway;
	struct request request;
	/* The request's, for what is said when it is answered and the gateway's are gone. */
	char path[1 + LIMIT_SUBJECT];
	char id[LIMIT_REQUEST_ID];
	uid_t account; /* whose file it will be, where it will be the subject's */
};

static int
check_request(const struct request *r, struct mint_query *asked, struct error *e)
{
	if (r->body_length > 0)
		return error_set(e, ERROR_MALFORMED, "a request for a token has no body");
	return request_mint_query(r->query, asked, e);
}

/* Fills the query from the request. "/" asks for the caller itself. */
static int
read_query(struct mint *m, struct error *e)
{
	const struct service *s = m->issue.service;
	const struct request *r = &m->request;
	struct query *q = &m->issue.query;
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
	(void)snprintf(m->path, sizeof(m->path), "%s", r->path);
	(void)snprintf(m->id, sizeof(m->id), "%s", r->id);
	memcpy(q->audience, asked.audience, sizeof(q->audience));
	memcpy(q->profile, asked.profile, sizeof(q->profile));
	return 0;
}

static int
put_json(struct buffer *body, const struct mint *m, const struct signature *s, const char *path)
{
	int64_t now = clock_realtime(m->issue.service->parts.clock) / NANOSECONDS;
	json_t *object =
	    json_pack("{s:s, s:s, s:I, s:s}", "access_token", s->token, "token_type", "Bearer",
		"expires_in", (json_int_t)(s->expires - now), "token_file", path);
	char *text = object == NULL ? NULL : dump_json(object, JSON_COMPACT);
	int rc = text == NULL ? -1 : buffer_append(body, text, strlen(text));

	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
	json_decref(object);
	return rc;
}

static int
compose(struct response *r, const struct mint *m, const struct signature *s, const char *path,
    struct error *e)
{
	static const char *const types[] = {
	    [MEDIA_PATH] = "text/plain; charset=utf-8",
	    [MEDIA_JWT] = "application/jwt",
	    [MEDIA_JSON] = "application/json",
	};
	int rc = -1;

	response_init(r, types[m->request.media]);
	switch (m->request.media) {
	case MEDIA_PATH:
		rc = buffer_append(&r->body, path, strlen(path));
		break;
	case MEDIA_JWT:
		rc = buffer_append(&r->body, s->token, s->length);
		break;
	case MEDIA_JSON:
		rc = put_json(&r->body, m, s, path);
		break;
	}
	return rc == 0 ? 0 : error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

static void
log_token(const struct mint *m, const char *path)
{
	const struct query *q = &m->issue.query;

	if (principal_authenticated(&q->caller) && strcmp(q->caller.name, q->subject) != 0)
		log_line(m->issue.service->parts.log, LOG_LEVEL_INFO,
		    "Generated token: %s (subject %s, caller %s)", path, q->subject,
		    q->caller.name);
	else
		log_line(
		    m->issue.service->parts.log, LOG_LEVEL_INFO, "Generated token: %s", path);
}

/* Asked before the signature is made, and again before it is published. */
static int
check_live(const struct issue *i, struct error *e)
{
	struct service *s = i->service;
	unsigned int count;

	if (live_admit(s->bound, &s->directory, s->parts.clock, e) == -1)
		return -1;
	if (i->grant.live == 0)
		return 0;
	if (live_count(&s->directory, i->query.subject, &count, e) == -1)
		return -1;
	if (count < i->grant.live)
		return 0;
	return error_set(e, ERROR_LIMITED,
	    "%s has %u token files, the most at once: use one of them, or wait until one is "
	    "gone",
	    i->query.subject, count);
}

static void
end(struct mint *m)
{
	issue_free(&m->issue);
	free(m);
}

static void
refuse(struct mint *m, const struct error *e)
{
	const struct outcome o = issue_outcome(&m->issue, NULL);

	service_refuse(m->issue.service, m->gateway, &m->request, &o, e);
	end(m);
}

static int
publish(struct mint *m, const struct signature *s, char path[LIMIT_PATH], struct error *e)
{
	struct service *service = m->issue.service;
	struct publish_options options = service->publish;

	options.account = m->account;
	if (check_live(&m->issue, e) == -1 ||
	    live_take(service->bound, &service->directory, service->parts.clock, e) == -1)
		return -1;
	if (publish_token(&service->directory, &options, m->issue.query.subject,
		clock_realtime(service->parts.clock), s->token, s->length, path, e) == 0)
		return 0;
	live_give_back(service->bound);
	return -1;
}

/* A token that nobody is told of must not lie there; should this fail, the reaper takes it. */
static bool
withdraw(struct service *s, const char *path)
{
	bool gone = sweep_delete(&s->directory, strrchr(path, '/') + 1, false) == 1;

	if (gone)
		live_give_back(s->bound);
	log_line(s->parts.log, LOG_LEVEL_WARNING, "%s token: %s: the answer could not be given",
	    gone ? "Withdrawn" : "Not withdrawn", path);
	return gone;
}

/* The audit log has said that the token was given: it hears of it again. */
static void
not_delivered(struct mint *m, const struct outcome *o, const char *path)
{
	const struct request answered = {.path = m->path,
	    .id = m->id,
	    .since = m->request.since,
	    .caller = m->request.caller};
	struct error e;

	error_set(&e, ERROR_UNAVAILABLE, "the answer could not be given: the token is %s",
	    withdraw(m->issue.service, path) ? "withdrawn" : "not withdrawn");
	service_audit(m->issue.service, &answered, o, 503, &e);
}

static void
issued(struct issue *i, const struct signature *s, const struct error *failure)
{
	struct mint *m = (struct mint *)i;
	const struct outcome o = issue_outcome(i, s);
	struct error e = *failure;
	struct response r;
	char path[LIMIT_PATH];

	if (s == NULL || publish(m, s, path, &e) == -1) {
		refuse(m, &e);
		return;
	}
	if (compose(&r, m, s, path, &e) == -1) {
		(void)withdraw(i->service, path);
		refuse(m, &e);
	} else {
		log_token(m, path);
		service_audit(i->service, &m->request, &o, 200, NULL);
		if (!m->gateway->respond(m->gateway, &r))
			not_delivered(m, &o, path);
		end(m);
	}
	response_free(&r);
}

static void
account_known(void *context, const struct account_entry *found, const struct error *failure)
{
	struct mint *m = context;
	struct error e = *failure;

	if (found != NULL) {
		m->account = found->uid;
		issue_sign(&m->issue);
		return;
	}
	if (failure->code == ERROR_CONFIG) {
		error_set(&e, ERROR_DENIED, "there can be no token file for this subject");
		(void)error_detail(&e, "%s has no account", m->issue.query.subject);
	}
	issue_fail(&m->issue, &e);
}

static void
find_account(struct issue *i)
{
	const struct accounts *a = i->service->accounts;
	const struct account_question q = {.name = i->query.subject};
	struct error e;

	if (a->submit(a, &q, account_known, i, &e) == -1)
		issue_fail(i, &e);
}

int
mint_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct mint *m = malloc(sizeof(*m));

	if (m == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*m = (struct mint){.issue = {.service = s,
			       .admit = check_live,
			       .prepare = s->publish.to_subject ? find_account : NULL,
			       .then = issued},
	    .gateway = g,
	    .request = *r};
	if (read_query(m, e) == -1)
		refuse(m, e);
	else
		issue_token(&m->issue);
	return 0;
}
