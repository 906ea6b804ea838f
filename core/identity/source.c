#include "identity/source.h"

#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

void
source_close(struct source *s)
{
	if (s != NULL)
		s->close(s);
}

/* The member as text, when there is one. */
static int
take_text(char *to, size_t size, const json_t *object, const char *name, struct error *e)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);

	if (value == NULL)
		return 0;
	if (text == NULL || strlen(text) != json_string_length(value) || !text_clean(text))
		return error_set(e, ERROR_UNAVAILABLE,
		    "\"%s\" is no string, or one with control characters", name);
	if (strlen(text) >= size)
		return error_set(
		    e, ERROR_UNAVAILABLE, "\"%s\" is longer than %zu bytes", name, size - 1);
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int
take_groups(struct membership *m, const json_t *object, struct error *e)
{
	const json_t *list = json_object_get(object, "groups");
	json_t *group;
	size_t i;

	if (!json_is_array(list))
		return error_set(e, ERROR_UNAVAILABLE, "\"groups\" is missing or no list");
	json_array_foreach (list, i, group) {
		if (!json_is_string(group))
			return error_set(
			    e, ERROR_UNAVAILABLE, "\"groups\" holds what is no string");
		if (membership_add(m, json_string_value(group), json_string_length(group), e) ==
		    -1)
			return -1;
	}
	return 0;
}

int
source_reply(struct membership *m, const char *text, size_t length, struct error *e)
{
	json_error_t wrong;
	json_t *object = json_read(text, length, &wrong);
	int rc = -1;

	if (object == NULL) {
		text_plain(wrong.text); /* it quotes the answer */
		return error_set(e, ERROR_UNAVAILABLE, "the answer is no JSON: line %d: %s",
		    wrong.line, wrong.text);
	}
	if (!json_is_object(object))
		error_set(e, ERROR_UNAVAILABLE, "the answer is no JSON object");
	else if (take_groups(m, object, e) == 0 &&
		 take_text(m->email, sizeof(m->email), object, "email", e) == 0 &&
		 take_text(m->space, sizeof(m->space), object, "namespace", e) == 0)
		rc = 0;
	m->known = rc == 0;
	json_decref(object);
	return rc;
}
