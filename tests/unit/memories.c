#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/memories.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/torture/heap.h"

struct states_fixture *memories_place;
char memories_path[1024];

int
memories_enter(void **state)
{
	struct error e;

	states_enter(state);
	memories_place = *state;
	stores_check(directory_open(&memories_place->store->directory,
			 memories_place->store->path, 0750, (gid_t)-1, &e),
	    &e);
	return 0;
}

void
memories_put(const char *name, const char *text)
{
	int fd;

	(void)snprintf(
	    memories_path, sizeof(memories_path), "%s/%s", memories_place->store->folder, name);
	fd = open(memories_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

int
memories_none(struct error *e)
{
	return error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

void
memories_without(memories_work *w, const char *spare)
{
	struct heap_plan plan = {.spare = spare};
	struct error e = {0};

	if (w(&e) == -1)
		fail_msg("%s", e.text);
	do {
		int rc;

		plan.only++;
		e = (struct error){0};
		heap_split(&plan);
		rc = w(&e);
		(void)heap_join();
		if (rc != 0 && (rc != -1 || e.code == ERROR_NONE || *e.text == '\0' ||
				   heap_result().failed == 0))
			fail_msg("allocation %ld: %d, code %d: %s", plan.only, rc, (int)e.code,
			    e.text);
	} while (heap_result().failed > 0);
	assert_true(plan.only > 1);
}
