#include "tools/authserver-token/request.h"

#include <string.h>

#include "base/parse.h"

enum { TIMEOUT = 10, TIMEOUT_MOST = 600 };

/* In percent-encoding (RFC 3986, 2.1), but for what needs none. */
static int
append_encoded(struct buffer *to, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *text != '\0'; text++)
		if (buffer_printf(to,
			memchr(plain, *text, sizeof(plain) - 1) != NULL ? "%c" : "%%%02X",
			(unsigned char)*text) == -1)
			return -1;
	return 0;
}

static int
write_query(struct buffer *query, const struct settings *s)
{
	static const enum setting parameters[] = {SET_TTL, SET_AUDIENCE, SET_PROFILE};

	if (buffer_append(query, "", 0) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		const char *value = s->value[parameters[i]];

		if (value != NULL &&
		    (buffer_printf(query, "%s%s=", query->length > 0 ? "&" : "",
			 settings_name(parameters[i])) == -1 ||
			append_encoded(query, value) == -1))
			return -1;
	}
	return 0;
}

static int64_t
get_seconds(const char *text, int64_t otherwise)
{
	int64_t seconds = otherwise;

	if (text != NULL)
		(void)parse_duration(text, strlen(text), &seconds); /* settings_put() did */
	return seconds;
}

static int
check(const struct request *r, struct error *e)
{
	if (r->password_file != NULL && r->user == NULL)
		return error_set(e, ERROR_CONFIG,
		    "password-file without user: say whose password it is with --user");
	if (r->user != NULL && (r->negotiate || r->netrc_file != NULL))
		return error_set(e, ERROR_CONFIG,
		    "user goes with password-file: a ticket and a netrc file have names in "
		    "them");
	return 0;
}

int
request_read(struct request *r, const struct settings *s, const char *subject, struct error *e)
{
	int64_t timeout = get_seconds(s->value[SET_TIMEOUT], TIMEOUT);

	*r = (struct request){.url = s->value[SET_URL],
	    .socket = s->value[SET_SOCKET],
	    .user = s->value[SET_USER],
	    .password_file = s->value[SET_PASSWORD_FILE],
	    .netrc_file = s->value[SET_NETRC_FILE],
	    .negotiate = s->value[SET_NEGOTIATE] != NULL,
	    .ca_file = s->value[SET_CA_FILE],
	    .insecure = s->value[SET_INSECURE] != NULL,
	    .direct = s->value[SET_DIRECT] != NULL,
	    .timeout = (int)(timeout < TIMEOUT_MOST ? timeout : TIMEOUT_MOST),
	    .min_life = get_seconds(s->value[SET_MIN_LIFE], 0),
	    .subject = subject};
	if (r->url == NULL && r->socket == NULL)
		r->socket = "/run/authserver/peer.sock";
	buffer_init(&r->path, (size_t)3 * LIMIT_SUBJECT);
	buffer_init(&r->query, LIMIT_QUERY);
	if (strlen(subject) >= LIMIT_SUBJECT)
		error_set(
		    e, ERROR_MALFORMED, "a subject has at most %d bytes", LIMIT_SUBJECT - 1);
	else if (buffer_append(&r->path, "/", 1) == -1 ||
		 append_encoded(&r->path, subject) == -1 || write_query(&r->query, s) == -1)
		error_set(e, ERROR_MALFORMED, "the request is too long");
	else if (check(r, e) == 0)
		return 0;
	request_free(r);
	return -1;
}

void
request_free(struct request *r)
{
	buffer_free(&r->path);
	buffer_free(&r->query);
}
