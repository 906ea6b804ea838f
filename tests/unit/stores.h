/* What tests of the store share: a token directory for each test, and a child process in which
 * system calls may be made to fail. Whatever fails ends the test. */
#ifndef TESTS_UNIT_STORES_H
#define TESTS_UNIT_STORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/directory.h"

/* When tokens of the tests are made, and an account that is not ours. */
#define STORES_T0 1700000000000000000LL
enum { STORES_NOBODY = 65534 };

/* Each test has a folder of its own, which is the parent of its token directory. */
struct stores_fixture {
	char folder[256];
	char path[512]; /* FOLDER/tokens */
	struct directory directory;
};

/* For cmocka: set-up of a test, without a token directory and with an open one; teardown. */
int stores_enter(void **state);
int stores_enter_open(void **state);
int stores_leave(void **state);

/* Fails with the reason when rc is -1. */
void stores_check(int rc, const struct error *e);

/* How many entries the token directory has. */
size_t stores_count(const struct stores_fixture *f);

/* An entry of the token directory, links not followed. */
struct stat stores_look(const struct stores_fixture *f, const char *name);
bool stores_has(const struct stores_fixture *f, const char *name);

/* Makes an empty file in the token directory. */
void stores_put(const struct stores_fixture *f, const char *name);

/* Runs a test's part in a child, for what a process cannot take back. */
void stores_in_child(void (*part)(struct stores_fixture *f, const void *argument),
    struct stores_fixture *f, const void *argument);

/* In a child: cmocka's own assertions would go on with the parent's tests. */
#define CHILD_ASSERT(what)                                                                    \
	do {                                                                                  \
		if (!(what)) {                                                                \
			(void)dprintf(                                                        \
			    STDERR_FILENO, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			_exit(1);                                                             \
		}                                                                             \
	} while (0)

/* A system call that fails with number when the bits of its argument are as said. */
struct stores_injection {
	const char *name;
	unsigned int syscall;
	unsigned int argument;
	uint32_t mask, bits;
	int number;
	enum error_code code;
};

/* The system call, the argument and its bits: whatever the arguments are. */
#define STORES_ON(call) __NR_##call, 0, 0, 0

/* In a child: from here on the call fails. */
void stores_inject(const struct stores_injection *i);

#endif
