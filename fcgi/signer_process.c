#define _GNU_SOURCE /* pipe2 */
#include "fcgi/signer_process.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/child.h"
#include "signer/signer_serve.h"

enum {
	STACK = 256 * 1024,     /* of a signing thread; RSA of 4,096 bits uses a tenth */
	START_DEADLINE = 30000, /* milliseconds to load a key, with a slow passphrase */
};

struct thread {
	int fd;
	const struct signing *signing;
};

static void *
thread_main(void *argument)
{
	struct thread *t = argument;

	signer_serve(t->fd, t->signing);
	return NULL;
}

static unsigned int
thread_count(const struct config *c)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->signer_threads != 0)
		return c->signer_threads;
	if (processors < 1)
		return 1;
	return processors < LIMIT_SIGNER_THREADS ? (unsigned int)processors
						 : LIMIT_SIGNER_THREADS;
}

/* A thread a processor on each worker's socket; this thread waits for them for good. */
static int
run_threads(
    const struct config *c, const struct signing *s, const int *sockets, unsigned int count)
{
	unsigned int threads = thread_count(c);
	struct thread *jobs = calloc(count, sizeof(*jobs));
	pthread_attr_t attributes;
	pthread_t id;

	if (jobs == NULL || pthread_attr_init(&attributes) != 0 ||
	    pthread_attr_setstacksize(&attributes, STACK) != 0)
		return -1;
	for (unsigned int i = 0; i < count; i++) {
		jobs[i] = (struct thread){.fd = sockets[i], .signing = s};
		for (unsigned int t = 0; t < threads; t++)
			if (pthread_create(&id, &attributes, thread_main, &jobs[i]) != 0)
				return -1;
	}
	for (;;)
		pause();
}

/* *e travels as it is: both ends are this program. */
static void
report(int fd, const struct error *e)
{
	ssize_t n = write(fd, e, sizeof(*e));

	close(fd);
	if (n != (ssize_t)sizeof(*e))
		_exit(1);
}

static void
warn_exposed(const struct signing *s, const struct log *log)
{
	for (size_t i = 0; i < keyring_count(s->ring); i++) {
		struct keyring_entry k = keyring_get(s->ring, i, 0);

		if (key_exposed(k.key))
			log_line(log, LOG_LEVEL_WARNING,
			    "Every user of this host can read the private key %s: chmod 0600 "
			    "it",
			    k.file);
	}
}

static _Noreturn void
signer_main(const struct config *c, const struct policy *policy, const int *sockets,
    unsigned int count, int ready, const struct log *log)
{
	struct error e = {0};
	struct signing s;

	(void)mallopt(M_ARENA_MAX, 2); /* an arena a thread would cost more than it saves */
	(void)key_memory_lock(c->private_key);
	if (signing_open(&s, c, policy, &clock_system, &entropy_system, &e) == -1) {
		report(ready, &e);
		_exit(1);
	}
	if (keyring_test(s.ring, &e) == -1) {
		report(ready, &e);
		_exit(1);
	}
	warn_exposed(&s, log);
	/* Before the report, so that the first workers start with it behind them. */
	for (unsigned int i = 0; i < count; i++)
		signer_hello(sockets[i]);
	report(ready, &e);
	if (run_threads(c, &s, sockets, count) == -1)
		log_line(log, LOG_LEVEL_ERROR, "The signer cannot start its threads");
	_exit(1);
}

/* Waits for the report. 0 when the key is loaded, else -1 and the signer's error. */
static int
await(int fd, struct error *e)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n;

	do
		n = poll(&p, 1, START_DEADLINE);
	while (n == -1 && errno == EINTR);
	if (n <= 0 || read(fd, e, sizeof(*e)) != (ssize_t)sizeof(*e))
		return error_set(e, ERROR_INTERNAL, "the signer did not start");
	return e->code == ERROR_NONE ? 0 : -1;
}

/* Descriptor 0 may be the listening socket, and the signer is to reach no network. */
static void
leave_standard_input(void)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null != -1)
		(void)dup2(null, STDIN_FILENO);
	else
		close(STDIN_FILENO);
}

pid_t
signer_process_start(const struct config *config, const struct policy *policy,
    const int *sockets, unsigned int count, const struct log *log, struct error *e)
{
	int ready[2], keep[LIMIT_WORKERS + 1];
	sigset_t all;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) == -1)
		return error_set(e, ERROR_INTERNAL, "pipe: %s", strerror(errno));
	pid = child_fork(SIGKILL);
	if (pid == 0) {
		sigemptyset(&all);
		(void)sigprocmask(SIG_SETMASK, &all, NULL);
		/* Sent to a whole group; the signer must outlive the workers. */
		(void)signal(SIGTERM, SIG_IGN);
		(void)signal(SIGUSR1, SIG_IGN);
		memcpy(keep, sockets, count * sizeof(*sockets));
		keep[count] = ready[1];
		child_close_others(keep, (int)count + 1);
		leave_standard_input();
		signer_main(config, policy, sockets, count, ready[1], log);
	}
	close(ready[1]);
	if (pid == -1)
		error_set(e, ERROR_INTERNAL, "fork: %s", strerror(errno));
	else if (await(ready[0], e) == -1) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}
