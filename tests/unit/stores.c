#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/stores.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void
stores_check(int rc, const struct error *e)
{
	if (rc == -1)
		fail_msg("%s", e->text);
}

int
stores_enter(void **state)
{
	struct stores_fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(f->folder, sizeof(f->folder), "%s/test_stores.XXXXXX",
	    tmp != NULL && *tmp == '/' ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/tokens", f->folder);
	f->directory = (struct directory){.fd = -1};
	*state = f;
	return 0;
}

int
stores_enter_open(void **state)
{
	struct stores_fixture *f;
	struct error e;

	stores_enter(state);
	f = *state;
	stores_check(directory_open(&f->directory, f->path, 0750, (gid_t)-1, &e), &e);
	return 0;
}

static void
remove_tree(const char *path)
{
	DIR *entries = opendir(path);

	for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
		char inner[1024];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (unlink(inner) == -1)
			remove_tree(inner);
	}
	if (entries != NULL)
		closedir(entries);
	(void)rmdir(path);
}

int
stores_leave(void **state)
{
	struct stores_fixture *f = *state;

	directory_close(&f->directory);
	remove_tree(f->folder);
	free(f);
	return 0;
}

size_t
stores_count(const struct stores_fixture *f)
{
	DIR *entries = opendir(f->path);
	size_t n = 0;

	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(entries);
	return n;
}

struct stat
stores_look(const struct stores_fixture *f, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(f->directory.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

bool
stores_has(const struct stores_fixture *f, const char *name)
{
	struct stat st;

	return fstatat(f->directory.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void
stores_put(const struct stores_fixture *f, const char *name)
{
	int fd = openat(f->directory.fd, name, O_WRONLY | O_CREAT | O_EXCL, 0640);

	assert_int_not_equal(fd, -1);
	close(fd);
}

void
stores_in_child(void (*part)(struct stores_fixture *f, const void *argument),
    struct stores_fixture *f, const void *argument)
{
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0) {
		part(f, argument);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

void
stores_inject(const struct stores_injection *i)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, i->syscall, 0, 4),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)(offsetof(struct seccomp_data, args) + 8 * i->argument)),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, i->mask),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, i->bits, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)i->number),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	CHILD_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHILD_ASSERT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}
