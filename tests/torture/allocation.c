/*
 * allocation FOLDER [once|ever [STEP]]: each allocation of a request, and of a reload, or each
 * STEP-th, fails once, or with "ever" it and all after it. FOLDER has a configuration, conf,
 * whose directories lie in it. Of each kind of request one line of TAP says how many
 * allocations there were.
 *
 * allocation FOLDER alone: the request is asked anew for each of them, which fails in this very
 * process, as "make coverage" wants it: what counts lines takes half a function for none.
 *
 * What holds in each child: the answer is the right one or a 5xx, and without an answer of 200
 * there is no token file; the next request is served; nothing leaks (AddressSanitizer); nothing
 * crashes or hangs. OpenSSL is warm, as it is in a worker: what it does where memory ends while
 * it starts is not in our hands.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "config/flags.h"
#include "identity/policy.h"
#include "service/service.h"
#include "signer/signer_local.h"
#include "tests/torture/heap.h"

enum { TOKEN_MAX = 4096, PARAMS_MAX = 10 };

/* All that serves. */
struct stand {
	struct flags flags;
	struct config config;
	struct policy *policy;
	struct signing signing;
	bool signs;
	struct signer_local signer;
	struct password_checker passwords;
	struct service *service;
	struct log log;
};

struct call {
	struct gateway gateway;
	int answers, status;
	char body[TOKEN_MAX];
};

static char token[TOKEN_MAX];

static void
die(const char *what)
{
	(void)dprintf(STDERR_FILENO, "allocation: %s\n", what);
	_exit(70);
}

static void
stand_close(struct stand *s)
{
	service_close(s->service);
	if (s->signs)
		signing_close(&s->signing);
	policy_free(s->policy);
	config_free(&s->config);
	s->service = NULL;
	s->policy = NULL;
	s->signs = false;
}

/* Whoever it is about, the account may be used. */
static int
approve(struct password_checker *self, const struct password_question *q, password_done *done,
    void *context, struct error *e)
{
	(void)self;
	(void)q;
	*e = (struct error){0};
	done(context, PASSWORD_RIGHT, NULL);
	return 0;
}

/* What a new generation does, and its signer. */
static int
stand_open(struct stand *s, struct error *e)
{
	struct service_parts parts = {.config = &s->config,
	    .signer = &s->signer.signer,
	    .passwords = &s->passwords,
	    .log = &s->log,
	    .clock = &clock_system,
	    .entropy = &entropy_system};

	s->config = (struct config){0};
	s->passwords.submit = approve;
	if (flags_load(&s->flags, &s->config, e) == -1 || signing_check(&s->config, e) == -1 ||
	    policy_open(&s->policy, &s->config, e) == -1 ||
	    signing_open(
		&s->signing, &s->config, s->policy, &clock_system, &entropy_system, e) == -1)
		return -1;
	s->signs = true;
	signer_local_init(&s->signer, &s->signing);
	parts.policy = s->policy;
	return service_open(&s->service, &parts, e);
}

static bool
respond(struct gateway *g, const struct response *r)
{
	struct call *c = (struct call *)g;
	struct buffer text;
	bool taken;

	/* As the adapters do. */
	buffer_init(&text, LIMIT_RESPONSE + LIMIT_ERROR_TEXT);
	taken = response_render(r, &text) == 0;
	buffer_free(&text);
	c->answers++;
	c->status = taken ? r->status : 0;
	(void)snprintf(c->body, sizeof(c->body), "%.*s", (int)r->body.length,
	    r->body.data != NULL ? r->body.data : "");
	return taken;
}

/* One kind of request. %T in a param or the body is the token. */
struct kind {
	const char *name;
	const char *params[PARAMS_MAX];
	const char *body;
	bool mints;    /* a token file */
	bool consumes; /* what it shows: it cannot be shown again */
	bool shows;    /* a token, which OpenSSL calls a wrong one when it is short of memory */
};

#define ALICE "REMOTE_USER=alice", "AUTH_TYPE=Basic"
#define FORM "REQUEST_METHOD=POST", "CONTENT_TYPE=application/x-www-form-urlencoded"
#define JWT_TYPE "urn:ietf:params:oauth:token-type:jwt"

