#define _GNU_SOURCE /* strdup */
#include "tools/authserver-keep/hooks.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/parse.h"
#include "tools/authserver-keep/hook_spawn.h"

enum { RUNNING = 8, NAP = 20 /* milliseconds */ };

/* A command or a signal that waits, or a command that runs. */
struct hook {
	struct hook *next;
	char *section; /* its name, for the log */
	char *path;    /* of the file; NULL: a signal, for whichever */
	char *subject;
	char **command; /* NULL at its end */
	int64_t timeout;
	int signal;
	char *pid_file;
	pid_t pid; /* -1: it waits */
	int64_t deadline;
	bool late; /* it was killed */
};

struct hooks {
	const struct log *log;
	struct hook *first; /* those that run, then those that wait */
	size_t running;
};

static void
hook_free(struct hook *k)
{
	for (char **c = k->command; c != NULL && *c != NULL; c++)
		free(*c);
	free(k->command);
	free(k->section);
	free(k->path);
	free(k->subject);
	free(k->pid_file);
	free(k);
}

struct hooks *
hooks_new(const struct log *log)
{
	struct hooks *h = calloc(1, sizeof(*h));

	if (h != NULL)
		h->log = log;
	return h;
}

static void
finish(struct hooks *h, struct hook **at)
{
	struct hook *k = *at;

	*at = k->next;
	h->running -= k->pid != -1;
	hook_free(k);
}

void
hooks_free(struct hooks *h)
{
	while (h != NULL && h->first != NULL) {
		if (h->first->pid != -1) {
			(void)kill(-h->first->pid, SIGKILL);
			(void)waitpid(h->first->pid, NULL, 0);
		}
		finish(h, &h->first);
	}
	free(h);
}

/* A copy of a list, with NULL at its end. NULL when memory is short. */
static char **
copy_list(const struct strings *list)
{
	char **copy = calloc(list->count + 1, sizeof(*copy));

	for (size_t i = 0; copy != NULL && i < list->count; i++) {
		copy[i] = strdup(list->items[i]);
		if (copy[i] != NULL)
			continue;
		while (i > 0)
			free(copy[--i]);
		free(copy);
		copy = NULL;
	}
	return copy;
}

static bool
waits_already(const struct hooks *h, const char *section, const char *path)
{
	for (const struct hook *k = h->first; k != NULL; k = k->next)
		if (k->pid == -1 && strcmp(k->section, section) == 0 &&
		    (path == NULL ? k->path == NULL
				  : k->path != NULL && strcmp(k->path, path) == 0))
			return true;
	return false;
}

/* Behind the others; k is freed when it lacks a part. */
static void
append(struct hooks *h, struct hook *k, bool whole)
{
	struct hook **at = &h->first;

	if (!whole) {
		log_line(h->log, LOG_LEVEL_ERROR, "out of memory");
		if (k != NULL)
			hook_free(k);
		return;
	}
	while (*at != NULL)
		at = &(*at)->next;
	*at = k;
}

static void
add_command(
    struct hooks *h, const struct keep_section *s, const char *path, const char *subject)
{
	struct hook *k = calloc(1, sizeof(*k));

	if (k != NULL) {
		k->pid = -1;
		k->section = strdup(s->name);
		k->path = strdup(path);
		k->subject = strdup(subject);
		k->command = copy_list(&s->command);
		k->timeout = s->timeout;
	}
	append(h, k,
	    k != NULL && k->section != NULL && k->path != NULL && k->subject != NULL &&
		k->command != NULL);
}

static void
add_signal(struct hooks *h, const struct keep_section *s)
{
	struct hook *k = calloc(1, sizeof(*k));

	if (k != NULL) {
		k->pid = -1;
		k->section = strdup(s->name);
		k->pid_file = strdup(s->pid_file);
		k->signal = s->signal;
	}
	append(h, k, k != NULL && k->section != NULL && k->pid_file != NULL);
}

void
hooks_add(struct hooks *h, const struct keep_section *s, const char *path, const char *subject)
{
	if (s->command.count > 0 && !waits_already(h, s->name, path))
		add_command(h, s, path, subject);
	if (s->signal != 0 && !waits_already(h, s->name, NULL))
		add_signal(h, s);
}

