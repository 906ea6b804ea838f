/* service: verdicts on tokens of parties whose keys come from somewhere else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/trust.h"
#include "tests/unit/tokens.h"

enum { ASKED_MOST = 16, LONGEST = 60, TRUSTED = 1000 /* seconds */ };

static const char *const text = "verify \"one\" { keys-url = \"https://one.example/\" }\n"
				"verify \"two\" { keys-url = \"https://two.example/\" }\n";

/* A question that was asked. */
struct question {
	char section[8];
	bool anew;
	lookup_keys_done *done;
	void *context;
};

struct fixture {
	struct lookup lookup; /* first, so that the one leads to the other */
	struct tokens *t;
	struct clock clock;
	int64_t now;
	struct config config;
	struct verifier *v;
	struct trust *trust;
	bool refusing; /* questions cannot be asked */
	size_t count;
	struct question asked[ASKED_MOST];
};

/* What became of a token. */
struct verdict {
	int calls;
	bool good;
	char party[16];
	enum error_code code;
	char text[LIMIT_ERROR_TEXT];
};

static int64_t
read_now(void *state)
{
	return ((const struct fixture *)state)->now;
}

/* Tokens do not expire meanwhile. */
static int64_t
read_date(void *state)
{
	(void)state;
	return TOKENS_NOW * NANOSECONDS;
}

static int
submit_keys(struct lookup *self, const struct lookup_keys *which, lookup_keys_done *done,
    void *context, struct error *e)
{
	struct fixture *f = (struct fixture *)self;
	struct question *q = &f->asked[f->count];

	if (f->refusing)
		return error_set(e, ERROR_UNAVAILABLE, "the resolver takes no more");
	assert_true(f->count++ < ASKED_MOST);
	*q = (struct question){.anew = which->anew, .done = done, .context = context};
	(void)snprintf(q->section, sizeof(q->section), "%s", which->section);
	return 0;
}

/* Our own key is RS256; trusted by nobody yet are ES256 and EdDSA. */
static struct fixture
begin(void **state)
{
	struct fixture f = {.t = *state, .lookup.submit_keys = submit_keys};
	struct error e = {0};
	const struct verifier_source source = {.config = &f.config};

	assert_int_equal(config_init(&f.config, &e), 0);
	if (config_parse(&f.config, text, strlen(text), "t.conf", &e) == -1 ||
	    verifier_open(&f.v, &source, &e) == -1)
		fail_msg("%s", e.text);
	return f;
}

static void
start(struct fixture *f)
{
	struct error e;

	f->clock = (struct clock){.realtime = read_date, .monotonic = read_now, .state = f};
	assert_int_equal(trust_open(&f->trust, f->v, &f->clock, &e), 0);
	trust_set_lookup(f->trust, &f->lookup);
}

static void
end(struct fixture *f)
{
	trust_free(f->trust);
	verifier_free(f->v);
	config_free(&f->config);
}

static void
note(void *context, const struct verified *v, const struct error *e)
{
	struct verdict *d = context;

	d->calls++;
	d->good = v != NULL;
	d->code = v == NULL ? e->code : ERROR_NONE;
	if (v != NULL)
		(void)snprintf(d->party, sizeof(d->party), "%s", v->party);
	else
		memcpy(d->text, e->text, sizeof(d->text));
}

static const struct key *
key(const struct fixture *f, const char *algorithm)
{
	return f->t->keys[tokens_find(algorithm)];
}

