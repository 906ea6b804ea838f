/* The client's settings. Input: the rank, NAME=VALUE, a line each. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/fuzz/fuzz.h"
#include "tools/authserver-token/settings.h"

static enum setting
find(const char *line, size_t length)
{
	enum setting which = 0;

	while (which < SETTINGS && (strlen(settings_name(which)) != length ||
				       memcmp(settings_name(which), line, length) != 0))
		which++;
	return which;
}

/* One of each that exclude each other, and nothing that could not stand in a line. */
static void
check_settings(const struct settings *s)
{
	REQUIRE(s->value[SET_URL] == NULL || s->value[SET_SOCKET] == NULL);
	REQUIRE((s->value[SET_PASSWORD_FILE] != NULL) + (s->value[SET_NETRC_FILE] != NULL) +
		    (s->value[SET_NEGOTIATE] != NULL) <=
		1);
	REQUIRE(s->value[SET_CACHE] == NULL || s->value[SET_NO_CACHE] == NULL);
	for (enum setting which = 0; which < SETTINGS; which++)
		REQUIRE(s->value[which] == NULL ||
			(*s->value[which] != '\0' && text_clean(s->value[which]) &&
			    s->rank[which] != RANK_NONE));
	REQUIRE(s->value[SET_USER] == NULL || strchr(s->value[SET_USER], ':') == NULL);
}

static void
put(struct settings *s, enum rank rank, const char *line)
{
	size_t length = strcspn(line, "=");
	enum setting which = find(line, length);
	struct error e = {0};
	enum rank before;

	if (which == SETTINGS || line[length] != '=')
		return;
	before = s->rank[which];
	if (settings_put(s, which, line + length + 1, rank, "here", &e) == -1) {
		REQUIRE(e.code == ERROR_CONFIG && strncmp(e.text, "here:", 5) == 0);
		fuzz_require_error(&e);
		return;
	}
	/* What was of a higher rank is still there. */
	REQUIRE(before <= rank || s->rank[which] == before);
	REQUIRE(settings_rank(s) <= RANK_COMMAND);
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	struct settings s = {0};

	while (in.left > 0) {
		enum rank rank = (enum rank)(RANK_FILE + fuzz_byte(&in) % 3);
		char *line = fuzz_line(&in);

		put(&s, rank, line);
		check_settings(&s);
		free(line);
	}
	settings_free(&s);
}

const struct fuzz_target fuzz_client = {.name = "client", .run = run};
