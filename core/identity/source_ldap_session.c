#include "identity/source_ldap_session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/file.h"
#include "identity/source_ldap_connection.h"

struct session {
	const struct ldap_config *config;
	struct ldap_server *servers; /* as many as there are URIs */
	size_t count;
	struct buffer password; /* empty: the bind is anonymous */
	struct connection connection;
	int64_t deadline;
	bool kept;    /* the connection is older than the look-up */
	bool refused; /* the server refused our bind: others would too */
};

/* libldap's first call sets up what all threads share. */
static void
begin_library(void)
{
	int version;

	(void)ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version);
}

/* The first line of the file. */
static int
read_password(struct buffer *to, const char *path, struct error *e)
{
	if (path == NULL)
		return buffer_append(to, "", 0);
	if (file_read_trusted(path, to, NULL, e) == -1)
		return error_prefix(e, "password-file");
	if (to->data != NULL)
		to->length = strcspn(to->data, "\r\n");
	/* To bind with a DN and no password is to be anonymous (RFC 4513, 5.1.2). */
	if (to->data == NULL || to->length == 0)
		return error_set(
		    e, ERROR_CONFIG, "password-file: %s: its first line is empty", path);
	return 0;
}

static int
prepare(struct session *s, struct error *e)
{
	const struct ldap_config *c = s->config;
	bool tls = false;

	s->servers = calloc(c->uri.count, sizeof(*s->servers));
	if (s->servers == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	for (; s->count < c->uri.count; s->count++) {
		struct ldap_server *server = &s->servers[s->count];

		if (ldap_server_read(server, c, s->count, e) == -1)
			return -1;
		tls =
		    tls || server->transport == LDAP_TLS || server->transport == LDAP_STARTTLS;
	}
	if (tls && connection_check_ca(c, e) == -1)
		return -1;
	return read_password(&s->password, c->password_file, e);
}

int
session_new(struct session **out, const struct ldap_config *c, struct error *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct session *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	(void)pthread_once(&once, begin_library);
	s->config = c;
	s->connection.stream.fd = -1;
	buffer_init(&s->password, LIMIT_PASSPHRASE);
	if (prepare(s, e) == -1) {
		session_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	connection_close(&s->connection);
	for (size_t i = 0; i < s->count; i++)
		ldap_server_clear(&s->servers[i]);
	free(s->servers);
	buffer_free(&s->password);
	free(s);
}

void
session_begin(struct session *s, int64_t deadline)
{
	s->deadline = deadline;
	s->connection.stream.deadline = deadline;
	s->connection.lost = false;
	s->kept = s->connection.ld != NULL;
}

bool
session_went_stale(const struct session *s)
{
	return s->kept && s->connection.lost;
}

/* Without a DN it is asked all the same: a server that does not answer is found out now. */
static int
bind_ourselves(struct session *s, struct error *e)
{
	struct bind b = {.dn = s->config->bind_dn, .password = &s->password};

	if (connection_bind(&s->connection, &b, e) == -1)
		return -1;
	s->refused = b.result == LDAP_INVALID_CREDENTIALS;
	if (b.result == LDAP_SUCCESS)
		return 0;
	return connection_fail(&s->connection, b.result,
	    b.dn != NULL ? "the server refused the bind: check bind-dn and password-file"
			 : "the server refused an anonymous bind: give bind-dn and "
			   "password-file",
	    e);
}

/* A server that hangs may take its share of the time, so that the next one has the rest. */
static int
open_one(struct session *s, size_t i, struct error *e)
{
	int64_t now = clock_monotonic(&clock_system);

	s->refused = false;
	s->connection.stream.deadline = now + (s->deadline - now) / (int64_t)(s->count - i);
	if (connection_open(&s->connection, &s->servers[i], s->config, e) == -1 ||
	    bind_ourselves(s, e) == -1)
		return error_prefix(e, "%.128s", s->servers[i].uri);
	s->connection.stream.deadline = s->deadline;
	return 0;
}

/* The first server that takes us. What each of the others said is kept together. */
static int
open_any(struct session *s, struct error *e)
{
	struct error before = {0};

	for (size_t i = 0; i < s->count; i++) {
		if (open_one(s, i, e) == 0)
			return 0;
		if (i > 0)
			error_prefix(e, "%s; then", before.text);
		before = *e;
		/* The password is wrong everywhere; to try on would only lock the account. */
		if (s->refused)
			break;
	}
	return -1;
}

static int
judge(struct session *s, const struct search *q, LDAPMessage *message, struct error *e)
{
	int result = LDAP_OTHER;
	int code =
	    ldap_parse_result(s->connection.ld, message, &result, NULL, NULL, NULL, NULL, 0);

	if (code != LDAP_SUCCESS)
		return connection_fail(&s->connection, code, "the answer makes no sense", e);
	switch (result) {
	case LDAP_SUCCESS:
		return 0;
	case LDAP_NO_SUCH_OBJECT:
		return error_set(e, ERROR_UNAVAILABLE,
		    "'%.128s' does not exist, or who binds may not see it: check base, "
		    "group-base and bind-dn",
		    q->base);
	case LDAP_SIZELIMIT_EXCEEDED:
		return error_set(e, ERROR_UNAVAILABLE,
		    "more entries than the server or we allow (%d) below '%.128s'", q->most,
		    q->base);
	default:
		return error_set(e, ERROR_UNAVAILABLE, "the search below '%.128s' failed: %s",
		    q->base, ldap_err2string(result));
	}
}

/* Takes one message. 1: it was the last. */
static int
take(struct session *s, const struct search *q, LDAPMessage *message, struct error *e)
{
	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_RESULT:
		return judge(s, q, message, e) == 0 ? 1 : -1;
	case LDAP_RES_SEARCH_REFERENCE:
		return error_set(e, ERROR_UNAVAILABLE,
		    "the server refers to other servers for parts of '%.128s': give a base "
		    "that "
		    "it has all of; with Active Directory, a lower one or its global catalogue",
		    q->base);
	default:
		return 0;
	}
}

/* Each message as it comes, so that never more than one entry is held. */
static int
collect(struct session *s, const struct search *q, int operation, struct error *e)
{
	int left = q->most;
	int rc;

	do {
		LDAPMessage *message = NULL;

		if (connection_await(&s->connection, operation, &message, e) == -1)
			return -1;
		if (ldap_msgtype(message) != LDAP_RES_SEARCH_ENTRY)
			rc = take(s, q, message, e);
		else if (left-- > 0)
			rc = q->visit(q->context, s->connection.ld, message, e);
		else
			rc = error_set(e, ERROR_UNAVAILABLE,
			    "more than %d entries below '%.128s'", q->most, q->base);
		ldap_msgfree(message);
	} while (rc == 0);
	/* Where it ended early, the server is to send no more of it. */
	if (rc == -1 && s->connection.ld != NULL)
		(void)ldap_abandon_ext(s->connection.ld, operation, NULL, NULL);
	return rc == 1 ? 0 : -1;
}

int
session_search(struct session *s, const struct search *q, struct error *e)
{
	int64_t left;
	struct timeval limit = {0, 0};
	int code, operation;

	if (s->connection.ld == NULL && open_any(s, e) == -1)
		return -1;
	left = s->deadline - clock_monotonic(&clock_system);
	limit.tv_sec =
	    left > NANOSECONDS ? (time_t)((left + NANOSECONDS - 1) / NANOSECONDS) : 1;
	/* libldap does not write into the list. */
	code = ldap_search_ext(s->connection.ld, q->base, LDAP_SCOPE_SUBTREE, q->filter,
	    (char **)(uintptr_t)q->attributes, 0, NULL, NULL, &limit, q->most, &operation);
	if (code != LDAP_SUCCESS)
		return connection_fail(
		    &s->connection, code, "the search cannot be asked for", e);
	return collect(s, q, operation, e);
}

int
session_bind(struct session *s, struct bind *b, struct error *e)
{
	int rc;

	/* There was a search, or there is nothing to bind over. */
	if (s->connection.ld == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "the connection ended");
	rc = connection_bind(&s->connection, b, e);
	connection_close(&s->connection);
	return rc;
}
