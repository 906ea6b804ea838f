#include "identity/subject.h"

#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct subject_grammar {
	bool widened;
	regex_t pattern;
};

int
subject_grammar_new(struct subject_grammar **out, const char *pattern, struct error *e)
{
	struct subject_grammar *g = calloc(1, sizeof(*g));
	char reason[128];
	int failed;

	*out = NULL;
	if (g == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	if (pattern != NULL) {
		failed = regcomp(&g->pattern, pattern, REG_EXTENDED);
		if (failed != 0) {
			(void)regerror(failed, &g->pattern, reason, sizeof(reason));
			free(g);
			return error_set(e, ERROR_CONFIG, "subject-pattern: %s", reason);
		}
		g->widened = true;
	}
	*out = g;
	return 0;
}

void
subject_grammar_free(struct subject_grammar *g)
{
	if (g == NULL)
		return;
	if (g->widened)
		regfree(&g->pattern);
	free(g);
}

static bool
in_grammar(const char *subject)
{
	static const char first[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	static const char rest[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@+-";

	return strchr(first, *subject) != NULL && subject[strspn(subject, rest)] == '\0';
}

/* The longest match is the one that is found (POSIX), so it is whole if any is. */
static bool
matches_whole(const regex_t *pattern, const char *subject)
{
	regmatch_t match;

	return regexec(pattern, subject, 1, &match, 0) == 0 && match.rm_so == 0 &&
	       (size_t)match.rm_eo == strlen(subject);
}

/* What no pattern can allow. */
static bool
never(const char *subject)
{
	return strcmp(subject, ".") == 0 || strcmp(subject, "..") == 0 ||
	       strchr(subject, '/') != NULL || !text_clean(subject);
}

int
subject_check(const struct subject_grammar *g, const char *subject, struct error *e)
{
	if (*subject == '\0')
		return error_set(e, ERROR_MALFORMED, "no subject: ask for /SUBJECT");
	if (strlen(subject) >= LIMIT_SUBJECT)
		return error_set(e, ERROR_MALFORMED, "the subject is longer than %d bytes",
		    LIMIT_SUBJECT - 1);
	if (in_grammar(subject))
		return 0;
	if (g->widened && !never(subject) && matches_whole(&g->pattern, subject))
		return 0;
	return error_set(e, ERROR_MALFORMED,
	    "the subject may hold letters, digits and . _ @ + - and starts with a letter, "
	    "digit or _");
}
