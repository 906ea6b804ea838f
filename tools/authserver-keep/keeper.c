#define _GNU_SOURCE
#include "tools/authserver-keep/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "store/keep_file.h"
#include "store/keep_time.h"
#include "tools/authserver-keep/gone.h"
#include "tools/authserver-keep/inspect.h"

struct keep_terms
keeper_terms(const struct keeper *k, const struct keep_section *s)
{
	return (struct keep_terms){.lifetime = s->lifetime * NANOSECONDS,
	    .at_least = s->at_least * NANOSECONDS,
	    .every = k->options->every};
}

static int
check_every(const struct keeper *k, const struct issuer *i, struct error *e)
{
	for (size_t n = 0; n < i->config.keeps.count; n++) {
		const struct keep_section *s = &i->config.keeps.items[n];
		const struct keep_terms terms = keeper_terms(k, s);

		if (keep_time_period(&terms) <= 0)
			return error_set(e, ERROR_CONFIG,
			    "%s: keep '%s': a pass every %lld seconds is too seldom: at-least "
			    "would not be kept: raise lifetime, or pass more often and say so "
			    "with --every",
			    s->where, s->name, (long long)(k->options->every / NANOSECONDS));
	}
	return 0;
}

/* Loads what keeper_open() and keeper_reload() do. */
static int
load(struct keeper *k, struct error *e)
{
	struct kept_list list = {0};
	struct issuer *i = NULL;

	if (issuer_open(&i, k->options->flags, e) == -1)
		return -1;
	if (i->config.keeps.count == 0)
		error_set(e, ERROR_CONFIG,
		    "nothing to keep: the configuration has no section keep, or none was "
		    "named by --config");
	else if (check_every(k, i, e) == 0 &&
		 kept_list_make(&list, &k->list, i, k->options->names, true, k->log, e) == 0) {
		kept_list_free(&k->list);
		issuer_free(k->issuer);
		k->list = list;
		k->issuer = i;
		return 0;
	}
	kept_list_free(&list);
	issuer_free(i);
	return -1;
}

int
keeper_open(struct keeper *k, const struct keeper_options *options, const struct log *log,
    struct error *e)
{
	*k = (struct keeper){.options = options, .log = log, .hooks = hooks_new(log)};
	if (k->hooks == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	return load(k, e);
}

void
keeper_close(struct keeper *k)
{
	hooks_free(k->hooks);
	kept_list_free(&k->list);
	issuer_free(k->issuer);
}

int
keeper_reload(struct keeper *k, struct error *e)
{
	return load(k, e);
}

/* --- all files --- */

/* Whether the file is another one than it was, or has been written to. */
static bool
is_changed(const struct kept *f)
{
	struct stat st;

	if (fstatat(AT_FDCWD, f->path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT && f->mark.st_nlink != 0;
	return st.st_ino != f->mark.st_ino || st.st_dev != f->mark.st_dev ||
	       st.st_size != f->mark.st_size || st.st_mode != f->mark.st_mode ||
	       st.st_uid != f->mark.st_uid || st.st_gid != f->mark.st_gid ||
	       st.st_mtim.tv_sec != f->mark.st_mtim.tv_sec ||
	       st.st_mtim.tv_nsec != f->mark.st_mtim.tv_nsec;
}

static bool
is_chosen(const struct keeper *k, const char *name)
{
	char *const *n = k->options->names;

	for (; n != NULL && *n != NULL; n++)
		if (strcmp(*n, name) == 0)
			return true;
	return k->options->names == NULL || *k->options->names == NULL;
}

int
keeper_scan(struct keeper *k, struct error *e)
{
	const struct keep_sections *sections = &k->issuer->config.keeps;
	struct kept_list list;

	if (kept_list_make(&list, &k->list, k->issuer, k->options->names, false, k->log, e) ==
	    -1) {
		kept_list_free(&list);
		return -1;
	}
	kept_list_free(&k->list);
	k->list = list;
	for (size_t i = 0; i < list.count; i++)
		if (list.items[i].inspected && is_changed(&list.items[i]))
			list.items[i].inspected = false;
	for (size_t n = 0; n < sections->count; n++)
		if (sections->items[n].remove && sections->items[n].group_members != NULL &&
		    is_chosen(k, sections->items[n].name))
			gone_remove(k, &sections->items[n]);
	return 0;
}
