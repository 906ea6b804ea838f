/* What the files of this folder share; no other folder includes it. */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include "identity/subject.h"
#include "service/request.h"
#include "service/service.h"
#include "store/directory.h"
#include "store/publish.h"

struct service {
	struct service_parts parts;
	struct subject_grammar *grammar;
	struct directory directory;
	struct publish_options publish;
};

/* An endpoint answers g itself, now or later, and returns 0; or returns -1 and *e, and
 * the caller answers. */
typedef int endpoint(
    struct service *s, struct gateway *g, const struct request *r, struct error *e);

endpoint mint_endpoint;
endpoint health_endpoint;

/* The endpoint for a path, NULL when there is none; *methods gets what it answers. */
endpoint *route_find(const char *path, unsigned int *methods);

/* The value of Allow for a set of methods. */
const char *route_allow(unsigned int methods);

/* Logs a refusal and answers g with it. */
void service_refuse(
    struct service *s, struct gateway *g, const struct request *r, const struct error *e);

#endif
