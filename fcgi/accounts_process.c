#include "fcgi/accounts_process.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fcgi/accounts_message.h"
#include "fcgi/child.h"

enum {
	THREADS = 4,        /* for each worker: what hangs holds up none of the others */
	STACK = 512 * 1024, /* of each; modules of nsswitch.conf(5) have their own ways */
	HANGS = 15,         /* seconds after which a look-up will come to no end */
};

struct desk;

struct thread {
	pthread_t id;
	int fd;
	int64_t since; /* of its look-up; 0: it has none. Locked */
	struct desk *desk;
};

struct desk {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a look-up began, or a thread ended */
	size_t running;         /* threads. Locked */
	size_t count;
	struct thread each[LIMIT_WORKERS * THREADS];
};

static int64_t
now(void)
{
	return clock_monotonic(&clock_system);
}

static void
look_up(const struct accounts_question *q, struct accounts_answer *a)
{
	const struct account_question asked = {
	    .name = q->head.kind == ACCOUNTS_USER ? q->name : NULL, .uid = q->uid};

	*a = (struct accounts_answer){
	    .head = {.magic = ACCOUNTS_ANSWER_MAGIC, .kind = ACCOUNTS_FOUND, .id = q->head.id}};
	if (account_look_up(&asked, &a->found, &a->e) == -1)
		a->head.kind = ACCOUNTS_FAILED;
}

/* Whether somebody waits for the answer to what size bytes at q ask. */
static bool
is_question(const struct accounts_question *q, size_t size)
{
	return size == sizeof(*q) && q->head.magic == ACCOUNTS_QUESTION_MAGIC &&
	       (q->head.kind == ACCOUNTS_USER || q->head.kind == ACCOUNTS_NAME) &&
	       memchr(q->name, '\0', sizeof(q->name)) != NULL && now() < q->until;
}

/* What began, at a time, or ended, at 0. */
static void
note(struct thread *t, int64_t time)
{
	(void)pthread_mutex_lock(&t->desk->lock);
	t->since = time;
	if (time != 0)
		(void)pthread_cond_signal(&t->desk->changed);
	(void)pthread_mutex_unlock(&t->desk->lock);
}

/* Until nobody can ask any more. */
static void
serve(struct thread *t)
{
	struct accounts_question q;
	struct accounts_answer a;

	for (;;) {
		/* MSG_TRUNC: the length as it was sent, so that one too long is seen. */
		ssize_t n = recv(t->fd, &q, sizeof(q), MSG_TRUNC);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || (n == 0 && courier_ended(t->fd)))
			return;
		if (!is_question(&q, (size_t)n))
			continue;
		note(t, now());
		look_up(&q, &a);
		note(t, 0);
		(void)courier_answer(t->fd, &a, sizeof(a), MSG_DONTWAIT);
	}
}

static void *
thread_main(void *argument)
{
	struct thread *t = argument;
	struct desk *d = t->desk;

	serve(t);
	(void)pthread_mutex_lock(&d->lock);
	d->running--;
	(void)pthread_cond_signal(&d->changed);
	(void)pthread_mutex_unlock(&d->lock);
	return NULL;
}

static int
start_threads(struct desk *d, const struct accounts_process *p, struct error *e)
{
	pthread_attr_t attributes;

	(void)mallopt(M_ARENA_MAX, 2); /* an arena a thread would cost more than it saves */
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->changed, NULL);
	if (pthread_attr_init(&attributes) != 0 ||
	    pthread_attr_setstacksize(&attributes, STACK) != 0)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	for (d->count = 0; d->count < (size_t)p->count * THREADS; d->count++) {
		struct thread *t = &d->each[d->count];

		*t = (struct thread){.fd = p->sockets[d->count / THREADS], .desk = d};
		if (pthread_create(&t->id, &attributes, thread_main, t) != 0)
			return error_set(e, ERROR_INTERNAL, "it cannot start its threads");
	}
	return 0;
}

/* When the look-up began that has gone on for longest; 0: there is none. */
static int64_t
oldest(const struct desk *d)
{
	int64_t first = 0;

	for (size_t i = 0; i < d->count; i++)
		if (d->each[i].since != 0 && (first == 0 || d->each[i].since < first))
			first = d->each[i].since;
	return first;
}

/* While threads run. False where a look-up hangs: only another process has all threads again,
 * and it is asked again what has not been answered. */
static bool
watch(struct desk *d)
{
	int64_t first;
	bool hangs = false;

	(void)pthread_mutex_lock(&d->lock);
	while (d->running > 0 && !hangs) {
		first = oldest(d);
		if (first == 0) {
			(void)pthread_cond_wait(&d->changed, &d->lock);
			continue;
		}
		hangs = now() - first > HANGS * NANOSECONDS;
		(void)pthread_mutex_unlock(&d->lock);
		if (!hangs)
			(void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
		(void)pthread_mutex_lock(&d->lock);
	}
	(void)pthread_mutex_unlock(&d->lock);
	return !hangs;
}

/* Landlock holds for a thread and for those that it starts, and seccomp then for all. */
static int
prepare(struct desk *d, const struct accounts_process *p, struct error *e)
{
	if (sandbox_leave_for_accounts(p->sandbox, e) == -1)
		return -1;
	for (unsigned int i = 0; i < p->count; i++)
		courier_hello(p->sockets[i], ACCOUNTS_ANSWER_MAGIC);
	d->running = (size_t)p->count * THREADS;
	return start_threads(d, p, e) == -1 ? -1 : sandbox_enter_accounts(p->sandbox, e);
}

static void
accounts_main(const void *context, int ready)
{
	const struct accounts_process *p = context;
	struct desk *d = calloc(1, sizeof(*d));
	struct error e = {0};
	int rc;

	(void)prctl(PR_SET_NAME, "authserver-acco");
	rc = d != NULL ? prepare(d, p, &e) : error_set(&e, ERROR_INTERNAL, "out of memory");
	if (child_report(ready, rc, &e) == -1 || d == NULL)
		_exit(1);
	if (!watch(d)) {
		log_line(p->log, LOG_LEVEL_ERROR,
		    "The look-up of an account has not ended within %d s", HANGS);
		_exit(1);
	}
	_exit(0);
}

pid_t
accounts_process_start(const struct accounts_process *p, struct error *e)
{
	const struct server server = {.name = "process for accounts",
	    .sockets = p->sockets,
	    .count = p->count,
	    .run = accounts_main,
	    .context = p};

	return child_serve(&server, e);
}
