/* identity: the groups of a token that is shown, beside those of the other sources. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "identity/claimed.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
configure(struct config *c, const char *text)
{
	struct error e = {0};

	assert_int_equal(config_init(c, &e), 0);
	if (config_parse(c, text, strlen(text), "t.conf", &e) == -1)
		fail_msg("%s", e.text);
}

static const char alone[] = "groups { resolvers = {\"unix\"} }\n";
static const char first[] = "groups { resolvers = {\"claim\", \"unix\"} }\n";
static const char last[] = "groups { resolvers = {\"unix\", \"claim\"} }\n";
static const char merged[] = "groups { resolvers = {\"unix\", \"claim\"} mode = merge }\n";
static const char allowed[] = "groups { resolvers = {\"claim\"} allow = {\"a*\"} }\n";

/* NULL as the sources' groups: they do not know the user; as what is left: nobody does. */
static const struct {
	const char *config, *sources, *claimed, *left;
} cases[] = {
    {alone, "a\nb\n", "b\nc\n", "b\n"},
    {alone, "a\nb\n", "", ""},
    {alone, "", "a\n", ""},
    {alone, NULL, "a\n", NULL},
    {alone, "Staff\n", "Staff\n", "Staff\n"},
    {alone, "staff\n", "Staff\n", "staff\n"},
    {alone, "Staff\n", "staff\n", ""},
    {alone, "ab\n", "a\nb\nabc\n", ""},
    {first, NULL, "B\na\n", "b\na\n"},
    {first, NULL, "", ""},
    {last, "a\nb\n", "b\nc\n", "b\n"},
    {last, NULL, "b\nC\n", "b\nc\n"},
    {merged, "a\nb\n", "b\nc\n", "b\nc\n"},
    {merged, NULL, "b\n", "b\n"},
    {allowed, NULL, "b\naa\na\n", "aa\na\n"},
};

static void
token_never_gains_a_group(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config c;
		struct membership m = {.known = cases[i].sources != NULL};
		struct error e = {0};

		configure(&c, cases[i].config);
		if (m.known)
			memcpy(m.groups, cases[i].sources, strlen(cases[i].sources) + 1);
		if (claimed_apply(&c.groups, cases[i].claimed, &m, &e) == -1)
			fail_msg("case %zu: %s", i, e.text);
		if (m.known != (cases[i].left != NULL) ||
		    strcmp(m.groups, cases[i].left != NULL ? cases[i].left : "") != 0)
			fail_msg("case %zu: %d %s", i, m.known, m.groups);
		config_free(&c);
	}
}

static void
sources_are_not_asked_when_the_claim_comes_first(void **state)
{
	static const struct {
		const char *config;
		bool suffice;
	} rows[] = {
	    {alone, false},
	    {first, true},
	    {last, false},
	    {merged, false},
	    {"groups { resolvers = {\"claim\", \"unix\"} mode = merge }\n", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c;

		configure(&c, rows[i].config);
		assert_int_equal(claimed_suffice(&c.groups), rows[i].suffice);
		config_free(&c);
	}
}

static void
what_refuses_is_not_left_out(void **state)
{
	static const struct {
		const char *config, *sources, *claimed, *all;
	} rows[] = {
	    {alone, "a\nsuspended\n", "a\n", "a\nsuspended\n"},
	    {alone, "a\n", "b\n", "a\n"},
	    {last, "a\nsuspended\n", "B\n", "a\nsuspended\nb\n"},
	    {first, NULL, "b\n", "b\n"},
	    {merged, "a\n", "", "a\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c;
		struct membership m = {.known = rows[i].sources != NULL};
		struct error e = {0};

		configure(&c, rows[i].config);
		if (m.known)
			memcpy(m.groups, rows[i].sources, strlen(rows[i].sources) + 1);
		assert_int_equal(claimed_join(&c.groups, rows[i].claimed, &m, &e), 0);
		assert_string_equal(m.groups, rows[i].all);
		config_free(&c);
	}
}

static void
more_groups_than_may_be_are_an_error(void **state)
{
	struct membership m = {0};
	struct error e = {0};
	struct config c;

	(void)state;
	configure(&c, "groups { resolvers = {\"claim\"} most = 2 }\n");
	assert_int_equal(claimed_apply(&c.groups, "a\nb\n", &m, &e), 0);
	assert_int_equal(claimed_apply(&c.groups, "a\nb\nc\n", &m, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	config_free(&c);
}

static void
other_knowledge_stays(void **state)
{
	struct membership m = {.known = true, .email = "a@example.com", .space = "ns"};
	struct error e = {0};
	struct config c;

	(void)state;
	configure(&c, alone);
	assert_int_equal(claimed_apply(&c.groups, "a\n", &m, &e), 0);
	assert_string_equal(m.email, "a@example.com");
	assert_string_equal(m.space, "ns");
	config_free(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(token_never_gains_a_group),
	    cmocka_unit_test(sources_are_not_asked_when_the_claim_comes_first),
	    cmocka_unit_test(what_refuses_is_not_left_out),
	    cmocka_unit_test(more_groups_than_may_be_are_an_error),
	    cmocka_unit_test(other_knowledge_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
