/*
 * grant_type=password (RFC 6749, 4.3), and POST /api/token, which is what ODAS calls SSO_URL: a
 * token for a user whose name and password are shown. Another process checks them, and takes
 * its time to say that they are wrong (identity/password.h).
 */
#include <string.h>

#include "service/refresh.h"
#include "service/token.h"

/* One answer for an unknown user, a wrong password and a locked account. */
static void
refuse_password(struct token_request *t)
{
	struct error e = {0};

	error_set(&e, ERROR_GRANT, "the user name or the password is wrong");
	token_refuse(t, &e);
}

static struct tries_limits
limits_of(const struct service *s)
{
	const struct password_config *p = &s->parts.config->password;

	return (struct tries_limits){.most = p->tries, .window = p->window};
}

static void
password_checked(void *context, enum password_verdict verdict, const struct error *failure)
{
	struct token_request *t = context;
	struct service *s = t->issue.service;
	const struct tries_limits limits = limits_of(s);

	if (failure != NULL) {
		tries_return(s->tries, t->issue.query.caller.name, &limits);
		token_refuse(t, failure);
	} else if (verdict != PASSWORD_RIGHT) {
		refuse_password(t);
	} else {
		tries_forgive(s->tries, t->issue.query.caller.name);
		if (config_grants(s->parts.config, GRANT_REFRESH) && !t->bare)
			t->complete = refresh_add;
		token_issue(t);
	}
}

/* Counts the try. Each process has the file open for itself, from its first try on. */
static int
admit(struct token_request *t, const char *user, struct error *e)
{
	struct service *s = t->issue.service;
	const struct tries_limits limits = limits_of(s);
	int64_t now = clock_realtime(s->parts.clock) / NANOSECONDS;

	if (s->tries == NULL && tries_open(&s->tries, s->state, s->parts.entropy, e) == -1)
		return -1;
	return tries_admit(s->tries, user, &limits, now, &t->retry, e);
}

void
grant_password(struct token_request *t)
{
	const char *user = t->fields.values[FIELD_USERNAME];
	const char *password = t->fields.values[FIELD_PASSWORD];
	const struct password_question question = {.user = user, .password = password};
	struct service *s = t->issue.service;
	struct query *q = &t->issue.query;
	struct error e = {0};

	if (user == NULL || password == NULL) {
		error_set(&e, ERROR_MALFORMED, "want username and password, neither empty");
		token_refuse(t, &e);
		return;
	}
	/* Nobody has such a name. */
	if (subject_check(s->grammar, user, &e) == -1) {
		refuse_password(t);
		return;
	}
	memcpy(q->subject, user, strlen(user) + 1);
	if (principal_password(&q->caller, user, &e) == -1 || token_read_wishes(t, &e) == -1 ||
	    admit(t, user, &e) == -1)
		token_refuse(t, &e);
	else if (password_submit(s->parts.passwords, &question, password_checked, t, &e) == -1)
		password_checked(t, PASSWORD_WRONG, &e);
}

/* {"username": ..., "password": ...} or a form; the answer is {"token": ...}. */
int
password_endpoint(
    struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct token_request *t;

	if (!config_grants(s->parts.config, GRANT_PASSWORD))
		return error_set(
		    e, ERROR_NOT_FOUND, "no such resource: passwords are not taken");
	t = token_new(s, g, r, e);
	if (t == NULL)
		return -1;
	t->grant = GRANT_PASSWORD;
	t->bare = true;
	if (fields_read(&t->fields, token_fields, r, true, e) == -1)
		token_refuse(t, e);
	else
		grant_password(t);
	return 0;
}
