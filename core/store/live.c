#include "store/live.h"

#include <stdatomic.h>
#include <string.h>

#include "store/token_name.h"

enum {
	RECOUNT = 100, /* milliseconds between counts while there is no room, at least */
	SHARE = 10,    /* and so many times what a count takes, so that counting is a tenth */
};

struct tally {
	const char *subject; /* NULL: of all */
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
	    (t->subject == NULL || (token_name_format(expected, t->subject, time) == 0 &&
				       strcmp(expected, name) == 0)))
		t->count++;
	return 0;
}

static int
visit_any(void *context, const char *name)
{
	struct tally *t = context;

	(void)name;
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

static int
refuse(const struct live_bound *b, struct error *e)
{
	return error_set(e, ERROR_LIMITED,
	    "%u %s are there, the most at once: wait until some are gone", b->limit,
	    b->records ? "records of the state directory" : "token files");
}

int
live_admit(
    struct live_bound *b, const struct directory *d, const struct clock *clock, struct error *e)
{
	struct tally t = {0};
	int64_t start, now, pause;
	uint64_t seen = b->room;

	if (b->limit == 0 || (uint32_t)seen > 0)
		return 0;
	start = clock_monotonic(clock);
	if (start < b->until)
		return refuse(b, e);
	if (directory_list(d, b->records ? visit_any : visit, &t, e) == -1)
		return -1;
	if (t.count >= b->limit) {
		now = clock_monotonic(clock);
		pause = SHARE * (now - start);
		if (pause < RECOUNT * (NANOSECONDS / 1000))
			pause = RECOUNT * (NANOSECONDS / 1000);
		b->until = now + pause;
		return refuse(b, e);
	}
	(void)atomic_compare_exchange_strong(
	    &b->room, &seen, ((seen >> 32) + 1) << 32 | (b->limit - t.count + 1) / 2);
	return 0;
}

int
live_take(
    struct live_bound *b, const struct directory *d, const struct clock *clock, struct error *e)
{
	if (b->limit == 0)
		return 0;
	for (;;) {
		uint64_t seen = b->room;

		while ((uint32_t)seen > 0)
			if (atomic_compare_exchange_weak(&b->room, &seen, seen - 1))
				return 0;
		if (live_admit(b, d, clock, e) == -1)
			return -1;
	}
}

void
live_give_back(struct live_bound *b)
{
	if (b->limit != 0)
		atomic_fetch_add(&b->room, 1);
}
