/* authserver-token: what is made of answers, whoever gives them. */
#define _GNU_SOURCE /* asprintf, mkdtemp */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/failures.h"
#include "tools/authserver-token/ask.h"
#include "tools/authserver-token/fastcgi.h"

/* {"alg":"RS512"} with {"exp":4000000000} and with {"exp":1}. */
#define TOKEN "eyJhbGciOiJSUzUxMiJ9.eyJleHAiOjQwMDAwMDAwMDB9.YQ"
#define ENDED "eyJhbGciOiJSUzUxMiJ9.eyJleHAiOjF9.YQ"
#define NAME "alice.1668177993995201518.token"

enum { STDOUT = 6, STDERR = 7, END = 3, RECORD = 32000, LARGE = 100 * 1000 };

struct fixture {
	char folder[32];
	char *file, *socket;
	struct settings settings;
	struct request request;
	struct credentials credentials;
	int listener;
	char url[64];
	struct buffer got;
	struct error e;
};

static int
make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);

	*state = f;
	if (f == NULL)
		return -1;
	memcpy(f->folder, "/tmp/test_ask.XXXXXX", 21);
	f->credentials.netrc = -1;
	buffer_init(&f->got, LIMIT_TOKEN);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (mkdtemp(f->folder) == NULL || asprintf(&f->file, "%s/" NAME, f->folder) == -1 ||
	    asprintf(&f->socket, "%s/socket", f->folder) == -1 ||
	    bind(f->listener, (const struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(f->listener, 1) == -1 ||
	    getsockname(f->listener, (struct sockaddr *)&a, &size) == -1)
		return -1;
	(void)snprintf(
	    f->url, sizeof(f->url), "http://127.0.0.1:%u", (unsigned int)ntohs(a.sin_port));
	if (request_read(&f->request, &f->settings, "", &f->e) == -1)
		return -1;
	f->request.url = f->url;
	f->request.socket = f->socket;
	return 0;
}

static int
clean(void **state)
{
	struct fixture *f = *state;

	(void)failures_set(NULL, 0, 0, 0);
	close(f->listener);
	(void)unlink(f->file);
	(void)unlink(f->socket);
	(void)rmdir(f->folder);
	request_free(&f->request);
	buffer_free(&f->got);
	free(f->file);
	free(f->socket);
	free(f);
	return 0;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* A process that gives the answer to the first who asks. */
static pid_t
start_server(int listener, const void *answer, size_t length)
{
	const pid_t parent = getpid();
	pid_t pid = fork();
	char request[8192];
	int fd;

	assert_int_not_equal(pid, -1);
	if (pid > 0)
		return pid;
	/* Should the test fail; and should it have ended before this. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
		_exit(1);
	fd = accept(listener, NULL, NULL);
	if (fd == -1 || recv(fd, request, sizeof(request), 0) <= 0 ||
	    send(fd, answer, length, MSG_NOSIGNAL) == -1)
		_exit(1);
	(void)shutdown(fd, SHUT_WR);
	_exit(0);
}

static void
end_server(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int
ask(struct fixture *f)
{
	buffer_free(&f->got);
	buffer_init(&f->got, LIMIT_TOKEN);
	f->e = (struct error){0};
	return ask_token(&f->got, &f->request, &f->credentials, &f->e);
}

/* --- FastCGI --- */

/* Appends a record, with padding behind it. */
static void
add_record(struct buffer *b, unsigned char type, const char *content, size_t length)
{
	const unsigned char header[] = {
	    1, type, 0, 1, (unsigned char)(length >> 8), (unsigned char)(length & 0xff), 3, 0};

	assert_int_equal(buffer_append(b, header, sizeof(header)), 0);
	assert_int_equal(buffer_append(b, content, length), 0);
	assert_int_equal(buffer_append(b, "xxx", 3), 0);
}

/* What comes of the bytes, after which the connection is closed. */
static int
receive(struct answer *a, const struct buffer *b, struct error *e)
{
	int pair[2], rc;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(send(pair[0], b->data, b->length, 0), b->length);
	close(pair[0]);
	rc = fastcgi_receive(a, pair[1], e);
	close(pair[1]);
	return rc;
}

static void
answer_is_read_from_its_records(void **state)
{
	static const char text[] = "Status: 403 Forbidden\r\nA: b\r\n\r\nwhy";
	struct answer a;
	struct buffer b;
	struct error e;

	(void)state;
	buffer_init(&b, LARGE);
	add_record(&b, STDOUT, text, 10);
	add_record(&b, STDERR, "said", 4);
	add_record(&b, STDOUT, text + 10, sizeof(text) - 1 - 10);
	add_record(&b, STDOUT, "", 0);
	add_record(&b, END, "\0\0\0\0\0\0\0", 8);
	assert_int_equal(receive(&a, &b, &e), 0);
	assert_int_equal(a.status, 403);
	assert_string_equal(a.body, "why");
	fastcgi_free(&a);
	/* Wherever it ends before its time. */
	for (size_t length = b.length - 1; length > 0; length -= length > 7 ? 7 : length) {
		b.length = length;
		assert_int_equal(receive(&a, &b, &e), -1);
		assert_non_null(strstr(e.text, "the connection was closed"));
	}
	buffer_free(&b);
}

static void
answer_that_is_none_of_authserver_s_is_refused(void **state)
{
	static const char *const texts[] = {"", "Status: 2", "Status: 200 OK",
	    "HTTP/1.1 200 OK", "Content-Type: text/plain\r\n\r\nx", "Status: 2x0 OK\r\n\r\n",
	    "Status: 200\r\nA: b"};
	static char large[RECORD];
	struct answer a;
	struct buffer b;
	struct error e;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buffer_init(&b, LARGE);
		add_record(&b, STDOUT, texts[i], strlen(texts[i]));
		add_record(&b, END, "", 0);
		assert_int_equal(receive(&a, &b, &e), -1);
		assert_non_null(strstr(e.text, "none of authserver's"));
		buffer_free(&b);
	}
	buffer_init(&b, LARGE);
	for (int i = 0; i < 3; i++)
		add_record(&b, STDOUT, large, sizeof(large));
	assert_int_equal(receive(&a, &b, &e), -1);
	assert_string_equal(e.text, "the answer is too long");
	buffer_free(&b);
}

static void
connection_that_fails_is_told_how(void **state)
{
	const struct timeval soon = {.tv_usec = 1000};
	struct answer a;
	struct error e;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	assert_int_equal(fastcgi_receive(&a, pair[1], &e), -1);
	assert_string_equal(e.text, "no answer: it takes too long");
	assert_int_equal(fastcgi_receive(&a, -1, &e), -1);
	assert_string_equal(e.text, "no answer: Bad file descriptor");
	close(pair[0]);
	close(pair[1]);
}

static void
request_that_cannot_be_sent_is_an_error(void **state)
{
	/* What is left for the second param: nothing, one length, both, and its name. */
	static const size_t fillers[] = {70000, 65529, 65528, 65527, 65526};
	const struct fixture *f = *state;
	static char value[70001], path[200];
	struct param params[] = {{"a", value}, {"b", "c"}};
	struct answer a;
	struct error e;
	int turn;

	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		memset(value, 'x', fillers[i]);
		value[fillers[i]] = '\0';
		assert_int_equal(fastcgi_ask(&a, f->socket, params, 2, 1, &e), -1);
		assert_string_equal(e.text, "the request is too long");
	}
	params[0].value = "short";
	for (turn = 0; turn < 20; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		assert_int_equal(fastcgi_ask(&a, f->socket, params, 2, 1, &e), -1);
		if (failures_set(NULL, 0, 0, 0) == 0)
			break;
		assert_string_equal(e.text, "the request is too long");
	}
	assert_true(turn > 0);
	assert_non_null(strstr(e.text, "is authserver.fcgi running with --peer-socket?"));
	memset(path, 'x', sizeof(path) - 1);
	assert_int_equal(fastcgi_ask(&a, path, params, 2, 1, &e), -1);
	assert_non_null(strstr(e.text, "longer than a socket's path may be"));
	(void)failures_set("socket", 0, 1, EMFILE);
	assert_int_equal(fastcgi_ask(&a, f->socket, params, 2, 1, &e), -1);
	assert_string_equal(e.text, "socket: Too many open files");
}

/* Asks at the local socket, where the text is the answer. */
static int
ask_local(struct fixture *f, const char *text, size_t length)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct buffer b;
	pid_t server;
	int rc;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->socket);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	buffer_init(&b, LARGE);
	add_record(&b, STDOUT, text, length);
	add_record(&b, END, "", 0);
	f->request.url = NULL;
	(void)failures_set("send", 0, 1, EPIPE);
	assert_int_equal(ask(f), -1);
	assert_string_equal(f->e.text, "the request: Broken pipe");
	close(accept(fd, NULL, NULL));
	(void)failures_set(NULL, 0, 0, 0);
	server = start_server(fd, b.data, b.length);
	rc = ask(f);
	end_server(server);
	buffer_free(&b);
	close(fd);
	assert_int_equal(unlink(f->socket), 0);
	return rc;
}

