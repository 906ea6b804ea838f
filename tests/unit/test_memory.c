/* Each allocation fails in turn: what has no memory fails and says why, and what it stands on
 * is as it was. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "identity/attributes.h"
#include "identity/groups_json.h"
#include "identity/http.h"
#include "identity/http_url.h"
#include "identity/ldap_filter.h"
#include "identity/lookup_cache.h"
#include "identity/lookup_remote.h"
#include "identity/policy.h"
#include "identity/source.h"
#include "identity/source_rest_url.h"
#include "service/audit.h"
#include "service/response.h"
#include "signer/signer_remote.h"
#include "signer/signer_reuse.h"
#include "store/due.h"
#include "store/publish.h"
#include "store/revocations.h"
#include "store/tries.h"
#include "store/watch.h"
#include "tests/torture/heap.h"
#include "tests/unit/shapes.h"
#include "tests/unit/states.h"

/* Where files are: FOLDER, with a state and a token directory. */
static struct states_fixture *place;
static char path[1024];

/* Something to do. 0; or -1 and *e, and nothing is left of it. */
typedef int work(struct error *e);

static int
no_memory(struct error *e)
{
	return error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

/* Does it once with all memory, for what is done once; then without its first allocation,
 * without its second one, until there is none left. What the libraries named take for
 * themselves does not fail. */
static void
do_without(work *w, const char *spare)
{
	struct heap_plan plan = {.spare = spare};
	struct error e = {0};

	if (w(&e) == -1)
		fail_msg("%s", e.text);
	do {
		int rc;

		plan.only++;
		e = (struct error){0};
		heap_split(&plan);
		rc = w(&e);
		(void)heap_join();
		if (rc != 0 && (rc != -1 || e.code == ERROR_NONE || *e.text == '\0' ||
				   heap_result().failed == 0))
			fail_msg("allocation %ld: %d, code %d: %s", plan.only, rc, (int)e.code,
			    e.text);
	} while (heap_result().failed > 0);
	assert_true(plan.only > 1);
}

/* A file of FOLDER with this in it. */
static const char *
put_file(const char *name, const char *text)
{
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", place->store->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

/* --- identity --------------------------------------------------------------------------- */

static int
read_rules(struct error *e)
{
	static const char rules[] = "permit foo via basic as * ttl 1h live 2\n"
				    "permit :etl as x self audience okera profile aws\n"
				    "permit okera groups-of *\n";
	static const struct query q = {
	    .caller = {.name = "foo", .scheme = "Basic"}, .subject = "jane"};
	struct grant g;
	struct policy *p;
	int rc = policy_parse(&p, rules, strlen(rules), "rules", e);

	if (rc == 0)
		rc = policy_permit_anonymous(p, e);
	assert_true(rc == -1 || (policy_permit(p, &q, &g, e) == 0 && g.live == 2 &&
				    strcmp(g.where, "rules:1") == 0));
	policy_free(p);
	return rc;
}

static int
open_policy(struct error *e)
{
	static const struct config c = {.permit_anonymous = true};
	struct policy *p;
	int rc = policy_open(&p, &c, e);

	assert_true((p == NULL) == (rc == -1));
	policy_free(p);
	return rc;
}

static void
a_policy_is_whole_or_not_there(void **state)
{
	(void)state;
	do_without(read_rules, NULL);
	do_without(open_policy, NULL);
}

static int
open_static(struct error *e)
{
	const struct groups_config c = {.static_file = path};
	struct source *s;
	int rc = source_static_open(&s, &c, e);

	source_close(s);
	return rc;
}

static int
read_attributes(struct error *e)
{
	struct attributes *a = NULL;
	int rc = attributes_read(&a, path, e);

	if (rc == 0)
		attributes_free(a);
	return rc;
}

static void
a_file_of_users_is_read_whole_or_not_at_all(void **state)
{
	(void)state;
	(void)put_file("groups", "{\"jane\": [\"a\", \"b\"]}");
	do_without(open_static, NULL);
	(void)put_file("attributes", "{\"jane\": {\"email\": \"jane@example.com\"}}");
	do_without(read_attributes, NULL);
}

static int
fill_filter(struct error *e)
{
	static const char *const values[] = {"j*ne", "uid=jane"};
	struct buffer to;
	int rc;

	buffer_init(&to, LDAP_FILTER_MAX);
	rc = ldap_filter_fill(&to, "(&(uid={0})(member={1}))", values, e);
	buffer_free(&to);
	return rc;
}

static int
fill_url(struct error *e)
{
	struct buffer to;
	int rc;

	buffer_init(&to, 1024);
	rc = rest_url_of(&to, "https://a.example/{user}", "j ne", e);
	buffer_free(&to);
	return rc;
}

static int
read_url(struct error *e)
{
	const char *wrong;
	struct http_url u;

	wrong = http_url_read(&u, "https://jane:x@a.example/#f");
	return wrong == NULL ? 0 : error_set(e, ERROR_CONFIG, "%s", wrong);
}

static int
open_http(struct error *e)
{
	const struct http_config c = {
	    .accept = "application/json", .token_file = path, .timeout = 1, .limit = 1024};
	struct http *h;
	int rc = http_open(&h, &c, e);

	http_close(h);
	return rc;
}

static void
a_request_is_made_whole_or_not_at_all(void **state)
{
	(void)state;
	do_without(fill_filter, NULL);
	do_without(fill_url, NULL);
	do_without(read_url, NULL);
	(void)put_file("bearer", "token\n");
	do_without(open_http, "libcrypto,libssl");
}

/* What is asked about nobody hears. */
static void
ignore(void *context, const struct membership *m, const struct error *e)
{
	(void)context;
	(void)m;
	(void)e;
}

static int
ask_resolver(struct error *e)
{
	struct lookup_remote *r;
	int pair[2], rc;

	assert_true(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	rc = lookup_remote_new(&r, pair[0], 1, &clock_system, &entropy_system, e);
	if (rc == 0) {
		rc = lookup_submit(lookup_remote_lookup(r), "jane", ignore, NULL, e);
		lookup_remote_free(r);
	}
	close(pair[0]);
	close(pair[1]);
	return rc;
}

static int
open_sources(struct error *e)
{
	static char url[] = "https://a.example/{0}", directory[] = "/usr/bin",
		    file[] = "/usr/bin/true";
	static char *files[] = {file};
	static const struct groups_config c = {.rest = {.url = url, .timeout = 1},
	    .script = {
		.directory = directory, .files = {.items = files, .count = 1}, .timeout = 1}};
	struct source *rest = NULL, *script = NULL;
	int rc = source_rest_open(&rest, &c, e);

	if (rc == 0)
		rc = source_script_open(&script, &c, e);
	source_close(rest);
	source_close(script);
	return rc;
}

static int
write_groups(struct error *e)
{
	json_t *list = groups_json("a\nb\n");
	size_t count = json_array_size(list);

	assert_true(list == NULL || count == 2);
	json_decref(list);
	return list != NULL ? 0 : no_memory(e);
}

static int
keep_groups(struct error *e)
{
	const struct membership m = {.known = true, .groups = "a\n"};
	struct lookup_cache *c = lookup_cache_new(4);
	const struct membership *kept;
	int64_t until;

	if (c == NULL)
		return no_memory(e);
	lookup_cache_put(c, "jane", &m, 1);
	kept = lookup_cache_get(c, "jane", &until);
	assert_true(kept == NULL || strcmp(kept->groups, "a\n") == 0);
	lookup_cache_free(c);
	return 0;
}

static void
groups_are_kept_whole_or_not_at_all(void **state)
{
	(void)state;
	do_without(ask_resolver, NULL);
	do_without(open_sources, "libcrypto,libssl");
	do_without(write_groups, NULL);
	do_without(keep_groups, NULL);
}

/* --- store ------------------------------------------------------------------------------ */

static int
open_state(struct error *e)
{
	struct state *s;
	int rc = state_open(&s, place->path, e);

	state_close(s);
	return rc;
}

static int
publish(struct error *e)
{
	const struct publish_options o = {
	    .mode = 0640, .group = (gid_t)-1, .to_subject = geteuid() == 0};
	char made[LIMIT_PATH];
	int rc = publish_token(
	    &place->store->directory, &o, "nobody", STORES_T0, "token", 5, made, e);

	(void)heap_join();
	assert_true(rc == -1 || unlink(made) == 0);
	assert_true(stores_count(place->store) == 0);
	return rc;
}

static int
wait_for_files(struct error *e)
{
	struct due_queue *q = due_new();
	struct due_index *i = NULL;
	char name[LIMIT_FILE_NAME];
	int64_t due;
	int rc = -1;

	if (q != NULL && due_add(q, "b.1700000000000000000.token", 2) == 0 &&
	    due_add(q, "a.1700000000000000000.token", 1) == 0 &&
	    due_first(q, name, &due) == 1) {
		assert_true(due == 1);
		i = due_index_new(q);
		rc = i != NULL ? 0 : -1;
	}
	due_index_free(i);
	due_free(q);
	return rc == 0 ? 0 : no_memory(e);
}

static int
watch(struct error *e)
{
	static const struct sweep_options options = {.max_age = NANOSECONDS};
	int ends[2], rc;

	assert_true(pipe2(ends, O_CLOEXEC) == 0);
	close(ends[1]);
	rc = watch_run(&place->store->directory, &options, &clock_system, ends[0], e);
	close(ends[0]);
	return rc;
}

static void
a_directory_is_used_whole_or_not_at_all(void **state)
{
	(void)state;
	do_without(open_state, NULL);
	do_without(publish, NULL);
	do_without(wait_for_files, NULL);
	do_without(watch, NULL);
}

static int
use_family(struct error *e)
{
	char token[REFRESH_TOKEN], next[REFRESH_TOKEN];
	enum states_verdict verdict;

	if (refresh_begin(place->state, &states_family, &states_limits, STATES_NOW,
		&entropy_system, token, e) == -1)
		return -1;
	verdict = states_use(place->state, token, STATES_NOW, next, e);
	if (verdict == STATES_TAKEN)
		return refresh_end(place->state, next, e);
	/* Memory is there again: it is as good as before. */
	(void)heap_join();
	assert_true(states_is_good(place->state, token));
	return -1;
}

static int
revoke_token(struct error *e)
{
	static const struct revocation_subject t = {.party = "party",
	    .issuer = "https://issuer.example",
	    .jti = "id",
	    .subject = "jane",
	    .issued = STATES_NOW};

	if (revocation_add_token(place->state, &t, STATES_NOW + 60, e) == -1 ||
	    revocation_add_subject(
		place->state, t.issuer, t.subject, STATES_NOW, STATES_NOW + 60, e) == -1)
		return -1;
	assert_true(revocation_check(place->state, &t, e) == -1);
	return e->code == ERROR_UNAUTHENTICATED ? 0 : -1;
}

static int
count_tries(struct error *e)
{
	static const struct tries_limits limits = {.most = 1000, .window = 60};
	struct tries *t;
	int64_t wait;
	int rc;

	if (tries_open(&t, place->state, &entropy_system, e) == -1)
		return -1;
	rc = tries_admit(t, "jane", &limits, STATES_NOW, &wait, e);
	tries_return(t, "jane", &limits);
	tries_forgive(t, "jane");
	tries_close(t);
	return rc;
}

static void
what_is_kept_of_a_user_holds(void **state)
{
	(void)state;
	do_without(use_family, "libcrypto");
	do_without(revoke_token, "libcrypto");
	do_without(count_tries, "libcrypto");
}

/* --- signer and service ----------------------------------------------------------------- */

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
	return claims != NULL ? 0 : no_memory(e);
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
	int rc = r != NULL ? 0 : no_memory(e), heard = 0;

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
	do_without(sign_again, "libcrypto");
	do_without(open_signer, NULL);
}

static void
claims_are_whole_or_there_are_none(void **state)
{
	(void)state;
	do_without(build_claims, NULL);
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
	return rc == 0 ? 0 : no_memory(e);
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

	if (audit_open(&a, path, e) == -1)
		return -1;
	assert_int_not_equal(audit_descriptor(a), -1);
	rc = audit_write(a, &d, &clock_system);
	audit_close(a);
	return rc == 0 ? 0 : no_memory(e);
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
		return json_read_short(&wrong) ? no_memory(e) : -1;
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
	do_without(read_json, NULL);
	assert_null(json_read("{", 1, &wrong));
	assert_false(json_read_short(&wrong));
}

static void
what_is_said_is_whole_or_not_said(void **state)
{
	(void)state;
	do_without(answer, NULL);
	(void)put_file("audit", "");
	do_without(audit, NULL);
}

static int
enter(void **state)
{
	struct error e;

	states_enter(state);
	place = *state;
	stores_check(
	    directory_open(&place->store->directory, place->store->path, 0750, (gid_t)-1, &e),
	    &e);
	return 0;
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, enter, states_leave)
	static const struct CMUnitTest tests[] = {
	    TEST(a_policy_is_whole_or_not_there),
	    TEST(a_file_of_users_is_read_whole_or_not_at_all),
	    TEST(a_request_is_made_whole_or_not_at_all),
	    TEST(groups_are_kept_whole_or_not_at_all),
	    TEST(a_directory_is_used_whole_or_not_at_all),
	    TEST(what_is_kept_of_a_user_holds),
	    TEST(a_signer_answers_once_or_not_at_all),
	    TEST(claims_are_whole_or_there_are_none),
	    TEST(json_is_read_whole_or_not_at_all),
	    TEST(what_is_said_is_whole_or_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
