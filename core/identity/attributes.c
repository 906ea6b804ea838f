#include "identity/attributes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"

struct attributes {
	json_t *subjects;
};

static int
check_entry(json_t *entry)
{
	const char *name;
	json_t *value;

	if (!json_is_object(entry))
		return -1;
	json_object_foreach (entry, name, value)
		if (!json_is_string(value) ||
		    (strcmp(name, "email") != 0 && strcmp(name, "namespace") != 0))
			return -1;
	return 0;
}

/* Only what exists, each a text: a slip in a name must not become an empty claim. */
static int
check(json_t *subjects, const char *path, struct error *e)
{
	const char *subject;
	json_t *entry;

	if (!json_is_object(subjects))
		return error_set(
		    e, ERROR_CONFIG, "%s: want one JSON object with a member a subject", path);
	json_object_foreach (subjects, subject, entry)
		if (check_entry(entry) == -1)
			return error_set(e, ERROR_CONFIG,
			    "%s: '%.64s': want an object with email and namespace, each a "
			    "string",
			    path, subject);
	return 0;
}

int
attributes_read(struct attributes **out, const char *path, struct error *e)
{
	struct attributes *a = calloc(1, sizeof(*a));
	struct buffer text;
	json_error_t wrong;

	*out = NULL;
	buffer_init(&text, LIMIT_ATTRIBUTES);
	if (a == NULL) {
		error_set(e, ERROR_INTERNAL, "out of memory");
		goto fail;
	}
	if (file_read_trusted(path, &text, NULL, e) == -1)
		goto fail;
	a->subjects = json_loadb(
	    text.data != NULL ? text.data : "", text.length, JSON_REJECT_DUPLICATES, &wrong);
	if (a->subjects == NULL) {
		error_set(e, ERROR_CONFIG, "%s:%d: %s", path, wrong.line, wrong.text);
		goto fail;
	}
	if (check(a->subjects, path, e) == -1)
		goto fail;
	buffer_free(&text);
	*out = a;
	return 0;
fail:
	buffer_free(&text);
	attributes_free(a);
	return -1;
}

void
attributes_free(struct attributes *a)
{
	if (a == NULL)
		return;
	json_decref(a->subjects);
	free(a);
}

const char *
attributes_get(const struct attributes *a, const char *subject, const char *name)
{
	const json_t *entry = a == NULL ? NULL : json_object_get(a->subjects, subject);
	const char *value = json_string_value(json_object_get(entry, name));

	return value != NULL ? value : "";
}
