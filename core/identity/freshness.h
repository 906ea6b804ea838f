/* For how long an answer of a web server may be used again (RFC 9111), as far as keys need it.
 */
#ifndef IDENTITY_FRESHNESS_H
#define IDENTITY_FRESHNESS_H

#include <stdint.h>

/* In seconds. */
enum {
	FRESHNESS_LEAST = 60,
	FRESHNESS_MOST = 24 * 60 * 60,
	FRESHNESS_DEFAULT = 60 * 60, /* of an answer that does not say */
};

/*
 * The seconds, from FRESHNESS_LEAST to FRESHNESS_MOST, for which an answer with these fields,
 * each NULL if it is not there, is fresh: "max-age" of Cache-Control (5.2.2.1), less Age
 * (5.1). With "no-cache" or "no-store", and with a "max-age" that is no number, it is the
 * least; of several the smallest counts. What is said for shared caches, as this is none, and
 * all else is passed over.
 */
int64_t freshness_of(const char *cache_control, const char *age);

#endif
