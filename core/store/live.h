/* How many token files a subject has at this moment. */
#ifndef STORE_LIVE_H
#define STORE_LIVE_H

#include "base/error.h"
#include "store/directory.h"

/* Counts them by one pass over the directory's names. 0, or -1 and ERROR_UNAVAILABLE. */
int live_count(
    const struct directory *d, const char *subject, unsigned int *count, struct error *e);

#endif
