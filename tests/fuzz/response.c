/* service/response: texts from outside in header fields cannot end them. Input: the texts, a
 * line each. */
#include <stdlib.h>
#include <string.h>

#include "service/response.h"
#include "tests/fuzz/fuzz.h"

enum { TEXTS = 16 };

/* A text again, from its escapes. */
static const char *
check_text(const char *at, const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		char digits[3] = {0};

		if (*at != '%') {
			REQUIRE(*at == *c);
			at++;
			continue;
		}
		memcpy(digits, at + 1, 2);
		REQUIRE((unsigned char)strtoul(digits, NULL, 16) == (unsigned char)*c);
		at += 3;
	}
	return at;
}

static void
check_field(const char *field, size_t length, char *const *texts, size_t count)
{
	static const char name[] = "X-Auth-Groups: ";
	const char *at = field + strlen(name);
	size_t commas = 0;

	REQUIRE(strncmp(field, name, strlen(name)) == 0);
	REQUIRE(strlen(field) == length);
	for (const char *c = field; c < field + length - 2; c++) {
		REQUIRE(*c >= ' ' && *c < 0x7f);
		commas += *c == ',';
	}
	/* Those between the texts are the only ones. */
	REQUIRE(commas == (count > 0 ? count - 1 : 0));
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			REQUIRE(*at++ == ',');
		at = check_text(at, texts[i]);
	}
	REQUIRE(strcmp(at, "\r\n") == 0);
}

/* What is answered has its body behind the first empty line, and fields of ours alone. */
static void
check_answer(struct response *r, const char *text)
{
	struct error e = {0};
	struct buffer out;

	error_set(&e, ERROR_DENIED, "%s", *text != '\0' ? text : "?");
	response_error(r, &e, true);
	buffer_init(&out, 2 * LIMIT_RESPONSE);
	REQUIRE(r->body.length > 0 && response_render(r, &out) == 0);
	REQUIRE(strncmp(out.data, "Status: 403 ", 12) == 0);
	REQUIRE(strstr(out.data, "\r\n\r\n") + 4 == out.data + out.length - r->body.length);
	buffer_free(&out);
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	char *texts[TEXTS] = {0};
	struct response r;
	size_t count = 0;

	while (count < TEXTS && in.left > 0)
		texts[count++] = fuzz_line(&in);
	response_init(&r, "application/json");
	if (response_field(&r, "X-Auth-Groups", (const char *const *)texts, count) == 0)
		check_field(r.fields.data, r.fields.length, texts, count);
	check_answer(&r, count > 0 ? texts[0] : "");
	response_free(&r);
	while (count > 0)
		free(texts[--count]);
}

const struct fuzz_target fuzz_response = {.name = "response", .run = run};
