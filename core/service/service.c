#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "service/service.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static int
open_state(struct service *s, struct error *e)
{
	const struct config *c = s->parts.config;

	if (c->state == NULL)
		return 0;
	if (state_open(&s->state, c->state, e) == -1)
		return -1;
	return state_bound(s->state, c->max_files, s->parts.clock, e);
}

/* For tokens that are given again, where they are. */
static int
open_reuse(struct service *s, struct error *e)
{
	const struct signer_reuse_parts parts = {.state = s->state,
	    .clock = s->parts.clock,
	    .issuer = s->issuer,
	    .percent = s->parts.config->odas_reuse};

	if (!s->parts.config->odas)
		return 0;
	s->reuse = signer_reuse_new(&parts);
	return s->reuse != NULL ? 0 : error_set(e, ERROR_INTERNAL, "out of memory");
}

int
service_open(struct service **out, const struct service_parts *parts, struct error *e)
{
	const struct config *c = parts->config;
	const struct verifier_source verifier = {.config = c};
	bool to_subject = c->access == ACCESS_SUBJECT;
	struct service *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	s->bound = mmap(
	    NULL, sizeof(*s->bound), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->bound == MAP_FAILED) {
		free(s);
		return error_set(e, ERROR_INTERNAL, "mmap: %s", strerror(errno));
	}
	s->bound->limit = c->max_files;
	s->parts = *parts;
	s->directory.fd = -1;
	s->accounts = &accounts_here;
	s->publish = (struct publish_options){.mode = c->mode, .to_subject = to_subject};
	host_primary_address(s->address);
	s->issuer = c->issuer != NULL ? c->issuer : s->address;
	(void)route_issuer_path(s->issuer_path, s->issuer);
	if (subject_grammar_new(&s->grammar, c->subject_pattern, e) == -1 ||
	    find_group(c->group, &s->publish.group, e) == -1 ||
	    directory_open(&s->directory, c->directory, to_subject ? 0711 : 0750,
		s->publish.group, e) == -1 ||
	    publish_probe(&s->directory, &s->publish, e) == -1 ||
	    audit_open(&s->audit, c->audit, e) == -1 || open_state(s, e) == -1 ||
	    open_reuse(s, e) == -1 || verifier_open(&s->verifier, &verifier, e) == -1 ||
	    trust_open(&s->trust, s->verifier, parts->clock, e) == -1) {
		service_close(s);
		return -1;
	}
	trust_set_lookup(s->trust, parts->lookup);
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
	audit_close(s->audit);
	trust_free(s->trust);
	verifier_free(s->verifier);
	signer_reuse_free(s->reuse);
	tries_close(s->tries);
	state_close(s->state);
	(void)munmap(s->bound, sizeof(*s->bound));
	free(s);
}

void
service_set_signer(struct service *s, struct signer *signer)
{
	s->parts.signer = signer;
}

void
service_set_lookup(struct service *s, struct lookup *lookup)
{
	s->parts.lookup = lookup;
	trust_set_lookup(s->trust, lookup);
}

void
service_set_passwords(struct service *s, struct password_checker *passwords)
{
	s->parts.passwords = passwords;
}

void
service_set_accounts(struct service *s, const struct accounts *accounts)
{
	s->accounts = accounts;
}

void
service_descriptors(const struct service *s, int fds[SERVICE_DESCRIPTORS])
{
	const struct state *state = s->state;

	fds[SERVICE_TOKENS] = s->directory.fd;
	fds[SERVICE_AUDIT] = audit_descriptor(s->audit);
	fds[SERVICE_STATE] = state == NULL ? -1 : state_directory(state)->fd;
	fds[SERVICE_STATE + 1] = state == NULL ? -1 : state_refresh(state)->fd;
	fds[SERVICE_STATE + 2] = state == NULL ? -1 : state_revoked(state)->fd;
}

