#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/policies.h"

#include <stdio.h>
#include <string.h>

struct policy *
policies_parse(const char *text)
{
	struct policy *p;
	struct error e = {0};

	if (policy_parse(&p, text, strlen(text), "rules", &e) == -1)
		fail_msg("%s", e.text);
	policy_set_limits(p, 86400, NULL);
	return p;
}

struct query
policies_ask(const char *caller, const char *groups, const char *subject)
{
	struct query q = {.caller = {.name = "anonymous"}};

	if (caller != NULL) {
		const char *slash = strchr(caller, '/');
		size_t length = slash != NULL ? (size_t)(slash - caller) : strlen(caller);

		(void)snprintf(
		    q.caller.name, sizeof(q.caller.name), "%.*s", (int)length, caller);
		(void)snprintf(q.caller.scheme, sizeof(q.caller.scheme), "%s",
		    slash != NULL ? slash + 1 : "Basic");
	}
	q.caller_groups = groups;
	(void)snprintf(q.subject, sizeof(q.subject), "%s", subject);
	return q;
}
