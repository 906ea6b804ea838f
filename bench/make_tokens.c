/*
 * Fills a directory with token files of a given age, quickly: their names and their
 * modification times say the same age, so that every way to delete them agrees.
 *
 *     make_tokens DIRECTORY COUNT AGE BYTES
 */
#define _GNU_SOURCE /* O_CLOEXEC and friends */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/token_name.h"

enum { BYTES_MAX = 4096, SUBJECTS = 100, SECOND = 1000000000 };

static int
make_token(int directory, int64_t time, const char *bytes, size_t length)
{
	struct timespec t = {.tv_sec = time / SECOND, .tv_nsec = time % SECOND};
	const struct timespec times[2] = {t, t};
	char subject[16];
	char name[LIMIT_FILE_NAME];
	int fd, ok;

	(void)snprintf(subject, sizeof(subject), "user%02d", (int)(time % SUBJECTS));
	if (token_name_format(name, subject, time) == -1)
		return -1;
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd == -1)
		return -1;
	ok = write(fd, bytes, length) == (ssize_t)length && futimens(fd, times) == 0;
	close(fd);
	return ok ? 0 : -1;
}

int
main(int argc, char **argv)
{
	char bytes[BYTES_MAX];
	struct timespec now;
	int64_t newest;
	long count;
	size_t length;
	int directory;

	if (argc != 5) {
		fprintf(stderr, "usage: make_tokens DIRECTORY COUNT AGE BYTES\n");
		return 64;
	}
	count = strtol(argv[2], NULL, 10);
	clock_gettime(CLOCK_REALTIME, &now);
	newest = (now.tv_sec - strtol(argv[3], NULL, 10)) * (int64_t)SECOND + now.tv_nsec;
	length = strtoul(argv[4], NULL, 10);
	if (length > sizeof(bytes)) {
		fprintf(stderr, "make_tokens: at most %d bytes a file\n", BYTES_MAX);
		return 64;
	}
	memset(bytes, 'e', sizeof(bytes));
	directory = open(argv[1], O_DIRECTORY | O_CLOEXEC);
	for (long i = 0; directory != -1 && i < count; i++) {
		if (make_token(directory, newest - i, bytes, length) == -1) {
			directory = -1;
			break;
		}
	}
	if (directory == -1) {
		perror(argv[1]);
		return 73;
	}
	return 0;
}
