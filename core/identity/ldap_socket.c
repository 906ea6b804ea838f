#define _GNU_SOURCE /* SOCK_NONBLOCK */
#include "identity/ldap_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum { MILLISECOND = 1000 * 1000 };

int
ldap_socket_wait(int fd, short events, int64_t until)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = until - clock_monotonic(&clock_system);
		int n;

		if (left <= 0)
			return 0;
		left = (left + MILLISECOND - 1) / MILLISECOND;
		n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return 1;
		if (n == -1 && errno != EINTR)
			return 0;
	}
}

/* Connects one address: 0, or -1 and errno. */
static int
connect_address(int fd, const struct addrinfo *a, int64_t until)
{
	socklen_t size = sizeof(int);
	int failed = 0;

	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -1;
	if (ldap_socket_wait(fd, POLLOUT, until) == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == -1)
		return -1;
	errno = failed;
	return failed == 0 ? 0 : -1;
}

/* A connection that is kept is not forgotten by what is between, and its end is noticed. */
static void
keep_alive(int fd)
{
	static const int yes = 1, idle = 30, interval = 10, count = 3;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

int
ldap_socket_connect(const char *host, int port, int64_t until, struct error *e)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *all = NULL;
	char service[16];
	int saved = 0;
	int failed;

	(void)snprintf(service, sizeof(service), "%d", port);
	failed = getaddrinfo(host, service, &hints, &all);
	if (failed != 0)
		return error_set(e, ERROR_UNAVAILABLE, "the host's address is not found: %s",
		    failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
	for (const struct addrinfo *a = all; a != NULL; a = a->ai_next) {
		int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd != -1 && connect_address(fd, a, until) == 0) {
			freeaddrinfo(all);
			keep_alive(fd);
			return fd;
		}
		saved = errno;
		if (fd != -1)
			close(fd);
	}
	freeaddrinfo(all);
	return error_set(
	    e, ERROR_UNAVAILABLE, "the server cannot be connected: %s", strerror(saved));
}

int
ldap_socket_connect_local(const char *path, struct error *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int saved;
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return error_set(e, ERROR_UNAVAILABLE, "the socket's path is too long");
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Never in progress: either there is room in the listener's queue or EAGAIN. */
	if (fd != -1 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	saved = errno;
	if (fd != -1)
		close(fd);
	return error_set(
	    e, ERROR_UNAVAILABLE, "the server cannot be connected: %s", strerror(saved));
}

bool
ldap_socket_leaves(const char *host)
{
	struct in_addr four;
	struct in6_addr six;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 != 127;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return !IN6_IS_ADDR_LOOPBACK(&six);
	return strcasecmp(host, "localhost") != 0;
}
