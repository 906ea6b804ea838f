/*
 * identity/subject and what becomes of a subject: the name of a file, a segment of a URL.
 * Input: a byte that says which grammar, and the subject.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "identity/source_rest_url.h"
#include "identity/subject.h"
#include "store/token_name.h"
#include "tests/fuzz/fuzz.h"

enum { GRAMMARS = 4 };

static struct subject_grammar *grammars[GRAMMARS];

static void
start(void)
{
	static const char *const patterns[GRAMMARS] = {
	    NULL, ".*", "[^/]+", "[A-Z][a-z]+ [A-Z][a-z]+|[.]*"};
	struct error e;

	for (size_t i = 0; i < GRAMMARS; i++)
		REQUIRE(subject_grammar_new(&grammars[i], patterns[i], &e) == 0);
}

/* The subject that the part of a name before its tail stands for. */
static void
decode(char *to, const char *stem, size_t length)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < length; i++) {
		if (stem[i] != '%') {
			*to++ = stem[i];
			continue;
		}
		*to++ = (char)((strchr(hex, stem[i + 1]) - hex) << 4 |
			       (strchr(hex, stem[i + 2]) - hex));
		i += 2;
	}
	*to = '\0';
}

/* The name is one that stays where it is put, is found again, and leads back. */
static void
check_name(const char *subject)
{
	const int64_t time = 1700000000123456789;
	char name[LIMIT_FILE_NAME], back[LIMIT_FILE_NAME];
	int64_t read = 0;

	if (token_name_format(name, subject, time) == -1) {
		/* Only what is made of escapes is too long for a file. */
		REQUIRE(3 * strlen(subject) + TOKEN_NAME_TAIL >= LIMIT_FILE_NAME - 3);
		return;
	}
	REQUIRE(strlen(name) < LIMIT_FILE_NAME && strchr(name, '/') == NULL);
	REQUIRE(*name != '.' && *name != '-' && !token_name_is_temporary(name));
	for (const char *c = name; *c != '\0'; c++)
		REQUIRE(*c > ' ' && *c < 0x7f);
	REQUIRE(token_name_parse(name, &read) == 0 && read == time);
	decode(back, name, strlen(name) - TOKEN_NAME_TAIL);
	REQUIRE(strcmp(back, subject) == 0);
}

static void
check_segment(const char *subject)
{
	static const char base[] = "https://groups.example/of/";
	struct buffer url;
	struct error e = {0};

	buffer_init(&url, LIMIT_PATH);
	if (rest_url_of(&url, base, subject, &e) == 0) {
		REQUIRE(strncmp(url.data, base, strlen(base)) == 0);
		REQUIRE(strpbrk(url.data + strlen(base), "/?#\\ \r\n:@") == NULL);
	} else {
		fuzz_require_error(&e);
	}
	buffer_free(&url);
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	struct subject_grammar *g = grammars[fuzz_byte(&in) % GRAMMARS];
	char *subject = fuzz_rest(&in, &size);
	struct error e = {0};

	if (subject_check(g, subject, &e) == -1) {
		REQUIRE(e.code == ERROR_MALFORMED);
		fuzz_require_error(&e);
		/* What the default takes, no pattern takes away. */
		REQUIRE(subject_check(grammars[0], subject, &e) == -1);
	} else {
		REQUIRE(*subject != '\0' && strlen(subject) < LIMIT_SUBJECT);
		REQUIRE(text_clean(subject) && strchr(subject, '/') == NULL);
		REQUIRE(strcmp(subject, ".") != 0 && strcmp(subject, "..") != 0);
		check_name(subject);
		check_segment(subject);
	}
	free(subject);
}

const struct fuzz_target fuzz_subject = {.name = "subject", .start = start, .run = run};
