#include "identity/source_ldap_connection.h"

#include <openldap.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "identity/ldap_socket.h"

/* Where Debian, and most others, keep whom the system trusts. */
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

/* A server to which libldap cannot connect. */
#define NO_SERVER "ldapi://%2Fdev%2Fnull"

enum { CA_FILE_MAX = 4 * 1024 * 1024 };

void
connection_close(struct connection *c)
{
	if (c->ld != NULL)
		(void)ldap_unbind_ext(c->ld, NULL, NULL);
	c->ld = NULL;
}

static int
late(struct connection *c, struct error *e)
{
	connection_close(c);
	return error_set(e, ERROR_UNAVAILABLE, "the server did not answer in time");
}

int
connection_fail(struct connection *c, int code, const char *what, struct error *e)
{
	char *words = NULL;

	/* Whatever libldap makes of it. */
	if (clock_monotonic(&clock_system) >= c->stream.deadline)
		return late(c, e);
	(void)ldap_get_option(c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words);
	if (words != NULL && *words != '\0' && *words != '(' && text_clean(words))
		error_set(e, ERROR_UNAVAILABLE, "%s: %s (%.200s)", what, ldap_err2string(code),
		    words);
	else
		error_set(e, ERROR_UNAVAILABLE, "%s: %s", what, ldap_err2string(code));
	ldap_memfree(words);
	c->lost = code == LDAP_SERVER_DOWN;
	connection_close(c);
	return -1;
}

/* libldap's own waiting goes by a clock that steps. */
int
connection_await(struct connection *c, int operation, LDAPMessage **message, struct error *e)
{
	static const struct timeval now = {0, 0};
	int code = LDAP_OTHER;

	for (;;) {
		struct timeval none = now;
		int type = ldap_result(c->ld, operation, LDAP_MSG_ONE, &none, message);

		if (type > 0)
			return 0;
		if (type == -1)
			break;
		if (ldap_socket_wait(c->stream.fd, POLLIN, c->stream.deadline) == 0)
			return late(c, e);
	}
	(void)ldap_get_option(c->ld, LDAP_OPT_RESULT_CODE, &code);
	return connection_fail(c, code, "the connection ended", e);
}

/* Nobody is trusted who is not known, whatever libldap was built to do by itself. */
static int
set_tls(LDAP *ld, const struct ldap_config *c)
{
	static const int demand = LDAP_OPT_X_TLS_DEMAND, client = 0;
	static const int oldest = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	const char *ca = c->ca_file != NULL ? c->ca_file : SYSTEM_CA;

	if (ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, ca) != LDAP_OPT_SUCCESS ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != LDAP_OPT_SUCCESS ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &oldest) != LDAP_OPT_SUCCESS)
		return -1;
	/* Without it there would be one for the whole process, with its options. */
	return ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client) == LDAP_OPT_SUCCESS ? 0 : -1;
}

int
connection_check_ca(const struct ldap_config *c, struct error *e)
{
	const char *ca = c->ca_file != NULL ? c->ca_file : SYSTEM_CA;
	struct buffer bytes;
	int rc;

	buffer_init(&bytes, CA_FILE_MAX);
	rc = file_read_trusted(ca, &bytes, NULL, e);
	if (rc == 0 && (bytes.data == NULL || strstr(bytes.data, "CERTIFICATE-----") == NULL))
		rc = error_set(e, ERROR_CONFIG, "%s: has no certificate in PEM", ca);
	buffer_free(&bytes);
	return rc == 0 ? 0 : error_prefix(e, "ca-file");
}

