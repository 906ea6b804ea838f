#include "identity/rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/parse.h"
#include "base/text.h"

static const char *const verbs[] = {[VERB_AS] = "as", [VERB_GROUPS_OF] = "groups-of"};

/* The words of a line, and how far they were read. */
struct cursor {
	char *words[LIMIT_RULE_WORDS];
	bool quoted[LIMIT_RULE_WORDS]; /* a quoted word is never a keyword */
	size_t count;
	size_t at;
};

static int
add_word(struct cursor *c, const char *text, size_t length, bool quoted, struct error *e)
{
	char *copy;

	if (c->count == LIMIT_RULE_WORDS)
		return error_set(e, ERROR_CONFIG, "more than %d words", LIMIT_RULE_WORDS);
	/* No name, scheme, pattern or audience is empty. */
	if (length == 0)
		return error_set(e, ERROR_CONFIG, "an empty name");
	copy = strndup(text, length);
	if (copy == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	if (!text_clean(copy)) {
		free(copy);
		return error_set(e, ERROR_CONFIG, "a word that is not UTF-8 or holds a tab");
	}
	c->quoted[c->count] = quoted;
	c->words[c->count++] = copy;
	return 0;
}

/* Words are parted by blanks; one in double quotes may hold blanks, and is never a
 * keyword. A hash outside quotes starts a comment. */
static int
split(struct cursor *c, const char *line, size_t length, struct error *e)
{
	size_t i = 0;

	for (size_t n = 0; n < length; n++)
		if (line[n] != '\t' && ((unsigned char)line[n] < ' ' || line[n] == 0x7f))
			return error_set(e, ERROR_CONFIG, "control character in a rule");
	while (i < length) {
		bool quoted = line[i] == '"';
		size_t start = i + quoted;

		if (line[i] == ' ' || line[i] == '\t') {
			i++;
			continue;
		}
		if (line[i] == '#')
			return 0;
		for (i = start; i < length; i++)
			if (quoted ? line[i] == '"'
				   : line[i] == ' ' || line[i] == '\t' || line[i] == '"')
				break;
		if (quoted != (i < length && line[i] == '"'))
			return error_set(e, ERROR_CONFIG, "a quote that is not paired");
		if (add_word(c, line + start, i - start, quoted, e) == -1)
			return -1;
		i += quoted;
		if (i < length && line[i] != ' ' && line[i] != '\t')
			return error_set(e, ERROR_CONFIG, "a blank is missing after a quote");
	}
	return 0;
}

static bool
next_is(const struct cursor *c, const char *keyword)
{
	return c->at < c->count && !c->quoted[c->at] && strcmp(c->words[c->at], keyword) == 0;
}

static bool
take(struct cursor *c, const char *keyword)
{
	if (!next_is(c, keyword))
		return false;
	c->at++;
	return true;
}

/* Gives the next word away, which there is; it is the caller's then. */
static char *
take_word(struct cursor *c)
{
	char *word = c->words[c->at];

	c->words[c->at++] = NULL;
	return word;
}

static bool
at_keyword(const struct cursor *c)
{
	static const char *const keywords[] = {
	    "via", "as", "groups-of", "ttl", "audience", "profile", "live"};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (next_is(c, keywords[i]))
			return true;
	return c->at == c->count;
}

static void
words_free(words list)
{
	for (char **w = list; w != NULL && *w != NULL; w++)
		free(*w);
	free(list);
}

/* The words up to the next keyword. *self, if wanted, says whether "self" was among them
 * and was left out. */
static int
take_list(struct cursor *c, words *list, bool *self, const char *keyword, struct error *e)
{
	size_t count = 0;

	if (*list != NULL)
		return error_set(e, ERROR_CONFIG, "'%s' twice", keyword);
	if (at_keyword(c))
		return error_set(e, ERROR_CONFIG, "'%s' without a value", keyword);
	*list = calloc(LIMIT_RULE_WORDS + 1, sizeof(**list));
	if (*list == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	while (!at_keyword(c)) {
		if (self != NULL && take(c, "self"))
			*self = true;
		else
			(*list)[count++] = take_word(c);
	}
	return 0;
}

static int
take_who(struct cursor *c, struct rule *r, struct error *e)
{
	char *word;

	if (at_keyword(c))
		return error_set(
		    e, ERROR_CONFIG, "who? a name, :GROUP, authenticated, anonymous or any");
	if (take(c, "any"))
		r->who = WHO_ANY;
	else if (take(c, "authenticated"))
		r->who = WHO_AUTHENTICATED;
	else if (take(c, "anonymous"))
		r->who = WHO_ANONYMOUS;
	else {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a word is left */
		r->who = !c->quoted[c->at] && *c->words[c->at] == ':' ? WHO_GROUP : WHO_NAME;
		word = take_word(c);
		r->name = strdup(r->who == WHO_GROUP ? word + 1 : word);
		free(word);
		if (r->name == NULL)
			return error_set(e, ERROR_INTERNAL, "out of memory");
		if (*r->name == '\0')
			return error_set(e, ERROR_CONFIG, "an empty name");
	}
	if (!take(c, "via"))
		return 0;
	if (at_keyword(c))
		return error_set(e, ERROR_CONFIG, "'via' without an authentication scheme");
	if (r->who == WHO_ANONYMOUS)
		return error_set(e, ERROR_CONFIG, "nobody is anonymous via a scheme");
	r->scheme = take_word(c);
	return 0;
}

static int
take_ttl(struct cursor *c, struct rule *r, struct error *e)
{
	const char *word = c->at < c->count ? c->words[c->at] : "";

	if (r->ttl != 0)
		return error_set(e, ERROR_CONFIG, "'ttl' twice");
	if (parse_duration(word, strlen(word), &r->ttl) == -1)
		return error_set(
		    e, ERROR_CONFIG, "'ttl' wants a duration such as 90s, 15m or 24h");
	c->at++;
	return 0;
}

static int
take_live(struct cursor *c, struct rule *r, struct error *e)
{
	const char *word = c->at < c->count ? c->words[c->at] : "";
	uint64_t n;

	if (r->live != 0)
		return error_set(e, ERROR_CONFIG, "'live' twice");
	if (parse_number(word, strlen(word), 1000000, &n) == -1 || n == 0)
		return error_set(e, ERROR_CONFIG, "'live' wants a number from 1 to 1000000");
	r->live = (unsigned int)n;
	c->at++;
	return 0;
}

/* A list of words that each have less than size bytes. */
static int
take_names(struct cursor *c, words *list, const char *keyword, size_t size, struct error *e)
{
	if (take_list(c, list, NULL, keyword, e) == -1)
		return -1;
	for (char **w = *list; *w != NULL; w++)
		if (strlen(*w) >= size)
			return error_set(e, ERROR_CONFIG, "'%s' with more than %zu bytes",
			    keyword, size - 1);
	return 0;
}

static int
take_options(struct cursor *c, struct rule *r, struct error *e)
{
	while (c->at < c->count) {
		int rc;

		if (!r->permit || r->verb != VERB_AS)
			return error_set(e, ERROR_CONFIG, "'%.64s': a %s rule has no options",
			    c->words[c->at], r->permit ? verbs[r->verb] : "deny");
		if (take(c, "ttl"))
			rc = take_ttl(c, r, e);
		else if (take(c, "live"))
			rc = take_live(c, r, e);
		else if (take(c, "audience"))
			rc = take_names(c, &r->audiences, "audience", LIMIT_AUDIENCE, e);
		else if (take(c, "profile"))
			rc = take_names(c, &r->profiles, "profile", LIMIT_PROFILE, e);
		else
			rc = error_set(e, ERROR_CONFIG,
			    "'%.64s': ttl, audience, profile and live are the options",
			    c->words[c->at]);
		if (rc == -1)
			return -1;
	}
	return 0;
}

static int
take_rule(struct cursor *c, struct rule *r, struct error *e)
{
	r->permit = take(c, "permit");
	if (!r->permit && !take(c, "deny"))
		return error_set(
		    e, ERROR_CONFIG, "'%.64s': a rule starts with permit or deny", c->words[0]);
	if (take_who(c, r, e) == -1)
		return -1;
	if (take(c, "groups-of"))
		r->verb = VERB_GROUPS_OF;
	else if (!take(c, "as"))
		return error_set(
		    e, ERROR_CONFIG, "as whom? 'as self' or 'as PATTERN' is missing");
	if (take_list(c, &r->subjects, &r->self, verbs[r->verb], e) == -1)
		return -1;
	if (r->self && r->who == WHO_ANONYMOUS)
		return error_set(e, ERROR_CONFIG, "an anonymous caller has no self");
	return take_options(c, r, e);
}

int
rule_parse(struct rule *r, const char *line, size_t length, struct error *e)
{
	struct cursor c = {0};
	int rc;

	*r = (struct rule){0};
	rc = split(&c, line, length, e);
	if (rc == 0 && c.count > 0)
		rc = take_rule(&c, r, e) == 0 ? 1 : -1;
	for (size_t i = 0; i < c.count; i++)
		free(c.words[i]);
	if (rc == -1)
		rule_free(r);
	return rc;
}

void
rule_free(struct rule *r)
{
	free(r->name);
	free(r->scheme);
	free(r->where);
	words_free(r->subjects);
	words_free(r->audiences);
	words_free(r->profiles);
	*r = (struct rule){0};
}

int
rule_check_profiles(const struct rule *r, const struct profiles *profiles, struct error *e)
{
	for (char **name = r->profiles; name != NULL && *name != NULL; name++)
		if (strcmp(*name, RULE_NO_PROFILE) != 0 &&
		    (profiles == NULL || config_profile(profiles, *name) == NULL))
			return error_set(e, ERROR_CONFIG,
			    "profile '%.64s' is not in the configuration", *name);
	return 0;
}

int
rule_check_group(const struct rule *r, const struct groups_config *groups, struct error *e)
{
	if (r->who != WHO_GROUP || !groups_never(groups, r->name))
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "':%.64s' is nobody: names of groups are lower case, as all sources but unix make "
	    "them",
	    r->name);
}

bool
rule_next_line(const char **text, size_t *length, const char **line, size_t *size)
{
	const char *end = *length == 0 ? NULL : memchr(*text, '\n', *length);
	size_t taken = end != NULL ? (size_t)(end - *text) + 1 : *length;

	*line = *text;
	*size = taken - (end != NULL);
	*text += taken;
	*length -= taken;
	return taken > 0;
}
