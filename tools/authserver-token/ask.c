#include "tools/authserver-token/ask.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "tools/authserver-token/life.h"

int
ask_refused(int status, const char *reason, struct error *e)
{
	enum error_code code = ERROR_DENIED;
	char text[LIMIT_ERROR_TEXT] = "";
	size_t length = reason != NULL ? strcspn(reason, "\r\n") : 0;

	if (status == 401 || status == 403)
		code = ERROR_NO_PERMISSION;
	else if (status == 429 || status >= 500)
		code = ERROR_UNAVAILABLE;
	if (length == 0 || length >= sizeof(text) / 2)
		return error_set(e, code, "the server answered with status %d%s", status,
		    status == 429 || status >= 500 ? ": try again in a moment" : "");
	memcpy(text, reason, length);
	text_plain(text);
	return error_set(e, code, "%s", text);
}

static int
check_token(const struct buffer *token, struct error *e)
{
	int64_t now = clock_realtime(&clock_system) / NANOSECONDS;
	struct life life;

	if (life_read(&life, token->data != NULL ? token->data : "", token->length, e) == -1)
		return -1;
	if (life_ended(&life, now))
		return error_set(e, ERROR_UNAVAILABLE,
		    "the token that was made has ended already: set the clocks of this host "
		    "and the server's");
	return 0;
}

/* A line that is printed. */
static int
check_path(const struct buffer *path, struct error *e)
{
	if (path->data != NULL && *path->data == '/' && strlen(path->data) == path->length &&
	    path->length < LIMIT_PATH && text_clean(path->data))
		return 0;
	return error_set(e, ERROR_UNAVAILABLE,
	    "the answer is no path of a file: is it authserver that answers?");
}

static int
follow(struct buffer *to, struct buffer *body, bool is_path, bool wants_path, struct error *e)
{
	if (is_path && check_path(body, e) == -1)
		return -1;
	if (is_path && !wants_path)
		return token_file_read(to, body->data, e);
	return buffer_append(to, body->data != NULL ? body->data : "", body->length) == 0
		   ? 0
		   : error_set(e, ERROR_UNAVAILABLE, "the answer is too long");
}

int
ask_token(
    struct buffer *to, const struct request *r, const struct credentials *c, struct error *e)
{
	bool is_path = r->file;
	struct buffer body;
	int rc;

	buffer_init(&body, LIMIT_TOKEN);
	rc = r->url != NULL ? ask_http(&body, &is_path, r, c, e) : ask_peer(&body, r, e);
	if (rc == 0 && r->file && !is_path)
		rc = error_set(e, ERROR_UNAVAILABLE, "the answer is no path of a file");
	if (rc == 0)
		rc = follow(to, &body, is_path, r->file, e);
	if (rc == 0 && !r->file)
		rc = check_token(to, e);
	buffer_free(&body);
	return rc;
}
