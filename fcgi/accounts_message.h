/* What a worker asks about accounts of this host, and the answer, in the manner of
 * base/courier.h: a packet each, of one build at both ends. */
#ifndef FCGI_ACCOUNTS_MESSAGE_H
#define FCGI_ACCOUNTS_MESSAGE_H

#include <stdint.h>

#include "base/account.h"
#include "base/courier.h"

enum { ACCOUNTS_QUESTION_MAGIC = 0x61736131, ACCOUNTS_ANSWER_MAGIC = 0x61736141 }; /* "asa1" */

/* The kinds of questions. */
enum { ACCOUNTS_USER = 1, ACCOUNTS_NAME };

struct accounts_question {
	struct courier_head head;
	int64_t until; /* monotonic nanoseconds: nobody waits for the answer any more */
	uint32_t uid;  /* for ACCOUNTS_NAME */
	char name[LIMIT_PRINCIPAL]; /* for ACCOUNTS_USER; terminated */
};

/* The kinds of answers. */
enum { ACCOUNTS_FOUND = COURIER_HELLO + 1, ACCOUNTS_FAILED };

struct accounts_answer {
	struct courier_head head;
	struct account_entry found; /* its name is terminated, as is e.text */
	struct error e;             /* of ACCOUNTS_FAILED */
};

#endif
