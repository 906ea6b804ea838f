/* service: from a request to its response, with a signer and a gateway of our own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/service.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TEXT "text/plain; charset=utf-8"
#define NOW "1668181593000000000" /* 2022-11-11 15:46:33 UTC */

enum { PARAMS_MAX = 12, TOKEN_EXPIRES = 1668181593 + 3600 };

/* Answers at once, with a token or an error; or when the test says so. */
struct fake_signer {
	struct signer signer;
	bool later;
	enum error_code failure;
	int submissions;
	struct query query; /* the last one */
	signer_done *done;
	void *context;
};

/* Keeps what the service answered. */
struct fake_gateway {
	struct gateway gateway;
	char *params[PARAMS_MAX + 1];
	bool hangs_up; /* takes no answer */
	char (
	    *words)[32]; /* PARAMS_MAX of them, which are gone when it has answered; or NULL */
	int responses;
	int status;
	char content_type[64];
	char allow[32];
	char body[1024];
};

struct fixture {
	char directory[64];
	char tokens[96];
	int log[2];
	char logged[8192];
	struct log logger;
	struct config config;
	struct policy *policy;
	struct fake_signer signer;
	struct fake_gateway gateway;
	struct service *service;
};

static struct fixture fixture;

static int64_t
fixed_time(void *state)
{
	(void)state;
	return 1668181593 * NANOSECONDS;
}

static const struct clock fixed = {.realtime = fixed_time, .monotonic = fixed_time};

static void
sign_now(const struct fake_signer *f)
{
	struct signature s = {
	    .token = "header.claims.signature", .length = 23, .expires = TOKEN_EXPIRES};
	struct error e = {0};

	if (f->failure == ERROR_NONE) {
		f->done(f->context, &s, &e);
		return;
	}
	error_set(&e, f->failure, "the secret reason");
	f->done(f->context, NULL, &e);
}

static int
fake_submit(struct signer *self, const struct query *q, signer_done *done, void *context,
    struct error *e)
{
	struct fake_signer *f = (struct fake_signer *)self;

	(void)e;
	f->submissions++;
	f->query = *q;
	f->done = done;
	f->context = context;
	if (!f->later)
		sign_now(f);
	return 0;
}

static bool
fake_respond(struct gateway *g, const struct response *r)
{
	struct fake_gateway *f = (struct fake_gateway *)g;

	f->responses++;
	f->status = r->status;
	(void)snprintf(f->content_type, sizeof(f->content_type), "%s", r->content_type);
	(void)snprintf(f->allow, sizeof(f->allow), "%s", r->allow != NULL ? r->allow : "");
	(void)snprintf(f->body, sizeof(f->body), "%.*s", (int)r->body.length,
	    r->body.data != NULL ? r->body.data : "");
	if (f->words != NULL)
		memset(f->words, 'x', PARAMS_MAX * sizeof(*f->words));
	return !f->hangs_up;
}

static int
open_service(struct fixture *f, bool permit_anonymous)
{
	struct service_parts parts = {.config = &f->config,
	    .signer = &f->signer.signer,
	    .log = &f->logger,
	    .clock = &fixed};
	struct error e = {0};

	service_close(f->service);
	f->service = NULL;
	policy_free(f->policy);
	f->config.permit_anonymous = permit_anonymous;
	f->config.lifetime = 3600;
	if (policy_open(&f->policy, &f->config, &e) == 0) {
		parts.policy = f->policy;
		if (service_open(&f->service, &parts, &e) == 0)
			return 0;
	}
	print_error("%s\n", e.text);
	return -1;
}

static int
setup(void **state)
{
	struct fixture *f = &fixture;
	struct error e = {0};

	*state = f;
	*f = (struct fixture){.signer = {.signer = {.submit = fake_submit}}};
	umask(022);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test_service.XXXXXX");
	if (mkdtemp(f->directory) == NULL || pipe(f->log) == -1 ||
	    fcntl(f->log[0], F_SETFL, O_NONBLOCK) == -1)
		return -1;
	(void)snprintf(f->tokens, sizeof(f->tokens), "%.63s/tokens", f->directory);
	f->logger = (struct log){.fd = f->log[1], .clock = &fixed};
	if (config_init(&f->config, &e) == -1 ||
	    config_set(&f->config, "directory", f->tokens, "test", &e) == -1)
		return -1;
	return open_service(f, false);
}