static void
local_answer_is_a_token_or_the_reason_for_none(void **state)
{
	static const struct {
		const char *answer;
		bool file;
		int code; /* 0: it is taken */
		const char *text;
	} rows[] = {
	    {"Status: 200 OK\r\n\r\n" TOKEN, false, 0, TOKEN},
	    {"Status: 200 OK\r\n\r\n/tmp/" NAME, true, 0, "/tmp/" NAME},
	    {"Status: 200 OK\r\n\r\n" ENDED, false, ERROR_UNAVAILABLE, "has ended already"},
	    {"Status: 200 OK\r\n\r\n", false, ERROR_UNAVAILABLE, ""},
	    {"Status: 200 OK\r\n\r\n", true, ERROR_UNAVAILABLE, "no path of a file"},
	    {"Status: 200 OK\r\n\r\nname", true, ERROR_UNAVAILABLE, "no path of a file"},
	    {"Status: 200 OK\r\n\r\n/a\nb", true, ERROR_UNAVAILABLE, "no path of a file"},
	    {"Status: 401 No\r\n\r\nwho\r\nelse", false, ERROR_NO_PERMISSION, "who"},
	    {"Status: 403 No\r\n\r\nnot\tyou", false, ERROR_NO_PERMISSION, "not"},
	    {"Status: 404 No\r\n\r\n", false, ERROR_DENIED, "with status 404"},
	    {"Status: 429 No\r\n\r\n", false, ERROR_UNAVAILABLE, "429: try again"},
	    {"Status: 503 No\r\n\r\n", false, ERROR_UNAVAILABLE, "503: try again"},
	};
	struct fixture *f = *state;
	static char large[18000];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->request.file = rows[i].file;
		assert_int_equal(ask_local(f, rows[i].answer, strlen(rows[i].answer)),
		    rows[i].code == 0 ? 0 : -1);
		if (rows[i].code == 0) {
			assert_string_equal(f->got.data, rows[i].text);
			continue;
		}
		assert_int_equal(f->e.code, rows[i].code);
		if (strstr(f->e.text, rows[i].text) == NULL || strchr(f->e.text, '\n') != NULL)
			fail_msg("row %zu: %s", i, f->e.text);
	}
	f->request.file = false;
	memset(large, 'x', sizeof(large));
	memcpy(large, "Status: 403 No\r\n\r\n", 18);
	assert_int_equal(ask_local(f, large, 18 + 256), -1);
	assert_string_equal(f->e.text, "the server answered with status 403");
	memcpy(large, "Status: 200 OK\r\n\r\n/", 19);
	assert_int_equal(ask_local(f, large, sizeof(large)), -1);
	assert_string_equal(f->e.text, "the answer is too long for a token");
	f->request.file = true;
	assert_int_equal(ask_local(f, large, 18 + LIMIT_PATH), -1);
	assert_non_null(strstr(f->e.text, "no path of a file"));
}

