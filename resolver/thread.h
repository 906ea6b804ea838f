/* Threads that are never waited for: they end by themselves, or with the process. */
#ifndef RESOLVER_THREAD_H
#define RESOLVER_THREAD_H

/* Starts one. 0, or why it cannot be, as errno. */
int thread_start(void *(*run)(void *), void *argument);

#endif
