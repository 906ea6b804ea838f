/*
 * Runs what is known through every target: replay CORPORA [NAME...]. A target is one test
 * (TAP), in a process of its own, so that one that dies hides no other; then its input is
 * named.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1024 * 1024 };

static char current[PATH_MAX]; /* the input that runs */

/* REQUIRE() aborts, which is to end like all else. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "handle_abort=1";
}

/* The sanitizers call it before they end the process. */
static void
name_input(void)
{
	static const char words[] = "# input: ";

	(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
	(void)!write(STDERR_FILENO, current, strlen(current));
	(void)!write(STDERR_FILENO, "\n", 1);
}

static void
run_file(const struct fuzz_target *t)
{
	FILE *file = fopen(current, "re");
	uint8_t *bytes = malloc(INPUT_MAX);
	uint8_t *exact;
	size_t size;

	REQUIRE(file != NULL && bytes != NULL);
	size = fread(bytes, 1, INPUT_MAX, file);
	REQUIRE(!ferror(file) && size < INPUT_MAX);
	(void)fclose(file);
	/* In just as much memory, so that a look behind the end is seen. */
	exact = malloc(size + (size == 0));
	REQUIRE(exact != NULL);
	memcpy(exact, bytes, size);
	free(bytes);
	t->run(exact, size);
	free(exact);
}

/* In the target's own process. */
static unsigned int
run_target(const struct fuzz_target *t, const char *corpora)
{
	unsigned int count = 0;
	struct dirent *entry;
	DIR *folder;

	(void)snprintf(current, sizeof(current), "%s/%s", corpora, t->name);
	folder = opendir(current);
	REQUIRE(folder != NULL);
	if (t->start != NULL)
		t->start();
	t->run((const uint8_t *)"", 0);
	while ((entry = readdir(folder)) != NULL) {
		if (*entry->d_name == '.')
			continue;
		(void)snprintf(
		    current, sizeof(current), "%s/%s/%s", corpora, t->name, entry->d_name);
		run_file(t);
		count++;
	}
	(void)closedir(folder);
	return count;
}

static bool
wanted(const char *name, char **names)
{
	for (char **one = names; *one != NULL; one++)
		if (strcmp(*one, name) == 0)
			return true;
	return *names == NULL;
}

/* The inputs that went well; -1 when one did not. */
static long
replay(const struct fuzz_target *t, const char *corpora)
{
	unsigned int count = 0;
	int status = -1;
	int ends[2];
	pid_t child;

	REQUIRE(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		count = run_target(t, corpora);
		REQUIRE(write(ends[1], &count, sizeof(count)) == sizeof(count));
		exit(0);
	}
	(void)close(ends[1]);
	(void)!read(ends[0], &count, sizeof(count));
	(void)close(ends[0]);
	if (child == -1 || waitpid(child, &status, 0) == -1 || status != 0)
		return -1;
	return (long)count;
}

int
main(int argc, char **argv)
{
	bool failed = false;
	int plan = 0;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: replay CORPORA [NAME...]\n");
		return 64;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	__sanitizer_set_death_callback(name_input);
	for (size_t i = 0; fuzz_targets[i] != NULL; i++)
		plan += wanted(fuzz_targets[i]->name, argv + 2);
	printf("1..%d\n", plan);
	plan = 0;
	for (size_t i = 0; fuzz_targets[i] != NULL; i++) {
		const struct fuzz_target *t = fuzz_targets[i];
		long count;

		if (!wanted(t->name, argv + 2))
			continue;
		count = replay(t, argv[1]);
		/* A corpus that was lost tests nothing. */
		failed = failed || count <= 0;
		printf("%s %d %s: %ld inputs\n", count > 0 ? "ok" : "not ok", ++plan, t->name,
		    count > 0 ? count : 0);
	}
	return failed || plan == 0 ? 1 : 0;
}
