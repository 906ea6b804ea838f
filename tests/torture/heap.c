#define _GNU_SOURCE
#include "tests/torture/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The heap behind this one. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BEHIND(name) __interceptor_##name
#else
#define BEHIND(name) __libc_##name
#endif

void *BEHIND(malloc)(size_t size);
void *BEHIND(calloc)(size_t count, size_t size);
void *BEHIND(realloc)(void *block, size_t size);
void *BEHIND(memalign)(size_t alignment, size_t size);

/* Called before the sanitizer stands, too. */
#define EARLY __attribute__((no_sanitize("address", "thread", "undefined")))

enum {
	PATIENCE = 20,    /* seconds of a child: a busy machine takes two to look for leaks */
	DESCRIPTORS = 64, /* whose position a child may have moved */
};

static struct heap_plan plan;
static struct heap_result result;
static bool armed;
static bool failing; /* a child after its allocation */
static long number;  /* of it; 0: the parent */
/* Where the code of the libraries is that are spared. */
static struct range {
	uintptr_t start, end;
} spared[4];
static size_t spared_count;

/* Whether one of the names with commas between is part of the path. */
static bool
named(const char *names, const char *path)
{
	char name[64];

	while (*names != '\0') {
		size_t length = strcspn(names, ",");

		(void)snprintf(name, sizeof(name), "%.*s", (int)length, names);
		if (strstr(path, name) != NULL)
			return true;
		names += length + (names[length] == ',');
	}
	return false;
}

static int
find_spared(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	(void)context;
	if (!named(plan.spare, info->dlpi_name))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + part->p_vaddr;

		if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
			continue;
		if (spared_count == sizeof(spared) / sizeof(spared[0]))
			abort();
		spared[spared_count++] = (struct range){start, start + part->p_memsz};
	}
	return 0;
}

EARLY static bool
is_spared(uintptr_t caller)
{
	for (size_t i = 0; i < spared_count; i++)
		if (caller >= spared[i].start && caller < spared[i].end)
			return true;
	return false;
}

void
heap_split(const struct heap_plan *p)
{
	plan = *p;
	result = (struct heap_result){0};
	spared_count = 0;
	if (plan.spare != NULL)
		(void)dl_iterate_phdr(find_spared, NULL);
	armed = true;
}

long
heap_join(void)
{
	armed = false;
	failing = false;
	return number;
}

struct heap_result
heap_result(void)
{
	return result;
}

static void
redirect(const char *suffix, int to)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%ld.%s", plan.out, number, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || dup2(fd, to) == -1)
		_exit(99);
	close(fd);
}

static void
begin_child(void)
{
	number = result.seen;
	(void)alarm(PATIENCE);
	if (plan.begin != NULL)
		plan.begin();
	if (plan.out != NULL) {
		redirect("out", STDOUT_FILENO);
		redirect("err", STDERR_FILENO);
	}
	failing = plan.ever;
}

static void
tell(const char *name, const char *format, long one, long other)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", plan.out, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	(void)dprintf(fd, format, one, other);
	close(fd);
}

static void
judge(int status)
{
	result.failed++;
	if (status == 0 || (plan.out != NULL && WIFEXITED(status)))
		return;
	result.bad++;
	if (plan.out != NULL)
		tell("killed", "%ld: signal %ld\n", result.seen, WTERMSIG(status));
	else
		(void)dprintf(STDERR_FILENO, "allocation %ld: %s %d\n", result.seen,
		    WIFSIGNALED(status) ? "killed by signal" : "exit status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* True in the child. */
static bool
split(void)
{
	off_t positions[DESCRIPTORS] = {0};
	pid_t child;
	int status;

	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
		positions[fd] = lseek(fd, 0, SEEK_CUR);
	/* Telling of a child allocates as well, and is not to split. */
	armed = false;
	child = fork();
	if (child == 0) {
		begin_child();
		armed = true;
		return true;
	}
	if (child == -1 || waitpid(child, &status, 0) != child)
		abort();
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
		if (positions[fd] != -1)
			(void)lseek(fd, positions[fd], SEEK_SET);
	judge(status);
	armed = true;
	return false;
}

/* Whether it is the turn of this allocation to fail, which is made at an address. */
EARLY static bool
fails(const void *caller)
{
	int saved = errno;
	long step = plan.step > 0 ? plan.step : 1;

	if (!armed)
		return false;
	if (plan.choose != NULL) {
		bool now = plan.choose(is_spared((uintptr_t)caller));

		errno = now ? ENOMEM : saved;
		return now;
	}
	if (is_spared((uintptr_t)caller))
		return false;
	if (plan.only > 0) {
		bool now = ++result.seen == plan.only || (plan.ever && result.seen > plan.only);

		result.failed += now;
		errno = now ? ENOMEM : saved;
		return now;
	}
	if (number == 0) {
		result.seen++;
		if (result.seen >= plan.from && (result.seen - plan.from) % step == 0 &&
		    split()) {
			errno = ENOMEM;
			return true;
		}
	}
	errno = failing ? ENOMEM : saved;
	return failing;
}

#define CALLER __builtin_return_address(0)

EARLY void *
malloc(size_t size)
{
	return fails(CALLER) ? NULL : BEHIND(malloc)(size);
}

EARLY void *
calloc(size_t count, size_t size)
{
	return fails(CALLER) ? NULL : BEHIND(calloc)(count, size);
}

EARLY void *
realloc(void *block, size_t size)
{
	/* With a size of 0 it frees. */
	if ((size > 0 || block == NULL) && fails(CALLER))
		return NULL;
	return BEHIND(realloc)(block, size);
}

void *memalign(size_t alignment, size_t size);

EARLY void *
memalign(size_t alignment, size_t size)
{
	return fails(CALLER) ? NULL : BEHIND(memalign)(alignment, size);
}

EARLY void *
aligned_alloc(size_t alignment, size_t size)
{
	return fails(CALLER) ? NULL : BEHIND(memalign)(alignment, size);
}

EARLY int
posix_memalign(void **block, size_t alignment, size_t size)
{
	void *made = fails(CALLER) ? NULL : BEHIND(memalign)(alignment, size);

	if (made == NULL)
		return ENOMEM;
	*block = made;
	return 0;
}

/* --- preloaded --------------------------------------------------------------------- */

static long
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? strtol(value, NULL, 10) : 0;
}

__attribute__((constructor)) static void
begin(void)
{
	const struct heap_plan p = {.ever = getenv("HEAP_EVER") != NULL,
	    .from = variable("HEAP_FROM"),
	    .step = variable("HEAP_STEP"),
	    .spare = getenv("HEAP_SPARE"),
	    .out = getenv("HEAP_OUT")};

	if (p.out != NULL)
		heap_split(&p);
}

__attribute__((destructor)) static void
end(void)
{
	armed = false;
	if (plan.out != NULL && number == 0)
		tell("result", "%ld %ld\n", result.failed, result.bad);
}
