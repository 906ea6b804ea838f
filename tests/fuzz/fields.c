/* service/fields, service/form: bodies, as forms and as JSON. Input: a byte that says of which
 * type the body is, and the body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "service/fields.h"
#include "service/form.h"
#include "tests/fuzz/fuzz.h"

static const char *const names[] = {"grant_type", "username", "password", "ttl", "a", NULL};

/* A field as a form has it, every byte escaped. */
static void
append_escaped(struct buffer *to, const char *name, const char *value)
{
	REQUIRE(buffer_printf(to, "%s%s=", to->length > 0 ? "&" : "", name) == 0);
	for (const char *c = value; *c != '\0'; c++)
		REQUIRE(buffer_printf(to, "%%%02X", (unsigned int)(unsigned char)*c) == 0);
}

/* Read again from another form of the same, they are the same. */
static void
check_again(const struct fields *f, struct request *r, const char *type, struct buffer *body)
{
	struct fields again;
	struct error e;

	r->content_type = type;
	r->body = body->data;
	r->received = body->length;
	REQUIRE(fields_read(&again, names, r, true, &e) == 0);
	for (size_t i = 0; names[i] != NULL; i++) {
		REQUIRE((f->values[i] == NULL) == (again.values[i] == NULL));
		if (f->values[i] != NULL)
			REQUIRE(strcmp(f->values[i], again.values[i]) == 0);
	}
	fields_free(&again);
	buffer_free(body);
}

static void
check_accepted(const struct fields *f, bool form)
{
	struct request r = {0};
	json_t *object = json_object();
	bool control = false;
	struct buffer body;
	char *text;

	buffer_init(&body, 4 * 1024 * 1024);
	for (size_t i = 0; names[i] != NULL; i++) {
		if (f->values[i] == NULL)
			continue;
		REQUIRE(*f->values[i] != '\0' && strlen(f->values[i]) <= LIMIT_TOKEN);
		for (const char *c = f->values[i]; *c != '\0'; c++)
			control = control || (unsigned char)*c < ' ' || *c == 0x7f;
		(void)json_object_set_new(object, names[i], json_string(f->values[i]));
		append_escaped(&body, names[i], f->values[i]);
		control = control || json_object_get(object, names[i]) == NULL;
	}
	/* Of a form, none; but neither need what it has be UTF-8. */
	if (form || !control)
		check_again(f, &r, "application/x-www-form-urlencoded", &body);
	text = json_dumps(object, 0);
	buffer_free(&body);
	if (!control && text != NULL && buffer_append(&body, text, strlen(text)) == 0)
		check_again(f, &r, "application/json", &body);
	free(text);
	json_decref(object);
	buffer_free(&body);
}

static void
run(const uint8_t *bytes, size_t size)
{
	static const char *const types[] = {"application/x-www-form-urlencoded",
	    "application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", NULL};
	struct fuzz_input in = {bytes, size};
	struct request r = {.content_type = types[fuzz_byte(&in) % 5]};
	struct fields f;
	struct error e = {0};

	/* Without a NUL behind it. */
	r.body = (const char *)in.at;
	r.received = in.left;
	if (fields_read(&f, names, &r, true, &e) == 0) {
		check_accepted(&f, fields_is_form(r.content_type));
		fields_free(&f);
	} else {
		REQUIRE(e.code == ERROR_MALFORMED || e.code == ERROR_MEDIA_TYPE);
		fuzz_require_error(&e);
		for (size_t i = 0; i < FIELDS_MOST; i++)
			REQUIRE(f.values[i] == NULL);
	}
}

const struct fuzz_target fuzz_fields = {.name = "fields", .run = run};
