#define _GNU_SOURCE /* explicit_bzero */
#include "service/fields.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "service/form.h"

static bool
is_type(const char *field, const char *type)
{
	size_t length = field == NULL ? 0 : strcspn(field, " \t;");

	return length == strlen(type) && strncasecmp(field, type, length) == 0;
}

bool
fields_is_form(const char *type)
{
	return is_type(type, "application/x-www-form-urlencoded");
}

/* Gives the i-th field room for size bytes. */
static char *
make(struct fields *f, size_t i, size_t size, struct error *e)
{
	if (size > LIMIT_TOKEN) {
		error_set(e, ERROR_MALFORMED, "the field %s is longer than %d bytes",
		    f->names[i], LIMIT_TOKEN);
		return NULL;
	}
	f->values[i] = malloc(size + 1);
	if (f->values[i] == NULL)
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
	return f->values[i];
}

static int
take_form(struct fields *f, size_t i, const struct request *r, struct error *e)
{
	bool twice = false;
	size_t length;
	const char *field = form_find(r->body, r->received, f->names[i], &length, &twice);
	char *value;

	if (twice)
		return error_set(e, ERROR_MALFORMED, "the field %s comes twice", f->names[i]);
	if (field == NULL || length == 0)
		return 0;
	value = make(f, i, length, e);
	if (value == NULL)
		return -1;
	if (form_decode(value, length + 1, field, length) == -1) {
		*value = '\0';
		return error_set(
		    e, ERROR_MALFORMED, "the field %s is badly encoded", f->names[i]);
	}
	return 0;
}

static int
take_member(struct fields *f, size_t i, const json_t *object, struct error *e)
{
	const json_t *member = json_object_get(object, f->names[i]);
	size_t length = json_string_length(member);
	char *value;

	if (member == NULL)
		return 0;
	if (!json_is_string(member) || strlen(json_string_value(member)) != length)
		return error_set(
		    e, ERROR_MALFORMED, "the member %s is to be a string", f->names[i]);
	if (length == 0)
		return 0;
	value = make(f, i, length, e);
	if (value == NULL)
		return -1;
	memcpy(value, json_string_value(member), length + 1);
	return 0;
}

/* Strings of an object that is freed next: one of them may be a password. */
static void
cleanse(json_t *object)
{
	const char *name;
	json_t *member;

	json_object_foreach (object, name, member)
		if (json_is_string(member))
			explicit_bzero(
			    (char *)json_string_value(member), json_string_length(member));
}

static int
take_object(struct fields *f, const struct request *r, struct error *e)
{
	json_error_t wrong;
	json_t *object = json_read(r->body, r->received, &wrong);
	int rc = 0;

	if (object == NULL && json_read_short(&wrong))
		rc = error_set(e, ERROR_UNAVAILABLE, "out of memory");
	else if (!json_is_object(object))
		rc = error_set(e, ERROR_MALFORMED,
		    "the body is not one JSON object with each member once");
	for (size_t i = 0; rc == 0 && f->names[i] != NULL; i++)
		rc = take_member(f, i, object, e);
	cleanse(object);
	json_decref(object);
	return rc;
}

int
fields_read(struct fields *f, const char *const *names, const struct request *r, bool json,
    struct error *e)
{
	static const struct request nothing = {.body = ""};
	int rc = 0;

	*f = (struct fields){.names = names};
	if (request_whole(r, e) == -1)
		return -1;
	if (r->body == NULL)
		r = &nothing;
	if (r == &nothing || fields_is_form(r->content_type)) {
		for (size_t i = 0; rc == 0 && names[i] != NULL; i++)
			rc = take_form(f, i, r, e);
	} else if (json && is_type(r->content_type, "application/json")) {
		rc = take_object(f, r, e);
	} else {
		rc = error_set(e, ERROR_MEDIA_TYPE,
		    "want a body of type application/x-www-form-urlencoded%s",
		    json ? " or application/json" : "");
	}
	if (rc == -1)
		fields_free(f);
	return rc;
}

void
fields_free(struct fields *f)
{
	for (size_t i = 0; i < FIELDS_MOST; i++) {
		if (f->values[i] != NULL)
			explicit_bzero(f->values[i], strlen(f->values[i]));
		free(f->values[i]);
		f->values[i] = NULL;
	}
}
