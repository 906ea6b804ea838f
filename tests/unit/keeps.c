#define _GNU_SOURCE /* asprintf, mkdtemp, memfd_create */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/keeps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/failures.h"

char **keeps_members;

int __wrap_getgrnam_r(
    const char *name, struct group *g, char *space, size_t size, struct group **found);

int
__wrap_getgrnam_r(
    const char *name, struct group *g, char *space, size_t size, struct group **found)
{
	(void)space;
	(void)size;
	*found = NULL;
	if (failures_hit("getgrnam_r"))
		return errno;
	if (strcmp(name, "staff") != 0)
		return 0;
	*g = (struct group){.gr_gid = 50, .gr_mem = keeps_members};
	*found = g;
	return 0;
}

int
keeps_enter(void **state)
{
	struct keeps_fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (f == NULL)
		return -1;
	memcpy(f->folder, "/tmp/test_files.XXXXXX", 23);
	f->log = (struct log){.fd = memfd_create("log", MFD_CLOEXEC), .clock = &clock_system};
	f->issuer.config.keeps = (struct keep_sections){f->sections, 0};
	if (mkdtemp(f->folder) == NULL || f->log.fd == -1 ||
	    asprintf(&f->pattern, "%s/a-${subject}.jwt", f->folder) == -1)
		return -1;
	return subject_grammar_new(&f->issuer.grammar, NULL, &f->e);
}

int
keeps_leave(void **state)
{
	static const char *const names[] = {"a", "b", "link", "file", "more", "a-jane.jwt",
	    "a-joe.jwt", "a-.jwt", "a-eve.txt", "a-eve.jwt", "b-bob.jwt"};
	struct keeps_fixture *f = *state;
	char path[64];

	(void)failures_set(NULL, 0, 0, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
		(void)remove(path);
	}
	subject_grammar_free(f->issuer.grammar);
	close(f->log.fd);
	free(f->pattern);
	if (rmdir(f->folder) == -1)
		return -1;
	free(f);
	return 0;
}

void
keeps_write(const struct keeps_fixture *f, const char *name, const char *text, size_t length)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, length), length);
	close(fd);
}
