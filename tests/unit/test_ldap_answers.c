/* identity: what is made of a directory's answers, good or odd. The server is a child of the
 * test, which answers each request as it is told to. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <lber.h>
#include <ldap.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "identity/source.h"
#include "identity/source_ldap_password.h"
#include "tests/unit/faults.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ENTRIES = 3, VALUES = 3, NONSENSE = -1 };

/* What the server answers. Results are those of RFC 4511, A.1, or NONSENSE. */
struct said {
	int ours;          /* to the first bind of a connection */
	int users;         /* to the second one */
	const char *words; /* with both; NULL: none */
	int condition;     /* of ppolicy, with the second one; 0: none */
	int tls;           /* to StartTLS */
	int search;
	bool refers;              /* to another server, in a search */
	const char *dns[ENTRIES]; /* what a search finds */
	const char *attribute;    /* that each of them has, and its values */
	const char *values[VALUES];
};

/* What both know. Texts are those of this program. */
static struct said *said;
static char uri[64];
static pid_t server;

/* --- the server ------------------------------------------------------------------------ */

static void
put(int fd, BerElement *ber)
{
	struct berval *bytes = NULL;

	if (ber_flatten(ber, &bytes) == 0)
		(void)!send(fd, bytes->bv_val, bytes->bv_len, MSG_NOSIGNAL);
	ber_bvfree(bytes);
	ber_free(ber, 1);
}

static void
put_result(int fd, int id, ber_tag_t tag, int result, int condition)
{
	char value[] = {0x30, 0x03, (char)0x81, 0x01, (char)condition};
	struct berval bytes = {.bv_len = sizeof(value), .bv_val = value};
	const char *words = said->words != NULL ? said->words : "";
	BerElement *ber = ber_alloc_t(LBER_USE_DER);

	if (result == NONSENSE)
		(void)ber_printf(ber, "{it{s}}", id, tag, "?");
	else if (condition == 0)
		(void)ber_printf(ber, "{it{ess}}", id, tag, result, "", words);
	else
		(void)ber_printf(ber, "{it{ess}t{{sO}}}", id, tag, result, "", words,
		    (ber_tag_t)LDAP_TAG_CONTROLS, LDAP_CONTROL_PASSWORDPOLICYRESPONSE, &bytes);
	put(fd, ber);
}

static void
put_entry(int fd, int id, const char *dn)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);

	(void)ber_printf(ber, "{it{s{", id, (ber_tag_t)LDAP_RES_SEARCH_ENTRY, dn);
	if (said->attribute != NULL) {
		(void)ber_printf(ber, "{s[", said->attribute);
		for (size_t i = 0; i < VALUES && said->values[i] != NULL; i++)
			(void)ber_printf(ber, "s", said->values[i]);
		(void)ber_printf(ber, "]}");
	}
	(void)ber_printf(ber, "}}}");
	put(fd, ber);
}

static void
answer_search(int fd, int id)
{
	BerElement *ber;

	for (size_t i = 0; i < ENTRIES && said->dns[i] != NULL; i++)
		put_entry(fd, id, said->dns[i]);
	if (said->refers) {
		ber = ber_alloc_t(LBER_USE_DER);
		(void)ber_printf(ber, "{it{s}}", id, (ber_tag_t)LDAP_RES_SEARCH_REFERENCE,
		    "ldap://elsewhere.example/");
		put(fd, ber);
	}
	put_result(fd, id, LDAP_RES_SEARCH_RESULT, said->search, 0);
}

/* Bytes of the message that begins there (X.690, 8.1.3): its first two, and what they say. */
static ssize_t
size_of(const char *message)
{
	const unsigned char *at = (const unsigned char *)message + 1;
	ssize_t size = *at & 0x7f;

	if (*at < 0x80)
		return 2 + size;
	size = 0;
	for (int i = 1; i <= (*at & 0x7f); i++)
		size = size << 8 | at[i];
	return 2 + (*at & 0x7f) + size;
}

static void
answer(int fd, const char *message, int *binds)
{
	struct berval request = {
	    .bv_len = (ber_len_t)size_of(message), .bv_val = (char *)(uintptr_t)message};
	BerElement *ber = ber_init(&request);
	ber_tag_t tag = 0;
	ber_int_t id = 0;

	(void)ber_scanf(ber, "{it", &id, &tag);
	ber_free(ber, 1);
	if (tag == LDAP_REQ_BIND && (*binds)++ == 0)
		put_result(fd, id, LDAP_RES_BIND, said->ours, 0);
	else if (tag == LDAP_REQ_BIND)
		put_result(fd, id, LDAP_RES_BIND, said->users, said->condition);
	else if (tag == LDAP_REQ_SEARCH)
		answer_search(fd, id);
	else if (tag == LDAP_REQ_EXTENDED)
		put_result(fd, id, LDAP_RES_EXTENDED, said->tls, 0);
}

