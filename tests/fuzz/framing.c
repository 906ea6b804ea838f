/*
 * fcgi/framing: what it calls a request is one to a reader of its own, and to libfcgi, which
 * gets it next and must find the same params and the same body. Input: a byte that says where
 * the connection had come to before, and its bytes.
 */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fastcgi.h>
#include <fcgiapp.h>

#include "base/limits.h"
#include "fcgi/framing.h"
#include "tests/fuzz/fuzz.h"

/* What a whole request has. */
struct seen {
	size_t params; /* bytes */
	size_t pairs;
	size_t body; /* bytes */
};

static void
start(void)
{
	REQUIRE(FCGX_Init() == 0);
}

/* All params one behind the other; returns how many bytes. */
static size_t
gather(const uint8_t *bytes, size_t size, uint8_t *params, struct seen *seen)
{
	size_t length = 0;

	for (size_t at = 0; at < size;) {
		size_t content = (size_t)bytes[at + 4] << 8 | bytes[at + 5];

		REQUIRE(size - at >= FCGI_HEADER_LEN + content + bytes[at + 6]);
		if (bytes[at + 1] == FCGI_PARAMS) {
			REQUIRE(length + content <= LIMIT_PARAMS);
			memcpy(params + length, bytes + at + FCGI_HEADER_LEN, content);
			length += content;
		} else if (bytes[at + 1] == FCGI_STDIN) {
			seen->body += content;
		}
		at += FCGI_HEADER_LEN + content + bytes[at + 6];
	}
	return length;
}

static size_t
take_length(const uint8_t *params, size_t size, size_t *at)
{
	size_t length;

	REQUIRE(*at < size);
	length = params[(*at)++];
	if (length < 0x80)
		return length;
	REQUIRE(size - *at >= 3);
	length = (length & 0x7f) << 24 | (size_t)params[*at] << 16 |
		 (size_t)params[*at + 1] << 8 | params[*at + 2];
	*at += 3;
	return length;
}

static void
count_pairs(const uint8_t *params, struct seen *seen)
{
	for (size_t at = 0; at < seen->params; seen->pairs++) {
		size_t name = take_length(params, seen->params, &at);
		size_t value = take_length(params, seen->params, &at);

		REQUIRE(name <= seen->params - at && value <= seen->params - at - name);
		at += name + value;
	}
}

/* As fcgi/exchange.c has it read what was gathered. */
static void
check_libfcgi(const uint8_t *bytes, size_t size, const struct seen *seen, bool body)
{
	FCGX_Request r;
	char read[4096];
	size_t got = 0;
	int room = FRAMING_MAX;
	int ends[2];
	int n;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
	(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	REQUIRE(send(ends[0], bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
	REQUIRE(FCGX_InitRequest(&r, -1, 0) == 0);
	r.ipcFd = ends[1];
	r.keepConnection = 1;
	r.detached = 1;
	REQUIRE(FCGX_Accept_r(&r) == 0);
	n = 0;
	while (r.envp[n] != NULL)
		n++;
	REQUIRE((size_t)n == seen->pairs + 1); /* FCGI_ROLE is its own */
	while (body && (n = FCGX_GetStr(read, sizeof(read), r.in)) > 0)
		got += (size_t)n;
	REQUIRE(!body || (FCGX_GetError(r.in) == 0 && got == seen->body));
	/* What is left would be the start of the next request, maybe of another connection. */
	REQUIRE(!body || recv(ends[1], read, sizeof(read), 0) == -1);
	FCGX_Free(&r, 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
check_complete(const uint8_t *bytes, size_t size, const struct framing_head *head)
{
	uint8_t *params = malloc(LIMIT_PARAMS);
	struct seen seen = {0};

	REQUIRE(size >= FCGI_HEADER_LEN + sizeof(FCGI_BeginRequestBody) && size <= FRAMING_MAX);
	REQUIRE(head->keep == ((bytes[10] & FCGI_KEEP_CONN) != 0));
	REQUIRE(head->authorizer == (bytes[9] == FCGI_AUTHORIZER));
	REQUIRE(params != NULL);
	seen.params = gather(bytes, size, params, &seen);
	count_pairs(params, &seen);
	free(params);
	REQUIRE(seen.body <= LIMIT_BODY && (!head->authorizer || seen.body == 0));
	check_libfcgi(bytes, size, &seen, !head->authorizer);
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	size_t cut = fuzz_byte(&in);
	struct framing_head head = {0}, before = {0};
	enum framing verdict, early;

	if (in.left > FRAMING_MAX)
		return;
	cut = in.left * cut / 256;
	early = framing_scan(in.at, cut, &before);
	verdict = framing_scan(in.at, in.left, &head);
	/* What was wrong at once is not mended by more, and what was whole is not taken back
	 * but where more came than one request. */
	if (early == FRAMING_INVALID || early == FRAMING_OVERSIZE)
		REQUIRE(verdict == early && in.left > 0);
	if (verdict == FRAMING_INCOMPLETE)
		REQUIRE(early == FRAMING_INCOMPLETE || before.authorizer);
	if (verdict == FRAMING_OVERSIZE)
		REQUIRE(!head.authorizer);
	if (verdict == FRAMING_COMPLETE)
		check_complete(in.at, in.left, &head);
}

const struct fuzz_target fuzz_framing = {.name = "framing", .start = start, .run = run};
