/* What is tried in a process that has a filter of system calls, and who is to be let. */
#ifndef TESTS_UNIT_ATTEMPTS_H
#define TESTS_UNIT_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>

/* What is tried: 0 when it was done, else errno. */
typedef int attempt(void);

/* What a use lets through, what fails with ENOSYS, and what ends the process. */
struct trial {
	const char *name;
	attempt *attempt;
	unsigned int through; /* uses, each of them tried by itself with its base */
	bool deadly;          /* to all the others, FOR_MODULE among them */
};

extern const struct trial attempts_trials[];
extern const size_t attempts_count;

/* Of those, which are tried elsewhere too; and abort(3), which no filter is to change. */
attempt attempts_abort;
attempt attempts_kill;
attempt attempts_clone3;
attempt attempts_execve;
attempt attempts_fork;
attempt attempts_memory;
attempt attempts_namespace;
attempt attempts_open;
attempt attempts_ptrace;
attempt attempts_socket;
attempt attempts_thread;

#endif
