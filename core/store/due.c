#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "store/due.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "store/token_name.h"

enum { CHUNK_BYTES = 64 * 1024 };

/* What is kept of a name: the time in it as a number and the rest as text, which is half
 * of what the whole name would take. */
struct record {
	int64_t due;
	int64_t time;     /* 0: the stem is the whole name */
	const char *stem; /* as it lies in the chunk */
};

/* Records one after the other: due, time, stem with its NUL; not aligned. */
struct chunk {
	struct chunk *next;
	size_t start; /* of the first record that was not dropped */
	size_t end;
	char bytes[CHUNK_BYTES - sizeof(struct chunk *) - 2 * sizeof(size_t)];
};

struct due_queue {
	struct chunk *first; /* NULL: empty */
	struct chunk *last;
	size_t count;
	int64_t latest; /* due time that was added last */
	bool sorted;
};

enum { FIXED_BYTES = 2 * sizeof(int64_t) };

struct due_queue *
due_new(void)
{
	struct due_queue *q = calloc(1, sizeof(*q));

	if (q != NULL)
		q->sorted = true;
	return q;
}

/* Mapped, not allocated: what leaves is given back at once, wherever it lies. */
static struct chunk *
chunk_new(void)
{
	struct chunk *c = mmap(NULL, sizeof(struct chunk), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return c != MAP_FAILED ? c : NULL;
}

static void
free_chunks(struct chunk *c)
{
	while (c != NULL) {
		struct chunk *next = c->next;

		(void)munmap(c, sizeof(*c));
		c = next;
	}
}

void
due_free(struct due_queue *q)
{
	if (q != NULL)
		free_chunks(q->first);
	free(q);
}

size_t
due_count(const struct due_queue *q)
{
	return q->count;
}

/* Reads the record at bytes and returns where the next one starts. */
static const char *
get_record(const char *bytes, struct record *r)
{
	memcpy(&r->due, bytes, sizeof(r->due));
	memcpy(&r->time, bytes + sizeof(r->due), sizeof(r->time));
	r->stem = bytes + FIXED_BYTES;
	return r->stem + strlen(r->stem) + 1;
}

static int
put_record(struct due_queue *q, const struct record *r, size_t stem_length)
{
	size_t need = FIXED_BYTES + stem_length + 1;
	struct chunk *c = q->last;
	char *to;

	if (c == NULL || sizeof(c->bytes) - c->end < need) {
		c = chunk_new();
		if (c == NULL)
			return -1;
		if (q->last != NULL)
			q->last->next = c;
		else
			q->first = c;
		q->last = c;
	}
	to = c->bytes + c->end;
	memcpy(to, &r->due, sizeof(r->due));
	memcpy(to + sizeof(r->due), &r->time, sizeof(r->time));
	memcpy(to + FIXED_BYTES, r->stem, stem_length);
	to[FIXED_BYTES + stem_length] = '\0';
	c->end += need;
	if (q->count > 0 && r->due < q->latest)
		q->sorted = false;
	q->latest = r->due;
	q->count++;
	return 0;
}

/* Splits a name; the stem's length is returned, since no NUL stands behind it. */
static size_t
split(const char *name, struct record *r)
{
	size_t length = strlen(name);

	r->stem = name;
	if (token_name_parse(name, &r->time) == 0)
		return length - TOKEN_NAME_TAIL;
	r->time = 0;
	return length;
}

int
due_add(struct due_queue *q, const char *name, int64_t due)
{
	struct record r = {.due = due};
	size_t stem_length = split(name, &r);

	return put_record(q, &r, stem_length);
}

/* All records in an array, in the order in which they lie. NULL when memory is short. */
static struct record *
list_records(const struct due_queue *q)
{
	struct record *all = calloc(q->count + 1, sizeof(*all));
	size_t n = 0;

	for (const struct chunk *c = q->first; all != NULL && c != NULL; c = c->next) {
		const char *at = c->bytes + c->start;

		while (at < c->bytes + c->end)
			at = get_record(at, &all[n++]);
	}
	return all;
}

static int
compare_due(const void *a, const void *b)
{
	const struct record *x = a;
	const struct record *y = b;

	return (x->due > y->due) - (x->due < y->due);
}

static int
sort(struct due_queue *q)
{
	struct due_queue to = {.sorted = true};
	struct record *all = list_records(q);

	if (all == NULL)
		return -1;
	qsort(all, q->count, sizeof(*all), compare_due);
	for (size_t i = 0; i < q->count; i++) {
		if (put_record(&to, &all[i], strlen(all[i].stem)) == -1) {
			free(all);
			free_chunks(to.first);
			return -1;
		}
	}
	free(all);
	free_chunks(q->first);
	*q = to;
	return 0;
}

int
due_first(struct due_queue *q, char name[LIMIT_FILE_NAME], int64_t *due)
{
	struct record r;

	if (q->count == 0)
		return 0;
	if (!q->sorted && sort(q) == -1)
		return -1;
	(void)get_record(q->first->bytes + q->first->start, &r);
	*due = r.due;
	/* Both were checked when the name was split, so that they fit. */
	if (r.time != 0)
		(void)token_name_join(name, r.stem, r.time);
	else
		memcpy(name, r.stem, strlen(r.stem) + 1);
	return 1;
}

void
due_drop(struct due_queue *q)
{
	struct chunk *c = q->first;
	struct record r;

	c->start = (size_t)(get_record(c->bytes + c->start, &r) - c->bytes);
	if (--q->count == 0)
		q->sorted = true;
	if (c->start < c->end)
		return;
	q->first = c->next;
	if (q->first == NULL)
		q->last = NULL;
	c->next = NULL;
	free_chunks(c);
}

struct due_index {
	size_t count;
	struct record *records; /* by time, then stem */
};

static int
compare_name(const void *a, const void *b)
{
	const struct record *x = a;
	const struct record *y = b;

	if (x->time != y->time)
		return x->time > y->time ? 1 : -1;
	return strcmp(x->stem, y->stem);
}

struct due_index *
due_index_new(const struct due_queue *q)
{
	struct due_index *i = malloc(sizeof(*i));

	if (i == NULL)
		return NULL;
	i->count = q->count;
	i->records = list_records(q);
	if (i->records == NULL) {
		free(i);
		return NULL;
	}
	qsort(i->records, i->count, sizeof(*i->records), compare_name);
	return i;
}

bool
due_index_has(const struct due_index *i, const char *name)
{
	char stem[LIMIT_FILE_NAME];
	struct record r;
	size_t length = split(name, &r);

	memcpy(stem, name, length);
	stem[length] = '\0';
	r.stem = stem;
	return bsearch(&r, i->records, i->count, sizeof(r), compare_name) != NULL;
}

void
due_index_free(struct due_index *i)
{
	if (i != NULL)
		free(i->records);
	free(i);
}
