/* identity: a service that is asked more than once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "identity/source.h"

/* A service that accepts so many connections, and on each answers so many requests. */
struct service {
	int listening;
	int connections;
	int requests;
	pthread_t thread;
};

static void
answer(int fd)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				    "Content-Length: 16\r\n\r\n{\"groups\":[\"a\"]}";
	char request[1024] = "";
	size_t used = 0;

	while (strstr(request, "\r\n\r\n") == NULL && used < sizeof(request) - 1) {
		ssize_t n = recv(fd, request + used, sizeof(request) - 1 - used, 0);

		if (n <= 0)
			return;
		used += (size_t)n;
		request[used] = '\0';
	}
	(void)send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
}

static void *
serve(void *argument)
{
	const struct service *s = argument;

	for (int i = 0; i < s->connections; i++) {
		int fd = accept(s->listening, NULL, NULL);

		for (int k = 0; k < s->requests; k++)
			answer(fd);
		close(fd);
	}
	close(s->listening);
	return NULL;
}

/* Starts the service, and opens the source that asks it. */
static struct source *
begin(struct service *s, struct config *c)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t length = sizeof(at);
	struct source *source;
	struct error e = {0};
	char text[256];

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listening = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listening, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->listening, 8), 0);
	assert_int_equal(getsockname(s->listening, (struct sockaddr *)&at, &length), 0);
	(void)snprintf(text, sizeof(text),
	    "groups { resolvers = rest\n"
	    "rest { url = \"http://127.0.0.1:%d/\" timeout = 5s } }",
	    ntohs(at.sin_port));
	assert_int_equal(config_init(c, &e), 0);
	if (config_parse(c, text, strlen(text), "t.conf", &e) == -1 ||
	    source_rest_open(&source, &c->groups, &e) == -1)
		fail_msg("%s", e.text);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return source;
}

static void
assert_known(struct source *source)
{
	struct membership m = {0};
	struct error e = {0};

	if (source->lookup(source, "alice", &m, &e) == -1)
		fail_msg("%s", e.text);
	assert_true(m.known);
	assert_string_equal(m.groups, "a\n");
}

/* Nobody accepts a second connection, so that a request on one would time out. */
static void
connection_is_used_again(void **state)
{
	struct service service = {.connections = 1, .requests = 3};
	struct config c;
	struct source *source = begin(&service, &c);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_known(source);
	source_close(source);
	assert_int_equal(pthread_join(service.thread, NULL), 0);
	config_free(&c);
}

/* As a service does that is restarted, or that ends what is idle. */
static void
connection_that_the_service_closed_is_made_anew(void **state)
{
	struct service service = {.connections = 3, .requests = 1};
	struct config c;
	struct source *source = begin(&service, &c);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_known(source);
	source_close(source);
	assert_int_equal(pthread_join(service.thread, NULL), 0);
	config_free(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(connection_is_used_again),
	    cmocka_unit_test(connection_that_the_service_closed_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