static const struct kind kinds[] = {
    {"mint", {"REQUEST_METHOD=GET", "PATH_INFO=/alice", ALICE}, "", true, false, false},
    {"mint, as JSON",
	{"REQUEST_METHOD=GET", "PATH_INFO=/", "HTTP_ACCEPT=application/json",
	    "QUERY_STRING=ttl=15m&audience=okera", ALICE},
	"", true, false, false},
    {"validate",
	{"REQUEST_METHOD=POST", "PATH_INFO=/api/validate", "HTTP_AUTHORIZATION=Bearer %T"}, "",
	false, false, true},
    {"authorize",
	{"REQUEST_METHOD=GET", "PATH_INFO=/api/authorize", "HTTP_AUTHORIZATION=Bearer %T"}, "",
	false, false, true},
    {"introspect", {FORM, "PATH_INFO=/oauth2/introspect", ALICE}, "token=%T", false, false,
	true},
    {"exchange", {FORM, "PATH_INFO=/oauth2/token"},
	"grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=%T"
	"&subject_token_type=" JWT_TYPE,
	false, false, true},
    {"revoke", {FORM, "PATH_INFO=/oauth2/revoke", ALICE}, "token=%T", false, true, true},
    {"keys", {"REQUEST_METHOD=GET", "PATH_INFO=/.well-known/jwks.json"}, "", false, false,
	false},
    {"readiness", {"REQUEST_METHOD=GET", "PATH_INFO=/-/ready"}, "", false, false, false},
};

static void
expand(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from != '\0' && n < size - 1; from++) {
		if (from[0] != '%' || from[1] != 'T') {
			to[n++] = *from;
			continue;
		}
		n += (size_t)snprintf(to + n, size - n, "%s", token);
		from++;
	}
	to[n] = '\0';
}

/* The request, up to the answer; allocations fail from here to there, if split. */
static long
ask(const struct stand *s, const struct kind *k, struct call *c, const struct heap_plan *split)
{
	static char texts[PARAMS_MAX + 1][TOKEN_MAX + 64], body[TOKEN_MAX + 256];
	char *params[PARAMS_MAX + 3];
	size_t n = 0;

	for (; n < PARAMS_MAX && k->params[n] != NULL; n++) {
		expand(texts[n], sizeof(texts[n]), k->params[n]);
		params[n] = texts[n];
	}
	expand(body, sizeof(body), k->body);
	(void)snprintf(texts[PARAMS_MAX], sizeof(texts[0]), "CONTENT_LENGTH=%zu", strlen(body));
	params[n++] = texts[PARAMS_MAX];
	params[n++] = (char[]){"HTTP_HOST=localhost"};
	params[n] = NULL;
	*c = (struct call){.gateway = {.params = params, .respond = respond}};
	buffer_init(&c->gateway.body, LIMIT_BODY);
	if (buffer_append(&c->gateway.body, body, strlen(body)) == -1)
		die("a body");
	if (split != NULL) {
		struct heap_plan plan = *split;

		plan.spare = k->shows ? "libcrypto" : NULL;
		heap_split(&plan);
	}
	service_handle(s->service, &c->gateway);
	n = (size_t)heap_join();
	buffer_free(&c->gateway.body);
	return (long)n;
}

/* How many files the token directory has, and the name of one of them; if gone, they go. */
static int
look(const char *tokens, char name[LIMIT_FILE_NAME], bool gone)
{
	DIR *d = opendir(tokens);
	int count = 0;

	if (d == NULL)
		die("the token directory");
	for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		count++;
		(void)snprintf(name, LIMIT_FILE_NAME, "%s", entry->d_name);
		if (gone && unlinkat(dirfd(d), entry->d_name, 0) == -1)
			die("a token file");
	}
	closedir(d);
	return count;
}

static void
clear(const struct stand *s)
{
	char name[LIMIT_FILE_NAME];

	(void)look(s->config.directory, name, true);
}

/* What there was when a child began: the file of its request may be there already, and it is
 * that of its siblings, too. */
static const char *tokens;
static char before[LIMIT_FILE_NAME];
static int count_before;

static void
note(void)
{
	count_before = look(tokens, before, false);
}

/* How many there are now; what there was is there again. */
static int
restore(void)
{
	char name[LIMIT_FILE_NAME], path[LIMIT_PATH];
	int count = look(tokens, name, count_before == 0), fd;

	if (count_before == 0 || count > 0)
		return count;
	(void)snprintf(path, sizeof(path), "%s/%s", tokens, before);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd == -1 || close(fd) == -1)
		die(path);
	return count;
}

static void
expect(bool so, const struct call *c, const char *what)
{
	if (so)
		return;
	(void)dprintf(STDERR_FILENO, "%s: %d answers, status %d: %s\n", what, c->answers,
	    c->status, c->body);
	_exit(1);
}

/* In a child, at its end: all that there was is given back. */
static _Noreturn void
finish(struct stand *s)
{
	stand_close(s);
#ifdef __SANITIZE_ADDRESS__
	if (__lsan_do_recoverable_leak_check() != 0)
		_exit(2);
#endif
	_exit(0);
}

