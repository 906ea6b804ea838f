#include "config/source.h"

#include <stdbool.h>
#include <string.h>

/* Stands for a dollar: a byte that no file may have. */
enum { HIDDEN_DOLLAR = 1 };

struct scan {
	char inside;         /* the quote or '#' that we are in; 0 outside */
	bool escaped;        /* in quotes, behind a backslash */
	bool in_word;        /* outside, in a value without quotes */
	unsigned int line;   /* of this byte */
	unsigned int opened; /* line of the quote */
	unsigned int depth;  /* braces that are open */
	unsigned int brace;  /* line of the outermost of them */
};

static bool
is_control(char c)
{
	return c == 0x7f || ((unsigned char)c < ' ' && memchr("\t\n\r", c, 3) == NULL);
}

static char
take_quoted(struct scan *s, char c, char next)
{
	if (s->escaped) {
		s->escaped = false;
		return c;
	}
	s->escaped = c == '\\';
	if (c == s->inside)
		s->inside = '\0';
	return c == '$' && next == '{' ? HIDDEN_DOLLAR : c;
}

static char
take_outside(struct scan *s, char c, char next, const char **wrong)
{
	bool starts = !s->in_word;

	s->in_word = memchr(" \t\r\n={}(),", c, 10) == NULL;
	if (c == '#' || c == '"' || c == '\'') {
		s->inside = c;
		s->opened = s->line;
		s->in_word = false;
		return c == '#' ? ' ' : c;
	}
	if (c == '{') {
		if (s->depth++ == 0)
			s->brace = s->line;
	} else if (c == '}' && s->depth > 0) {
		s->depth--;
	}
	if (c == '*' || c == '+')
		*wrong = "a value with * or + needs quotes, and a comment starts with #";
	else if (starts && c == '/' && next == '/')
		*wrong = "a comment starts with #, and a value with // needs quotes";
	return c == '$' && next == '{' ? HIDDEN_DOLLAR : c;
}

/* The byte that libconfuse is given for c. */
static char
take(struct scan *s, char c, char next, const char **wrong)
{
	if (is_control(c))
		*wrong = "not a configuration file: it has control bytes";
	if (s->inside == '\0')
		return take_outside(s, c, next, wrong);
	if (s->inside != '#')
		return take_quoted(s, c, next);
	if (c != '\n')
		return ' ';
	s->inside = '\0';
	return c;
}

int
source_clean(
    struct buffer *to, const char *text, size_t length, const char *name, struct error *e)
{
	struct scan s = {.line = 1};
	char *at = buffer_reserve(to, length);

	if (at == NULL)
		return error_set(
		    e, ERROR_CONFIG, "%s: not a configuration file: too large", name);
	for (size_t i = 0; i < length; i++) {
		const char *wrong = NULL;

		at[i] = take(&s, text[i], i + 1 < length ? text[i + 1] : '\0', &wrong);
		if (wrong != NULL)
			return error_set(e, ERROR_CONFIG, "%s:%u: %s", name, s.line, wrong);
		s.line += text[i] == '\n';
	}
	if (s.inside == '"' || s.inside == '\'')
		return error_set(
		    e, ERROR_CONFIG, "%s:%u: a quote that is not closed", name, s.opened);
	if (s.depth > 0)
		return error_set(
		    e, ERROR_CONFIG, "%s:%u: a brace that is not closed", name, s.brace);
	at[length] = '\0';
	to->length += length;
	return 0;
}

void
source_show(char *text)
{
	while ((text = strchr(text, HIDDEN_DOLLAR)) != NULL)
		*text = '$';
}
