/*
 * All that it takes to sign the tokens of a configuration in this process: policy, keys, what
 * is known of users. Read together, and anew when a file of it has changed.
 */
#ifndef AUTHSERVER_KEEP_ISSUER_H
#define AUTHSERVER_KEEP_ISSUER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "config/flags.h"
#include "identity/lookup_process.h"
#include "identity/subject.h"
#include "jose/keychain.h"
#include "service/audit.h"
#include "signer/signing.h"

struct issuer {
	struct config config;
	struct policy *policy;
	struct subject_grammar *grammar;
	struct signing signing;
	struct keychain *keys; /* the public ones */
	struct lookup_process lookup;
	struct audit *audit;    /* NULL: none */
	uint64_t configuration; /* state of the file before it was read */
	uint64_t named;         /* and of those that it names */
};

/* Loads everything. flags must outlive it. ERROR_CONFIG, ERROR_NO_INPUT, ERROR_NO_PERMISSION;
 * *out is NULL on failure, else issuer_free() it. */
int issuer_open(struct issuer **out, const struct flags *flags, struct error *e);
void issuer_free(struct issuer *i);

/* Whether one of the files is not what it was. */
bool issuer_changed(const struct issuer *i, const struct flags *flags);

/* What came of one question. */
struct issue_result {
	struct query query;
	struct grant grant;
	struct signature signature; /* its token is the buffer's text */
	bool blind;                 /* the subject's line of shadow(5) may not be read */
};

/*
 * Appends a token for the subject by the section. ERROR_DENIED: the subject may have none, and
 * a source that failed has no part in that; else the next try may succeed.
 */
int issuer_issue(struct issuer *i, const struct keep_section *s, const char *subject,
    struct buffer *token, struct issue_result *r, struct error *e);

/* Writes the line of the audit log for a token at path, or for a refusal, whose error is not
 * NULL then. */
void issuer_audit(struct issuer *i, const struct issue_result *r, const char *path,
    const struct error *refusal, const struct log *log);

#endif
