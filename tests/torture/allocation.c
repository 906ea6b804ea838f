/*
 * allocation FOLDER [once|ever [STEP]]: each allocation of a request, and of a reload, or each
 * STEP-th, fails once, or with "ever" it and all after it. FOLDER has two configurations, conf
 * and known, whose directories lie in it; with known a resolver is asked, and there are refresh
 * tokens. Of each kind of request one line of TAP says how many allocations there were.
 *
 * With conf each fails in a child. With known the request is asked anew for each of them, which
 * fails in this very process: a child would use its parent's refresh token, and take what the
 * resolver answers it. allocation FOLDER alone: so it is with conf, too, as "make coverage"
 * wants it: what counts lines takes half a function for none.
 *
 * What holds each time: the answer is the right one or a 5xx, and without an answer of 200
 * there is no token file, and the refresh token of before is good; the next request is served;
 * nothing leaks (AddressSanitizer); nothing crashes or hangs. OpenSSL is warm, as it is in a
 * worker: what it does where memory ends while it starts is not in our hands.
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

#include "tests/torture/heap.h"
#include "tests/torture/stand.h"

enum { TOKEN_MAX = STAND_TEXT, PARAMS_MAX = 10 };

static char token[TOKEN_MAX], refresh[128];

static void
die(const char *what)
{
	(void)dprintf(STDERR_FILENO, "allocation: %s\n", what);
	_exit(70);
}

/* One kind of request. %T in a param or the body is the token, %R the refresh token. */
struct kind {
	const char *name;
	const char *params[PARAMS_MAX];
	const char *body;
	bool mints;    /* a token file */
	bool consumes; /* what it shows: it cannot be shown again */
	bool shows;    /* a token, which OpenSSL calls a wrong one when it is short of memory */
};

/* Of the kinds that are known. */
enum { LOG_IN, USE, END_FAMILY };

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

/* With the other configuration. */
static const struct kind known[] = {
    [LOG_IN] = {"log-in", {FORM, "PATH_INFO=/oauth2/token"},
	"grant_type=password&username=alice&password=right", false, false, false},
    [USE] = {"refresh", {FORM, "PATH_INFO=/oauth2/token"},
	"grant_type=refresh_token&refresh_token=%R", false, true, false},
    [END_FAMILY] = {"revoke a family", {FORM, "PATH_INFO=/oauth2/revoke"}, "token=%R", false,
	true, false},
    {"mint as a group may", {"REQUEST_METHOD=GET", "PATH_INFO=/svc-1", ALICE}, "", true, false,
	false},
    {"mint with groups",
	{"REQUEST_METHOD=GET", "PATH_INFO=/alice", "QUERY_STRING=profile=g", ALICE}, "", true,
	false, false},
    {"groups", {"REQUEST_METHOD=GET", "PATH_INFO=/api/groups/bob", ALICE}, "", false, false,
	false},
};

