/*
 * One run of authserver-password: a process group of its own that is given one question and
 * answers in one line. Never waits for it.
 */
#ifndef RESOLVER_CHECKER_H
#define RESOLVER_CHECKER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "config/flags.h"

/* How it is started, the same for each: with the configuration that we have, whatever becomes
 * of the file meanwhile. */
struct checker_program {
	char path[LIMIT_PATH];
	char **command;
	int configuration; /* a file in memory */
};

/* flags are those that we were started with, a configuration file among them. ERROR_CONFIG,
 * ERROR_NO_INPUT, ERROR_UNAVAILABLE; on success checker_program_close() it. */
int checker_program_open(struct checker_program *p, const struct flags *flags, struct error *e);
void checker_program_close(struct checker_program *p);

struct checker {
	pid_t pid;
	int pidfd;  /* readable once it has exited */
	int output; /* what it says */
};

/* Starts it with the question, which password_pack() wrote. ERROR_UNAVAILABLE; on success
 * checker_finish() it. */
int checker_start(struct checker *c, const struct checker_program *p, const char *text,
    size_t size, struct error *e);

/* Kills it, with all that it has started and that did not leave its group. */
void checker_kill(const struct checker *c);

/* What it said, once pidfd is readable; waits until then. As password_answer_read(). */
int checker_finish(struct checker *c, struct error *e);

#endif
