/*
 * load [-t SECONDS] [-n COUNT] [-r RATE] [-c CONNECTIONS] [-e EACH] PORT PLAN
 *
 * Requests to the web server on 127.0.0.1:PORT, in turn those that PLAN says, and what came of
 * them: as JSON (tally.h) on standard output, and lines on standard error.
 *
 * A line of PLAN is KIND, the statuses expected with commas between, METHOD and PATH, header
 * fields with "|" between, and what the body of a 200 begins with; tabs stand between them.
 *
 * With a RATE requests are due at equal distances, whether answers come or not, and what is
 * measured is the time since a request was due: the wait for one of CONNECTIONS counts. Without
 * it each connection asks again when it was answered. It ends after SECONDS or COUNT requests,
 * or on SIGTERM, with the answers to what was sent by then.
 *
 * Lines are "SECONDS KIND END MICROSECONDS BODY", of the monotonic clock when the answer came,
 * for each answer that is not as expected, and for one of EACH others.
 */
#define _GNU_SOURCE /* strsep, epoll_pwait2 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/soak/answer.h"
#include "tests/soak/tally.h"

enum { PLAN_MAX = 65536, CONNECTIONS_MAX = 4096, PATIENCE = 15 };
enum { SECOND = 1000000 }; /* times are in microseconds */

struct request {
	char *kind;
	char *expected;
	char *text;
	size_t length;
	char *begins;
};

struct connection {
	int fd;                      /* -1: there is none */
	const struct request *asked; /* NULL: idle */
	int64_t due;                 /* of what was asked */
	size_t sent;
	size_t have;
	char bytes[ANSWER_MAX + 1];
};

struct load {
	struct request *plan;
	size_t planned;
	size_t next; /* of the plan */
	struct sockaddr_in address;
	int epoll;
	int64_t start, end, interval; /* interval 0: no rate */
	long long count, each;
	long long begun, over;
	size_t connections;
	size_t busy;
	struct connection *all;
	struct tally *tally;
};

static volatile sig_atomic_t stopped;

static void
stop(int number)
{
	(void)number;
	stopped = 1;
}

static int64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* The text of a request: "METHOD PATH", and its fields with "|" between. */
static char *
make_text(const char *line, char *fields)
{
	size_t size = strlen(line) + strlen(fields) + 256;
	char *text = malloc(size), *field;
	int at;

	if (text == NULL)
		fail("plan");
	at = snprintf(text, size, "%s HTTP/1.1\r\nHost: localhost\r\n", line);
	while ((field = strsep(&fields, "|")) != NULL)
		if (*field != '\0')
			at += snprintf(text + at, size - (size_t)at, "%s\r\n", field);
	(void)snprintf(text + at, size - (size_t)at, "\r\n");
	return text;
}

static void
read_plan(struct load *l, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	l->plan = calloc(PLAN_MAX, sizeof(*l->plan));
	if (file == NULL || l->plan == NULL)
		fail(path);
	while (l->planned < PLAN_MAX && getline(&line, &size, file) > 0) {
		struct request *r = &l->plan[l->planned++];
		char *rest = line, *parts[5];

		for (size_t i = 0; i < 5; i++) {
			parts[i] = strsep(&rest, "\t\n");
			if (parts[i] == NULL) {
				errno = EINVAL;
				fail(path);
			}
		}
		r->kind = parts[0];
		r->expected = parts[1];
		r->text = make_text(parts[2], parts[3]);
		r->length = strlen(r->text);
		r->begins = parts[4];
		line = NULL; /* it is kept */
	}
	fclose(file);
}

static bool
is_expected(const struct request *r, const char *end)
{
	const char *at = strstr(r->expected, end);

	return at != NULL && strlen(end) == 3;
}

static void
note(struct load *l, struct connection *c, const char *end, char *body)
{
	int64_t at = now();
	const struct request *r = c->asked;

	tally_add(l->tally, r->kind, end, at - c->due);
	l->over++;
	if (!is_expected(r, end) || (l->each > 0 && l->over % l->each == 0)) {
		for (char *b = body; b != NULL && *b != '\0'; b++)
			if (*b == ' ' || *b == '\n')
				*b = '_';
		fprintf(stderr, "%.6f %s %s %lld %.4096s\n", (double)at / SECOND, r->kind, end,
		    (long long)(at - c->due), body != NULL ? body : "");
	}
	c->asked = NULL;
	l->busy--;
}

static void
hang_up(struct connection *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

static void
send_rest(struct load *l, struct connection *c)
{
	ssize_t n =
	    send(c->fd, c->asked->text + c->sent, c->asked->length - c->sent, MSG_NOSIGNAL);

	if (n >= 0) {
		c->sent += (size_t)n;
	} else if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
		hang_up(c);
		note(l, c, "closed", NULL);
	}
}

static void
begin(struct load *l, struct connection *c, int64_t due)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};

	c->asked = &l->plan[l->next++ % l->planned];
	c->due = due;
	c->sent = c->have = 0;
	l->begun++;
	l->busy++;
	if (c->fd == -1) {
		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (c->fd == -1 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) == -1)
			fail("socket");
		if (connect(c->fd, (struct sockaddr *)&l->address, sizeof(l->address)) == -1 &&
		    errno != EINPROGRESS) {
			hang_up(c);
			note(l, c, "refused", NULL);
		}
		return; /* it is sent when it is connected */
	}
	send_rest(l, c);
}

