#include "store/live.h"

#include <string.h>

#include "store/token_name.h"

struct tally {
	const char *subject;
	unsigned int count;
};

/* A name is the subject's when the subject and its time make that very name. */
static int
visit(void *context, const char *name)
{
	struct tally *t = context;
	char expected[LIMIT_FILE_NAME];
	int64_t time;

	if (token_name_parse(name, &time) == 0 &&
	    token_name_format(expected, t->subject, time) == 0 && strcmp(expected, name) == 0)
		t->count++;
	return 0;
}

int
live_count(const struct directory *d, const char *subject, unsigned int *count, struct error *e)
{
	struct tally t = {.subject = subject};

	*count = 0;
	if (directory_list(d, visit, &t, e) == -1)
		return -1;
	*count = t.count;
	return 0;
}
