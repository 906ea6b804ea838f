/* authserverctl decode: what a token says, whoever wrote it. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/base64url.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "tools/authserverctl/command.h"

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

static int
read_stream(FILE *file, const char *name, struct buffer *text, struct error *e)
{
	char bytes[4096];
	size_t n;

	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		if (buffer_append(text, bytes, n) == -1)
			return error_set(e, ERROR_DENIED,
			    "%s: longer than %d bytes: not a token of authserver's", name,
			    LIMIT_TOKEN);
	if (ferror(file))
		return error_set(e, ERROR_NO_INPUT, "%s: %s", name, strerror(errno));
	return 0;
}

/* From stdin, a file, or the argument itself where it names none and begins as tokens do. */
static int
read_token(const char *source, struct buffer *text, struct error *e)
{
	FILE *file;
	int rc;

	if (source == NULL || strcmp(source, "-") == 0)
		return read_stream(stdin, "stdin", text, e);
	file = fopen(source, "re");
	if (file == NULL && (errno == ENOENT || errno == ENAMETOOLONG) &&
	    strncmp(source, "eyJ", 3) == 0)
		return buffer_append(text, source, strlen(source)) == 0
			   ? 0
			   : error_set(e, ERROR_DENIED, "longer than %d bytes", LIMIT_TOKEN);
	if (file == NULL)
		return error_set(e, ERROR_NO_INPUT, "%.256s: %s", source, strerror(errno));
	rc = read_stream(file, source, text, e);
	(void)fclose(file);
	return rc;
}

/* The JSON object that a part of a token is; NULL when it is something else. */
static json_t *
read_part(const char *part, size_t length, const char *name, struct error *e)
{
	struct buffer bytes;
	json_error_t wrong;
	json_t *object = NULL;

	buffer_init(&bytes, LIMIT_TOKEN);
	if (base64url_decode(&bytes, part, length) == -1) {
		error_set(e, ERROR_DENIED, "not a token: its %s is not base64url", name);
		goto out;
	}
	object = json_loadb(bytes.data, bytes.length, JSON_REJECT_DUPLICATES, &wrong);
	if (object == NULL)
		error_set(
		    e, ERROR_DENIED, "not a token: its %s is not JSON: %s", name, wrong.text);
	else if (!json_is_object(object)) {
		error_set(e, ERROR_DENIED, "not a token: its %s is not a JSON object", name);
		json_decref(object);
		object = NULL;
	}
out:
	buffer_free(&bytes);
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
		: json_dumps(all, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
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

/* Less one end of line, as an editor and echo add it. */
static size_t
line_length(const struct buffer *text)
{
	size_t length = text->length;

	if (length > 0 && text->data[length - 1] == '\n')
		length--;
	if (length > 0 && length < text->length && text->data[length - 1] == '\r')
		length--;
	return length;
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
	if (read_token(source, &text, &e) == -1 ||
	    decode(text.data != NULL ? text.data : "", line_length(&text), &e) == -1)
		status = command_fail(&e);
	else
		(void)fputs("authserverctl: nothing was verified: anybody can have written "
			    "this token\n",
		    stderr);
	buffer_free(&text);
	return status;
}