/* Each request is small and sent whole, but two may come at once. */
static void
serve_one(int fd)
{
	char bytes[8192];
	int binds = 0;
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		for (ssize_t at = 0; at < n; at += size_of(bytes + at))
			answer(fd, bytes + at, &binds);
}

static _Noreturn void
serve(int listener)
{
	static const int yes = 1;
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((fd = accept(listener, NULL, NULL)) != -1) {
		/* A search is answered by several messages. */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		serve_one(fd);
		close(fd);
	}
	_exit(1);
}

static int
begin(void **state)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(a);

	(void)state;
	said = mmap(
	    NULL, sizeof(*said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (said == MAP_FAILED || bind(listener, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(listener, 16) == -1 ||
	    getsockname(listener, (struct sockaddr *)&a, &size) == -1)
		return -1;
	(void)snprintf(uri, sizeof(uri), "ldap://127.0.0.1:%d", ntohs(a.sin_port));
	server = fork();
	if (server == 0)
		serve(listener);
	close(listener);
	return server != -1 ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	(void)kill(server, SIGKILL);
	return waitpid(server, NULL, 0) == server ? 0 : -1;
}

/* --- passwords -------------------------------------------------------------------------- */

#define JANE "uid=jane,dc=example"

static char base[] = "dc=example", filter[] = "(uid={0})", uid[] = "uid",
	    group_filter[] = "(member={1})";
static char *uris[] = {uri};
static const struct ldap_config plain = {.uri = {.items = uris, .count = 1},
    .base = base,
    .filter = filter,
    .group_filter = group_filter,
    .timeout = 20};

static void
answers_lead_to_verdicts(void **state)
{
	static const struct {
		struct said said;
		enum error_code code;
		const char *text;
	} rows[] = {
	    {{.dns = {JANE}}, ERROR_NONE, ""},
	    {{.dns = {JANE}, .words = "fine"}, ERROR_NONE, ""},
	    /* The user's bind. */
	    {{.dns = {JANE}, .users = 49, .words = "data 52e"}, ERROR_DENIED, "(data 52e)"},
	    {{.dns = {JANE}, .users = 49}, ERROR_DENIED, "(no more is said)"},
	    {{.dns = {JANE}, .users = 49, .words = "a\x01"}, ERROR_DENIED, "(no more is said)"},
	    {{.dns = {JANE}, .users = 48}, ERROR_DENIED, "refused the bind"},
	    {{.dns = {JANE}, .users = 32}, ERROR_DENIED, "refused the bind"},
	    {{.dns = {JANE}, .users = 19}, ERROR_DENIED, "refused the bind"},
	    {{.dns = {JANE}, .users = 53}, ERROR_DENIED, "refused the bind"},
	    {{.dns = {JANE}, .users = 50}, ERROR_DENIED, "refused the bind"},
	    {{.dns = {JANE}, .users = 51, .words = "later"}, ERROR_UNAVAILABLE,
		"did not take the bind: Server is busy (later)"},
	    {{.dns = {JANE}, .users = 2}, ERROR_UNAVAILABLE, "did not take the bind"},
	    {{.dns = {JANE}, .users = NONSENSE}, ERROR_UNAVAILABLE, "makes no sense"},
	    {{.dns = {JANE}, .condition = 2}, ERROR_DENIED, "must be changed first"},
	    {{.dns = {JANE}, .condition = 1}, ERROR_DENIED, "must be changed first"},
	    /* Ours. */
	    {{.ours = 49}, ERROR_UNAVAILABLE, "refused an anonymous bind"},
	    {{.ours = 51, .words = "(later"}, ERROR_UNAVAILABLE, "Server is busy"},
	    {{.ours = NONSENSE}, ERROR_UNAVAILABLE, "makes no sense"},
	    /* The search. */
	    {{0}, ERROR_DENIED, ""},
	    {{.dns = {JANE, "uid=jane,ou=b,dc=example"}}, ERROR_DENIED, ""},
	    {{.dns = {""}}, ERROR_UNAVAILABLE, "the entry's DN is empty"},
	    {{.dns = {JANE}, .refers = true}, ERROR_UNAVAILABLE, "refers to other servers"},
	    {{.search = 4}, ERROR_UNAVAILABLE, "more entries than the server or we allow"},
	    {{.search = 32}, ERROR_UNAVAILABLE, "does not exist"},
	    {{.search = 50}, ERROR_UNAVAILABLE, "failed: Insufficient access"},
	    {{.search = NONSENSE}, ERROR_UNAVAILABLE, "makes no sense"},
	};
	const struct password_question q = {.user = "jane", .password = "secret"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error e = {0};
		int rc;

		*said = rows[i].said;
		rc = ldap_password_check(&plain, &q, &e);
		if (rc != (rows[i].code == ERROR_NONE ? 0 : -1) || e.code != rows[i].code ||
		    strstr(e.text, rows[i].text) == NULL)
			fail_msg("row %zu: %d, code %d: %s", i, rc, (int)e.code, e.text);
	}
}

static void
the_entry_alone_counts_where_there_is_no_password(void **state)
{
	static const struct {
		struct said said;
		enum error_code code;
	} rows[] = {
	    {{.dns = {JANE}, .users = 49}, ERROR_NONE},
	    {{.users = 0}, ERROR_DENIED},
	    {{.search = 51}, ERROR_UNAVAILABLE},
	};
	const struct password_question q = {.user = "jane"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error e = {0};

		*said = rows[i].said;
		assert_int_equal(
		    ldap_password_check(&plain, &q, &e), rows[i].code == ERROR_NONE ? 0 : -1);
		assert_int_equal(e.code, rows[i].code);
	}
}

static void
a_name_is_the_one_that_the_entry_has(void **state)
{
	static const struct {
		const char *values[VALUES];
		enum error_code code;
	} rows[] = {
	    {{"jane"}, ERROR_NONE},
	    {{"jd", "jane"}, ERROR_NONE},
	    {{"JANE"}, ERROR_DENIED},
	    {{"jan", "janet"}, ERROR_DENIED},
	    {{NULL}, ERROR_DENIED},
	};
	const struct password_question q = {.user = "jane", .password = "secret"};
	struct ldap_config c = plain;

	(void)state;
	c.name_attribute = uid;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error e = {0};

		*said = (struct said){.dns = {JANE}, .attribute = "uid"};
		memcpy(said->values, rows[i].values, sizeof(rows[i].values));
		assert_int_equal(
		    ldap_password_check(&c, &q, &e), rows[i].code == ERROR_NONE ? 0 : -1);
		assert_int_equal(e.code, rows[i].code);
	}
	/* Of a part of the names nobody can say. */
	*said = (struct said){
	    .dns = {JANE}, .attribute = "uid;range=0-1", .values = {"jane", "jd"}};
	assert_int_equal(ldap_password_check(&c, &q, &(struct error){0}), -1);
}

static void
without_the_tls_that_is_wanted_nothing_is_said(void **state)
{
	static const int refusals[] = {2, 53, NONSENSE};
	const struct password_question q = {.user = "jane", .password = "secret"};
	struct ldap_config c = plain;

	(void)state;
	c.start_tls = true;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct error e = {0};

		*said = (struct said){.dns = {JANE}, .tls = refusals[i]};
		assert_int_equal(ldap_password_check(&c, &q, &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		assert_non_null(strstr(e.text, "StartTLS"));
	}
}

/* Nothing that fails makes a password right or wrong. */
static void
ask(void *context)
{
	const struct password_question q = {.user = "jane", .password = "secret"};
	struct error e = {0};
	int rc;

	faults_on();
	rc = ldap_password_check(context, &q, &e);
	faults_check(rc, &e);
	assert_true(rc == 0 || e.code == ERROR_UNAVAILABLE || e.code == ERROR_INTERNAL);
}

static void
what_fails_is_no_verdict(void **state)
{
	struct ldap_config c = plain;

	(void)state;
	*said = (struct said){.dns = {JANE}};
	faults_sweep_by(EIO, ask, &c);
	faults_sweep_by(EINTR, ask, &c);
	faults_sweep_by(EAGAIN, ask, &c);
}

static void
nobody_asks_what_cannot_be_asked(void **state)
{
	static const struct password_question rows[] = {
	    {.user = "jane", .password = ""}, {.user = "", .password = "secret"}};

	(void)state;
	*said = (struct said){.dns = {JANE}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error e = {0};

		assert_int_equal(ldap_password_check(&plain, &rows[i], &e), -1);
		assert_int_equal(e.code, ERROR_DENIED);
	}
}

/* --- groups ----------------------------------------------------------------------------- */

static int
look_up(struct groups_config *c, struct membership *m, struct error *e)
{
	struct source *s;
	int rc;

	*e = (struct error){0};
	*m = (struct membership){0};
	if (source_ldap_open(&s, c, e) == -1)
		fail_msg("%s", e->text);
	rc = s->lookup(s, "jane", m, e);
	source_close(s);
	return rc;
}

static void
groups_are_those_of_the_attribute(void **state)
{
	static const struct {
		const char *values[VALUES];
		const char *groups; /* NULL: an error */
	} rows[] = {
	    {{NULL}, ""},
	    {{"cn=staff,dc=example"}, "staff\n"},
	    {{"cn=staff,dc=example", "plain", "cn=a\\2cb,dc=example"}, "staff\nplain\na,b\n"},
	    /* No DNs, but names. */
	    {{"a=b=,,", "=", "c="}, NULL},
	    {{"a\nb"}, NULL},
	};
	static char attribute[] = "memberOf", where[] = "t.conf:1";
	struct groups_config c = {.ldap = plain, .where = where};

	(void)state;
	c.ldap.attribute = attribute;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct membership m;
		struct error e;
		int rc;

		*said = (struct said){.dns = {JANE}, .attribute = "memberOf"};
		memcpy(said->values, rows[i].values, sizeof(rows[i].values));
		rc = look_up(&c, &m, &e);
		if (rc != (rows[i].groups != NULL ? 0 : -1))
			fail_msg("row %zu: %d: %s", i, rc, e.text);
		if (rc == 0)
			assert_string_equal(m.groups, rows[i].groups);
	}
}

static void
the_first_value_is_the_email(void **state)
{
	static const struct {
		const char *values[VALUES];
		const char *email; /* NULL: an error */
	} rows[] = {
	    {{NULL}, ""},
	    {{"jane@a.example"}, "jane@a.example"},
	    {{"jane@a.example", "jd@a.example"}, "jane@a.example"},
	    {{"a\x01"}, NULL},
	    {{"\xff"}, NULL},
	};
	static char attribute[] = "mail", where[] = "t.conf:1";
	struct groups_config c = {.ldap = plain, .where = where};

	(void)state;
	c.ldap.email_attribute = attribute;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct membership m;
		struct error e;
		int rc;

		*said = (struct said){.dns = {JANE}, .attribute = "mail"};
		memcpy(said->values, rows[i].values, sizeof(rows[i].values));
		rc = look_up(&c, &m, &e);
		assert_int_equal(rc, rows[i].email != NULL ? 0 : -1);
		if (rc == 0)
			assert_string_equal(m.email, rows[i].email);
	}
}