/* A token by the key, with this kid, which may be NULL; free() it. */
static char *
make_token(const struct fixture *f, const char *algorithm, const char *kid)
{
	char header[128];

	if (kid == NULL)
		return tokens_of(key(f, algorithm), TOKENS_CLAIMS);
	(void)snprintf(
	    header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", algorithm, kid);
	return tokens_sign(key(f, algorithm), header, TOKENS_CLAIMS);
}

static void
judge(struct fixture *f, const char *token, struct verdict *d)
{
	*d = (struct verdict){0};
	trust_judge(f->trust, token, strlen(token), note, d);
}

/* Answers the i-th question with a set of the key, under this kid. */
static void
answer(struct fixture *f, size_t i, const char *algorithm, const char *kid)
{
	static const struct error none;
	static struct key_set set;
	struct buffer jwk;
	struct error e;
	const char *members;

	buffer_init(&jwk, LIMIT_JWK_SET);
	assert_int_equal(key_jwk(key(f, algorithm), &jwk, &e), 0);
	members = strstr(jwk.data, ",\"kid\":");
	assert_non_null(members);
	(void)snprintf(set.json, sizeof(set.json), "{\"keys\":[%.*s,\"kid\":\"%s\"}]}",
	    (int)(members - jwk.data), jwk.data, kid);
	set.trusted = TRUSTED * NANOSECONDS;
	assert_true(i < f->count);
	f->asked[i].done(f->asked[i].context, &set, LONGEST * NANOSECONDS, &none);
	buffer_free(&jwk);
}

static void
answer_nothing(struct fixture *f, size_t i)
{
	struct error e;

	error_set(&e, ERROR_UNAVAILABLE, "the web server is away");
	f->asked[i].done(f->asked[i].context, NULL, 0, &e);
}

static void
assert_asked(const struct fixture *f, size_t i, const char *section, bool anew)
{
	assert_true(i < f->count);
	assert_string_equal(f->asked[i].section, section);
	assert_int_equal(f->asked[i].anew, anew);
}

static void
assert_good(const struct verdict *d, const char *party)
{
	assert_int_equal(d->calls, 1);
	assert_true(d->good);
	assert_string_equal(d->party, party);
}

static void
assert_refused(const struct verdict *d, enum error_code code)
{
	assert_int_equal(d->calls, 1);
	assert_false(d->good);
	assert_int_equal(d->code, code);
}

/* Both sections have their keys: ES256 as "a", EdDSA as "b". */
static void
load(struct fixture *f)
{
	char *token = make_token(f, "RS512", "nobody's");
	struct verdict d;

	judge(f, token, &d);
	assert_int_equal(f->count, 2);
	answer(f, 0, "ES256", "a");
	answer(f, 1, "EdDSA", "b");
	assert_refused(&d, ERROR_UNAUTHENTICATED);
	f->count = 0;
	free(token);
}

/* --- at first --- */

static void
token_waits_for_the_keys_that_it_needs(void **state)
{
	struct fixture f = begin(state);
	char *token;
	struct verdict d;

	start(&f);
	token = make_token(&f, "EdDSA", "b");
	judge(&f, token, &d);
	assert_int_equal(d.calls, 0);
	assert_asked(&f, 0, "one", false);
	assert_asked(&f, 1, "two", false);
	answer(&f, 1, "EdDSA", "b");
	assert_good(&d, "two"); /* without the other's */
	answer(&f, 0, "ES256", "a");
	assert_int_equal(d.calls, 1);
	assert_int_equal(f.count, 2);
	free(token);
	end(&f);
}

static void
many_tokens_are_one_question(void **state)
{
	struct fixture f = begin(state);
	struct verdict d[5];
	char *token;

	start(&f);
	token = make_token(&f, "ES256", "a");
	for (size_t i = 0; i < 5; i++)
		judge(&f, token, &d[i]);
	assert_int_equal(f.count, 2);
	answer(&f, 0, "ES256", "a");
	for (size_t i = 0; i < 5; i++)
		assert_good(&d[i], "one");
	judge(&f, token, &d[0]);
	assert_good(&d[0], "one");
	assert_int_equal(f.count, 2);
	free(token);
	end(&f);
}

static void
what_is_no_token_waits_for_nothing(void **state)
{
	struct fixture f = begin(state);
	static const char *const headers[] = {"{\"alg\":\"none\",\"kid\":\"a\"}",
	    "{\"alg\":\"HS256\",\"kid\":\"a\"}", "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\"}"};
	struct verdict d;

	start(&f);
	judge(&f, "x.y.z", &d);
	assert_refused(&d, ERROR_UNAUTHENTICATED);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char *token = tokens_sign(key(&f, "ES256"), headers[i], TOKENS_CLAIMS);

		judge(&f, token, &d);
		assert_refused(&d, ERROR_UNAUTHENTICATED);
		free(token);
	}
	assert_int_equal(f.count, 0);
	end(&f);
}