void
service_reopen_audit(struct service *s)
{
	struct error e = {0};

	if (audit_reopen(s->audit, &e) == -1)
		log_line(s->parts.log, LOG_LEVEL_ERROR, "Not reopened, the old one stays: %s",
		    e.text);
}

/* One of ours where the web server sent none. */
static void
make_id(const struct service *s, char id[2 * sizeof(uint64_t) + 1])
{
	uint64_t number = 0;

	(void)entropy_fill(s->parts.entropy, &number, sizeof(number));
	(void)snprintf(id, 2 * sizeof(uint64_t) + 1, "%016llx", (unsigned long long)number);
}

void
service_audit(struct service *s, const struct request *r, const struct outcome *o, int status,
    const struct error *refusal)
{
	char made[2 * sizeof(uint64_t) + 1];
	struct decision d = {.request = r,
	    .query = o->query,
	    .grant = o->grant,
	    .signature = o->signature,
	    .ttl = o->ttl,
	    .rule = o->rule,
	    .grant_type = o->grant_type,
	    .status = status,
	    .refusal = refusal,
	    .id = r->id};

	if (s->audit == NULL)
		return;
	if (*d.id == '\0') {
		make_id(s, made);
		d.id = made;
	}
	d.duration = clock_monotonic(s->parts.clock) - r->since;
	if (audit_write(s->audit, &d, s->parts.clock) == -1)
		log_line(s->parts.log, LOG_LEVEL_ERROR, "The audit log cannot be written: %s",
		    strerror(errno));
}

void
service_refuse(struct service *s, struct gateway *g, const struct request *r,
    const struct outcome *o, const struct error *e)
{
	const char *rule = o->rule != NULL ? o->rule : "";
	enum log_level level = e->code >= ERROR_INTERNAL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
	struct response response;
	unsigned int methods = 0;

	response_init(&response, "text/plain; charset=utf-8");
	response.challenge = o->challenge;
	response.retry = o->retry;
	response_error(&response, e, route_speaks_json(r->path));
	if (e->code == ERROR_METHOD && route_find(r->path, s->issuer_path, &methods) != NULL)
		response.allow = route_allow(methods);
	log_line(s->parts.log, level, "Refused with %d: caller %s, path %.32s: %s%s%s%s%s%s",
	    response.status, *r->caller.name != '\0' ? r->caller.name : "unknown",
	    r->path != NULL ? r->path : "unknown", e->text, *e->detail != '\0' ? ": " : "",
	    e->detail, *rule != '\0' ? " (" : "", rule, *rule != '\0' ? ")" : "");
	service_audit(s, r, o, response.status, e);
	g->respond(g, &response);
	response_free(&response);
}

void
service_handle(struct service *s, struct gateway *g)
{
	static const struct outcome nothing = {0};
	struct request r = {.since = clock_monotonic(s->parts.clock)};
	struct error e = {0};
	unsigned int methods = 0;
	endpoint *found;

	if (request_read(&r, g, s->parts.config, &e) == -1)
		goto refuse;
	if (g->scope == SCOPE_AUTHORIZER) {
		if (authorize_endpoint(s, g, &r, &e) == 0)
			return;
		goto refuse;
	}
	found = route_find(r.path, s->issuer_path, &methods);
	if (found == NULL) {
		error_set(&e, ERROR_NOT_FOUND, "no such resource: ask for /SUBJECT");
		goto refuse;
	}
	if (g->scope == SCOPE_VERIFICATION && !route_verifies(found)) {
		error_set(&e, ERROR_DENIED,
		    "tokens are verified here, by /api/validate and /api/authorize, and "
		    "nothing else is done");
		goto refuse;
	}
	if (((unsigned int)r.method & methods) == 0) {
		error_set(&e, ERROR_METHOD, "this resource answers %s", route_allow(methods));
		goto refuse;
	}
	if (found(s, g, &r, &e) == 0)
		return;
refuse:
	service_refuse(s, g, &r, &nothing, &e);
}
