/* authserverctl verify: whether a token is valid here, and if not, why. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/clock.h"
#include "config/flags.h"
#include "identity/lookup_process.h"
#include "jose/keyring.h"
#include "jose/verifier.h"
#include "service/trust.h"
#include "signer/signing.h"
#include "tools/authserverctl/command.h"
#include "tools/authserverctl/owner.h"
#include "tools/authserverctl/token_read.h"

struct arguments {
	struct flags flags;
	const char *source;
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one token at a time");
		a->source = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Whoever may run this may know what the service tells nobody but its log. */
static int
tell_why(struct error *e)
{
	const struct error why = *e;

	if (why.code != ERROR_UNAUTHENTICATED)
		return -1;
	return error_set(e, ERROR_DENIED, "%s: %s", why.text, why.detail);
}

/* Our own keys as the service publishes them now, if there are any. */
static int
add_own(struct verifier *v, const struct config *c, int64_t now, struct error *e)
{
	const struct keyring_source source = signing_keys(c);
	struct keyring *ring = NULL;
	struct buffer json;
	int64_t fresh;
	int rc;

	if (source.path == NULL)
		return 0;
	if (owner_enter(source.path, e) == -1)
		return -1;
	(void)key_memory_lock(source.path);
	rc = keyring_open(&ring, &source, e);
	owner_leave();
	buffer_init(&json, LIMIT_JWK_SET);
	if (rc == 0)
		rc = keyring_publish(ring, now, &json, &fresh, e);
	if (rc == 0)
		rc = verifier_set_own(v, json.data, json.length, e);
	buffer_free(&json);
	keyring_free(ring);
	return rc;
}

static int
check_some(const struct config *c, const struct verifier *v, struct error *e)
{
	if (c->private_key != NULL || verifier_count(v) > 1)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "no key to verify with: give private-key, jwt-public-key or a section verify");
}

static int
print(const json_t *claims, struct error *e)
{
	char *text =
	    json_dumps(claims, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
	int rc = 0;

	if (text == NULL || puts(text) == EOF)
		rc = error_set(e, ERROR_UNAVAILABLE, "cannot write to stdout");
	free(text);
	return rc;
}

/* What became of the token. */
struct verdict {
	int rc;
	struct error e;
};

static void
judged(void *context, const struct verified *verified, const struct error *failure)
{
	struct verdict *d = context;

	d->e = *failure;
	d->rc = verified != NULL ? print(verified->claims, &d->e) : tell_why(&d->e);
}

/* The keys that are at a URL a resolver fetches, if the token needs them. */
static int
judge(const struct arguments *a, const struct config *c, struct verifier *v,
    const struct buffer *token, struct error *e)
{
	struct lookup_process lookup;
	struct verdict d = {.rc = -1};
	struct trust *trust;

	if (trust_open(&trust, v, &clock_system, e) == -1)
		return -1;
	lookup_process_init(&lookup, &a->flags, c);
	trust_set_lookup(trust, &lookup.lookup);
	trust_judge(trust, token->data, token->length, judged, &d);
	lookup_process_end(&lookup);
	trust_free(trust);
	*e = d.e;
	return d.rc;
}

static int
verify(const struct arguments *a, const struct config *c, const struct buffer *token,
    struct error *e)
{
	const struct verifier_source source = {.config = c};
	int64_t now = clock_realtime(&clock_system) / NANOSECONDS;
	struct verifier *v = NULL;
	int rc = -1;

	if (verifier_open(&v, &source, e) == 0 && check_some(c, v, e) == 0 &&
	    add_own(v, c, now, e) == 0)
		rc = judge(a, c, v, token, e);
	verifier_free(v);
	return rc;
}

int
command_verify(int argc, char **argv)
{
	struct command_flags few;
	const struct argp argp = {.parser = parse_flag,
	    .args_doc = "[FILE | TOKEN]",
	    .doc =
		"Say whether a token is valid for this configuration, and print its claims.\v"
		"Without an argument, or with -, the token comes from standard input. An "
		"argument shows in lists of processes: prefer the others. Exit status: 0 "
		"valid, 1 not valid, 64 usage.",
	    .children = command_flags(&few, true)};
	struct arguments a = {0};
	struct config c = {0};
	struct buffer token;
	struct error e = {0};
	int status = EX_OK;

	flags_take_environment(&a.flags, getenv);
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	buffer_init(&token, LIMIT_TOKEN);
	if (flags_load(&a.flags, &c, &e) == -1 || token_read(a.source, &token, &e) == -1 ||
	    verify(&a, &c, &token, &e) == -1)
		status = command_fail(&e);
	buffer_free(&token);
	config_free(&c);
	return status;
}
