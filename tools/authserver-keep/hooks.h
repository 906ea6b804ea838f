/*
 * What is done when a file has changed: commands, a few at a time and none for ever, and
 * signals. Nothing here keeps the keeper from its work; what goes wrong is logged.
 */
#ifndef AUTHSERVER_KEEP_HOOKS_H
#define AUTHSERVER_KEEP_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "config/keep.h"

struct hooks;

/* NULL when memory is short; else hooks_free() it, which ends what runs. */
struct hooks *hooks_new(const struct log *log);
void hooks_free(struct hooks *h);

/* Has what the section says done for the file, soon. A command that waits for its turn is run
 * once for all the changes of its file meanwhile, a signal is sent once for all files. */
void hooks_add(
    struct hooks *h, const struct keep_section *s, const char *path, const char *subject);

/* Starts what waits, ends what takes too long and collects what has ended: to be called after
 * hooks_add(), after SIGCHLD, and at hooks_next(). */
void hooks_turn(struct hooks *h);

/* Monotonic nanoseconds of the next deadline; INT64_MAX: none. */
int64_t hooks_next(const struct hooks *h);

/* Until all is done. */
void hooks_wait(struct hooks *h);

#endif
