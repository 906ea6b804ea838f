#include "identity/ldap_filter.h"

#include <stdbool.h>
#include <string.h>

/* The template as far as it is read. */
struct reading {
	const char *start;
	const char *at;
	size_t count; /* of places */
	const char *wrong;
};

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The first thing that is wrong stays. */
static bool
wrong(struct reading *r, const char *why)
{
	if (r->wrong == NULL)
		r->wrong = why;
	return false;
}

/* A place, {0}; its number is of one digit. */
static bool
read_place(struct reading *r)
{
	if (r->at[1] < '0' || (size_t)(r->at[1] - '0') >= r->count || r->at[2] != '}')
		return wrong(r, r->count > 1
				    ? "want {0} or {1}, and \\7b for a brace that is meant"
				    : "want {0}, and \\7b for a brace that is meant");
	r->at += 3;
	return true;
}

/* What stands right of "=": to the parenthesis that closes the comparison. */
static bool
read_value(struct reading *r)
{
	while (*r->at != ')') {
		unsigned char c = (unsigned char)*r->at;

		if (c == '{') {
			if (!read_place(r))
				return false;
			continue;
		}
		if (c == '\0')
			return wrong(r, "a parenthesis is not closed");
		if (c == '(' || c == '}' || c < ' ' || c == 0x7f)
			return wrong(
			    r, "a character that is to be written \\ and its two digits");
		if (c == '\\' && (!is_hex(r->at[1]) || !is_hex(r->at[2])))
			return wrong(r, "want two hexadecimal digits behind \\");
		r->at += c == '\\' ? 3 : 1;
	}
	return true;
}

/* An attribute, with what may stand between it and "=": "cn", "cn;lang-en", "member:1.2.3:",
 * "cn~". */
static bool
read_comparison(struct reading *r)
{
	const char *name = r->at;

	while (is_word(*r->at) || (*r->at != '\0' && strchr("-.;:_", *r->at) != NULL))
		r->at++;
	if (r->at == name)
		return wrong(r, "want the name of an attribute");
	if (*r->at != '\0' && strchr("~<>", *r->at) != NULL)
		r->at++;
	if (*r->at != '=')
		return wrong(r, "want =");
	r->at++;
	return read_value(r);
}

static bool
read_filter(struct reading *r, int depth)
{
	if (*r->at != '(')
		return wrong(r, "want (");
	if (depth == LDAP_FILTER_DEPTH)
		return wrong(r, "too many parentheses");
	r->at++;
	if (*r->at == '&' || *r->at == '|') {
		r->at++;
		do {
			if (!read_filter(r, depth + 1))
				return false;
		} while (*r->at == '(');
	} else if (*r->at == '!') {
		r->at++;
		if (!read_filter(r, depth + 1))
			return false;
	} else if (!read_comparison(r)) {
		return false;
	}
	if (*r->at != ')')
		return wrong(r, "want )");
	r->at++;
	return true;
}

int
ldap_filter_check(const char *template, size_t count, struct error *e)
{
	struct reading r = {.start = template, .at = template, .count = count};

	if (read_filter(&r, 0) && *r.at != '\0')
		(void)wrong(&r, "more behind the last parenthesis");
	if (r.wrong == NULL)
		return 0;
	return error_set(e, ERROR_CONFIG, "'%.128s': character %zu: %s", template,
	    (size_t)(r.at - r.start) + 1, r.wrong);
}

/* More is escaped than must be: what is left is the same in every character set and log. */
static int
append_escaped(struct buffer *to, const char *value)
{
	for (const char *c = value; *c != '\0'; c++) {
		bool plain = *c >= ' ' && *c < 0x7f && strchr("*()\\", *c) == NULL;

		if ((plain ? buffer_append(to, c, 1)
			   : buffer_printf(to, "\\%02x", (unsigned int)(unsigned char)*c)) ==
		    -1)
			return -1;
	}
	return 0;
}

int
ldap_filter_fill(
    struct buffer *to, const char *template, const char *const *values, struct error *e)
{
	const char *at = template;

	buffer_free(to);
	for (;;) {
		size_t length = strcspn(at, "{");

		if (buffer_append(to, at, length) == -1)
			break;
		at += length;
		if (*at == '\0')
			return 0;
		if (append_escaped(to, values[at[1] - '0']) == -1)
			break;
		at += 3;
	}
	return error_set(
	    e, ERROR_UNAVAILABLE, "the filter grows longer than %zu bytes", to->limit);
}
