#include "jose/jws_parse.h"

#include <string.h>

#include "base/base64url.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/text.h"
#include "jose/refuse.h"

json_t *
jws_object(const char *part, size_t length, const char *name, struct error *e)
{
	struct buffer bytes;
	json_error_t wrong;
	json_t *object = NULL;

	buffer_init(&bytes, LIMIT_TOKEN);
	/* What is short of memory says nothing about the token. */
	if (length < LIMIT_TOKEN && buffer_reserve(&bytes, length) == NULL) {
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
		goto out;
	}
	if (base64url_decode(&bytes, part, length) == -1) {
		refuse(e, "its %s is not base64url", name);
		goto out;
	}
	object = json_read(bytes.data, bytes.length, &wrong);
	if (object == NULL && json_read_short(&wrong)) {
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
	} else if (object == NULL) {
		refuse(e, "its %s is not JSON: %s", name, wrong.text);
	} else if (json_typeof(object) != JSON_OBJECT) {
		refuse(e, "its %s is not a JSON object", name);
		json_decref(object);
		object = NULL;
	}
out:
	buffer_free(&bytes);
	return object;
}

/* Sets the pointers into the token. */
static int
split(struct jws *j, const char *token, size_t length, struct error *e)
{
	const char *first, *second;

	if (length > LIMIT_TOKEN)
		return refuse(e, "longer than %d bytes", LIMIT_TOKEN);
	first = length > 0 ? memchr(token, '.', length) : NULL;
	second =
	    first == NULL ? NULL : memchr(first + 1, '.', length - (size_t)(first + 1 - token));
	if (second == NULL)
		return refuse(e, "it has not the three parts that dots separate");
	j->input = token;
	j->input_length = (size_t)(second - token);
	j->payload = first + 1;
	j->payload_length = (size_t)(second - j->payload);
	j->signature = second + 1;
	j->signature_length = length - j->input_length - 1;
	/* A JWE has five parts. */
	if (memchr(j->signature, '.', j->signature_length) != NULL)
		return refuse(e, "it has more than three parts");
	if (first == token || j->payload_length == 0 || j->signature_length == 0)
		return refuse(e, "one of its parts is empty");
	return 0;
}

/* A member of the header that is a text if it is there. */
static int
get_text(
    const json_t *header, const char *name, size_t size, const char **text, struct error *e)
{
	const json_t *member = json_object_get(header, name);

	*text = json_string_value(member);
	if (member == NULL)
		return 0;
	if (*text == NULL)
		return refuse(e, "its %s is not a string", name);
	if (**text == '\0' || json_string_length(member) >= size || !text_clean(*text))
		return refuse(e, "its %s is empty, too long or has control characters", name);
	return 0;
}

static int
read_header(struct jws *j, struct error *e)
{
	enum { ALGORITHM = 16, TYPE = 64 }; /* bytes; more than any that is known */
	/* "crit" names what must be understood, and no extension is. The key of a token is
	 * found among those that are trusted, never in the token or where it points. */
	static const char *const never[] = {"crit", "b64", "jwk", "jku", "x5u", "x5c"};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (json_object_get(j->header, never[i]) != NULL)
			return refuse(e, "its header has %s", never[i]);
	if (get_text(j->header, "alg", ALGORITHM, &j->algorithm, e) == -1 ||
	    get_text(j->header, "typ", TYPE, &j->type, e) == -1 ||
	    get_text(j->header, "kid", LIMIT_KID_GIVEN, &j->kid, e) == -1)
		return -1;
	return j->algorithm != NULL ? 0 : refuse(e, "its header has no alg");
}

int
jws_parse(struct jws *j, const char *token, size_t length, struct error *e)
{
	*j = (struct jws){0};
	if (split(j, token, length, e) == 0)
		j->header =
		    jws_object(j->input, (size_t)(j->payload - 1 - j->input), "header", e);
	if (j->header != NULL && read_header(j, e) == 0)
		return 0;
	jws_close(j);
	return -1;
}

void
jws_close(struct jws *j)
{
	json_decref(j->header);
	*j = (struct jws){0};
}
