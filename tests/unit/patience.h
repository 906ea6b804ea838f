/* How long a test may take where programs are slow. */
#ifndef TESTS_UNIT_PATIENCE_H
#define TESTS_UNIT_PATIENCE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

/* Ends the process when it has waited in vain for these seconds, or so many times that as
 * PATIENCE says, as in tests/lib/quick.bash. */
static inline void
patience_end(unsigned int seconds)
{
	const char *text = getenv("PATIENCE");
	uint64_t times = 1;

	if (text != NULL && parse_number(text, strlen(text), 100, &times) == -1)
		abort();
	(void)alarm(seconds * (unsigned int)times);
}

#endif
