/* identity/freshness: Cache-Control and Age of whoever publishes keys. Input: both, a line
 * each.
 */
#include <stdlib.h>
#include <string.h>

#include "identity/freshness.h"
#include "identity/http_answer.h"
#include "tests/fuzz/fuzz.h"

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	char *control = fuzz_line(&in);
	char *age = fuzz_line(&in);
	char *type = fuzz_line(&in);
	int64_t fresh = freshness_of(control, NULL);
	int64_t aged = freshness_of(control, age);
	char *more = malloc(strlen(control) + sizeof("max-age=0,"));

	REQUIRE(fresh >= FRESHNESS_LEAST && fresh <= FRESHNESS_MOST);
	REQUIRE(aged >= FRESHNESS_LEAST && aged <= fresh);
	/* A directive more can only take away: before, and behind where no quote hides it. */
	REQUIRE(more != NULL);
	memcpy(more, "max-age=0", 9);
	more[9] = ',';
	memcpy(more + 10, control, strlen(control) + 1);
	REQUIRE(freshness_of(more, NULL) == FRESHNESS_LEAST);
	memcpy(more, control, strlen(control));
	memcpy(more + strlen(control), ",no-store", sizeof(",no-store"));
	if (strchr(control, '"') == NULL)
		REQUIRE(freshness_of(more, NULL) == FRESHNESS_LEAST);
	if (http_answer_is_json(type))
		REQUIRE(strstr(type, "on") != NULL || strstr(type, "ON") != NULL ||
			strstr(type, "oN") != NULL || strstr(type, "On") != NULL);
	free(more);
	free(control);
	free(age);
	free(type);
}

const struct fuzz_target fuzz_cache_control = {.name = "cache_control", .run = run};
