/*
 * The command-line flags that set keys of the configuration, the same for every
 * program: an argp(3) child that only records, so that a reload can read the file
 * anew and put the flags over it again.
 */
#ifndef CONFIG_FLAGS_H
#define CONFIG_FLAGS_H

#include <argp.h>

#include "config/config.h"

enum { FLAGS_MAX = 64 };

/* Zero-initialised by the program; strings are those of argv. */
struct flags {
	const char *config_file;
	size_t count;
	struct {
		const char *key;
		const char *value;
		const char *variable; /* of the environment; NULL: a flag */
	} items[FLAGS_MAX];
};

/* A child parser whose input is a struct flags. */
extern const struct argp flags_argp;

/*
 * Records the keys that environment variables of ODAS set: JWT_PUBLIC_KEY, JWT_ALGORITHM and
 * JWT_USER_CLAIM_KEY. get is getenv(3). Called before the flags are parsed, which go over it.
 */
void flags_take_environment(struct flags *f, char *(*get)(const char *name));

/* Some of these flags, for programs that most of them mean nothing to. */
struct flags_few {
	struct argp argp;
	struct argp_option options[8];
	struct argp_child children[2];
};

/* The children of an argp whose flags are those of the names, which NULL ends, at most seven,
 * below the header; their input is a struct flags. It is in *f. */
const struct argp_child *flags_some(
    struct flags_few *f, const char *const *names, const char *header);

/* Defaults, then the file, then the flags. 0, or -1 and *e; config_free() either way. */
int flags_load(const struct flags *f, struct config *c, struct error *e);

/*
 * A command line for a program that takes the same flags: program, those of f, and extra, which
 * NULL ends. NULL at its end; NULL when memory is short; else flags_command_free() it.
 */
char **flags_command(const struct flags *f, const char *program, const char *const *extra);
void flags_command_free(char **command);

#endif
