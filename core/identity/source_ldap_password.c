#include "identity/source_ldap_password.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "identity/source_ldap_connection.h"
#include "identity/source_ldap_user.h"

enum { DN_MAX = 8 * 1024 };

static int
open_session(struct session **out, const struct ldap_config *c, struct error *e)
{
	*out = NULL;
	return ldap_user_check(c, e) == -1 ? -1 : session_new(out, c, e);
}

int
ldap_password_ready(const struct ldap_config *c, struct error *e)
{
	struct session *s;
	int rc = open_session(&s, c, e);

	session_free(s);
	return rc;
}

/* 0 also when it is not there, or not to be used; *denied then says why. */
static int
find(struct session *s, struct ldap_user *u, struct error *denied, struct error *e)
{
	if (ldap_user_find(s, u, e) == -1) {
		if (!u->twice)
			return -1;
		/* To ask again would not help, nor is it to show from outside. */
		error_set(denied, ERROR_DENIED, "%s", e->text);
	} else if (u->dn == NULL) {
		error_set(denied, ERROR_DENIED, "there is no entry");
	} else if (u->other) {
		error_set(denied, ERROR_DENIED, "the entry spells the name otherwise");
	} else if (*u->dn == '\0') {
		/* To bind with it would be to bind as nobody. */
		return error_set(e, ERROR_UNAVAILABLE, "the entry's DN is empty");
	}
	return 0;
}

/* What no entry is called. */
static int
make_decoy(struct buffer *dn, const struct ldap_config *c, struct error *e)
{
	uint64_t bits[2];

	buffer_free(dn);
	if (entropy_fill(&entropy_system, bits, sizeof(bits)) == -1 ||
	    buffer_printf(dn, "cn=%016" PRIx64 "%016" PRIx64 "%s%s", bits[0], bits[1],
		*c->base != '\0' ? "," : "", c->base) == -1)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory or of random bytes");
	return 0;
}

static int
bind_as(
    struct session *s, const char *dn, const char *password, struct bind *b, struct error *e)
{
	struct buffer secret;
	int rc;

	buffer_init(&secret, LIMIT_PASSWORD);
	rc = buffer_append(&secret, password, strlen(password));
	if (rc == -1) {
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
	} else {
		*b = (struct bind){.dn = dn, .password = &secret};
		rc = session_bind(s, b, e);
	}
	b->password = NULL;
	buffer_free(&secret);
	return rc;
}

/* What servers say of wrong passwords and of accounts that are locked, disabled or expired. Any
 * other answer is about the server, not about the user. */
static int
judge(const struct bind *b, struct error *e)
{
	const char *said = *b->words != '\0' ? b->words : "no more is said";

	switch (b->result) {
	case LDAP_SUCCESS:
		if (!b->conditional)
			return 0;
		return error_set(e, ERROR_DENIED, "the password must be changed first");
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_CONSTRAINT_VIOLATION:
	case LDAP_UNWILLING_TO_PERFORM:
	case LDAP_INSUFFICIENT_ACCESS:
		return error_set(e, ERROR_DENIED, "the directory refused the bind: %s (%.200s)",
		    ldap_err2string(b->result), said);
	default:
		return error_set(e, ERROR_UNAVAILABLE,
		    "the directory did not take the bind: %s (%.200s)",
		    ldap_err2string(b->result), said);
	}
}

static int
ask(struct session *s, struct ldap_user *u, const char *password, struct error *e)
{
	struct buffer decoy;
	struct error denied = {0};
	struct bind b = {0};
	const char *dn;
	int rc = -1;

	buffer_init(&decoy, DN_MAX);
	if (find(s, u, &denied, e) == -1 || make_decoy(&decoy, u->config, e) == -1)
		goto out;
	dn = denied.code == ERROR_NONE ? u->dn : decoy.data;
	if (password != NULL && bind_as(s, dn, password, &b, e) == -1)
		goto out;
	if (denied.code != ERROR_NONE)
		*e = denied;
	else
		rc = password == NULL ? 0 : judge(&b, e);
out:
	buffer_free(&decoy);
	return rc;
}

int
ldap_password_check(
    const struct ldap_config *c, const struct password_question *q, struct error *e)
{
	const char *const attributes[] = {
	    c->name_attribute != NULL ? c->name_attribute : LDAP_NO_ATTRS, NULL};
	struct ldap_user u = {.config = c, .name = q->user, .attributes = attributes};
	struct session *s;
	int rc;

	if (!password_is_askable(q))
		return error_set(e, ERROR_DENIED, "this is no name, or no password");
	if (open_session(&s, c, e) == -1)
		return -1;
	session_begin(s, clock_monotonic(&clock_system) + c->timeout * NANOSECONDS);
	rc = ask(s, &u, q->password, e);
	free(u.dn);
	session_free(s);
	return rc;
}