static int
set_options(struct connection *c, struct error *e)
{
	static const int three = LDAP_VERSION3, never = LDAP_DEREF_NEVER;

	if (ldap_set_option(c->ld, LDAP_OPT_PROTOCOL_VERSION, &three) != LDAP_OPT_SUCCESS ||
	    ldap_set_option(c->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != LDAP_OPT_SUCCESS ||
	    ldap_set_option(c->ld, LDAP_OPT_DEREF, &never) != LDAP_OPT_SUCCESS)
		return connection_fail(c, LDAP_LOCAL_ERROR, "libldap cannot be set up", e);
	return 0;
}

static int
begin_tls(struct connection *c, const struct ldap_config *config, struct error *e)
{
	int code;

	if (set_tls(c->ld, config) == -1)
		return connection_fail(c, LDAP_LOCAL_ERROR, "ca-file cannot be used", e);
	code = ldap_install_tls(c->ld);
	if (code != LDAP_SUCCESS)
		return connection_fail(c, code,
		    "TLS failed: the server's certificate must be of a CA in ca-file, and name "
		    "the host as the URI does",
		    e);
	return 0;
}

/* Asks for TLS (RFC 4511, 4.14.1). What refuses is not spoken to any further. */
static int
start_tls(struct connection *c, const struct ldap_config *config, struct error *e)
{
	LDAPMessage *answer = NULL;
	int code, operation;
	int result = LDAP_OTHER;

	code = ldap_start_tls(c->ld, NULL, NULL, &operation);
	if (code != LDAP_SUCCESS)
		return connection_fail(c, code, "StartTLS cannot be asked for", e);
	if (connection_await(c, operation, &answer, e) == -1)
		return error_prefix(e, "StartTLS");
	code = ldap_parse_result(c->ld, answer, &result, NULL, NULL, NULL, NULL, 1);
	if (code != LDAP_SUCCESS || result != LDAP_SUCCESS)
		return connection_fail(c, code != LDAP_SUCCESS ? code : result,
		    "the server refused StartTLS: set up TLS in it, or use ldaps://", e);
	return begin_tls(c, config, e);
}

/* What a directory with ppolicy says beside a success: the user may do nothing but change the
 * password. */
static bool
has_condition(LDAP *ld, LDAPControl **controls)
{
	LDAPControl *found =
	    ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
	LDAPPasswordPolicyError wrong = PP_noError;
	ber_int_t expire, grace;

	return found != NULL && (ldap_parse_passwordpolicy_control(
				     ld, found, &expire, &grace, &wrong) != LDAP_SUCCESS ||
				    wrong != PP_noError);
}

static int
take_bind(struct connection *c, LDAPMessage *answer, struct bind *b)
{
	LDAPControl **controls = NULL;
	char *words = NULL;
	int code =
	    ldap_parse_result(c->ld, answer, &b->result, NULL, &words, NULL, &controls, 1);

	*b->words = '\0';
	if (words != NULL && text_clean(words))
		(void)snprintf(b->words, sizeof(b->words), "%s", words);
	b->conditional = code == LDAP_SUCCESS && has_condition(c->ld, controls);
	ldap_memfree(words);
	ldap_controls_free(controls);
	return code;
}

int
connection_bind(struct connection *c, struct bind *b, struct error *e)
{
	/* Not critical: a server that does not know it passes over it. */
	LDAPControl ppolicy = {.ldctl_oid = (char *)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
	LDAPControl *controls[] = {&ppolicy, NULL};
	struct berval secret = {.bv_len = b->password->length, .bv_val = b->password->data};
	LDAPMessage *answer = NULL;
	int code, operation;

	b->result = LDAP_OTHER;
	code =
	    ldap_sasl_bind(c->ld, b->dn, LDAP_SASL_SIMPLE, &secret, controls, NULL, &operation);
	if (code != LDAP_SUCCESS)
		return connection_fail(c, code, "the bind cannot be asked for", e);
	if (connection_await(c, operation, &answer, e) == -1)
		return error_prefix(e, "bind");
	code = take_bind(c, answer, b);
	if (code != LDAP_SUCCESS)
		return connection_fail(c, code, "the bind's answer makes no sense", e);
	return 0;
}

int
connection_open(struct connection *c, const struct ldap_server *s,
    const struct ldap_config *config, struct error *e)
{
	bool local = s->transport == LDAP_LOCAL;
	int rc = 0;
	int fd;

	c->lost = false;
	fd = local ? ldap_socket_connect_local(s->host, e)
		   : ldap_socket_connect(s->host, s->port, c->stream.deadline, e);
	if (fd == -1)
		return -1;
	if (ldap_init_fd(fd, LDAP_PROTO_EXT, s->uri, &c->ld) != LDAP_SUCCESS) {
		close(fd);
		c->ld = NULL;
		return error_set(e, ERROR_UNAVAILABLE, "libldap has no connection to give");
	}
	c->stream.fd = fd;
	if (stream_attach(c->ld, &c->stream) == -1) {
		/* Out of memory. What has nothing to write to libldap cannot free: it writes.
		 */
		close(fd);
		c->ld = NULL;
		return error_set(e, ERROR_UNAVAILABLE, "libldap cannot be set up");
	}
	if (set_options(c, e) == -1)
		return -1;
	if (s->transport == LDAP_STARTTLS)
		rc = start_tls(c, config, e);
	else if (s->transport == LDAP_TLS)
		rc = begin_tls(c, config, e);
	if (rc == -1)
		return -1;
	/* What libldap might connect to by itself would be without TLS and bind. */
	if (ldap_set_option(c->ld, LDAP_OPT_URI, NO_SERVER) != LDAP_OPT_SUCCESS)
		return connection_fail(c, LDAP_LOCAL_ERROR, "libldap cannot be set up", e);
	return 0;
}
