#include "tools/authserver-token/fastcgi.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <fastcgi.h>

#include "base/limits.h"
#include "base/parse.h"

enum { REQUEST_ID = 1, RECORD_MAX = 65535 };

static int
append_record(struct buffer *to, unsigned char type, const void *content, size_t length)
{
	const FCGI_Header header = {.version = FCGI_VERSION_1,
	    .type = type,
	    .requestIdB0 = REQUEST_ID,
	    .contentLengthB1 = (unsigned char)(length >> 8),
	    .contentLengthB0 = (unsigned char)(length & 0xff)};

	if (length > RECORD_MAX || buffer_append(to, &header, sizeof(header)) == -1)
		return -1;
	return buffer_append(to, content, length);
}

/* A length in one byte, or in four with the first bit set (FastCGI specification, 3.4). */
static int
append_length(struct buffer *to, size_t length)
{
	const unsigned char bytes[] = {(unsigned char)(0x80 | (length >> 24)),
	    (unsigned char)(length >> 16), (unsigned char)(length >> 8), (unsigned char)length};

	return length < 128 ? buffer_append(to, bytes + 3, 1) : buffer_append(to, bytes, 4);
}

static int
append_request(struct buffer *to, const struct param *params, size_t count)
{
	const FCGI_BeginRequestBody begin = {.roleB0 = FCGI_RESPONDER};
	struct buffer pairs;
	int rc = -1;

	buffer_init(&pairs, RECORD_MAX);
	for (size_t i = 0; i < count; i++) {
		size_t name = strlen(params[i].name), value = strlen(params[i].value);

		if (append_length(&pairs, name) == -1 || append_length(&pairs, value) == -1 ||
		    buffer_append(&pairs, params[i].name, name) == -1 ||
		    buffer_append(&pairs, params[i].value, value) == -1)
			goto out;
	}
	if (append_record(to, FCGI_BEGIN_REQUEST, &begin, sizeof(begin)) == 0 &&
	    append_record(to, FCGI_PARAMS, pairs.data, pairs.length) == 0 &&
	    append_record(to, FCGI_PARAMS, NULL, 0) == 0 &&
	    append_record(to, FCGI_STDIN, NULL, 0) == 0)
		rc = 0;
out:
	buffer_free(&pairs);
	return rc;
}

static int
open_socket(const char *path, int seconds, struct error *e)
{
	const struct timeval limit = {.tv_sec = seconds};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(
		    e, ERROR_UNAVAILABLE, "%s: longer than a socket's path may be", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd == -1)
		return error_set(e, ERROR_UNAVAILABLE, "socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error_set(e, ERROR_UNAVAILABLE,
	    "%s: %s: is authserver.fcgi running with --peer-socket?", path, strerror(errno));
	close(fd);
	return -1;
}

static int
send_all(int fd, const struct buffer *b, struct error *e)
{
	size_t sent = 0;

	while (sent < b->length) {
		ssize_t n = send(fd, b->data + sent, b->length - sent, MSG_NOSIGNAL);

		if (n == -1)
			return error_set(
			    e, ERROR_UNAVAILABLE, "the request: %s", strerror(errno));
		sent += (size_t)n;
	}
	return 0;
}

static int
receive_exactly(int fd, void *to, size_t length, struct error *e)
{
	size_t got = 0;

	while (got < length) {
		ssize_t n = recv(fd, (char *)to + got, length - got, 0);

		if (n == 0 || (n == -1 && errno == ECONNRESET))
			return error_set(e, ERROR_UNAVAILABLE,
			    "the connection was closed: see the log of authserver.fcgi");
		if (n == -1)
			return error_set(e, ERROR_UNAVAILABLE, "no answer: %s",
			    errno == EAGAIN ? "it takes too long" : strerror(errno));
		got += (size_t)n;
	}
	return 0;
}

/* Gathers FCGI_STDOUT until the request is over. */
static int
receive(int fd, struct buffer *output, struct error *e)
{
	unsigned char content[RECORD_MAX + 255];
	FCGI_Header header;

	for (;;) {
		size_t length;

		if (receive_exactly(fd, &header, sizeof(header), e) == -1)
			return -1;
		length = (size_t)header.contentLengthB1 << 8 | header.contentLengthB0;
		if (receive_exactly(fd, content, length + header.paddingLength, e) == -1)
			return -1;
		if (header.type == FCGI_END_REQUEST)
			return 0;
		if (header.type == FCGI_STDOUT && buffer_append(output, content, length) == -1)
			return error_set(e, ERROR_UNAVAILABLE, "the answer is too long");
	}
}

/* "Status: 403 Forbidden" comes first, and an empty line before the body. */
static int
read_answer(struct answer *a, struct error *e)
{
	static const char status[] = "Status: ";
	const size_t digits = sizeof(status) - 1;
	const char *text = a->output.data;
	uint64_t code;

	if (text == NULL || a->output.length < digits + 3 ||
	    strncmp(text, status, digits) != 0 ||
	    parse_number(text + digits, 3, 999, &code) == -1 ||
	    strstr(text, "\r\n\r\n") == NULL)
		return error_set(
		    e, ERROR_UNAVAILABLE, "the answer is none of authserver's: see the log");
	a->status = (int)code;
	a->body = strstr(text, "\r\n\r\n") + 4;
	return 0;
}

int
fastcgi_receive(struct answer *a, int fd, struct error *e)
{
	*a = (struct answer){0};
	buffer_init(&a->output, LIMIT_RESPONSE + LIMIT_ERROR_TEXT);
	if (receive(fd, &a->output, e) == 0 && read_answer(a, e) == 0)
		return 0;
	fastcgi_free(a);
	return -1;
}

int
fastcgi_ask(struct answer *a, const char *path, const struct param *params, size_t count,
    int seconds, struct error *e)
{
	struct buffer request;
	int rc = -1;
	int fd = -1;

	*a = (struct answer){0};
	buffer_init(&request, (size_t)2 * RECORD_MAX);
	if (append_request(&request, params, count) == -1) {
		error_set(e, ERROR_UNAVAILABLE, "the request is too long");
		goto out;
	}
	fd = open_socket(path, seconds, e);
	if (fd != -1 && send_all(fd, &request, e) == 0)
		rc = fastcgi_receive(a, fd, e);
out:
	if (fd != -1)
		close(fd);
	buffer_free(&request);
	return rc;
}

void
fastcgi_free(struct answer *a)
{
	buffer_free(&a->output);
}
