/* What a worker asks about accounts of this host, and the answer: a packet each, of one build
 * at both ends. */
#ifndef FCGI_ACCOUNTS_MESSAGE_H
#define FCGI_ACCOUNTS_MESSAGE_H

#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"

enum accounts_kind { ACCOUNTS_USER, ACCOUNTS_NAME };

struct accounts_question {
	uint64_t number; /* what the answer is known by */
	uint32_t kind;
	uint32_t uid;               /* for ACCOUNTS_NAME */
	char name[LIMIT_PRINCIPAL]; /* for ACCOUNTS_USER; terminated */
};

struct accounts_answer {
	uint64_t number;
	int32_t rc;
	uint32_t uid;
	char name[LIMIT_PRINCIPAL]; /* terminated, as is e.text */
	struct error e;             /* where rc is -1 */
};

#endif
