#define _GNU_SOURCE /* strdup */
#include "tools/authserver-keep/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "store/directory.h"
#include "store/keep_time.h"

/* Of a directory that is made for a file: its owner's way to it, and nothing to list. */
enum { DIRECTORY_MODE = 0711 };

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct kept *)a)->path, ((const struct kept *)b)->path);
}

static void
kept_free(struct kept *k)
{
	free(k->subject);
	free(k->path);
	free(k->said);
	*k = (struct kept){0};
}

void
kept_list_free(struct kept_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		kept_free(&l->items[i]);
	for (size_t i = 0; l->said != NULL && i < l->sections; i++)
		free(l->said[i]);
	free(l->items);
	free(l->said);
	*l = (struct kept_list){0};
}

bool
kept_say(char **said, const struct log *log, const char *name, const struct error *e)
{
	if (e != NULL && *said != NULL && strcmp(*said, e->text) == 0)
		return false;
	free(*said);
	*said = NULL;
	if (e == NULL)
		return false;
	*said = strdup(e->text); /* NULL: it is said again */
	if (log != NULL)
		log_line(log, LOG_LEVEL_WARNING, "Not kept: %s: %s%s%s", name, e->text,
		    *e->detail != '\0' ? ": " : "", e->detail);
	return true;
}

int
kept_open_directory(
    struct directory *d, const char **name, const char *path, bool create, struct error *e)
{
	char parent[LIMIT_PATH];
	const char *slash = strrchr(path, '/');

	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path + 1), path);
	*name = slash + 1;
	return directory_open(d, parent, create ? DIRECTORY_MODE : 0, (gid_t)-1, e);
}