/* Removes the token files and returns how many there were. */
static int
empty_directory(const struct fixture *f)
{
	DIR *d = opendir(f->tokens);
	const struct dirent *entry;
	int count = 0;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (*entry->d_name != '.') {
			(void)unlinkat(dirfd(d), entry->d_name, 0);
			count++;
		}
	if (d != NULL)
		closedir(d);
	return count;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	service_close(f->service);
	policy_free(f->policy);
	config_free(&f->config);
	close(f->log[0]);
	close(f->log[1]);
	(void)empty_directory(f);
	(void)rmdir(f->tokens);
	return rmdir(f->directory);
}

/* Sends a request; the last of params is NULL. A Host that is served is added. */
static void
request(struct fixture *f, const char *const *params)
{
	static char host[] = "HTTP_HOST=localhost:5001";
	struct fake_gateway *g = &f->gateway;
	size_t n = 0;
	ssize_t length;

	*g = (struct fake_gateway){.gateway = {.params = g->params, .respond = fake_respond}};
	g->params[n++] = host;
	for (; *params != NULL; params++) {
		assert_in_range(n, 0, PARAMS_MAX - 1);
		g->params[n++] = (char *)(uintptr_t)*params;
	}
	service_handle(f->service, &g->gateway);
	length = read(f->log[0], f->logged, sizeof(f->logged) - 1);
	f->logged[length > 0 ? length : 0] = '\0';
	assert_null(strstr(f->logged, "header.claims.signature"));
}

#define REQUEST(f, ...) request(f, (const char *const[]){__VA_ARGS__, NULL})
#define ALICE "REMOTE_USER=alice", "AUTH_TYPE=Basic"

