#include "service/service.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/account.h"
#include "service/internal.h"

/* The group's number, looked up once. */
static int
find_group(const char *name, gid_t *gid, struct error *e)
{
	*gid = (gid_t)-1;
	if (name == NULL)
		return 0;
	if (account_group(name, gid, e) == -1)
		return e->code != ERROR_CONFIG ? -1
					       : error_set(e, ERROR_CONFIG,
						     "group '%.64s' does not exist: create it "
						     "with groupadd, or name "
						     "yours with --group=$(id -gn)",
						     name);
	return 0; /* whether files may be given to it, the probe finds out */
}

int
service_open(struct service **out, const struct service_parts *parts, struct error *e)
{
	const struct config *c = parts->config;
	bool to_subject = c->access == ACCESS_SUBJECT;
	struct service *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	s->parts = *parts;
	s->directory.fd = -1;
	s->publish = (struct publish_options){.mode = c->mode, .to_subject = to_subject};
	if (subject_grammar_new(&s->grammar, c->subject_pattern, e) == -1 ||
	    find_group(c->group, &s->publish.group, e) == -1 ||
	    directory_open(&s->directory, c->directory, to_subject ? 0711 : 0750,
		s->publish.group, e) == -1 ||
	    publish_probe(&s->directory, &s->publish, e) == -1) {
		service_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

void
service_close(struct service *s)
{
	if (s == NULL)
		return;
	directory_close(&s->directory);
	subject_grammar_free(s->grammar);
	free(s);
}

void
service_set_signer(struct service *s, struct signer *signer)
{
	s->parts.signer = signer;
}

int
service_descriptor(const struct service *s)
{
	return s->directory.fd;
}

void
service_refuse(
    struct service *s, struct gateway *g, const struct request *r, const struct error *e)
{
	bool detail = *e->detail != '\0';
	enum log_level level = e->code >= ERROR_INTERNAL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
	struct response response;
	unsigned int methods = 0;

	response_init(&response, "text/plain; charset=utf-8");
	response_error(&response, e);
	if (e->code == ERROR_METHOD && route_find(r->path, &methods) != NULL)
		response.allow = route_allow(methods);
	log_line(s->parts.log, level, "Refused with %d: caller %s, path %.32s: %s%s%s%s",
	    response.status, *r->caller.name != '\0' ? r->caller.name : "unknown",
	    r->path != NULL ? r->path : "unknown", e->text, detail ? " (" : "", e->detail,
	    detail ? ")" : "");
	g->respond(g, &response);
	response_free(&response);
}

void
service_handle(struct service *s, struct gateway *g)
{
	struct request r;
	struct error e = {0};
	unsigned int methods = 0;
	endpoint *found;

	if (request_read(&r, g, s->parts.config, &e) == -1)
		goto refuse;
	found = route_find(r.path, &methods);
	if (found == NULL) {
		error_set(&e, ERROR_NOT_FOUND, "no such resource: ask for /SUBJECT");
		goto refuse;
	}
	if (((unsigned int)r.method & methods) == 0) {
		error_set(&e, ERROR_METHOD, "this resource answers %s", route_allow(methods));
		goto refuse;
	}
	if (found(s, g, &r, &e) == 0)
		return;
refuse:
	service_refuse(s, g, &r, &e);
}
