/* signer: the claims that a profile adds, with values in them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/shapes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
claims_are_added_as_they_are(void **state)
{
	static const char *const rows[][2] = {
	    {"{}", ""},
	    {"{\"a\":1}", ",\"a\":1"},
	    {" { \"b\" : [ true, null, -1.5, \"x\" ] } ", ",\"b\":[true,null,-1.5,\"x\"]"},
	    {"{\"z\":{},\"a\":{\"y\":{\"x\":[]}}}", ",\"z\":{},\"a\":{\"y\":{\"x\":[]}}"},
	    {"{\"groups\":[\"a\",\"b\"]}", ",\"groups\":[\"a\",\"b\"]"},
	    /* No names of ours in inner objects. */
	    {"{\"a\":{\"sub\":\"x\",\"exp\":0}}", ",\"a\":{\"sub\":\"x\",\"exp\":0}"},
	    /* A dollar alone stands for itself, and names of members are not looked at. */
	    {"{\"$\":\"$subject ${host}$ {host} }\"}", ",\"$\":\"$subject node7$ {host} }\""},
	    {"{\"${host}\":\"x\"}", ",\"${host}\":\"x\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct shapes_profile m;

		shapes_make(&m, "JWT", rows[i][0], NULL, NULL);
		shapes_assert_more(&m, rows[i][1]);
	}
}

static void
variables_are_replaced_wherever_a_string_is(void **state)
{
	static const char *const rows[][2] = {
	    {"{\"sun\":\"${subject}\"}", ",\"sun\":\"alice\""},
	    {"{\"a\":\"${caller}\"}", ",\"a\":\"carol\""},
	    {"{\"a\":\"${host}\"}", ",\"a\":\"node7\""},
	    {"{\"a\":\"${email}\"}", ",\"a\":\"alice@example.com\""},
	    {"{\"a\":\"${namespace}\"}", ",\"a\":\"alice-ns\""},
	    {"{\"a\":\"${subject}${subject}\"}", ",\"a\":\"alicealice\""},
	    {"{\"a\":\"<${subject}@${host}>\"}", ",\"a\":\"<alice@node7>\""},
	    {"{\"a\":[[\"${host}\",{\"b\":\"x${caller}\"}],\"${subject}\"]}",
		",\"a\":[[\"node7\",{\"b\":\"xcarol\"}],\"alice\"]"},
	    {"{\"a\":{\"b\":{\"c\":[\"${namespace}\"]}}}",
		",\"a\":{\"b\":{\"c\":[\"alice-ns\"]}}"},
	    /* The JSON's own escapes come first. */
	    {"{\"a\":\"\\u0024{host}\\n\"}", ",\"a\":\"node7\\n\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct shapes_profile m;

		shapes_make(&m, "JWT", rows[i][0], NULL, NULL);
		shapes_assert_more(&m, rows[i][1]);
	}
}

/* Whatever a subject is called, it is one string and stays one. */
static void
value_cannot_break_out_or_be_replaced_again(void **state)
{
	static const struct {
		const char *subject;
		const char *in_json;
	} rows[] = {
	    {"x\",\"admin\":true,\"y\":\"", "x\\\",\\\"admin\\\":true,\\\"y\\\":\\\""},
	    {"\"}", "\\\"}"},
	    {"\\", "\\\\"},
	    {"${host}", "${host}"},
	    {"${subject}", "${subject}"},
	    {"${", "${"},
	    {"%s%n", "%s%n"},
	    {"a\nb", "a\\nb"},
	    {"\xc3\xb6", "\xc3\xb6"},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct grant g = shapes_grant();
		struct claim_values v = shapes_values(&g);
		struct shapes_profile m;
		char want[512];

		shapes_make(
		    &m, "JWT", "{\"a\":[\"<${subject}>\"],\"b\":\"${host}\"}", NULL, NULL);
		(void)snprintf(g.subject, sizeof(g.subject), "%s", rows[i].subject);
		(void)snprintf(want, sizeof(want),
		    "{\"sub\":\"%s\",\"iss\":\"192.0.2.7\",\"iat\":1000,\"exp\":1060,"
		    "\"jti\":\"id\",\"a\":[\"<%s>\"],\"b\":\"node7\"}",
		    rows[i].in_json, rows[i].in_json);
		shapes_assert_claims(&m, &v, want);
	}
}

static void
subject_without_attributes_has_empty_ones(void **state)
{
	struct grant g = shapes_grant();
	struct claim_values v = shapes_values(&g);
	struct shapes_profile m;

	(void)state;
	shapes_make(
	    &m, "JWT", "{\"email\":\"${email}\",\"namespace\":\"${namespace}\"}", NULL, NULL);
	v.email = v.space = "";
	shapes_assert_claims(&m, &v, "{" SHAPES_ALICE ",\"email\":\"\",\"namespace\":\"\"}");
}

/* A mint that cannot be made ends in no claims, never in cut ones. */
static void
value_that_is_no_text_gives_no_claims(void **state)
{
	struct grant g = shapes_grant();
	struct claim_values v = shapes_values(&g);
	struct shapes_profile m;
	struct shape s;
	struct error e = {0};

	(void)state;
	shapes_make(&m, "JWT", "{\"a\":{\"b\":[\"${email}\"]}}", NULL, NULL);
	v.email = "\xff";
	assert_int_equal(shape_open(&s, &m.config, &m.profile, &e), 0);
	assert_null(claims_build(&s, &v));
	shape_close(&s);
}

/* Wherever the text stands, and whether it or what is put into it is too long. */
static void
text_that_is_too_long_for_a_token_gives_no_claims(void **state)
{
	static const char *const rows[][2] = {
	    {"{\"a\":\"", "\"}"}, {"{\"a\":[\"", "\"]}"}, {"{\"a\":{\"b\":\"", "\"}}"}};
	static const char *const ends[] = {"xx", "${subject}"};
	static char text[LIMIT_TOKEN], claims[LIMIT_TOKEN + 64];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < COUNT(rows) * COUNT(ends); i++) {
		struct grant g = shapes_grant();
		struct claim_values v = shapes_values(&g);
		struct shapes_profile m;
		struct shape s;
		struct error e = {0};

		(void)snprintf(claims, sizeof(claims), "%s%s%s%s", rows[i / 2][0], text,
		    ends[i % 2], rows[i / 2][1]);
		shapes_make(&m, "JWT", claims, NULL, NULL);
		assert_int_equal(shape_open(&s, &m.config, &m.profile, &e), 0);
		assert_null(claims_build(&s, &v));
		shape_close(&s);
	}
}