static int
add(struct kept_list *to, const struct keep_section *s, gid_t group, const char *subject,
    const char *host, struct error *e)
{
	char path[LIMIT_PATH];
	struct kept *k;

	if (keep_expand(path, sizeof(path), s->file, subject) == -1)
		return error_set(e, ERROR_CONFIG, "%s: file is too long a path", s->where);
	if (to->count == LIMIT_KEPT)
		return error_set(e, ERROR_CONFIG, "more than %d files", LIMIT_KEPT);
	if ((to->count & (to->count - 1)) == 0) {
		size_t room = to->count == 0 ? 1 : 2 * to->count;
		struct kept *items = realloc(to->items, room * sizeof(*items));

		if (items == NULL)
			return error_set(e, ERROR_UNAVAILABLE, "out of memory");
		to->items = items;
	}
	k = &to->items[to->count++];
	*k = (struct kept){.section = s,
	    .group = group,
	    .no_group = s->group != NULL && group == (gid_t)-1,
	    .subject = strdup(subject),
	    .path = strdup(path),
	    .phase = keep_time_phase(host, path)};
	return k->subject != NULL && k->path != NULL
		   ? 0
		   : error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

/* The subjects that the section had. */
static int
take_over(
    struct subjects *to, const struct kept_list *before, const char *section, struct error *e)
{
	for (size_t i = 0; i < before->count; i++)
		if (strcmp(before->items[i].section->name, section) == 0 &&
		    subjects_add(to, before->items[i].subject, e) == -1)
			return -1;
	return 0;
}

/* A list while it is made. */
struct making {
	struct kept_list *to;
	const struct kept_list *before;
	const struct issuer *issuer;
	const struct log *log;
	bool *wrong; /* one a section: whether something was said of it */
};

/* Says what is wrong with the n-th section. */
static void
complain(struct making *m, size_t n, const struct error *e)
{
	(void)kept_say(&m->to->said[n], m->log, m->issuer->config.keeps.items[n].name, e);
	m->wrong[n] = true;
}

static int
add_section(struct making *m, size_t n, struct error *e)
{
	const struct issuer *i = m->issuer;
	const struct keep_section *s = &i->config.keeps.items[n];
	struct subjects subjects = {0};
	struct error wrong = {0};
	gid_t group = (gid_t)-1;
	int rc = 0;

	if ((s->group != NULL && account_group(s->group, &group, &wrong) == -1) ||
	    subjects_list(&subjects, s, i->grammar, &wrong) == -1) {
		error_prefix(&wrong, "%s", s->where);
		complain(m, n, &wrong);
		rc = take_over(&subjects, m->before, s->name, e);
	}
	for (size_t j = 0; rc == 0 && j < subjects.count; j++)
		rc = add(m->to, s, group, subjects.items[j], i->signing.host, e);
	subjects_free(&subjects);
	return rc;
}

/* Of two sections that name the same file, the first one in the configuration has it. */
static void
drop_doubles(struct making *m)
{
	struct kept_list *l = m->to;
	size_t n = 0;

	for (size_t j = 0; j < l->count; j++) {
		struct kept *k = &l->items[j];
		struct error e;

		if (n == 0 || strcmp(l->items[n - 1].path, k->path) != 0) {
			l->items[n++] = *k;
			continue;
		}
		if (k->section < l->items[n - 1].section) {
			struct kept first = *k;

			*k = l->items[n - 1];
			l->items[n - 1] = first;
		}
		error_set(&e, ERROR_CONFIG, "%s: %s is the file of the section '%s' already",
		    k->section->where, k->path, l->items[n - 1].section->name);
		complain(m, (size_t)(k->section - m->issuer->config.keeps.items), &e);
		kept_free(k);
	}
	l->count = n;
}

/* What is known of a file. */
static void
carry(struct kept_list *to, struct kept_list *before, bool anew)
{
	for (size_t i = 0, j = 0; i < to->count && j < before->count;) {
		struct kept *k = &to->items[i], *old = &before->items[j];
		int order = strcmp(k->path, old->path);

		if (order == 0 && strcmp(k->subject, old->subject) == 0) {
			k->inspected = old->inspected && !anew;
			k->expires = old->expires;
			k->due = old->due;
			k->mark = old->mark;
			k->said = old->said;
			old->said = NULL;
			if (!anew) {
				k->retry = old->retry;
				k->failed = old->failed;
			}
		}
		i += order <= 0;
		j += order >= 0;
	}
}

static bool
is_named(char *const *names, const char *name)
{
	for (; names != NULL && *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static int
check_names(char *const *names, const struct keep_sections *sections, struct error *e)
{
	for (; names != NULL && *names != NULL; names++) {
		bool there = false;

		for (size_t i = 0; i < sections->count; i++)
			there = there || strcmp(sections->items[i].name, *names) == 0;
		if (!there)
			return error_set(e, ERROR_CONFIG,
			    "the configuration has no section keep '%.64s'", *names);
	}
	return 0;
}

/* All sections that are named, in order. */
static int
add_sections(struct making *m, char *const *names, struct error *e)
{
	const struct keep_sections *sections = &m->issuer->config.keeps;
	bool all = names == NULL || *names == NULL;

	for (size_t n = 0; n < sections->count; n++)
		if ((all || is_named(names, sections->items[n].name)) &&
		    add_section(m, n, e) == -1)
			return -1;
	if (m->to->count > 0)
		qsort(m->to->items, m->to->count, sizeof(*m->to->items), compare_paths);
	drop_doubles(m);
	for (size_t n = 0; n < sections->count; n++)
		if (!m->wrong[n])
			(void)kept_say(&m->to->said[n], m->log, NULL, NULL);
	return 0;
}

int
kept_list_make(struct kept_list *to, struct kept_list *before, const struct issuer *i,
    char *const *names, bool anew, const struct log *log, struct error *e)
{
	const struct keep_sections *sections = &i->config.keeps;
	struct making m = {.to = to, .before = before, .issuer = i, .log = log};
	int rc;

	*to = (struct kept_list){.sections = sections->count};
	if (check_names(names, sections, e) == -1)
		return -1;
	to->said = calloc(sections->count + 1, sizeof(*to->said));
	m.wrong = calloc(sections->count + 1, sizeof(*m.wrong));
	if (to->said == NULL || m.wrong == NULL) {
		free(m.wrong);
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	}
	if (!anew && before->said != NULL && before->sections == to->sections) {
		char **said = to->said;

		to->said = before->said;
		before->said = said;
	}
	rc = add_sections(&m, names, e);
	free(m.wrong);
	if (rc == 0)
		carry(to, before, anew);
	return rc;
}