static void
judge(struct load *l, struct connection *c, struct answer *a)
{
	const struct request *r = c->asked;
	char end[8];

	(void)snprintf(end, sizeof(end), "%d", a->status);
	if (a->last)
		hang_up(c);
	if ((a->status == 503 || a->status == 429) && !a->retry_after)
		note(l, c, "no Retry-After", a->body);
	else if (a->status == 200 && strncmp(a->body, r->begins, strlen(r->begins)) != 0)
		note(l, c, "wrong body", a->body);
	else
		note(l, c, end, a->body);
}

/* Takes what has come; an idle connection that ends is opened anew for the next request. */
static void
take(struct load *l, struct connection *c)
{
	struct answer a;
	int whole = 0, error;
	ssize_t n;

	while ((n = recv(c->fd, c->bytes + c->have, ANSWER_MAX - c->have, 0)) > 0)
		c->have += (size_t)n;
	error = errno;
	if (c->asked != NULL && c->have > 0)
		whole = answer_read(&a, c->bytes, c->have);
	if (whole == 1) {
		judge(l, c, &a);
		if (n == 0)
			hang_up(c);
	} else if (whole == -1 || n == 0 || (error != EAGAIN && error != EINTR)) {
		hang_up(c);
		if (c->asked != NULL)
			note(l, c, n == -1 && error == ECONNREFUSED ? "refused" : "closed",
			    NULL);
	}
}

static bool
is_ended(const struct load *l, int64_t at)
{
	return stopped || at >= l->end || (l->count > 0 && l->begun >= l->count);
}

/* Begins what is due, as far as there are connections. Microseconds until more is. */
static int64_t
begin_due(struct load *l)
{
	int64_t at = now();

	for (size_t i = 0; i < l->connections && !is_ended(l, at); i++) {
		int64_t due = l->interval > 0 ? l->start + l->begun * l->interval / 1000 : at;

		if (due > at)
			return due - at;
		if (l->all[i].asked == NULL)
			begin(l, &l->all[i], due);
	}
	return SECOND / 10;
}

static void
give_up(struct load *l)
{
	int64_t at = now();

	for (size_t i = 0; i < l->connections; i++) {
		struct connection *c = &l->all[i];

		if (c->asked != NULL && at - c->due > (int64_t)PATIENCE * SECOND) {
			hang_up(c);
			note(l, c, "no answer", NULL);
		}
	}
}

static void
run(struct load *l)
{
	struct epoll_event events[256];

	while (!is_ended(l, now()) || l->busy > 0) {
		int64_t wait = begin_due(l);
		struct timespec limit = {
		    .tv_nsec = wait < SECOND / 10 ? wait * 1000 : 100000000};
		int n = epoll_pwait2(l->epoll, events, 256, &limit, NULL);

		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (c->fd != -1 && c->asked != NULL && c->sent < c->asked->length &&
			    (events[i].events & EPOLLOUT) != 0)
				send_rest(l, c);
			if (c->fd != -1 && (events[i].events & ~(unsigned int)EPOLLOUT) != 0)
				take(l, c);
		}
		give_up(l);
	}
}

static long long
number(const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < 0) {
		errno = EINVAL;
		fail(text);
	}
	return value;
}

int
main(int argc, char **argv)
{
	struct load l = {.connections = 16, .address = {.sin_family = AF_INET}};
	int64_t seconds = 10;
	int option;

	while ((option = getopt(argc, argv, "t:n:r:c:e:")) != -1) {
		long long value = option == '?' ? 0 : number(optarg);

		seconds = option == 't' ? value : seconds;
		l.count = option == 'n' ? value : l.count;
		l.interval = option == 'r' && value > 0 ? SECOND * 1000LL / value : l.interval;
		l.connections = option == 'c' ? (size_t)value : l.connections;
		l.each = option == 'e' ? value : l.each;
	}
	if (argc - optind != 2 || l.connections == 0 || l.connections > CONNECTIONS_MAX) {
		fputs("usage: load [-t SECONDS] [-n COUNT] [-r RATE] [-c CONNECTIONS] "
		      "[-e EACH] PORT PLAN\n",
		    stderr);
		return 64;
	}
	l.address.sin_port = htons((uint16_t)number(argv[optind]));
	l.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	read_plan(&l, argv[optind + 1]);
	l.all = calloc(l.connections, sizeof(*l.all));
	l.tally = tally_new();
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l.all == NULL || l.tally == NULL || l.epoll == -1 || l.planned == 0)
		fail("start");
	for (size_t i = 0; i < l.connections; i++)
		l.all[i].fd = -1;
	(void)signal(SIGTERM, stop);
	(void)signal(SIGINT, stop);
	l.start = now();
	l.end = l.start + seconds * SECOND;
	run(&l);
	return tally_print(l.tally, stdout) == 0 ? 0 : 2;
}
