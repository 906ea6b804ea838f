/* GET /api/groups/USER: {"groups": [...]}, as the sources of kind "rest" ask for it. */
#include <stdlib.h>
#include <string.h>

#include "identity/groups_json.h"
#include "service/internal.h"

/* A caller who asks for the groups of a user. */
struct reading {
	struct service *service;
	struct gateway *gateway;
	struct request request;
	struct query query; /* its subject is the user */
	const char *where;  /* the rule that decided; NULL: none was asked */
	struct membership *caller;
};

static void
refuse(struct reading *r, const struct error *e)
{
	const struct outcome o = {.query = &r->query, .rule = r->where};

	service_refuse(r->service, r->gateway, &r->request, &o, e);
}

static void
end(struct reading *r)
{
	free(r->caller);
	free(r);
}

static int
answer(struct reading *r, const struct membership *m, struct error *e)
{
	const struct outcome o = {.query = &r->query, .rule = r->where};
	struct response response;
	int rc;

	if (!m->known)
		return error_set(e, ERROR_NOT_FOUND, "no source of groups knows this user");
	response_init(&response, "application/json");
	rc = response_json(&response, json_pack("{s:o}", "groups", groups_json(m->groups)), e);
	if (rc == 0) {
		service_audit(r->service, &r->request, &o, response.status, NULL);
		r->gateway->respond(r->gateway, &response);
	}
	response_free(&response);
	return rc;
}

static void
user_known(void *context, const struct membership *m, const struct error *failure)
{
	struct reading *r = context;
	struct error e = *failure;

	if (m == NULL || answer(r, m, &e) == -1)
		refuse(r, &e);
	end(r);
}

static void
decide(struct reading *r)
{
	const struct service_parts *parts = &r->service->parts;
	struct error e = {0};

	if (policy_permit_groups(parts->policy, &r->query, &r->where, &e) == 0 &&
	    lookup_submit(parts->lookup, r->query.subject, user_known, r, &e) == 0)
		return;
	refuse(r, &e);
	end(r);
}

static void
caller_known(void *context, const struct membership *m, const struct error *failure)
{
	struct reading *r = context;
	struct error e = *failure;

	r->caller = m == NULL ? NULL : membership_keep(m);
	if (r->caller == NULL) {
		if (m != NULL)
			error_set(&e, ERROR_UNAVAILABLE, "out of memory");
		refuse(r, &e);
		end(r);
		return;
	}
	r->query.caller_groups = r->caller->groups;
	decide(r);
}

int
groups_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	const char *user = strrchr(r->path, '/') + 1;
	struct reading *reading;

	if (*r->query != '\0')
		return error_set(e, ERROR_MALFORMED, "this resource has no query");
	if (subject_check(s->grammar, user, e) == -1)
		return -1;
	reading = malloc(sizeof(*reading));
	if (reading == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*reading = (struct reading){.service = s, .gateway = g, .request = *r};
	reading->query.caller = r->caller;
	memcpy(reading->query.subject, user, strlen(user) + 1);
	if (!policy_needs_groups(s->parts.policy, VERB_GROUPS_OF) ||
	    !principal_authenticated(&r->caller)) {
		decide(reading);
		return 0;
	}
	if (lookup_submit(s->parts.lookup, r->caller.name, caller_known, reading, e) == 0)
		return 0;
	end(reading);
	return -1;
}
