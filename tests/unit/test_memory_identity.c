/* Without memory: rules, users and groups, and what is asked about them, are whole or an error.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
#include "tests/unit/memories.h"

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
	memories_without(read_rules, NULL);
	memories_without(open_policy, NULL);
}

static int
open_static(struct error *e)
{
	const struct groups_config c = {.static_file = memories_path};
	struct source *s;
	int rc = source_static_open(&s, &c, e);

	source_close(s);
	return rc;
}

static int
read_attributes(struct error *e)
{
	struct attributes *a = NULL;
	int rc = attributes_read(&a, memories_path, e);

	if (rc == 0)
		attributes_free(a);
	return rc;
}

static void
a_file_of_users_is_read_whole_or_not_at_all(void **state)
{
	(void)state;
	memories_put("groups", "{\"jane\": [\"a\", \"b\"]}");
	memories_without(open_static, NULL);
	memories_put("attributes", "{\"jane\": {\"email\": \"jane@example.com\"}}");
	memories_without(read_attributes, NULL);
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
	const struct http_config c = {.accept = "application/json",
	    .token_file = memories_path,
	    .timeout = 1,
	    .limit = 1024};
	struct http *h;
	int rc = http_open(&h, &c, e);

	http_close(h);
	return rc;
}

static void
a_request_is_made_whole_or_not_at_all(void **state)
{
	(void)state;
	memories_without(fill_filter, NULL);
	memories_without(fill_url, NULL);
	memories_without(read_url, NULL);
	memories_put("bearer", "token\n");
	memories_without(open_http, "libcrypto,libssl");
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
	return list != NULL ? 0 : memories_none(e);
}

static int
keep_groups(struct error *e)
{
	const struct membership m = {.known = true, .groups = "a\n"};
	struct lookup_cache *c = lookup_cache_new(4);
	const struct membership *kept;
	int64_t until;

	if (c == NULL)
		return memories_none(e);
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
	memories_without(ask_resolver, NULL);
	memories_without(open_sources, "libcrypto,libssl");
	memories_without(write_groups, NULL);
	memories_without(keep_groups, NULL);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, memories_enter, states_leave)
	static const struct CMUnitTest tests[] = {
	    TEST(a_policy_is_whole_or_not_there),
	    TEST(a_file_of_users_is_read_whole_or_not_at_all),
	    TEST(a_request_is_made_whole_or_not_at_all),
	    TEST(groups_are_kept_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
