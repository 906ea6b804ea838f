/*
 * authserver-token: prints one token and nothing else. It asks the local socket of
 * authserver.fcgi, where the kernel says who is asking: no password, no web server.
 */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/buffer.h"
#include "tools/authserver-token/fastcgi.h"

enum { FLAG_SOCKET = 0x100, FLAG_TTL, FLAG_AUDIENCE, FLAG_PROFILE, FLAG_FILE, TIMEOUT = 10 };

const char *argp_program_version = "authserver-token " VERSION;

struct arguments {
	const char *socket;
	const char *subject; /* "": whoever asks */
	bool file;
	struct buffer query;
};

static const struct argp_option options[] = {
    {"socket", FLAG_SOCKET, "PATH", 0,
	"The local socket of authserver.fcgi (/run/authserver/peer.sock)", 0},
    {"ttl", FLAG_TTL, "DURATION", 0, "For so long, such as 15m", 0},
    {"audience", FLAG_AUDIENCE, "TEXT", 0, "For this audience", 0},
    {"profile", FLAG_PROFILE, "NAME", 0, "In this shape", 0},
    {"file", FLAG_FILE, NULL, 0, "Print the path of the token's file instead", 0},
    {0},
};

/* In percent-encoding (RFC 3986, 2.1), but for what needs none. */
static void
append_encoded(struct buffer *to, const char *text, struct argp_state *state)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *text != '\0'; text++)
		if (buffer_printf(to,
			memchr(plain, *text, sizeof(plain) - 1) != NULL ? "%c" : "%%%02X",
			(unsigned char)*text) == -1)
			argp_error(state, "too long");
}

static void
append_parameter(
    struct arguments *a, const char *name, const char *value, struct argp_state *state)
{
	if (buffer_printf(&a->query, "%s%s=", a->query.length > 0 ? "&" : "", name) == -1)
		argp_error(state, "too long");
	append_encoded(&a->query, value, state);
}

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case FLAG_SOCKET:
		a->socket = value;
		return 0;
	case FLAG_TTL:
		append_parameter(a, "ttl", value, state);
		return 0;
	case FLAG_AUDIENCE:
		append_parameter(a, "audience", value, state);
		return 0;
	case FLAG_PROFILE:
		append_parameter(a, "profile", value, state);
		return 0;
	case FLAG_FILE:
		a->file = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one SUBJECT at most");
		if (strchr(value, '/') != NULL)
			argp_error(state, "%s: a subject has no slash", value);
		a->subject = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
ask(struct answer *answer, const struct arguments *a, struct error *e)
{
	char path[LIMIT_SUBJECT + 1];
	const struct param params[] = {
	    {"GATEWAY_INTERFACE", "CGI/1.1"},
	    {"REQUEST_METHOD", "GET"},
	    {"PATH_INFO", path},
	    {"QUERY_STRING", a->query.data != NULL ? a->query.data : ""},
	    {"HTTP_HOST", "localhost"},
	    {"HTTP_ACCEPT", a->file ? "text/plain" : "application/jwt"},
	};

	if (snprintf(path, sizeof(path), "/%s", a->subject) >= (int)sizeof(path))
		return error_set(
		    e, ERROR_MALFORMED, "a subject has at most %d bytes", LIMIT_SUBJECT - 1);
	return fastcgi_ask(
	    answer, a->socket, params, sizeof(params) / sizeof(params[0]), TIMEOUT, e);
}

/* The exit status. */
static int
print(const struct answer *answer)
{
	size_t length = strcspn(answer->body, "\n");

	if (answer->status != 200) {
		(void)fprintf(stderr, "authserver-token: %.*s\n", (int)length, answer->body);
		return answer->status < 500 ? 1 : EX_UNAVAILABLE;
	}
	if (printf("%s\n", answer->body) < 0 || fflush(stdout) == EOF)
		return EX_IOERR;
	return EX_OK;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .args_doc = "[SUBJECT]",
	    .doc = "Print a token for SUBJECT, or for the account that asks.\v"
		   "Exit status: 0 printed, 1 refused, 64 usage, 69 no answer. The manual is "
		   "authserver-token(1)."};
	struct arguments a = {.socket = "/run/authserver/peer.sock", .subject = ""};
	struct answer answer;
	struct error e = {0};
	int status;

	argp_err_exit_status = EX_USAGE;
	buffer_init(&a.query, LIMIT_QUERY);
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (ask(&answer, &a, &e) == -1) {
		(void)fprintf(stderr, "authserver-token: %s\n", e.text);
		status = error_exit_status(&e);
	} else {
		status = print(&answer);
		fastcgi_free(&answer);
	}
	buffer_free(&a.query);
	return status;
}