static void
without_keys_nobody_can_say(void **state)
{
	struct fixture f = begin(state);
	struct verdict d;
	char *token;

	start(&f);
	token = make_token(&f, "ES256", "a");
	judge(&f, token, &d);
	answer(&f, 1, "EdDSA", "b");
	assert_int_equal(d.calls, 0);
	answer_nothing(&f, 0);
	assert_refused(&d, ERROR_UNAVAILABLE);
	assert_string_equal(
	    d.text, "whether the token is valid cannot be said now: the web server is away");
	/* The next one asks anew, for what is missing. */
	judge(&f, token, &d);
	assert_int_equal(f.count, 4);
	assert_asked(&f, 2, "one", false);
	assert_asked(&f, 3, "two", true); /* whose keys do not have the kid */
	free(token);
	end(&f);
}

static void
one_who_is_away_holds_up_no_token_of_others(void **state)
{
	struct fixture f = begin(state);
	struct verdict waiting, d;
	char *token, *other, *changed;

	start(&f);
	token = make_token(&f, "ES256", "a");
	other = make_token(&f, "EdDSA", "b");
	judge(&f, token, &waiting);
	answer(&f, 1, "EdDSA", "b");
	judge(&f, other, &d);
	assert_good(&d, "two");
	/* Its kid is known, so that it is nobody else's. */
	changed = make_token(&f, "ES256", "b");
	judge(&f, changed, &d);
	assert_refused(&d, ERROR_UNAUTHENTICATED);
	assert_int_equal(waiting.calls, 0);
	assert_int_equal(f.count, 2);
	free(token);
	free(other);
	free(changed);
	end(&f);
}

static void
question_that_cannot_be_asked_is_as_one_without_an_answer(void **state)
{
	struct fixture f = begin(state);
	struct verdict d;
	char *token;

	start(&f);
	f.refusing = true;
	token = make_token(&f, "ES256", "a");
	judge(&f, token, &d);
	assert_refused(&d, ERROR_UNAVAILABLE);
	assert_non_null(strstr(d.text, "the resolver takes no more"));
	trust_set_lookup(f.trust, NULL);
	judge(&f, token, &d);
	assert_non_null(strstr(d.text, "there is no resolver"));
	free(token);
	end(&f);
}

static void
token_without_a_kid_waits_where_there_are_no_keys(void **state)
{
	struct fixture f = begin(state);
	struct verdict d;
	char *token, *other;

	start(&f);
	token = make_token(&f, "ES256", NULL);
	judge(&f, token, &d);
	assert_int_equal(f.count, 2);
	answer(&f, 0, "ES256", "a");
	assert_good(&d, "one");
	answer(&f, 1, "EdDSA", "b");
	other = make_token(&f, "RS512", NULL);
	judge(&f, other, &d);
	assert_refused(&d, ERROR_UNAUTHENTICATED);
	assert_int_equal(f.count, 2);
	free(token);
	free(other);
	end(&f);
}

/* --- later --- */

static void
unknown_kid_is_asked_for_anew_but_not_all_the_time(void **state)
{
	struct fixture f = begin(state);
	struct verdict d, same, later;
	char *token;

	start(&f);
	load(&f);
	token = make_token(&f, "RS256", "new");
	judge(&f, token, &d);
	assert_int_equal(f.count, 2);
	assert_asked(&f, 0, "one", true);
	assert_asked(&f, 1, "two", true);
	judge(&f, token, &same); /* which waits with it */
	assert_int_equal(f.count, 2);
	assert_int_equal(same.calls, 0);
	answer(&f, 0, "ES256", "a");
	answer(&f, 1, "EdDSA", "b");
	assert_refused(&d, ERROR_UNAUTHENTICATED);
	assert_refused(&same, ERROR_UNAUTHENTICATED);
	f.now += 5 * NANOSECONDS - 1;
	judge(&f, token, &later);
	assert_refused(&later, ERROR_UNAUTHENTICATED);
	assert_int_equal(f.count, 2);
	f.now += 1;
	judge(&f, token, &later);
	assert_int_equal(f.count, 4);
	answer(&f, 2, "RS256", "new");
	assert_good(&later, "one");
	free(token);
	end(&f);
}

