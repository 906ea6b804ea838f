/*
 * authserver.cgi: the service as a CGI program (RFC 3875), one process a request. The key
 * is read by each of them, so the user that runs it must be allowed to.
 */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "base/write.h"
#include "config/flags.h"
#include "identity/lookup_process.h"
#include "jose/key_memory.h"
#include "service/service.h"
#include "signer/signer_local.h"

enum { BODY_DEADLINE = 5000 }; /* milliseconds that the body may pause */

extern char **environ;

const char *argp_program_version = "authserver.cgi " VERSION;

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	(void)value;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->input;
	return 0;
}

static bool
respond(struct gateway *g, const struct response *r)
{
	struct buffer text;
	bool taken;

	(void)g;
	buffer_init(&text, LIMIT_RESPONSE + LIMIT_ERROR_TEXT);
	taken = response_render(r, &text) == 0 &&
		write_all(STDOUT_FILENO, text.data, text.length) == 0;
	buffer_free(&text);
	return taken;
}

/* For what goes wrong before there is a service. */
static int
answer_error(const struct log *log, const struct error *e)
{
	struct response r;

	log_line(log, LOG_LEVEL_ERROR, "%s", e->text);
	response_init(&r, "text/plain; charset=utf-8");
	response_error(&r, e, false);
	respond(NULL, &r);
	response_free(&r);
	return error_exit_status(e);
}

/* Whether the request says that it has a body; else stdin is none of ours. */
static bool
body_announced(void)
{
	const char *length = getenv("CONTENT_LENGTH");

	return (length != NULL && *length != '\0' && strcmp(length, "0") != 0) ||
	       getenv("HTTP_TRANSFER_ENCODING") != NULL;
}

/*
 * Reads the body, also where nothing needs it: a server that is left with unread bytes may
 * reset the connection before the answer is through, and the length of a chunked body shows
 * in no other way. What cannot be read is none: a part of it would be taken for another one.
 */
static int
read_body(struct gateway *g, struct error *e)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	char bytes[8192];
	ssize_t n = 1;

	buffer_init(&g->body, LIMIT_BODY);
	while (n > 0 && !g->oversize && body_announced()) {
		n = poll(&p, 1, BODY_DEADLINE);
		if (n == 1)
			n = read(STDIN_FILENO, bytes, sizeof(bytes));
		if (n > 0)
			g->oversize = buffer_append(&g->body, bytes, (size_t)n) == -1;
		else if (n == -1 && errno == EINTR)
			n = 1;
	}
	return n != -1 ? 0
		       : error_set(e, ERROR_UNAVAILABLE, "the body cannot be read: %s",
			     strerror(errno));
}

/* A process a request has none: who cannot do without is told so. */
static int
check_sandbox(const struct config *c, struct error *e)
{
	if (c->seccomp != SANDBOX_REQUIRED && c->landlock != SANDBOX_REQUIRED)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "seccomp or landlock is required, and authserver.cgi has no sandbox: use "
	    "authserver.fcgi");
}

static int
serve(const struct flags *flags, const struct config *config, const struct log *log,
    struct error *e)
{
	struct policy *policy = NULL;
	struct gateway gateway = {.params = environ, .respond = respond};
	struct service *service = NULL;
	struct lookup_process lookup;
	struct signer_local signer;
	struct signing signing;
	struct error unread;
	int rc = -1;
	struct service_parts parts = {.config = config,
	    .signer = &signer.signer,
	    .lookup = &lookup.lookup,
	    .passwords = &lookup.passwords,
	    .log = log,
	    .clock = &clock_system,
	    .entropy = &entropy_system};

	if (check_sandbox(config, e) == -1)
		return -1;
	(void)key_memory_lock(config->private_key);
	if (policy_open(&policy, config, e) == -1)
		return -1;
	parts.policy = policy;
	if (signing_open(&signing, config, policy, &clock_system, &entropy_system, e) == -1)
		goto out;
	signer_local_init(&signer, &signing);
	lookup_process_init(&lookup, flags, config);
	rc = service_open(&service, &parts, e);
	if (read_body(&gateway, rc == 0 ? e : &unread) == -1)
		rc = -1;
	if (rc == 0)
		service_handle(service, &gateway);
	service_close(service);
	buffer_free(&gateway.body);
	lookup_process_end(&lookup);
	signing_close(&signing);
out:
	policy_free(policy);
	return rc;
}

/*
 * A query without "=" becomes the command line (RFC 3875, 4.4): whoever asks would set
 * our flags. No such query is valid here anyway.
 */
static bool
query_is_command_line(void)
{
	const char *query = getenv("QUERY_STRING");

	return query != NULL && *query != '\0' && strchr(query, '=') == NULL;
}

int
main(int argc, char **argv)
{
	static const struct argp_child children[] = {{&flags_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {.parser = parse_option,
	    .doc =
		"Turns whom the web server authenticated into a signed token in a file, as a "
		"CGI program.\vAUTHSERVER_CONFIG in the environment names the configuration "
		"file. The manual is authserver.cgi(8).",
	    .children = children};
	static const struct rlimit none = {0, 0};
	struct log log = {.fd = STDERR_FILENO, .clock = &clock_system};
	struct flags flags = {0};
	struct config config = {0};
	struct error e = {0};
	int status = EX_OK;

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)key_memory_cleanse();
	argp_err_exit_status = EX_USAGE;
	flags.config_file = getenv("AUTHSERVER_CONFIG");
	if (query_is_command_line()) {
		error_set(&e, ERROR_MALFORMED,
		    "unknown query parameter: ttl=DURATION, audience=TEXT and profile=NAME "
		    "exist");
		(void)answer_error(&log, &e);
		return EX_OK;
	}
	flags_take_environment(&flags, getenv);
	/* What is wrong with a flag has ended us. */
	if (argp_parse(&argp, argc, argv, 0, NULL, &flags) != 0) {
		error_set(&e, ERROR_UNAVAILABLE, "out of memory");
		return answer_error(&log, &e);
	}
	openlog("authserver.cgi", LOG_PID, LOG_DAEMON);
	if (flags_load(&flags, &config, &e) == -1) {
		status = answer_error(&log, &e);
	} else {
		log.fd = config.log == LOG_TO_SYSLOG ? -1 : STDERR_FILENO;
		if (serve(&flags, &config, &log, &e) == -1)
			status = answer_error(&log, &e);
	}
	config_free(&config);
	return status;
}