/* --- a web server --- */

static int
ask_web(struct fixture *f, const char *answer)
{
	pid_t server = start_server(f->listener, answer, strlen(answer));
	int rc = ask(f);

	end_server(server);
	return rc;
}

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n"
#define JWT OK "Content-Type: application/jwt\r\n\r\n"
#define STATUS(code) "HTTP/1.1 " code " No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

static void
web_answer_is_a_token_or_the_reason_for_none(void **state)
{
	static const struct {
		const char *answer;
		bool direct, file;
		int code; /* 0: it is taken */
		const char *text;
	} rows[] = {
	    {JWT TOKEN, true, false, 0, TOKEN},
	    {JWT TOKEN, false, false, 0, TOKEN},
	    {JWT TOKEN, false, true, ERROR_UNAVAILABLE, "no path of a file"},
	    {OK "\r\n/tmp/" NAME, false, true, 0, "/tmp/" NAME},
	    {OK "\r\n/etc/passwd", false, false, ERROR_UNAVAILABLE,
		"not the name of a token file"},
	    {OK "\r\n", false, false, ERROR_UNAVAILABLE, "no path of a file"},
	    {"HTTP/1.1 204 No\r\n\r\n", true, false, ERROR_DENIED, "status 204"},
	    {STATUS("302"), true, false, ERROR_CONFIG, "a redirection"},
	    {STATUS("401"), true, false, ERROR_NO_PERMISSION, "say who is asking"},
	    {STATUS("404"), true, false, ERROR_DENIED, "status 404"},
	    {STATUS("500"), true, false, ERROR_UNAVAILABLE, "try again in a moment"},
	    {"HTTP/1.1 403 No\r\nContent-Type: text/plain\r\n\r\nnot you\n", true, false,
		ERROR_NO_PERMISSION, "not you"},
	    {"HTTP/1.1 403 No\r\nContent-Type: text/html\r\n\r\nnot you\n", true, false,
		ERROR_NO_PERMISSION, "status 403"},
	    {"none\r\n\r\n", true, false, ERROR_UNAVAILABLE, "127.0.0.1"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->request.direct = rows[i].direct;
		f->request.file = rows[i].file;
		assert_int_equal(ask_web(f, rows[i].answer), rows[i].code == 0 ? 0 : -1);
		if (rows[i].code == 0) {
			assert_string_equal(f->got.data, rows[i].text);
			continue;
		}
		if (strstr(f->e.text, rows[i].text) == NULL)
			fail_msg("row %zu: %s", i, f->e.text);
		assert_int_equal(f->e.code, rows[i].code);
	}
}

static void
web_answer_has_bounds(void **state)
{
	static char large[20 * 1024];
	struct fixture *f = *state;
	char *answer;

	memset(large, 'x', sizeof(large) - 1);
	assert_true(asprintf(&answer, JWT "%s", large) > 0);
	assert_int_equal(ask_web(f, answer), -1);
	assert_non_null(strstr(f->e.text, "the answer is too long for a token"));
	free(answer);
	assert_true(
	    asprintf(&answer, OK "A: %.12000s\r\nB: %.12000s\r\n\r\n", large, large) > 0);
	assert_int_equal(ask_web(f, answer), -1);
	assert_non_null(strstr(f->e.text, "more than 16 KiB of header fields"));
	free(answer);
}

static void
path_of_another_host_is_no_answer(void **state)
{
	struct fixture *f = *state;

	/* This host, by an address that does not say so. */
	(void)snprintf(f->url, sizeof(f->url), "http://0.0.0.0:%s", strrchr(f->url, ':') + 1);
	f->request.insecure = true;
	assert_int_equal(ask_web(f, OK "\r\n/tmp/" NAME), -1);
	assert_non_null(strstr(f->e.text, "a file of another host"));
	f->request.insecure = false;
	assert_int_equal(ask(f), -1);
	assert_int_equal(f->e.code, ERROR_CONFIG);
}

static void
who_is_not_let_in_is_told_what_was_wrong(void **state)
{
	struct fixture *f = *state;

	f->request.direct = true;
	f->request.user = "jane";
	f->credentials.kind = CREDENTIALS_PASSWORD;
	buffer_init(&f->credentials.password, LIMIT_PASSPHRASE);
	assert_int_equal(buffer_append(&f->credentials.password, "wrong", 5), 0);
	assert_int_equal(ask_web(f, STATUS("401")), -1);
	assert_non_null(strstr(f->e.text, "the user name or the password is wrong"));
	buffer_free(&f->credentials.password);
	write_file(f->file, "", 0600);
	f->credentials.kind = CREDENTIALS_NETRC;
	f->credentials.netrc = open(f->file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(ask_web(f, STATUS("401")), -1);
	assert_non_null(strstr(f->e.text, "what the netrc file has for this host"));
	close(f->credentials.netrc);
}

CURL *__real_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void);
struct curl_slist *__real_curl_slist_append(struct curl_slist *list, const char *text);
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *text);
CURLcode __real_curl_easy_setopt(CURL *curl, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...);

