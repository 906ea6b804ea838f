#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

/* Of this thread, since its last json_read() began: jansson passes no context. */
static _Thread_local bool memory_ended;

static void *
allocate(size_t size)
{
	void *memory = malloc(size);

	if (memory == NULL)
		memory_ended = true;
	return memory;
}

/* Before there is a thread, and before anything is allocated by it: jansson's own are not to be
 * changed under those that use them. */
__attribute__((constructor)) static void
watch_memory(void)
{
	json_set_alloc_funcs(allocate, free);
}

json_t *
json_read(const char *text, size_t length, json_error_t *wrong)
{
	json_t *value;

	memory_ended = false;
	value = json_loadb(text, length, JSON_REJECT_DUPLICATES, wrong);
	if (!memory_ended)
		return value;
	json_decref(value);
	(void)snprintf(wrong->text, sizeof(wrong->text), "out of memory");
	/* Where json_error_code(3) finds it. */
	wrong->text[sizeof(wrong->text) - 1] = json_error_out_of_memory;
	return NULL;
}

bool
json_read_short(const json_error_t *wrong)
{
	return json_error_code(wrong) == json_error_out_of_memory;
}
