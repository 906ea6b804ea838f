/* authserver-token: what is made of the answers of authserver.fcgi's local socket. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/asking.h"
#include "tests/unit/failures.h"
#include "tools/authserver-token/fastcgi.h"

/* {"alg":"RS512"} with {"exp":1}. */
#define ENDED "eyJhbGciOiJSUzUxMiJ9.eyJleHAiOjF9.YQ"

enum { STDOUT = 6, STDERR = 7, END = 3, RECORD = 32000, LARGE = 100 * 1000 };

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
	const struct asking *f = *state;
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
ask_local(struct asking *f, const char *text, size_t length)
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
	assert_int_equal(asking_ask(f), -1);
	assert_string_equal(f->e.text, "the request: Broken pipe");
	close(accept(fd, NULL, NULL));
	(void)failures_set(NULL, 0, 0, 0);
	server = asking_serve(fd, b.data, b.length);
	rc = asking_ask(f);
	asking_end(server);
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
	    {"Status: 200 OK\r\n\r\n" ASKING_TOKEN, false, 0, ASKING_TOKEN},
	    {"Status: 200 OK\r\n\r\n/tmp/" ASKING_NAME, true, 0, "/tmp/" ASKING_NAME},
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
	struct asking *f = *state;
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answer_is_read_from_its_records),
	    cmocka_unit_test(answer_that_is_none_of_authserver_s_is_refused),
	    cmocka_unit_test(connection_that_fails_is_told_how),
	    cmocka_unit_test_setup_teardown(
		request_that_cannot_be_sent_is_an_error, asking_make, asking_clean),
	    cmocka_unit_test_setup_teardown(
		local_answer_is_a_token_or_the_reason_for_none, asking_make, asking_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
