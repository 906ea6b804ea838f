/* Starts the command of a section. */
#ifndef AUTHSERVER_KEEP_HOOK_SPAWN_H
#define AUTHSERVER_KEEP_HOOK_SPAWN_H

#include <sys/types.h>

/*
 * Starts command, which NULL ends, for the file at path and its subject: without a shell, in a
 * process group of its own, with a fixed environment and none of our descriptors but where
 * complaints go. 0 and *pid, or an errno and -1 there.
 */
int hook_spawn(pid_t *pid, char **command, const char *path, const char *subject);

#endif
