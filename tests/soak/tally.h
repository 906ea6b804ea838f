/* What came of requests: how many of which kind ended how, and after which time. */
#ifndef SOAK_TALLY_H
#define SOAK_TALLY_H

#include <stdint.h>
#include <stdio.h>

struct tally;

struct tally *tally_new(void);
void tally_free(struct tally *t);

/* One request, by its kind and how it ended; names of up to 31 bytes. */
void tally_add(struct tally *t, const char *kind, const char *end, int64_t microseconds);

/* As JSON: [{"kind", "end", "count", "p50", "p99", "most"}, ...], in microseconds. */
int tally_print(const struct tally *t, FILE *to);

#endif