static void
claims_that_are_wrong_are_refused(void **state)
{
#define VARIABLES "${subject}, ${caller}, ${host}, ${email} and ${namespace} exist"
	static const char *const rows[][2] = {
	    /* variables */
	    {"{\"a\":\"${user}\"}", "claims: '${user}': " VARIABLES},
	    {"{\"a\":\"x${Subject}\"}", "claims: '${Subject}': " VARIABLES},
	    {"{\"a\":\"${}\"}", "claims: '${}': " VARIABLES},
	    {"{\"a\":\"${ subject}\"}", "claims: '${ subject}': " VARIABLES},
	    {"{\"a\":\"${subject2}\"}", "claims: '${subject2}': " VARIABLES},
	    {"{\"a\":\"${subjec}\"}", "claims: '${subjec}': " VARIABLES},
	    {"{\"a\":\"${HOME}\"}", "claims: '${HOME}': " VARIABLES},
	    {"{\"a\":\"${subject\"}", "claims: '${subject': " VARIABLES},
	    {"{\"a\":\"${\"}", "claims: '${': " VARIABLES},
	    {"{\"a\":\"${host}${host\"}", "claims: '${host': " VARIABLES},
	    {"{\"a\":\"${${host}}\"}", "claims: '${${host}}': " VARIABLES},
	    {"{\"a\":[{\"b\":[\"${x}\"]}]}", "claims: '${x}': " VARIABLES},
	    {"{\"a\":\"${0123456789012345678901234567890123456789}\"}",
		"claims: '${012345678901234567890123456789': " VARIABLES},
	    /* names of ours */
	    {"{\"iss\":\"x\"}", "claims: 'iss' is set by authserver itself"},
	    {"{\"sub\":\"x\"}", "claims: 'sub' is set by authserver itself"},
	    {"{\"aud\":\"x\"}", "claims: 'aud' is set by authserver itself"},
	    {"{\"exp\":1}", "claims: 'exp' is set by authserver itself"},
	    {"{\"nbf\":1}", "claims: 'nbf' is set by authserver itself"},
	    {"{\"iat\":1}", "claims: 'iat' is set by authserver itself"},
	    {"{\"jti\":\"x\"}", "claims: 'jti' is set by authserver itself"},
	    {"{\"act\":{}}", "claims: 'act' is set by authserver itself"},
	    {"{\"client_id\":\"x\"}", "claims: 'client_id' is set by authserver itself"},
	    {"{\"a\":1,\"\\u0065xp\":1}", "claims: 'exp' is set by authserver itself"},
	    /* another shape */
	    {"{\"a\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}", "claims: nested deeper than 16"},
	    {"[]", "claims: want a JSON object"},
	    {"[{\"a\":1}]", "claims: want a JSON object"},
	    {"{\"a\":1,\"a\":2}", "claims: duplicate object key near '\"a\"'"},
	    {"{\"a\":{\"b\":1,\"b\":1}}", "claims: duplicate object key near '\"b\"'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct shapes_profile m;

		shapes_make(&m, "JWT", rows[i][0], NULL, NULL);
		shapes_assert_refused(&m, rows[i][1]);
	}
}

static void
claims_that_are_no_json_are_refused_in_their_line(void **state)
{
	static const char *const rows[] = {"", " ", "{", "}", "null", "1", "\"x\"", "{a:1}",
	    "{'a':1}", "{\"a\":1,}", "{\"a\":1} x", "{\"a\":1}{}", "{\"a\":\"\xff\"}",
	    "{\"a\":\"\\u0000\"}", "{\"a\":1e999}", "{\"a\":99999999999999999999}"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct shapes_profile m;
		struct shape s;
		struct error e = {0};

		shapes_make(&m, "JWT", rows[i], NULL, NULL);
		if (shape_open(&s, &m.config, &m.profile, &e) != -1)
			fail_msg("accepted: %s", rows[i]);
		assert_int_equal(e.code, ERROR_CONFIG);
		if (strncmp(e.text, "t.conf:7: claims: ", 18) != 0 || strlen(e.text) < 25)
			fail_msg("%s", e.text);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(claims_are_added_as_they_are),
	    cmocka_unit_test(variables_are_replaced_wherever_a_string_is),
	    cmocka_unit_test(value_cannot_break_out_or_be_replaced_again),
	    cmocka_unit_test(subject_without_attributes_has_empty_ones),
	    cmocka_unit_test(value_that_is_no_text_gives_no_claims),
	    cmocka_unit_test(text_that_is_too_long_for_a_token_gives_no_claims),
	    cmocka_unit_test(claims_that_are_wrong_are_refused),
	    cmocka_unit_test(claims_that_are_no_json_are_refused_in_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