static void
mint_answers_with_the_path_of_a_file(void **state)
{
	struct fixture *f = *state;
	char path[160];
	char token[64] = "";
	struct stat st;
	int fd;

	REQUEST(f, "REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE);
	assert_int_equal(f->gateway.responses, 1);
	assert_int_equal(f->gateway.status, 200);
	assert_string_equal(f->gateway.content_type, TEXT);
	(void)snprintf(path, sizeof(path), "%s/alice." NOW ".token", f->tokens);
	assert_string_equal(f->gateway.body, path);
	fd = open(path, O_RDONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(read(fd, token, sizeof(token)), 23);
	assert_string_equal(token, "header.claims.signature");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	close(fd);
	assert_non_null(strstr(f->logged, " Generated token: "));
	assert_non_null(strstr(f->logged, path));
}

static void
a_token_that_nobody_is_told_of_is_withdrawn(void **state)
{
	struct fixture *f = *state;
	char *const params[] = {"REQUEST_METHOD=GET", "PATH_INFO=/alice", "REMOTE_USER=alice",
	    "AUTH_TYPE=Basic", "HTTP_HOST=localhost", NULL};
	struct fake_gateway *g = &f->gateway;
	ssize_t length;

	*g = (struct fake_gateway){
	    .gateway = {.params = params, .respond = fake_respond}, .hangs_up = true};
	service_handle(f->service, &g->gateway);
	assert_int_equal(g->responses, 1);
	assert_int_equal(empty_directory(f), 0);
	length = read(f->log[0], f->logged, sizeof(f->logged) - 1);
	f->logged[length > 0 ? length : 0] = '\0';
	assert_non_null(strstr(f->logged, " Withdrawn token: "));
}

static void
audit_log_of_what_is_withdrawn_has_nothing_of_what_is_gone(void **state)
{
	struct fixture *f = *state;
	char words[PARAMS_MAX][32] = {"REQUEST_METHOD=GET", "PATH_INFO=/alice",
	    "REMOTE_USER=alice", "AUTH_TYPE=Basic", "HTTP_HOST=localhost",
	    "REQUEST_ID=the-first"};
	char *const params[] = {
	    words[0], words[1], words[2], words[3], words[4], words[5], NULL};
	char file[96], text[2048] = "", *second;
	struct error e;
	int fd;

	(void)snprintf(file, sizeof(file), "%.63s/audit", f->directory);
	assert_int_equal(config_set(&f->config, "audit", file, "test", &e), 0);
	assert_int_equal(open_service(f, false), 0);
	f->gateway =
	    (struct fake_gateway){.gateway = {.params = params, .respond = fake_respond},
		.hangs_up = true,
		.words = words};
	service_handle(f->service, &f->gateway.gateway);
	fd = open(file, O_RDONLY);
	assert_int_not_equal(fd, -1);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	(void)unlink(file);
	second = strchr(text, '\n');
	assert_non_null(second);
	assert_non_null(strstr(second, "\"status\":503"));
	assert_non_null(strstr(second, "\"path\":\"/alice\""));
	assert_non_null(strstr(second, "\"request\":\"the-first\""));
}

static void
signer_is_asked_for_what_the_request_says(void **state)
{
	struct fixture *f = *state;
	const struct query *q = &f->signer.query;

	REQUEST(f, "REQUEST_METHOD=POST", "PATH_INFO=/", ALICE,
	    "QUERY_STRING=ttl=15m&audience=okera");
	assert_int_equal(f->gateway.status, 200);
	assert_string_equal(q->caller.name, "alice");
	assert_string_equal(q->caller.scheme, "Basic");
	assert_string_equal(q->subject, "alice");
	assert_string_equal(q->audience, "okera");
	assert_int_equal(q->lifetime, 900);
}

static void
answer_has_the_form_that_is_accepted(void **state)
{
	struct fixture *f = *state;
	char want[512];

	REQUEST(
	    f, "REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE, "HTTP_ACCEPT=application/jwt");
	assert_string_equal(f->gateway.content_type, "application/jwt");
	assert_string_equal(f->gateway.body, "header.claims.signature");
	(void)empty_directory(f);
	REQUEST(
	    f, "REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE, "HTTP_ACCEPT=application/json");
	assert_string_equal(f->gateway.content_type, "application/json");
	(void)snprintf(want, sizeof(want),
	    "{\"access_token\":\"header.claims.signature\",\"token_type\":\"Bearer\","
	    "\"expires_in\":3600,\"token_file\":\"%s/alice." NOW ".token\"}",
	    f->tokens);
	assert_string_equal(f->gateway.body, want);
}

/* Whatever is refused leaves no file and is logged; most of it never meets the signer. */
static void
requests_are_refused_by_the_table(void **state)
{
	static const struct {
		const char *params[8];
		int status;
		const char *allow;
		const char *body;
	} rows[] = {
	    /* nobody, or another one */
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/alice"}, 401, "",
		"authenticate first: the web server named no user\n"},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/alice", "REMOTE_USER=alice"}, 401, "",
		"authenticate first: the web server named no user\n"},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/"}, 401, "",
		"authenticate first: the web server named no user\n"},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/bob", ALICE}, 403, "",
		"alice may not have a token for bob\n"},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/root", "REMOTE_USER=root", "AUTH_TYPE=Basic"},
		403, "", "root may not have a token for root\n"},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE, "QUERY_STRING=ttl=3601"}, 403,
		"", "ttl is over the limit of 3600 seconds\n"},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE, "HTTP_ORIGIN=null"}, 403, "",
		"web pages are not served: Origin was sent\n"},
	    /* what is not well formed */
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/al ice", ALICE}, 400, "", NULL},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/.", ALICE}, 400, "", NULL},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/..", ALICE}, 400, "", NULL},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/a\nb", ALICE}, 400, "", NULL},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE, "QUERY_STRING=foo=1"}, 400, "",
		"unknown query parameter: ttl=DURATION, audience=TEXT and profile=NAME "
		"exist\n"},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE, "REMOTE_USER=alice"}, 400, "",
		"the web server sent REMOTE_USER twice\n"},
	    {{"REQUEST_METHOD=POST", "PATH_INFO=/alice", ALICE, "CONTENT_LENGTH=1"}, 400, "",
		"a request for a token has no body\n"},
	    {{"REQUEST_METHOD=POST", "PATH_INFO=/alice", ALICE, "CONTENT_LENGTH=65537"}, 413,
		"", "the body is larger than 65536 bytes\n"},
	    /* other resources and methods */
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/alice/", ALICE}, 404, "",
		"no such resource: ask for /SUBJECT\n"},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=//", ALICE}, 404, "", NULL},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/a/../alice", ALICE}, 404, "", NULL},
	    {{"REQUEST_METHOD=GET", "PATH_INFO=/-/unhealthy"}, 404, "", NULL},
	    {{"REQUEST_METHOD=GET", "PATH_INFO="}, 404, "", NULL},
	    {{"REQUEST_METHOD=PUT", "PATH_INFO=/alice", ALICE}, 405, "GET, POST",
		"this resource answers GET, POST\n"},
	    {{"REQUEST_METHOD=DELETE", "PATH_INFO=/alice"}, 405, "GET, POST", NULL},
	    {{"REQUEST_METHOD=POST", "PATH_INFO=/-/healthy"}, 405, "GET",
		"this resource answers GET\n"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		request(f, rows[i].params);
		if (f->gateway.status != rows[i].status)
			fail_msg("row %zu: %d %s", i, f->gateway.status, f->gateway.body);
		assert_int_equal(f->gateway.responses, 1);
		assert_string_equal(f->gateway.allow, rows[i].allow);
		assert_string_equal(f->gateway.content_type, TEXT);
		if (rows[i].body != NULL)
			assert_string_equal(f->gateway.body, rows[i].body);
		assert_non_null(strstr(f->logged, " Refused with "));
		assert_ptr_equal(strchr(f->logged, '\n'), f->logged + strlen(f->logged) - 1);
	}
	assert_int_equal(f->signer.submissions, 0);
	assert_int_equal(empty_directory(f), 0);
}

