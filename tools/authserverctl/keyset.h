/* The keys that a configuration names, for the commands that show and change them. */
#ifndef AUTHSERVERCTL_KEYSET_H
#define AUTHSERVERCTL_KEYSET_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "config/flags.h"
#include "jose/keyring.h"

struct keyset {
	struct config config;
	struct keyring *ring;
	int64_t now;    /* seconds since 1970 */
	bool directory; /* private-key is one */
};

/*
 * Reads the configuration and loads its keys, as root with the eyes of their directory's
 * owner. may_be_empty: a directory without a key is fine. 0, or -1 and *e as flags_load() and
 * keyring_open(); keyset_close() either way.
 */
int keyset_open(
    struct keyset *k, const struct flags *flags, bool may_be_empty, struct error *e);
void keyset_close(struct keyset *k);

/* Loads the keys again. */
int keyset_reload(struct keyset *k, struct error *e);

/* Whether private-key is a directory, without which there is nothing to do for the command.
 * 0, or -1 and ERROR_DENIED. */
int keyset_wants_directory(const struct keyset *k, const char *command, struct error *e);

/* Writes the path of a key; ERROR_CONFIG when it is too long. */
int keyset_path(
    const struct keyset *k, const char *file, char path[LIMIT_PATH], struct error *e);

/* What is shown of the i-th key. */
struct keyset_row {
	const char *state;
	const char *algorithm;
	const char *kid;
	char from[CLOCK_UTC_SIZE]; /* "-": always */
	char end[CLOCK_UTC_SIZE];  /* "-": not foreseen */
	char path[LIMIT_PATH];
};

int keyset_row(const struct keyset *k, size_t i, struct keyset_row *row, struct error *e);

/* Prints the i-th key in one line. */
int keyset_print(const struct keyset *k, size_t i, struct error *e);

/* A command that loads the keys and does something with them. */
struct keyset_command {
	const struct argp_option *options;
	error_t (*parse)(int flag, char *value, struct argp_state *state);
	const char *doc;
	bool may_be_empty;
	/* 0, or -1 and *e. arguments is what parse has filled. */
	int (*run)(struct keyset *k, const void *arguments, struct error *e);
};

/* Parses, loads, runs; the exit status. arguments begins with a struct flags. */
int keyset_command(int argc, char **argv, const struct keyset_command *c, void *arguments);

#endif
