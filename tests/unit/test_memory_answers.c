/* Without memory: what is signed, read, answered and written down is whole or an error. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "service/audit.h"
#include "service/response.h"
#include "signer/signer_remote.h"
#include "signer/signer_reuse.h"
#include "tests/unit/memories.h"
#include "tests/unit/shapes.h"

static int
build_claims(struct error *e)
{
	static const char *const audience[] = {"okera", "trino", NULL};
	static const char *const rename[] = {"sub=user", NULL};
	struct grant g = shapes_grant();
	struct claim_values v = shapes_values(&g);
	struct shapes_profile m;
	struct shape s;
	char *claims;

	(void)snprintf(g.actor, sizeof(g.actor), "carol");
	v.groups = "a\nb\n";
	shapes_make(&m, "JWT", "{\"a\":[\"${host}\",{\"b\":\"${subject}\"}],\"c\":1}", audience,
	    rename);
	m.profile.nbf = true;
	if (shape_open(&s, &m.config, &m.profile, e) == -1)
		return -1;
	claims = claims_build(&s, &v);
	assert_true(claims == NULL ||
		    strstr(claims, "\"a\":[\"node7\",{\"b\":\"alice\"}],\"c\":1}") != NULL);
	free(claims);
	shape_close(&s);
	return claims != NULL ? 0 : memories_none(e);
}

static void
hear(void *context, const struct signature *s, const struct error *e)
{
	(void)s;
	(void)e;
	++*(int *)context;
}

/* A signer that signs at once, or says that it has no memory. */
static int
sign(struct signer *self, const struct query *q, signer_done *done, void *context,
    struct error *e)
{
	static const struct signature made = {
	    .token = "e30.e30.x", .length = 9, .expires = INT64_MAX / NANOSECONDS, .jti = "id"};

	(void)self;
	(void)q;
	*e = (struct error){0};
	done(context, &made, e);
	return 0;
}

static int
sign_again(struct error *e)
{
	static const struct signer_reuse_parts parts = {
	    .clock = &clock_system, .issuer = "https://issuer.example", .percent = 50};
	static const struct query q = {.subject = "jane"};
	struct signer next = {.submit = sign};
	struct signer_reuse *r = signer_reuse_new(&parts);
	int rc = r != NULL ? 0 : memories_none(e), heard = 0;

	for (int i = 0; rc == 0 && i < 2; i++) {
		rc = signer_submit(signer_reuse_signer(r, &next), &q, hear, &heard, e);
		assert_true(heard == (rc == 0 ? i + 1 : i));
	}
	signer_reuse_free(r);
	return rc;
}

static int
open_signer(struct error *e)
{
	struct signer_remote *r;
	int pair[2], rc;

	assert_true(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	rc = signer_remote_new(&r, pair[0], 1, &clock_system, &entropy_system, e);
	assert_true((r == NULL) == (rc == -1));
	signer_remote_free(r);
	close(pair[0]);
	close(pair[1]);
	return rc;
}

static void
a_signer_answers_once_or_not_at_all(void **state)
{
	(void)state;
	memories_without(sign_again, "libcrypto");
	memories_without(open_signer, NULL);
}

static void
claims_are_whole_or_there_are_none(void **state)
{
	(void)state;
	memories_without(build_claims, NULL);
}

static int
answer(struct error *e)
{
	static const char *const texts[] = {"a b", "c"};
	static const struct error failure = {.code = ERROR_UNAVAILABLE, .text = "wait"};
	struct response r;
	struct buffer out;
	int rc;

	response_init(&r, "application/json");
	buffer_init(&out, 4096);
	rc = response_field(&r, "X-Auth-Groups", texts, 2);
	r.etag = "tag";
	r.allow = "GET";
	response_error(&r, &failure, true);
	if (rc == 0)
		rc = response_render(&r, &out);
	buffer_free(&out);
	response_free(&r);
	return rc == 0 ? 0 : memories_none(e);
}

static int
audit(struct error *e)
{
	static const struct request request = {.path = "/x"};
	static char one[] = "okera", two[] = "trino", name[] = "both";
	static char *items[] = {one, two};
	static const struct profile profile = {
	    .name = name, .audience = {.items = items, .count = 2}};
	static const struct query query = {.subject = "jane"};
	static const struct grant grant = {.profile = &profile};
	static const struct decision d = {
	    .request = &request, .query = &query, .grant = &grant, .status = 200};
	struct audit *a;
	int rc;

	if (audit_open(&a, memories_path, e) == -1)
		return -1;
	assert_int_not_equal(audit_descriptor(a), -1);
	rc = audit_write(a, &d, &clock_system);
	audit_close(a);
	return rc == 0 ? 0 : memories_none(e);
}

/* Of this jansson by itself keeps "a user with a longer nam", and more like it. */
static int
read_json(struct error *e)
{
	static const char text[] =
	    "{\"sub\": \"a user with a longer name\", \"groups\": [\"etl\", 1]}";
	json_error_t wrong;
	json_t *value = json_read(text, strlen(text), &wrong);

	if (value == NULL)
		return json_read_short(&wrong) ? memories_none(e) : -1;
	assert_string_equal(
	    json_string_value(json_object_get(value, "sub")), "a user with a longer name");
	assert_int_equal(json_array_size(json_object_get(value, "groups")), 2);
	json_decref(value);
	return 0;
}

static void
json_is_read_whole_or_not_at_all(void **state)
{
	json_error_t wrong;

	(void)state;
	memories_without(read_json, NULL);
	assert_null(json_read("{", 1, &wrong));
	assert_false(json_read_short(&wrong));
}

static void
what_is_said_is_whole_or_not_said(void **state)
{
	(void)state;
	memories_without(answer, NULL);
	memories_put("audit", "");
	memories_without(audit, NULL);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, memories_enter, states_leave)
	static const struct CMUnitTest tests[] = {
	    TEST(a_signer_answers_once_or_not_at_all),
	    TEST(claims_are_whole_or_there_are_none),
	    TEST(json_is_read_whole_or_not_at_all),
	    TEST(what_is_said_is_whole_or_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