CURL *
__wrap_curl_easy_init(void)
{
	return failures_hit("curl") ? NULL : __real_curl_easy_init();
}

struct curl_slist *
__wrap_curl_slist_append(struct curl_slist *list, const char *text)
{
	return failures_hit("curl") ? NULL : __real_curl_slist_append(list, text);
}

CURLcode
__wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
	va_list list;
	CURLcode code;

	if (failures_hit("curl"))
		return CURLE_OUT_OF_MEMORY;
	va_start(list, option);
	code = option < CURLOPTTYPE_OBJECTPOINT
		   ? __real_curl_easy_setopt(curl, option, va_arg(list, long))
		   : __real_curl_easy_setopt(curl, option, va_arg(list, void *));
	va_end(list);
	return code;
}

static void
nothing_is_asked_without_all_that_was_to_be_set(void **state)
{
	static const enum credentials_kind kinds[] = {
	    CREDENTIALS_NONE, CREDENTIALS_PASSWORD, CREDENTIALS_NETRC, CREDENTIALS_TICKET};
	struct fixture *f = *state;

	/* Nobody listens. */
	close(f->listener);
	f->request.ca_file = f->file;
	f->request.user = "jane";
	buffer_init(&f->credentials.password, LIMIT_PASSPHRASE);
	assert_int_equal(buffer_append(&f->credentials.password, "x", 1), 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int turn;

		f->credentials.kind = kinds[i];
		for (turn = 0; turn < 50; turn++) {
			(void)failures_set("curl", turn, 1, ENOMEM);
			assert_int_equal(ask(f), -1);
			if (failures_set(NULL, 0, 0, 0) == 0)
				break;
			if (strstr(f->e.text,
				turn < 2 ? "libcurl does not start" : "Out of memory") == NULL)
				fail_msg("turn %d: %s", turn, f->e.text);
		}
		assert_in_range(turn, 20, 49);
		assert_null(strstr(f->e.text, "memory"));
	}
	buffer_free(&f->credentials.password);
}

