/* authserverctl decode: what a token says, whoever wrote it. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/base64url.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/dump.h"
#include "jose/jws_parse.h"
#include "tools/authserverctl/command.h"
#include "tools/authserverctl/token_read.h"

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	const char **source = state->input;

	if (flag != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (state->arg_num > 0)
		argp_error(state, "one token at a time");
	*source = value;
	return 0;
}

/* The JSON object that a part of a token is; NULL when it is something else. */
static json_t *
read_part(const char *part, size_t length, const char *name, struct error *e)
{
	struct error wrong;
	json_t *object = jws_object(part, length, name, &wrong);

	if (object == NULL)
		error_set(e, ERROR_DENIED, "not a token: %s", wrong.detail);
	return object;
}

static int
check_signature(const char *part, size_t length, struct error *e)
{
	struct buffer bytes;
	int rc;

	buffer_init(&bytes, LIMIT_TOKEN);
	rc = base64url_decode(&bytes, part, length);
	buffer_free(&bytes);
	if (rc == -1)
		return error_set(
		    e, ERROR_DENIED, "not a token: its signature is not base64url");
	return length > 0 ? 0 : error_set(e, ERROR_DENIED, "not a token: it has no signature");
}

/* The claims that are times, as people read them. */
static json_t *
read_times(const json_t *claims)
{
	static const char *const names[] = {"iat", "nbf", "exp", "auth_time"};
	json_t *times = json_object();
	char text[CLOCK_UTC_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *value = json_object_get(claims, names[i]);

		if (json_is_integer(value) &&
		    clock_format_utc(text, json_integer_value(value)) == 0)
			(void)json_object_set_new(times, names[i], json_string(text));
	}
	return times;
}

static int
print(json_t *header, json_t *claims, struct error *e)
{
	json_t *all = json_pack("{s:O, s:O, s:o, s:b}", "header", header, "claims", claims,
	    "times", read_times(claims), "verified", 0);
	char *text =
	    all == NULL
		? NULL
		: dump_json(all, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
	int rc = 0;

	if (text == NULL || puts(text) == EOF)
		rc = error_set(e, ERROR_UNAVAILABLE, "cannot write to stdout");
	free(text);
	json_decref(all);
	return rc;
}

/* token: without what ends its line. */
static int
decode(const char *token, size_t length, struct error *e)
{
	const char *first = memchr(token, '.', length);
	const char *second =
	    first == NULL ? NULL : memchr(first + 1, '.', length - (size_t)(first + 1 - token));
	json_t *header = NULL;
	json_t *claims = NULL;
	int rc = -1;

	if (second == NULL)
		return error_set(e, ERROR_DENIED,
		    "not a token: it has not the three parts that dots separate");
	header = read_part(token, (size_t)(first - token), "header", e);
	if (header != NULL)
		claims = read_part(first + 1, (size_t)(second - first - 1), "claims", e);
	if (claims != NULL &&
	    check_signature(second + 1, length - (size_t)(second + 1 - token), e) == 0)
		rc = print(header, claims, e);
	json_decref(header);
	json_decref(claims);
	return rc;
}

int
command_decode(int argc, char **argv)
{
	static const struct argp argp = {.parser = parse_flag,
	    .args_doc = "[FILE | TOKEN]",
	    .doc = "Show the header and the claims of a token, without verifying anything.\v"
		   "Without an argument, or with -, the token comes from standard input. An "
		   "argument shows in lists of processes: prefer the others."};
	const char *source = NULL;
	struct buffer text;
	struct error e = {0};
	int status = EX_OK;

	(void)argp_parse(&argp, argc, argv, 0, NULL, &source);
	buffer_init(&text, LIMIT_TOKEN);
	if (token_read(source, &text, &e) == -1 || decode(text.data, text.length, &e) == -1)
		status = command_fail(&e);
	else
		(void)fputs("authserverctl: nothing was verified: anybody can have written "
			    "this token\n",
		    stderr);
	buffer_free(&text);
	return status;
}
