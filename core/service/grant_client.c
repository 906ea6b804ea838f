/* grant_type=client_credentials (RFC 6749, 4.4): a token for the caller itself, whom the web
 * server has authenticated. */
#include <string.h>

#include "service/token.h"

void
grant_client(struct token_request *t)
{
	const struct principal *caller = &t->request.caller;
	struct query *q = &t->issue.query;
	struct error e = {0};

	q->caller = *caller;
	if (!principal_authenticated(caller))
		error_set(&e, ERROR_UNAUTHENTICATED,
		    "authenticate first: the web server named no user");
	else if (subject_check(t->issue.service->grammar, caller->name, &e) == 0)
		memcpy(q->subject, caller->name, strlen(caller->name) + 1);
	if (e.code != ERROR_NONE || token_read_wishes(t, &e) == -1)
		token_refuse(t, &e);
	else
		token_issue(t);
}
