#define _GNU_SOURCE /* strdup, DT_DIR */
#include "tools/authserver-keep/subjects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/directory.h"
#include "store/system_error.h"

enum { GROUP_SPACE = 16 * 1024 };

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
subjects_add(struct subjects *to, const char *name, struct error *e)
{
	char *copy;

	/* Doubles whenever the count is a power of two. */
	if ((to->count & (to->count - 1)) == 0) {
		size_t room = to->count == 0 ? 1 : 2 * to->count;
		char **items = realloc(to->items, room * sizeof(*items));

		if (items == NULL)
			return error_set(e, ERROR_UNAVAILABLE, "out of memory");
		to->items = items;
	}
	if (to->count == LIMIT_KEPT)
		return error_set(e, ERROR_UNAVAILABLE, "more than %d subjects", LIMIT_KEPT);
	copy = strdup(name);
	if (copy == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	to->items[to->count++] = copy;
	return 0;
}

void
subjects_free(struct subjects *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->items[i]);
	free(s->items);
	*s = (struct subjects){0};
}

bool
subjects_have(const struct subjects *s, const char *name)
{
	return s->count > 0 &&
	       bsearch(&name, s->items, s->count, sizeof(*s->items), compare) != NULL;
}

static void
sort(struct subjects *s)
{
	size_t n = 0;

	if (s->count > 0)
		qsort(s->items, s->count, sizeof(*s->items), compare);
	for (size_t i = 0; i < s->count; i++) {
		if (n > 0 && strcmp(s->items[n - 1], s->items[i]) == 0)
			free(s->items[i]);
		else
			s->items[n++] = s->items[i];
	}
	s->count = n;
}

/* Adds what may be a subject at all. */
static int
add_name(struct subjects *to, const char *name, const struct subject_grammar *grammar,
    struct error *e)
{
	struct error no;

	return subject_check(grammar, name, &no) == -1 ? 0 : subjects_add(to, name, e);
}

static int
add_members(struct subjects *to, const char *group, const struct subject_grammar *grammar,
    struct error *e)
{
	struct group entry;
	struct group *found = NULL;
	char *space = NULL;
	int failed = ERANGE;
	int rc = 0;

	for (size_t size = GROUP_SPACE; failed == ERANGE && size <= LIMIT_ACCOUNT; size *= 4) {
		free(space);
		space = malloc(size);
		failed =
		    space == NULL ? ENOMEM : getgrnam_r(group, &entry, space, size, &found);
	}
	if (found == NULL)
		rc = error_set(e, ERROR_UNAVAILABLE, "group '%.64s' %s%s", group,
		    failed == 0 ? "does not exist" : "cannot be looked up: ",
		    failed == 0 ? "" : strerror(failed));
	for (char **m = found == NULL ? NULL : entry.gr_mem; rc == 0 && m != NULL && *m != NULL;
	     m++)
		rc = add_name(to, *m, grammar, e);
	free(space);
	return rc;
}

static bool
is_directory(int at, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(at, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Reads a directory that nobody else may put names into. 0, or -1 and *e. */
static int
open_names(DIR **out, const char *path, struct error *e)
{
	struct directory d;
	int fd;

	*out = NULL;
	if (directory_open(&d, path, 0, (gid_t)-1, e) == -1)
		return -1;
	fd = dup(d.fd);
	directory_close(&d);
	*out = fd == -1 ? NULL : fdopendir(fd);
	if (*out != NULL)
		return 0;
	system_error(e, errno, "%s", path);
	if (fd != -1)
		close(fd);
	return -1;
}

static int
add_directories(struct subjects *to, const char *path, const struct subject_grammar *grammar,
    struct error *e)
{
	struct dirent *entry;
	DIR *names;
	int rc = 0;

	if (open_names(&names, path, e) == -1)
		return -1;
	while (rc == 0 && (errno = 0, entry = readdir(names)) != NULL)
		if (is_directory(dirfd(names), entry))
			rc = add_name(to, entry->d_name, grammar, e);
	if (rc == 0 && errno != 0)
		rc = system_error(e, errno, "cannot list %s", path);
	closedir(names);
	return rc;
}

int
subjects_list(struct subjects *to, const struct keep_section *s,
    const struct subject_grammar *grammar, struct error *e)
{
	int rc;

	*to = (struct subjects){0};
	if (s->group_members != NULL)
		rc = add_members(to, s->group_members, grammar, e);
	else if (s->directories != NULL)
		rc = add_directories(to, s->directories, grammar, e);
	else
		rc = subjects_add(to, s->subject != NULL ? s->subject : s->name, e);
	if (rc == -1)
		subjects_free(to);
	sort(to);
	return rc;
}

/* The part of name between what stands before and behind the subject in a component; false when
 * there is none. */
static bool
take_subject(char *subject, size_t size, const char *name, const char *component)
{
	size_t before = (size_t)(strstr(component, KEEP_SUBJECT) - component);
	const char *behind = component + before + sizeof(KEEP_SUBJECT) - 1;
	size_t after = strcspn(behind, "/");
	size_t length = strlen(name);

	if (length <= before + after || length - before - after >= size ||
	    strncmp(name, component, before) != 0 ||
	    strncmp(name + length - after, behind, after) != 0)
		return false;
	(void)snprintf(subject, size, "%.*s", (int)(length - before - after), name + before);
	return true;
}

int
subjects_list_gone(struct subjects *to, const struct keep_section *s,
    const struct subject_grammar *grammar, const struct subjects *there, struct error *e)
{
	const char *variable = strstr(s->file, KEEP_SUBJECT);
	const char *component = variable;
	char path[LIMIT_PATH], subject[LIMIT_SUBJECT];
	struct dirent *entry;
	DIR *names;
	int rc = 0;

	*to = (struct subjects){0};
	while (component > s->file && component[-1] != '/')
		component--;
	(void)snprintf(path, sizeof(path), "%.*s", (int)(component - s->file), s->file);
	if (open_names(&names, path, e) == -1)
		return -1;
	while (rc == 0 && (entry = readdir(names)) != NULL)
		if (take_subject(subject, sizeof(subject), entry->d_name, component) &&
		    !subjects_have(there, subject))
			rc = add_name(to, subject, grammar, e);
	closedir(names);
	if (rc == -1)
		subjects_free(to);
	sort(to);
	return rc;
}
