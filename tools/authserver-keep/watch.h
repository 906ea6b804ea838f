/* The service: renews each file when it is due, and sleeps in between. */
#ifndef AUTHSERVER_KEEP_WATCH_H
#define AUTHSERVER_KEEP_WATCH_H

#include "tools/authserver-keep/keeper.h"

/* Blocks the signals that watch_keep() takes; before anything is started. */
void watch_block(void);

/*
 * Until SIGTERM or SIGINT, then returns 0. SIGHUP loads the configuration and the keys anew, as
 * a file of theirs that has changed does. -1 and ERROR_UNAVAILABLE when the system refuses what
 * it takes to wait.
 */
int watch_keep(struct keeper *k, struct error *e);

#endif