static void
health_needs_no_caller(void **state)
{
	struct fixture *f = *state;

	REQUEST(f, "REQUEST_METHOD=GET", "PATH_INFO=/-/healthy");
	assert_int_equal(f->gateway.status, 200);
	assert_string_equal(f->gateway.body, "ok\n");
	assert_int_equal(empty_directory(f), 0);
}

static void
anonymous_caller_is_served_when_it_is_permitted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_service(f, true), 0);
	REQUEST(f, "REQUEST_METHOD=GET", "PATH_INFO=/bob");
	assert_int_equal(f->gateway.status, 200);
	assert_string_equal(f->signer.query.caller.name, "anonymous");
	assert_string_equal(f->signer.query.subject, "bob");
	assert_int_equal(empty_directory(f), 1);
	/* It has no name of its own to have a token for. */
	REQUEST(f, "REQUEST_METHOD=GET", "PATH_INFO=/");
	assert_int_equal(f->gateway.status, 400);
	assert_string_equal(f->gateway.body, "no subject: ask for /SUBJECT\n");
	/* And who has one has no more than that. */
	REQUEST(f, "REQUEST_METHOD=GET", "PATH_INFO=/bob", ALICE);
	assert_int_equal(f->gateway.status, 403);
	assert_int_equal(f->signer.submissions, 1);
	assert_int_equal(empty_directory(f), 0);
}

/* What the signer says goes to the log; to the client only what it may know. */
static void
failure_of_the_signer_is_logged_and_not_told(void **state)
{
	static const struct {
		enum error_code code;
		int status;
		bool outward;
	} rows[] = {
	    {ERROR_DENIED, 403, true},
	    {ERROR_INTERNAL, 500, false},
	    {ERROR_UNAVAILABLE, 503, false},
	    {ERROR_CONFIG, 503, false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		f->signer.failure = rows[i].code;
		REQUEST(f, "REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE);
		assert_int_equal(f->gateway.responses, 1);
		assert_int_equal(f->gateway.status, rows[i].status);
		assert_non_null(
		    strstr(f->logged, "caller alice, path /alice: the secret reason"));
		assert_int_equal(strstr(f->gateway.body, "secret") != NULL, rows[i].outward);
	}
	assert_int_equal(empty_directory(f), 0);
}

static void
answer_may_come_after_the_call_returned(void **state)
{
	struct fixture *f = *state;

	f->signer.later = true;
	REQUEST(f, "REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE);
	assert_int_equal(f->gateway.responses, 0);
	sign_now(&f->signer);
	assert_int_equal(f->gateway.responses, 1);
	assert_int_equal(f->gateway.status, 200);
	assert_int_equal(empty_directory(f), 1);
}

/* The directory went away: a 503 without its name, and no crash. */
static void
token_that_cannot_be_stored_is_a_503(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rmdir(f->tokens), 0);
	REQUEST(f, "REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE);
	assert_int_equal(f->gateway.responses, 1);
	assert_int_equal(f->gateway.status, 503);
	assert_null(strstr(f->gateway.body, "/"));
	assert_non_null(strstr(f->logged, "Refused with 503"));
}

static void
log_line_cannot_be_forged_by_a_path(void **state)
{
	struct fixture *f = *state;

	REQUEST(f, "REQUEST_METHOD=GET", "PATH_INFO=/a\n2022/11/11 00:00:00 Generated token: x",
	    ALICE);
	assert_int_equal(f->gateway.status, 404);
	assert_non_null(strstr(f->logged, "path /a\\x0a2022"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(mint_answers_with_the_path_of_a_file),
	    TEST(a_token_that_nobody_is_told_of_is_withdrawn),
	    TEST(audit_log_of_what_is_withdrawn_has_nothing_of_what_is_gone),
	    TEST(signer_is_asked_for_what_the_request_says),
	    TEST(answer_has_the_form_that_is_accepted),
	    TEST(requests_are_refused_by_the_table),
	    TEST(health_needs_no_caller),
	    TEST(anonymous_caller_is_served_when_it_is_permitted),
	    TEST(failure_of_the_signer_is_logged_and_not_told),
	    TEST(answer_may_come_after_the_call_returned),
	    TEST(token_that_cannot_be_stored_is_a_503),
	    TEST(log_line_cannot_be_forged_by_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