/* What must hold for the answer that a child has got. */
static _Noreturn void
judge(struct stand *s, const struct kind *k, const struct call *c)
{
	int files = restore();
	struct call next;

	expect(c->answers == 1, c, "answered once");
	/* 0: the answer did not fit into memory; the web server says 500 or 502 then. */
	expect(c->status / 100 == 2 || c->status / 100 == 5 || c->status == 0, c, "2xx or 5xx");
	expect(files == (k->mints && c->status == 200), c, "a file with a 200, and none else");
	(void)ask(s, k->consumes || k->mints ? &kinds[0] : k, &next, NULL);
	expect(next.status / 100 == 2, &next, "the next request is served");
	if (k->mints || k->consumes)
		(void)unlink(next.body);
	finish(s);
}

/* A token to show, which is not in a file. */
static void
get_token(const struct stand *s)
{
	static const struct kind plain = {"",
	    {"REQUEST_METHOD=GET", "PATH_INFO=/alice", "HTTP_ACCEPT=application/jwt", ALICE},
	    "", true, false, false};
	struct call c;

	(void)ask(s, &plain, &c, NULL);
	expect(c.status == 200, &c, "a token to begin with");
	memcpy(token, c.body, sizeof(token));
	clear(s);
}

/* Nothing is left of one but its answer. */
static void
try_alone(const struct stand *s, const struct kind *k)
{
	struct heap_plan plan = {0};
	struct call c;

	do {
		get_token(s);
		plan.only++;
		(void)ask(s, k, &c, &plan);
		if (heap_result().failed == 0)
			break;
		expect(c.answers == 1, &c, "answered once");
		expect(c.status / 100 == 2 || c.status / 100 == 5 || c.status == 0, &c,
		    "2xx or 5xx");
		clear(s);
	} while (true);
	expect(c.status / 100 == 2, &c, k->name);
	clear(s);
}

static void
tell(int number, const char *name, bool good)
{
	const struct heap_result r = heap_result();

	good = good && r.bad == 0 && r.failed > 0;
	printf("%s %d - %s: %ld allocations failed, %ld rounds were bad\n",
	    good ? "ok" : "not ok", number, name, r.failed, r.bad);
	(void)fflush(stdout);
}

static void
test_reload(struct stand *s, int number, const struct heap_plan *plan)
{
	struct stand new = {.flags = s->flags, .log = s->log};
	struct error e = {0};
	struct call c = {0};
	/* Reading keys takes OpenSSL thousands, and libconfuse, or its lexer, ends the process.
	 */
	struct heap_plan ours = *plan;
	int rc;

	ours.spare = "libcrypto,libconfuse";
	heap_split(&ours);
	rc = stand_open(&new, &e);
	if (heap_join() != 0) {
		expect(rc == 0 || *e.text != '\0', &c, "a reload that fails says why");
		stand_close(&new);
		/* The old one serves on. */
		(void)ask(s, &kinds[0], &c, NULL);
		expect(c.status == 200, &c, "the next request is served");
		(void)unlink(c.body);
		finish(s);
	}
	tell(number, "reload", rc == 0);
	stand_close(&new);
}

int
main(int argc, char **argv)
{
	const struct heap_plan plan = {.ever = argc > 2 && strcmp(argv[2], "ever") == 0,
	    .begin = note,
	    .step = argc > 3 ? strtol(argv[3], NULL, 10) : 1};
	bool alone = argc > 2 && strcmp(argv[2], "alone") == 0;
	struct stand s = {.log = {.clock = &clock_system}};
	char conf[512];
	struct error e;
	struct call c;
	int number = 1;

	if (argc < 2 || (s.log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC)) == -1)
		die("usage: allocation FOLDER [once|ever|alone [STEP]]");
	(void)snprintf(conf, sizeof(conf), "%s/conf", argv[1]);
	s.flags.config_file = conf;
	/* Twice: what the libraries keep is there from the first time. */
	for (int i = 0; i < 2; i++) {
		stand_close(&s);
		if (stand_open(&s, &e) == -1)
			die(e.text);
	}
	tokens = s.config.directory;
	printf("1..%zu\n", sizeof(kinds) / sizeof(kinds[0]) + (plan.ever || alone ? 0 : 1));
	for (size_t i = 0; alone && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		try_alone(&s, &kinds[i]);
		printf("ok %zu - %s\n", i + 1, kinds[i].name);
	}
	for (size_t i = 0; !alone && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (int warm = 0; warm < 2; warm++) {
			get_token(&s);
			if (ask(&s, &kinds[i], &c, warm == 0 ? NULL : &plan) != 0)
				judge(&s, &kinds[i], &c);
			expect(c.status / 100 == 2, &c, kinds[i].name);
			clear(&s);
		}
		tell(number++, kinds[i].name, true);
	}
	/* Without any memory a library below us ends the process. */
	if (!plan.ever && !alone)
		test_reload(&s, number, &plan);
	stand_close(&s);
	return 0;
}
