/* Sections that describe token files which are kept fresh. */
#define _GNU_SOURCE /* strdup */
#include "config/keep.h"

#include <stdlib.h>
#include <string.h>

#include "config/section.h"

#define FIELD(name) offsetof(struct keep_section, name)

static const struct key_row rows[] = {
    {"subject", NULL, key_set_string, FIELD(subject)},
    {"group-members", NULL, key_set_string, FIELD(group_members)},
    {"directories", NULL, key_set_path, FIELD(directories)},
    {"file", NULL, key_set_path, FIELD(file)},
    {"format", "jwt", key_set_format, FIELD(format)},
    {"profile", NULL, key_set_string, FIELD(profile)},
    {"audience", NULL, key_set_string, FIELD(audience)},
    {"lifetime", "30m", key_set_duration, FIELD(lifetime)},
    {"at-least", "10m", key_set_duration, FIELD(at_least)},
    {"owner", NULL, key_set_string, FIELD(owner)},
    {"group", NULL, key_set_string, FIELD(group)},
    {"mode", "0640", key_set_mode, FIELD(mode)},
    {"account", "unix", key_set_account, FIELD(unix_account)},
    {"when-refused", "leave", key_set_refused, FIELD(remove)},
    {"command", NULL, key_set_item, FIELD(command)},
    {"timeout", "10s", key_set_timeout, FIELD(timeout)},
    {"signal", NULL, key_set_signal, FIELD(signal)},
    {"pid-file", NULL, key_set_path, FIELD(pid_file)},
};

const struct table keep_keys = {rows, sizeof(rows) / sizeof(rows[0])};

/* Seconds that a lifetime is longer than what is left at least: the time for a renewal, when
 * "exp" has been rounded down. */
enum { LEAST_SLACK = 3 };

bool
keep_is_pattern(const struct keep_section *s)
{
	return s->group_members != NULL || s->directories != NULL;
}

int
keep_expand(char *to, size_t size, const char *text, const char *subject)
{
	const size_t variable = sizeof(KEEP_SUBJECT) - 1;
	size_t length = strlen(subject);
	size_t n = 0;

	for (const char *at; (at = strstr(text, KEEP_SUBJECT)) != NULL; text = at + variable) {
		size_t before = (size_t)(at - text);

		if (size - n <= before + length)
			return -1;
		memcpy(to + n, text, before);
		memcpy(to + n + before, subject, length);
		n += before + length;
	}
	if (size - n <= strlen(text))
		return -1;
	memcpy(to + n, text, strlen(text) + 1);
	return 0;
}

int
keep_add(struct keep_sections *to, const char *name, const char *where, struct error *e)
{
	struct keep_section *items, *s;

	if (!section_name_is_plain(name))
		return error_set(e, ERROR_CONFIG,
		    "%s: keep '%.64s': a name is of letters, digits and ._-: give another "
		    "name, and the subject by subject",
		    where, name);
	if (to->count == LIMIT_KEEP)
		return error_set(
		    e, ERROR_CONFIG, "%s: more than %d sections keep", where, LIMIT_KEEP);
	items = realloc(to->items, (to->count + 1) * sizeof(*items));
	if (items == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	to->items = items;
	s = &items[to->count++];
	*s = (struct keep_section){.name = strdup(name), .where = strdup(where)};
	if (s->name == NULL || s->where == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	return key_set_initial(keep_keys.rows, keep_keys.count, s, e);
}

/* Whether text has a variable that is none of ours. */
static bool
has_other_variable(const char *text)
{
	for (; (text = strstr(text, "${")) != NULL; text++)
		if (strncmp(text, KEEP_SUBJECT, sizeof(KEEP_SUBJECT) - 1) != 0)
			return true;
	return false;
}

static const char *
wrong_file(const struct keep_section *s)
{
	if (s->file == NULL)
		return "file is missing, the path of the token file";
	if (s->file[strlen(s->file) - 1] == '/')
		return "file is the path of a directory";
	if (has_other_variable(s->file))
		return "file has a variable other than " KEEP_SUBJECT;
	if (keep_is_pattern(s) && strstr(s->file, KEEP_SUBJECT) == NULL)
		return "file does not have " KEEP_SUBJECT ": all subjects would have one file";
	return NULL;
}

static const char *
find_wrong(const struct keep_section *s)
{
	const char *wrong = wrong_file(s);

	if ((s->subject != NULL) + (s->group_members != NULL) + (s->directories != NULL) > 1)
		return "give one of subject, group-members and directories";
	if (wrong != NULL)
		return wrong;
	if (s->at_least >= s->lifetime)
		return "at-least is not shorter than lifetime: no token would ever do";
	if (s->lifetime - s->at_least < LEAST_SLACK)
		return "lifetime is less than 3s longer than at-least: there is no time to "
		       "renew";
	if (s->owner != NULL && strcmp(s->owner, KEEP_SUBJECT) != 0 &&
	    strstr(s->owner, "${") != NULL)
		return "owner is the name of an account or " KEEP_SUBJECT;
	if (s->command.count > 0 && *s->command.items[0] != '/')
		return "command does not begin with an absolute path";
	if ((s->signal != 0) != (s->pid_file != NULL))
		return "signal and pid-file go together";
	return NULL;
}

int
keep_check(const struct keep_section *s, struct error *e)
{
	const char *wrong = find_wrong(s);

	return wrong == NULL
		   ? 0
		   : error_set(e, ERROR_CONFIG, "%s: keep '%s': %s", s->where, s->name, wrong);
}

static int
check_lifetime(const struct config *c, const struct keep_section *s, struct error *e)
{
	const struct profile *p =
	    s->profile == NULL ? NULL : config_profile(&c->profiles, s->profile);
	int64_t most = c->lifetime;

	if (s->profile != NULL && p == NULL)
		return error_set(e, ERROR_CONFIG, "%s: keep '%s': there is no profile '%.64s'",
		    s->where, s->name, s->profile);
	if (p != NULL && p->lifetime != 0 && p->lifetime < most)
		most = p->lifetime;
	if (s->lifetime <= most)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "%s: keep '%s': lifetime is %lld seconds, and tokens of %s have at most %lld",
	    s->where, s->name, (long long)s->lifetime,
	    p != NULL ? "this profile" : "this configuration", (long long)most);
}

int
keep_check_lifetimes(const struct config *c, struct error *e)
{
	for (size_t i = 0; i < c->keeps.count; i++)
		if (check_lifetime(c, &c->keeps.items[i], e) == -1)
			return -1;
	return 0;
}

void
keep_free(struct keep_sections *sections)
{
	for (size_t i = 0; i < sections->count; i++) {
		struct keep_section *s = &sections->items[i];

		key_free_fields(keep_keys.rows, keep_keys.count, s);
		free(s->name);
		free(s->where);
	}
	free(sections->items);
	*sections = (struct keep_sections){0};
}
