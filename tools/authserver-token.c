/*
 * authserver-token: prints one token and nothing else. It is one that is kept and has enough
 * life left, or one that it asks for: at the local socket of authserver.fcgi, where the kernel
 * says who is asking, or of the web server in front of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "tools/authserver-token/ask.h"
#include "tools/authserver-token/discover.h"
#include "tools/authserver-token/flight.h"
#include "tools/authserver-token/options.h"
#include "tools/authserver-token/place.h"

static const char config[] = "/etc/authserver/token.conf";

/* All that one run works with. */
struct run {
	struct options options; /* and the settings from elsewhere */
	struct request request;
	struct credentials credentials;
};

static void
complain(void *context, const struct error *e)
{
	(void)context;
	(void)fprintf(stderr, "authserver-token: %s\n", e->text);
}

/* Adds what the environment and the file say to what the command line did. */
static int
read_settings(struct options *o, struct error *e)
{
	const char *path = o->config != NULL ? o->config : config;
	struct stat st;

	if (settings_take_environment(&o->settings, getenv, e) == -1)
		return -1;
	/* A file that nobody named need not be there. */
	if (o->config == NULL && stat(path, &st) == -1)
		return 0;
	return settings_take_file(&o->settings, path, e);
}

static int
ask(void *context, struct buffer *token, struct error *e)
{
	const struct run *r = context;

	return ask_token(token, &r->request, &r->credentials, e);
}

/* What must be the same for a kept token to be the one that is asked for. */
static int
write_key(char key[DIGEST_TEXT], const struct run *r, struct error *e)
{
	const struct request *q = &r->request;
	struct buffer text;
	int rc;

	buffer_init(&text, LIMIT_PARAMS);
	rc = buffer_printf(&text, "%s\n%s\n%s\n%s\n", q->url != NULL ? q->url : q->socket,
	    r->credentials.identity.data, q->path.data, q->query.data);
	rc = rc == 0 ? digest_text(key, text.data, text.length, e)
		     : error_set(e, ERROR_UNAVAILABLE, "the request is too long");
	buffer_free(&text);
	return rc;
}

/* Opens the cache. 1, or 0 when this call is to do without one, or -1. */
static int
open_cache(struct cache *c, const struct run *r, struct error *e)
{
	const char *told = r->options.settings.value[SET_CACHE];
	char key[DIGEST_TEXT], path[LIMIT_PATH];

	if (r->request.file || r->options.settings.value[SET_NO_CACHE] != NULL)
		return 0;
	if (write_key(key, r, e) == -1)
		return -1;
	if (told == NULL &&
	    place_find(path, getenv("XDG_RUNTIME_DIR"), getenv("HOME"), &r->request, key) == 0)
		return 0;
	if (cache_open(c, told != NULL ? told : path, key, e) == 0)
		return 1;
	/* Where nothing can be kept, tokens are had all the same. */
	return told == NULL && e->code != ERROR_CONFIG ? 0 : -1;
}

static int
get(struct buffer *token, struct run *r, struct error *e)
{
	const struct flight flight = {.ask = ask,
	    .context = r,
	    .tell = complain,
	    .clock = &clock_system,
	    .min_life = r->request.min_life,
	    .timeout = r->request.timeout};
	struct cache cache;
	int rc = open_cache(&cache, r, e);

	if (rc == 0)
		return ask(r, token, e);
	if (rc == 1) {
		rc = flight_token(token, &cache, &flight, e);
		cache_close(&cache);
	}
	return rc;
}

/* Finds the token, or asks for it. */
static int
run(struct buffer *token, struct run *r, struct error *e)
{
	struct options *o = &r->options;
	struct discovery discovery = {.get = getenv};
	int rc = -1;

	if (read_settings(o, e) == -1 ||
	    request_read(&r->request, &o->settings, o->subject, e) == -1)
		return -1;
	r->request.file = o->file;
	discovery.rank =
	    *o->subject != '\0' || o->file ? RANK_COMMAND : settings_rank(&o->settings);
	discovery.now = clock_realtime(&clock_system) / NANOSECONDS;
	discovery.min_life = r->request.min_life;
	if (discover_token(token, &discovery) == 1) {
		rc = 0;
	} else if (credentials_open(&r->credentials, &r->request, getenv("HOME"), e) == 0) {
		rc = get(token, r, e);
		credentials_close(&r->credentials);
	}
	request_free(&r->request);
	return rc;
}

int
main(int argc, char **argv)
{
	struct run r = {0};
	struct buffer token;
	struct error e = {0};
	int status = EX_OK;

	options_read(&r.options, argc, argv);
	buffer_init(&token, LIMIT_TOKEN);
	if (run(&token, &r, &e) == -1) {
		complain(NULL, &e);
		status = error_exit_status(&e);
	} else if (printf("%s\n", token.data) < 0 || fflush(stdout) == EOF) {
		(void)fputs("authserver-token: the token cannot be written\n", stderr);
		status = EX_IOERR;
	}
	buffer_free(&token);
	settings_free(&r.options.settings);
	return status;
}