static void
groups_that_are_found_are_named(void **state)
{
	static const struct {
		struct said said; /* to the search for the user, and for groups */
		const char *text;
	} rows[] = {
	    {{.dns = {JANE}}, "has no 'cn', or who binds may not see it"},
	    {{.dns = {JANE}, .attribute = "cn;range=0-1", .values = {"a"}}, "but a part"},
	    {{.dns = {JANE}, .attribute = "cn", .values = {"a\nb"}}, ""},
	};
	static char group_base[] = "ou=groups,dc=example", name[] = "cn", where[] = "t.conf:1";
	struct groups_config c = {.ldap = plain, .where = where};
	struct membership m;
	struct error e;

	(void)state;
	c.ldap.group_base = group_base;
	c.ldap.group_name = name;
	c.ldap.nested = true;
	for (size_t i = 0; i < COUNT(rows); i++) {
		*said = rows[i].said;
		assert_int_equal(look_up(&c, &m, &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		if (strstr(e.text, rows[i].text) == NULL)
			fail_msg("row %zu: %s", i, e.text);
	}
	/* A group that is a member of itself is there once. */
	*said = (struct said){.dns = {"cn=a,dc=example"}, .attribute = "cn", .values = {"a"}};
	assert_int_equal(look_up(&c, &m, &e), 0);
	assert_string_equal(m.groups, "a\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_lead_to_verdicts),
	    cmocka_unit_test(the_entry_alone_counts_where_there_is_no_password),
	    cmocka_unit_test(a_name_is_the_one_that_the_entry_has),
	    cmocka_unit_test(without_the_tls_that_is_wanted_nothing_is_said),
	    cmocka_unit_test(what_fails_is_no_verdict),
	    cmocka_unit_test(nobody_asks_what_cannot_be_asked),
	    cmocka_unit_test(groups_are_those_of_the_attribute),
	    cmocka_unit_test(the_first_value_is_the_email),
	    cmocka_unit_test(groups_that_are_found_are_named),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
