/*
 * The audit log: one JSON object a line for each decision, written with one write(2), so that
 * processes that share the file do not mix their lines. It names who asked for what, and what
 * came of it; never a token, a key, a password or a file's content.
 */
#ifndef SERVICE_AUDIT_H
#define SERVICE_AUDIT_H

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "identity/policy.h"
#include "service/request.h"
#include "signer/signer.h"

struct audit;

/*
 * target is none, stderr, syslog or the path of a file, which is appended to and created with
 * mode 0640. *out is NULL for none and on failure; else audit_close() it. ERROR_CONFIG,
 * ERROR_NO_PERMISSION.
 */
int audit_open(struct audit **out, const char *target, struct error *e);
void audit_close(struct audit *a);

/* Opens the file by its path again, for a log that was moved away. What cannot be opened
 * leaves the old one in use. */
int audit_reopen(struct audit *a, struct error *e);

/* The file's descriptor, or -1. */
int audit_descriptor(const struct audit *a);

/* One decision. Pointers may be NULL where there is nothing to say. */
struct decision {
	const struct request *request;
	const struct query *query;         /* what was asked for */
	const struct grant *grant;         /* what was granted */
	const struct signature *signature; /* what was made */
	int64_t ttl;                       /* seconds, asked for or granted; 0: none */
	const char *rule;                  /* FILE:LINE */
	const char *grant_type;            /* of the token endpoint */
	int status;                        /* as it was answered */
	const struct error *refusal;
	const char *id;   /* of the request */
	int64_t duration; /* nanoseconds */
};

/* Writes it; a may be NULL. 0, or -1 and errno. */
int audit_write(struct audit *a, const struct decision *d, const struct clock *clock);

#endif