static void
expand(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from != '\0' && n < size - 1; from++) {
		if (from[0] != '%' || (from[1] != 'T' && from[1] != 'R')) {
			to[n++] = *from;
			continue;
		}
		n += (size_t)snprintf(to + n, size - n, "%s", from[1] == 'T' ? token : refresh);
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
	*c = (struct call){.gateway = {.params = params, .respond = stand_respond}};
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

/* Keeps the refresh token of an answer. */
static void
keep_refresh(const struct call *c)
{
	const char *at = strstr(c->body, "\"refresh_token\"");

	expect(c->status == 200 && at != NULL, c, "a refresh token");
	at = strchr(at + strlen("\"refresh_token\""), '"') + 1;
	(void)snprintf(refresh, sizeof(refresh), "%.*s", (int)strcspn(at, "\""), at);
}

/* What has become of the family: who was answered with a token has one way on, and who was not
 * has that of before. Only what was revoked with a 200 must be over, and then it is. */
static void
judge_family(const struct stand *s, const struct kind *k, const struct call *c)
{
	struct call next;
	bool revoked = k == &known[END_FAMILY];

	if ((k == &known[LOG_IN] || k == &known[USE]) && c->status == 200)
		keep_refresh(c);
	if (revoked && c->status != 200) {
		(void)ask(s, k, &next, NULL);
		expect(next.status == 200, &next, "what could not be revoked can be");
	}
	(void)ask(s, &known[USE], &next, NULL);
	expect(
	    next.status == (revoked ? 400 : 200), &next, "one way on, unless it was revoked");
	if (!revoked)
		keep_refresh(&next);
}

static long rounds; /* of one kind */

/* Each time the request is made anew, since it changes what the next one would find. */
static void
try_anew(const struct stand *s, const struct kind *k, const struct heap_plan *all)
{
	struct heap_plan plan = {.ever = all->ever, .only = 1};
	struct call c;
	long failed;
	char name[LIMIT_FILE_NAME];

	for (;; plan.only += all->step) {
		(void)ask(s, &known[LOG_IN], &c, NULL);
		keep_refresh(&c);
		(void)ask(s, k, &c, &plan);
		failed = heap_result().failed;
		expect(c.answers == 1, &c, "answered once");
		expect(c.status / 100 == 2 || c.status / 100 == 5 || c.status == 0, &c,
		    "2xx or 5xx");
		expect(look(s->config.directory, name, true) == (k->mints && c.status == 200),
		    &c, "a file with a 200, and none else");
		judge_family(s, k, &c);
		if (failed == 0)
			break;
		rounds++;
	}
	expect(c.status / 100 == 2, &c, k->name);
#ifdef __SANITIZE_ADDRESS__
	expect(__lsan_do_recoverable_leak_check() == 0, &c, "nothing leaks");
#endif
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

/* The kinds of the other stand. */
static void
test_known(const struct stand *s, int number, const struct heap_plan *plan)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct call c;

		/* What the libraries keep is there from the first time. */
		(void)ask(s, &known[LOG_IN], &c, NULL);
		keep_refresh(&c);
		(void)ask(s, &known[i], &c, NULL);
		expect(c.status / 100 == 2, &c, known[i].name);
		clear(s);
		rounds = 0;
		try_anew(s, &known[i], plan);
		printf("%s %d - %s: %ld allocations failed, 0 rounds were bad\n",
		    rounds > 0 ? "ok" : "not ok", number++, known[i].name, rounds);
		(void)fflush(stdout);
	}
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

/* Twice: what the libraries keep is there from the first time. */
static void
stand_up(struct stand *s, const char *folder, const char *name)
{
	static char paths[2][512];
	static int count;
	struct error e;

	(void)snprintf(paths[count], sizeof(paths[0]), "%s/%s", folder, name);
	s->flags.config_file = paths[count++];
	for (int i = 0; i < 2; i++) {
		stand_close(s);
		if (stand_open(s, &e) == -1)
			die(e.text);
	}
}

static void
test_kinds(struct stand *s, const struct heap_plan *plan, bool alone)
{
	struct call c;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (alone) {
			try_alone(s, &kinds[i]);
			printf("ok %zu - %s\n", i + 1, kinds[i].name);
			continue;
		}
		for (int warm = 0; warm < 2; warm++) {
			get_token(s);
			if (ask(s, &kinds[i], &c, warm == 0 ? NULL : plan) != 0)
				judge(s, &kinds[i], &c);
			expect(c.status / 100 == 2, &c, kinds[i].name);
			clear(s);
		}
		tell((int)i + 1, kinds[i].name, true);
	}
}

int
main(int argc, char **argv)
{
	const struct heap_plan plan = {.ever = argc > 2 && strcmp(argv[2], "ever") == 0,
	    .begin = note,
	    .step = argc > 3 ? strtol(argv[3], NULL, 10) : 1};
	bool alone = argc > 2 && strcmp(argv[2], "alone") == 0;
	const int count = sizeof(kinds) / sizeof(kinds[0]);
	const int more = sizeof(known) / sizeof(known[0]);
	struct stand s = {.log = {.clock = &clock_system}}, other;

	if (argc < 2 || (s.log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC)) == -1)
		die("usage: allocation FOLDER [once|ever|alone [STEP]]");
	other = s;
	stand_up(&s, argv[1], "conf");
	stand_up(&other, argv[1], "known");
	tokens = s.config.directory;
	/* Without any memory a library below us ends the process. */
	printf("1..%d\n", count + more + (plan.ever || alone ? 0 : 1));
	test_kinds(&s, &plan, alone);
	test_known(&other, count + 1, &plan);
	if (!plan.ever && !alone)
		test_reload(&s, count + more + 1, &plan);
	stand_close(&other);
	stand_close(&s);
	return 0;
}
