#include "tests/soak/tally.h"

#include <stdlib.h>
#include <string.h>

enum {
	LINES = 64,
	PART = 32, /* steps between a power of two and the next: 3 % */
	POWERS = 32,
};

struct line {
	char kind[32];
	char end[32];
	int64_t count;
	int64_t most;
	int64_t steps[POWERS * PART];
};

struct tally {
	size_t count;
	struct line lines[LINES];
};

struct tally *
tally_new(void)
{
	return calloc(1, sizeof(struct tally));
}

void
tally_free(struct tally *t)
{
	free(t);
}

/* The step that a time belongs to: below PART one each, above PART to a power of two. */
static size_t
step_of(int64_t time)
{
	size_t power = 0;

	while (time >> power >= 2 * (int64_t)PART)
		power++;
	if (power >= POWERS - 1)
		return POWERS * (size_t)PART - 1;
	return power * PART + (size_t)(time >> power);
}

static int64_t
time_of(size_t step)
{
	const size_t power = step < 2 * (size_t)PART ? 0 : step / PART - 1;

	return (int64_t)(step - power * PART) << power;
}

static struct line *
find(struct tally *t, const char *kind, const char *end)
{
	struct line *l;

	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->lines[i].kind, kind) == 0 && strcmp(t->lines[i].end, end) == 0)
			return &t->lines[i];
	if (t->count == LINES)
		return &t->lines[LINES - 1];
	l = &t->lines[t->count++];
	(void)snprintf(l->kind, sizeof(l->kind), "%s", kind);
	(void)snprintf(l->end, sizeof(l->end), "%s", end);
	return l;
}

void
tally_add(struct tally *t, const char *kind, const char *end, int64_t microseconds)
{
	struct line *l = find(t, kind, end);

	l->count++;
	l->steps[step_of(microseconds < 0 ? 0 : microseconds)]++;
	if (microseconds > l->most)
		l->most = microseconds;
}

/* The time that a share of all, in hundredths, has not exceeded. */
static int64_t
quantile(const struct line *l, int64_t hundredths)
{
	int64_t rest = (l->count * hundredths + 99) / 100;

	for (size_t i = 0; i < POWERS * (size_t)PART; i++) {
		rest -= l->steps[i];
		if (rest <= 0)
			return time_of(i + 1);
	}
	return l->most;
}

int
tally_print(const struct tally *t, FILE *to)
{
	fputs("[", to);
	for (size_t i = 0; i < t->count; i++) {
		const struct line *l = &t->lines[i];

		fprintf(to,
		    "%s{\"kind\": \"%s\", \"end\": \"%s\", \"count\": %lld, \"p50\": %lld, "
		    "\"p99\": %lld, \"most\": %lld}",
		    i > 0 ? ",\n " : "", l->kind, l->end, (long long)l->count,
		    (long long)quantile(l, 50), (long long)quantile(l, 99), (long long)l->most);
	}
	fputs("]\n", to);
	return fflush(to);
}