static void
keys_that_cannot_be_had_anew_leave_the_old_ones(void **state)
{
	struct fixture f = begin(state);
	struct verdict d;
	char *token, *unknown;

	start(&f);
	load(&f);
	unknown = make_token(&f, "RS256", "new");
	judge(&f, unknown, &d);
	answer_nothing(&f, 0);
	answer_nothing(&f, 1);
	assert_refused(&d, ERROR_UNAUTHENTICATED);
	token = make_token(&f, "ES256", "a");
	judge(&f, token, &d);
	assert_good(&d, "one");
	free(token);
	free(unknown);
	end(&f);
}

static void
old_keys_are_used_while_they_are_asked_for(void **state)
{
	struct fixture f = begin(state);
	struct verdict d;
	char *token;

	start(&f);
	load(&f);
	token = make_token(&f, "ES256", "a");
	f.now += LONGEST * NANOSECONDS - 1;
	judge(&f, token, &d);
	assert_good(&d, "one");
	assert_int_equal(f.count, 0);
	f.now += 1;
	judge(&f, token, &d);
	assert_good(&d, "one");
	assert_int_equal(f.count, 2);
	assert_asked(&f, 0, "one", false);
	judge(&f, token, &d);
	assert_int_equal(f.count, 2);
	/* Other keys: the token is none of theirs. */
	answer(&f, 0, "EdDSA", "c");
	judge(&f, token, &d);
	assert_int_equal(d.calls, 0); /* asked for anew */
	answer(&f, 2, "EdDSA", "c");
	answer(&f, 1, "EdDSA", "b");
	assert_refused(&d, ERROR_UNAUTHENTICATED);
	free(token);
	end(&f);
}

static void
keys_that_are_too_old_are_not_used(void **state)
{
	struct fixture f = begin(state);
	struct verdict d;
	char *token;

	start(&f);
	load(&f);
	token = make_token(&f, "ES256", "a");
	f.now = TRUSTED * NANOSECONDS;
	judge(&f, token, &d);
	assert_int_equal(d.calls, 0);
	assert_int_equal(f.count, 2);
	answer_nothing(&f, 0);
	answer_nothing(&f, 1);
	assert_refused(&d, ERROR_UNAVAILABLE);
	free(token);
	end(&f);
}

static void
what_failed_is_asked_for_again_after_a_while(void **state)
{
	struct fixture f = begin(state);
	struct verdict d;
	char *token;

	start(&f);
	load(&f);
	token = make_token(&f, "ES256", "a");
	f.now += LONGEST * NANOSECONDS;
	judge(&f, token, &d);
	answer_nothing(&f, 0);
	answer_nothing(&f, 1);
	f.now += 5 * NANOSECONDS - 1;
	judge(&f, token, &d);
	assert_int_equal(f.count, 2);
	f.now += 1;
	judge(&f, token, &d);
	assert_int_equal(f.count, 4);
	assert_good(&d, "one");
	free(token);
	end(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tokens_enter, tokens_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(token_waits_for_the_keys_that_it_needs),
	    TEST(many_tokens_are_one_question),
	    TEST(what_is_no_token_waits_for_nothing),
	    TEST(without_keys_nobody_can_say),
	    TEST(one_who_is_away_holds_up_no_token_of_others),
	    TEST(question_that_cannot_be_asked_is_as_one_without_an_answer),
	    TEST(token_without_a_kid_waits_where_there_are_no_keys),
	    TEST(unknown_kid_is_asked_for_anew_but_not_all_the_time),
	    TEST(keys_that_cannot_be_had_anew_leave_the_old_ones),
	    TEST(old_keys_are_used_while_they_are_asked_for),
	    TEST(keys_that_are_too_old_are_not_used),
	    TEST(what_failed_is_asked_for_again_after_a_while),
	};

	return cmocka_run_group_tests(tests, tokens_make, tokens_free);
}
