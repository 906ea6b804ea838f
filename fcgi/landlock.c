#define _GNU_SOURCE /* O_PATH, syscall */
#include "fcgi/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

/* What the header of an older kernel does not know; the kernel that we meet may. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

/* The kernel's struct landlock_ruleset_attr as it is now: it takes members that it does not
 * know as long as they are zero. */
struct handled {
	uint64_t files;
	uint64_t network; /* bind, connect */
	uint64_t scoped;  /* abstract Unix sockets, signals */
};

/* What each version of the interface brought. */
static const struct {
	int version;
	struct handled adds;
} versions[] = {
    {1, {.files = LANDLOCK_ACCESS_FS_REFER - 1}}, /* all that came before it */
    {2, {.files = LANDLOCK_ACCESS_FS_REFER}},
    {3, {.files = LANDLOCK_ACCESS_FS_TRUNCATE}},
    {4, {.network = 1 << 0 | 1 << 1}},
    {5, {.files = LANDLOCK_ACCESS_FS_IOCTL_DEV}},
    {6, {.scoped = 1 << 0 | 1 << 1}},
};

static const struct {
	unsigned int may;
	uint64_t rights;
} meanings[] = {
    {MAY_READ, LANDLOCK_ACCESS_FS_READ_FILE},
    {MAY_WRITE, LANDLOCK_ACCESS_FS_WRITE_FILE},
    {MAY_LIST, LANDLOCK_ACCESS_FS_READ_DIR},
    {MAY_CREATE, LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_WRITE_FILE},
    {MAY_REMOVE, LANDLOCK_ACCESS_FS_REMOVE_FILE},
};

int
landlock_version(void)
{
	long version = syscall(
	    SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

static struct handled
handled_by(int version)
{
	struct handled all = {0};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (versions[i].version > version)
			break;
		all.files |= versions[i].adds.files;
		all.network |= versions[i].adds.network;
		all.scoped |= versions[i].adds.scoped;
	}
	return all;
}

/* 0, also when there is no such place; or -1 and errno. */
static int
allow(int ruleset, const struct place *p)
{
	struct landlock_path_beneath_attr rule = {.parent_fd = p->fd};
	int rc;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if ((p->may & meanings[i].may) != 0)
			rule.allowed_access |= meanings[i].rights;
	if (p->fd == -1 && p->path == NULL)
		return 0;
	if (p->fd == -1)
		rule.parent_fd = open(p->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (p->fd == -1)
		close(rule.parent_fd);
	return rc;
}

int
landlock_confine(const struct place *places, size_t count, struct error *e)
{
	const struct handled handled = handled_by(landlock_version());
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	int rc = ruleset == -1 ? -1 : 0;

	for (size_t i = 0; i < count && rc == 0; i++)
		rc = allow(ruleset, &places[i]);
	if (rc == 0)
		rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (rc == 0)
		rc = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	if (rc == -1)
		error_set(e, ERROR_INTERNAL, "Landlock: %s", strerror(errno));
	if (ruleset != -1)
		close(ruleset);
	return rc;
}