/* --- signals --- */

/* The file must be such that nobody else could have written it. */
static int
read_pid(const char *path, pid_t *pid, struct error *e)
{
	enum { DIGITS = 32 };
	struct buffer text;
	uint64_t number = 0;
	size_t length;
	int rc;

	buffer_init(&text, DIGITS);
	rc = file_read_trusted(path, &text, NULL, e);
	length = text.length;
	while (length > 0 && text.data[length - 1] == '\n')
		length--;
	if (rc == 0 &&
	    (parse_number(text.data, length, INT32_MAX, &number) == -1 || number < 2))
		rc = error_set(e, ERROR_UNAVAILABLE, "%s: holds no process number", path);
	buffer_free(&text);
	*pid = (pid_t)number;
	return rc;
}

static void
send_signal(const struct hooks *h, const struct hook *k)
{
	struct error e;
	pid_t pid;

	if (read_pid(k->pid_file, &pid, &e) == 0) {
		if (kill(pid, k->signal) == 0)
			return;
		error_set(&e, ERROR_UNAVAILABLE, "process %d: %s", (int)pid, strerror(errno));
	}
	log_line(h->log, LOG_LEVEL_WARNING, "No signal for keep '%s': %s", k->section, e.text);
}

/* --- commands --- */

static void
complain(const struct hooks *h, const struct hook *k, const char *what, int number)
{
	log_line(h->log, LOG_LEVEL_WARNING, "Command of keep '%s' for %s: %s %d", k->section,
	    k->path, what, number);
}

/* What has ended, whoever started it. */
static void
collect(struct hooks *h)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct hook **at = &h->first;

		while (*at != NULL && (*at)->pid != pid)
			at = &(*at)->next;
		if (*at == NULL) /* a resolver */
			continue;
		if ((*at)->late)
			complain(h, *at, "killed, for it took more seconds than",
			    (int)(*at)->timeout);
		else if (WIFSIGNALED(status))
			complain(h, *at, "ended by signal", WTERMSIG(status));
		else if (WEXITSTATUS(status) != 0)
			complain(h, *at, "exit status", WEXITSTATUS(status));
		finish(h, at);
	}
}

/* Whether the command for this file runs: two at once could undo each other's work. */
static bool
runs(const struct hooks *h, const struct hook *wanted)
{
	for (const struct hook *k = h->first; k != NULL; k = k->next)
		if (k->pid != -1 && strcmp(k->path, wanted->path) == 0 &&
		    strcmp(k->section, wanted->section) == 0)
			return true;
	return false;
}

/* Goes on to what is behind *at: that stays, runs or is done. */
static struct hook **
turn(struct hooks *h, struct hook **at, int64_t now)
{
	struct hook *k = *at;
	int failed;

	if (k->pid != -1) {
		if (k->deadline <= now && !k->late) {
			k->late = true;
			(void)kill(-k->pid, SIGKILL);
		}
		return &k->next;
	}
	if (k->path == NULL) {
		send_signal(h, k);
		finish(h, at);
		return at;
	}
	if (h->running == RUNNING || runs(h, k))
		return &k->next;
	failed = hook_spawn(&k->pid, k->command, k->path, k->subject);
	if (failed == 0) {
		h->running++;
		k->deadline = now + k->timeout * NANOSECONDS;
		return &k->next;
	}
	log_line(h->log, LOG_LEVEL_WARNING, "Command of keep '%s' for %s: %s: %s", k->section,
	    k->path, k->command[0], strerror(failed));
	finish(h, at);
	return at;
}

void
hooks_turn(struct hooks *h)
{
	int64_t now = clock_monotonic(&clock_system);

	collect(h);
	for (struct hook **at = &h->first; *at != NULL;)
		at = turn(h, at, now);
}

int64_t
hooks_next(const struct hooks *h)
{
	int64_t next = INT64_MAX;

	for (const struct hook *k = h->first; k != NULL; k = k->next)
		if (k->pid != -1 && !k->late && k->deadline < next)
			next = k->deadline;
	return next;
}

void
hooks_wait(struct hooks *h)
{
	hooks_turn(h);
	while (h->first != NULL) {
		(void)poll(NULL, 0, NAP);
		hooks_turn(h);
	}
}
