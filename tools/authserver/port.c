#define _GNU_SOURCE /* SOCK_NONBLOCK and friends */
#include "tools/authserver/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int
port_check(uint16_t port, struct error *e)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1, saved = 0;

	/* As nginx does, so that connections of the last run in TIME_WAIT do not count. */
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == -1)
		saved = errno;
	if (fd != -1)
		close(fd);
	switch (saved) {
	case 0:
		return 0;
	case EADDRINUSE:
		return error_set(e, ERROR_UNAVAILABLE,
		    "port %u of 127.0.0.1 is taken: end what listens there (ss -ltnp names it) "
		    "or choose another with --port=PORT",
		    (unsigned int)port);
	case EACCES:
		return error_set(e, ERROR_NO_PERMISSION,
		    "port %u of 127.0.0.1: ports below 1024 are root's: choose another with "
		    "--port=PORT",
		    (unsigned int)port);
	default:
		return error_set(e, ERROR_UNAVAILABLE, "port %u of 127.0.0.1: %s",
		    (unsigned int)port, strerror(saved));
	}
}

static int
ask(struct port_probe *p)
{
	struct sockaddr_in address = loopback(p->port);
	char request[512];
	int n;

	n = snprintf(request, sizeof(request),
	    "GET /-/healthy HTTP/1.0\r\nHost: %.255s\r\n\r\n", p->host);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Connecting to loopback succeeds or fails at once, and the request fits. */
	if (p->fd == -1 ||
	    connect(p->fd, (const struct sockaddr *)&address, sizeof(address)) == -1 ||
	    send(p->fd, request, (size_t)n, MSG_NOSIGNAL) != n) {
		port_probe_end(p);
		return -1;
	}
	return 0;
}

int
port_probe_step(struct port_probe *p)
{
	static const char unready[] = "HTTP/1.1 5";
	char answer[sizeof(unready) - 1];
	ssize_t n;

	if (p->fd == -1 && ask(p) == -1)
		return 0;
	n = recv(p->fd, answer, sizeof(answer), MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	port_probe_end(p);
	/* Whatever it says, it says it for itself, unless nginx speaks in its place. */
	return n == (ssize_t)sizeof(answer) && memcmp(answer, unready, sizeof(answer)) != 0;
}

void
port_probe_end(struct port_probe *p)
{
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
}
