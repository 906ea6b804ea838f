/*
 * ask ADDRESS [PARAM]...: one FastCGI request, and its answer as CGI has it. What ADDRESS and
 * PARAM are, fastcgi.py says; text=TEXT adds a body of these bytes. Exit status 3: it was hung
 * up on. A program of its own, for hundreds of requests are made so.
 *
 * ask --execute PROGRAM [PARAM]...: runs a CGI program, with the request's PARAMs for its
 * environment and nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };
enum { RECORD_MAX = 0xFFFF, HEAD = 8, PARAMS_MAX = 256, CONTENT_MAX = 4 * 1024 * 1024 };

static const char *const alice[] = {
    "REQUEST_METHOD=GET",
    "PATH_INFO=/alice",
    "QUERY_STRING=",
    "CONTENT_LENGTH=",
    "REMOTE_USER=alice",
    "AUTH_TYPE=Basic",
    "HTTP_HOST=localhost",
};

static const char authorizer[] = "role=authorizer";

static unsigned char request[CONTENT_MAX];
static size_t request_length;
static size_t heard;

static void
fail(const char *what)
{
	fprintf(stderr, "ask: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
put(const void *bytes, size_t length)
{
	if (length > sizeof(request) - request_length) {
		errno = E2BIG;
		fail("request");
	}
	memcpy(request + request_length, bytes, length);
	request_length += length;
}

static void
put_record(int kind, const void *content, size_t length)
{
	const unsigned char head[HEAD] = {
	    1, (unsigned char)kind, 0, 1, (unsigned char)(length >> 8), (unsigned char)length};

	put(head, sizeof(head));
	put(content, length);
}

/* A stream: its records and the empty one that ends it. */
static void
put_stream(int kind, const unsigned char *content, size_t length)
{
	while (length > 0) {
		const size_t part = length < RECORD_MAX ? length : RECORD_MAX;

		put_record(kind, content, part);
		content += part;
		length -= part;
	}
	put_record(kind, "", 0);
}

static size_t
write_size(unsigned char *to, size_t size)
{
	if (size < 128) {
		to[0] = (unsigned char)size;
		return 1;
	}
	to[0] = (unsigned char)(size >> 24 | 0x80);
	to[1] = (unsigned char)(size >> 16);
	to[2] = (unsigned char)(size >> 8);
	to[3] = (unsigned char)size;
	return 4;
}

/* A pair, NAME=VALUE, in FastCGI's form. */
static size_t
write_pair(unsigned char *to, const char *pair)
{
	const size_t name = strcspn(pair, "="), value = strlen(pair + name + 1);
	size_t at = write_size(to, name);

	at += write_size(to + at, value);
	memcpy(to + at, pair, name);
	memcpy(to + at + name, pair + name + 1, value);
	return at + name + value;
}

static bool
same_name(const char *one, const char *other)
{
	const size_t length = strcspn(one, "=");

	return length == strcspn(other, "=") && strncmp(one, other, length) == 0;
}

/* Alice's params as the arguments change them; how many there are. */
static size_t
change(const char *params[PARAMS_MAX], char **changes)
{
	size_t count = sizeof(alice) / sizeof(*alice), kept;

	memcpy(params, alice, sizeof(alice));
	for (; *changes != NULL && count < PARAMS_MAX; changes++) {
		if (strncmp(*changes, "body=", 5) == 0 || strncmp(*changes, "text=", 5) == 0 ||
		    strcmp(*changes, authorizer) == 0)
			continue;
		if (**changes != '+') {
			kept = 0;
			for (size_t i = 0; i < count; i++)
				if (!same_name(params[i], *changes))
					params[kept++] = params[i];
			count = kept;
		}
		if (strchr(*changes, '=') != NULL)
			params[count++] = *changes + strspn(*changes, "+");
	}
	return count;
}

