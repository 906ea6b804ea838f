#include "resolver/thread.h"

#include <pthread.h>

enum { STACK = 512 * 1024 };

int
thread_start(void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t id;
	int failed = pthread_attr_init(&attributes);

	if (failed != 0)
		return failed;
	(void)pthread_attr_setstacksize(&attributes, STACK);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	failed = pthread_create(&id, &attributes, run, argument);
	(void)pthread_attr_destroy(&attributes);
	return failed;
}
