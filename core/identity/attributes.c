#include "identity/attributes.h"

#include <stdlib.h>
#include <string.h>

#include "identity/json_file.h"

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

	*out = NULL;
	if (a == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	a->subjects = json_file_read(path, e);
	if (a->subjects == NULL || check(a->subjects, path, e) == -1) {
		attributes_free(a);
		return -1;
	}
	*out = a;
	return 0;
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