CURLU *__real_curl_url(void);
CURLU *__wrap_curl_url(void);

CURLU *
__wrap_curl_url(void)
{
	return failures_hit("url") ? NULL : __real_curl_url();
}

static void
nothing_is_asked_when_memory_is_short(void **state)
{
	struct fixture *f = *state;
	struct settings s = {.value[SET_AUDIENCE] = f->folder};
	struct request r;
	struct error e;
	int turn;

	close(f->listener);
	for (turn = 0; turn < 20; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		if (request_read(&r, &s, "jane", &e) == 0)
			break;
		assert_string_equal(e.text, "the request is too long");
	}
	assert_true(turn >= 2);
	request_free(&r);
	(void)failures_set("memory", 0, 1, ENOMEM);
	assert_int_equal(ask(f), -1);
	assert_int_equal(f->e.code, ERROR_CONFIG);
	(void)failures_set("url", 0, 1, ENOMEM);
	assert_int_equal(ask(f), -1);
	assert_int_equal(f->e.code, ERROR_CONFIG);
}

/* --- token files --- */

static void
file_that_is_no_token_s_is_refused(void **state)
{
	struct fixture *f = *state;
	static char large[LIMIT_TOKEN + 2];
	struct buffer b;

	memset(large, 'x', sizeof(large) - 1);
	buffer_init(&b, LIMIT_TOKEN);
	assert_int_equal(token_file_read(&b, NAME, &f->e), -1);
	assert_int_equal(token_file_read(&b, "/etc/passwd", &f->e), -1);
	assert_non_null(strstr(f->e.text, "not the name of a token file"));
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_non_null(strstr(f->e.text, "there is no such file here"));
	assert_int_equal(symlink("/etc/passwd", f->file), 0);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_int_equal(f->e.code, ERROR_NO_PERMISSION);
	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(mkdir(f->file, 0700), 0);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_non_null(strstr(f->e.text, "not a regular file"));
	assert_int_equal(rmdir(f->file), 0);
	write_file(f->file, TOKEN, 0646);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_non_null(strstr(f->e.text, "anybody may write it"));
	write_file(f->file, TOKEN, 0640);
	(void)failures_set("fstat", 0, 1, EIO);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_int_equal(token_file_read(&b, f->file, &f->e), 0);
	assert_string_equal(b.data, TOKEN);
	buffer_free(&b);
	buffer_init(&b, LIMIT_TOKEN);
	write_file(f->file, large, 0640);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_int_equal(f->e.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(f->e.text, "too large for a token"));
	buffer_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answer_is_read_from_its_records),
	    cmocka_unit_test(answer_that_is_none_of_authserver_s_is_refused),
	    cmocka_unit_test(connection_that_fails_is_told_how),
	    cmocka_unit_test_setup_teardown(
		request_that_cannot_be_sent_is_an_error, make, clean),
	    cmocka_unit_test_setup_teardown(
		local_answer_is_a_token_or_the_reason_for_none, make, clean),
	    cmocka_unit_test_setup_teardown(
		web_answer_is_a_token_or_the_reason_for_none, make, clean),
	    cmocka_unit_test_setup_teardown(web_answer_has_bounds, make, clean),
	    cmocka_unit_test_setup_teardown(path_of_another_host_is_no_answer, make, clean),
	    cmocka_unit_test_setup_teardown(
		who_is_not_let_in_is_told_what_was_wrong, make, clean),
	    cmocka_unit_test_setup_teardown(
		nothing_is_asked_without_all_that_was_to_be_set, make, clean),
	    cmocka_unit_test_setup_teardown(nothing_is_asked_when_memory_is_short, make, clean),
	    cmocka_unit_test_setup_teardown(file_that_is_no_token_s_is_refused, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
