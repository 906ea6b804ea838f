/* sweep DIRECTORY: passes of the reaper over all token files, until SIGTERM and without a
 * pause, for a race. Prints how many. What is planted may refuse to go. */
#include <signal.h>
#include <stdio.h>

#include "store/sweep.h"

static volatile sig_atomic_t ended;

static void
end(int number)
{
	(void)number;
	ended = 1;
}

int
main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = end};
	const struct sweep_options all = {0};
	struct directory d;
	struct error e;
	size_t count;
	long passes = 0;

	if (argc != 2)
		return 64;
	(void)sigaction(SIGTERM, &action, NULL);
	if (directory_open(&d, argv[1], 0, (gid_t)-1, &e) == -1) {
		(void)fprintf(stderr, "sweep: %s\n", e.text);
		return 1;
	}
	for (; !ended; passes++)
		(void)sweep_once(&d, &all, &clock_system, &count, &e);
	directory_close(&d);
	printf("%ld\n", passes);
	return 0;
}
