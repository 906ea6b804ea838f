/*
 * planter DIRECTORY VICTIM HOW WINS: until SIGTERM, or WINS races are won if that is not 0,
 * every entry of DIRECTORY whose name a token has is exchanged, over and over, with what lies
 * under the same name in DIRECTORY.planted: links to VICTIM, hard links of it, fifos and
 * directories, by HOW. So each name is a due token file at one moment and something planted at
 * the next. With HOW "swap" DIRECTORY itself is exchanged with DIRECTORY.planted. Prints how
 * many exchanges there were, and how many entries somebody has removed that were planted: the
 * races that were won.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAMES = 8, PATH = 512 };

static volatile sig_atomic_t ended;

static void
end(int number)
{
	(void)number;
	ended = 1;
}

/* An hour old, as names go. */
static void
name_it(char name[64], int i, time_t now)
{
	(void)snprintf(name, 64, "foo.%lld%09d.token", (long long)now - 3600, i);
}

static int
plant(const char *path, const char *victim, const char *how)
{
	if (strcmp(how, "link") == 0)
		return symlink(victim, path);
	if (strcmp(how, "hard") == 0)
		return link(victim, path);
	if (strcmp(how, "fifo") == 0)
		return mkfifo(path, 0640);
	return mkdir(path, 0750);
}

static void
put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd != -1)
		close(fd);
}

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Tokens are empty here; the victim is not. */
static bool
is_planted(const char *path, const char *how)
{
	struct stat st;

	return lstat(path, &st) == 0 &&
	       (!S_ISREG(st.st_mode) || (strcmp(how, "hard") == 0 && st.st_size > 0));
}

/* Exchanges the two of a name, and makes anew what is not there any more. True when a planted
 * one was removed. */
static bool
exchange(const char *path, const char *other, const char *victim, const char *how)
{
	bool has = exists(path), had = exists(other);

	if (has && had) {
		(void)renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE);
		return false;
	}
	if (has) { /* the first time, or who makes them was interrupted */
		(void)plant(other, victim, how);
		return false;
	}
	/* Somebody has removed what was under the name: the token, or what was planted. */
	if (!had || is_planted(other, how)) {
		put(path);
		return false;
	}
	(void)plant(path, victim, how);
	return true;
}

int
main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = end};
	char planted[PATH], path[PATH + 80], other[PATH + 80], name[64];
	long exchanges = 0, won = 0, wanted;
	time_t now = time(NULL);

	if (argc != 5)
		return 64;
	wanted = strtol(argv[4], NULL, 10);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)snprintf(planted, sizeof(planted), "%s.planted", argv[1]);
	while (!ended && (wanted == 0 || won < wanted)) {
		if (strcmp(argv[3], "swap") == 0) {
			exchanges += renameat2(AT_FDCWD, argv[1], AT_FDCWD, planted,
					 RENAME_EXCHANGE) == 0;
			continue;
		}
		for (int i = 0; i < NAMES && !ended && (wanted == 0 || won < wanted); i++) {
			name_it(name, i, now);
			(void)snprintf(path, sizeof(path), "%s/%s", argv[1], name);
			(void)snprintf(other, sizeof(other), "%s/%s", planted, name);
			won += exchange(path, other, argv[2], argv[3]);
			exchanges++;
		}
	}
	printf("%ld %ld\n", exchanges, won);
	return 0;
}
