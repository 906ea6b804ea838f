/* identity/ldap_filter: values never become part of a filter's form. Input: the template and
 * two values, a line each. */
#include <stdlib.h>
#include <string.h>

#include "identity/ldap_filter.h"
#include "tests/fuzz/fuzz.h"

/* The length of value as it stands at text, escaped: every byte of it, and no metacharacter. */
static size_t
check_value(const char *text, const char *value)
{
	const char *at = text;

	for (const char *c = value; *c != '\0'; c++) {
		char digits[3] = {0};

		if (*at != '\\') {
			REQUIRE(*at == *c && *at >= ' ' && *at < 0x7f);
			REQUIRE(strchr("*()\\", *at) == NULL);
			at++;
			continue;
		}
		memcpy(digits, at + 1, 2);
		REQUIRE(strspn(digits, "0123456789abcdef") == 2);
		REQUIRE((unsigned char)strtoul(digits, NULL, 16) == (unsigned char)*c);
		at += 3;
	}
	return (size_t)(at - text);
}

/* The filter is the template byte by byte, but for its places. */
static void
check_filled(const char *filter, const char *template, const char *const *values)
{
	int depth = 0;

	for (const char *at = filter; *at != '\0'; at++) {
		depth += *at == '(';
		depth -= *at == ')';
		REQUIRE(depth > 0 || at[1] == '\0');
	}
	REQUIRE(depth == 0);
	while (*template != '\0') {
		if (*template != '{') {
			REQUIRE(*filter++ == *template ++);
			continue;
		}
		filter += check_value(filter, values[template[1] - '0']);
		template += 3;
	}
	REQUIRE(*filter == '\0');
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	char *template = fuzz_line(&in);
	char *first = fuzz_line(&in);
	char *second = fuzz_rest(&in, &size);
	const char *const values[] = {first, second};
	struct error e = {0};
	struct buffer filter;

	buffer_init(&filter, LDAP_FILTER_MAX);
	if (ldap_filter_check(template, 2, &e) == -1)
		fuzz_require_error(&e);
	else if (ldap_filter_fill(&filter, template, values, &e) == 0)
		check_filled(filter.data, template, values);
	else
		REQUIRE(e.code == ERROR_UNAVAILABLE);
	buffer_free(&filter);
	free(template);
	free(first);
	free(second);
}

const struct fuzz_target fuzz_ldap_filter = {.name = "ldap_filter", .run = run};