static void
build(char **changes)
{
	static unsigned char content[CONTENT_MAX], body[CONTENT_MAX];
	const char *params[PARAMS_MAX];
	const size_t count = change(params, changes);
	size_t length = 0, body_length = 0;
	bool has_body = true;

	for (size_t i = 0; i < count; i++) {
		if (length + strlen(params[i]) + HEAD > sizeof(content)) {
			errno = E2BIG;
			fail("params");
		}
		length += write_pair(content + length, params[i]);
	}
	for (; *changes != NULL; changes++) {
		const char *value = *changes + 5;
		bool text = strncmp(*changes, "text=", 5) == 0;
		size_t more = text ? strlen(value) : 0;

		if (strncmp(*changes, "body=", 5) == 0)
			more = strtoul(value, NULL, 10);
		if (more > sizeof(body) - body_length) {
			errno = E2BIG;
			fail("body");
		}
		if (text)
			memcpy(body + body_length, value, more);
		body_length += more;
		if (strcmp(*changes, authorizer) == 0)
			has_body = false;
	}
	put_record(BEGIN, has_body ? "\0\1\0\0\0\0\0\0" : "\0\2\0\0\0\0\0\0", HEAD);
	put_stream(PARAMS, content, length);
	if (has_body)
		put_stream(STDIN, body, body_length);
}

static int
connect_to(const char *address)
{
	const struct timeval patience = {.tv_sec = 30};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_in remote = {.sin_family = AF_INET};
	const char *colon = strrchr(address, ':');
	const bool tcp = colon != NULL && strchr(address, '/') == NULL;
	char host[64];
	int fd, status;

	fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0)
		fail("socket");
	if (tcp) {
		snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
		remote.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
		if (inet_pton(AF_INET, host, &remote.sin_addr) != 1)
			fail(address);
		status = connect(fd, (struct sockaddr *)&remote, sizeof(remote));
	} else {
		if (snprintf(local.sun_path, sizeof(local.sun_path), "%s", address) >=
		    (int)sizeof(local.sun_path)) {
			errno = ENAMETOOLONG;
			fail(address);
		}
		status = connect(fd, (struct sockaddr *)&local, sizeof(local));
	}
	if (status != 0)
		fail(address);
	return fd;
}

/* What comes back to what could not be sent, if anything, is still there to be read. */
static void
send_request(int fd)
{
	size_t sent = 0;
	ssize_t now;

	while (sent < request_length) {
		now = send(fd, request + sent, request_length - sent, MSG_NOSIGNAL);
		if (now < 0 && (errno == EPIPE || errno == ECONNRESET))
			return;
		if (now < 0)
			fail("send");
		sent += (size_t)now;
	}
}

static void
take(int fd, unsigned char *to, size_t count)
{
	ssize_t now;

	while (count > 0) {
		now = recv(fd, to, count, 0);
		if (now == 0 || (now < 0 && errno == ECONNRESET)) {
			printf("closed after %zu bytes\n", heard);
			exit(3);
		}
		if (now < 0)
			fail("recv");
		heard += (size_t)now;
		to += now;
		count -= (size_t)now;
	}
}

/* An environment in which a name may come twice. */
static void
execute(char *program, char **changes)
{
	const char *params[PARAMS_MAX];
	char *environment[PARAMS_MAX + 1], *const arguments[] = {program, NULL};
	const size_t count = change(params, changes);

	for (size_t i = 0; i < count; i++)
		environment[i] = strdup(params[i]);
	environment[count] = NULL;
	execve(program, arguments, environment);
	fail(program);
}

int
main(int argc, char **argv)
{
	static unsigned char answer[CONTENT_MAX];
	unsigned char head[HEAD], content[RECORD_MAX + 255];
	size_t length, answer_length = 0;
	int fd;

	if (argc < 2) {
		fputs("usage: ask ADDRESS [PARAM]...\n", stderr);
		return 64;
	}
	if (argc > 2 && strcmp(argv[1], "--execute") == 0)
		execute(argv[2], argv + 3);
	build(argv + 2);
	fd = connect_to(argv[1]);
	send_request(fd);
	do {
		take(fd, head, sizeof(head));
		length = (size_t)head[4] << 8 | head[5];
		take(fd, content, length + head[6]);
		if (head[1] != STDOUT)
			continue;
		if (length > sizeof(answer) - answer_length) {
			errno = E2BIG;
			fail("answer");
		}
		memcpy(answer + answer_length, content, length);
		answer_length += length;
	} while (head[1] != END);
	close(fd);
	return fwrite(answer, 1, answer_length, stdout) != answer_length || fflush(stdout) != 0;
}
