/* For LD_PRELOAD: of the children of the process that reads BIRTHS, the one with that number,
 * from 1 on, goes wrong: "fail N": a second later it cannot be forked; "hang N": it does
 * nothing. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

pid_t
fork(void)
{
	static int number;
	static char what;
	static int which;
	__typeof__(&fork) real;
	const char *births = getenv("BIRTHS");
	pid_t pid;

	*(void **)&real = dlsym(RTLD_NEXT, "fork");
	if (births != NULL && number == 0 && sscanf(births, "%c%*s %d", &what, &which) != 2)
		abort();
	number++;
	if (births != NULL && what == 'f' && number == which) {
		(void)sleep(1);
		errno = EAGAIN;
		return -1;
	}
	pid = real();
	while (births != NULL && pid == 0 && what == 'h' && number == which)
		(void)pause();
	return pid;
}
