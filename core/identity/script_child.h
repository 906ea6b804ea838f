/* From fork to exec: how a process of ours becomes a script. For script_run.c. */
#ifndef IDENTITY_SCRIPT_CHILD_H
#define IDENTITY_SCRIPT_CHILD_H

#include "identity/script_run.h"

/*
 * To be called in the child of a process that may have other threads: it makes system calls
 * and nothing else. The script's standard output is output. When it cannot be executed, errno
 * is written to report, as an int, and the process exits.
 */
_Noreturn void script_child(const struct script_run *r, int output, int report);

#endif
