/* store/token_name and the names of keys: a name that is taken is the one that would be given.
 */
#include <stdlib.h>
#include <string.h>

#include "jose/keyring.h"
#include "store/token_name.h"
#include "tests/fuzz/fuzz.h"

static void
check_token(const char *name)
{
	char stem[LIMIT_FILE_NAME], again[LIMIT_FILE_NAME];
	int64_t time = 0;

	if (token_name_parse(name, &time) == -1)
		return;
	REQUIRE(!token_name_is_temporary(name));
	REQUIRE(strlen(name) > TOKEN_NAME_TAIL && strlen(name) < LIMIT_FILE_NAME);
	REQUIRE(strchr(name, '/') == NULL && *name != '.' && *name != '-');
	REQUIRE(time >= NANOSECONDS * NANOSECONDS);
	memcpy(stem, name, strlen(name) + 1);
	stem[strlen(name) - TOKEN_NAME_TAIL] = '\0';
	REQUIRE(token_name_join(again, stem, time) == 0 && strcmp(again, name) == 0);
}

static void
check_key(const char *name)
{
	const struct algorithm *algorithm = NULL;
	char again[LIMIT_FILE_NAME];
	int64_t from = 0;

	if (keyring_parse_name(name, &from, &algorithm) == -1 || algorithm == NULL)
		return;
	keyring_format_name(again, from, algorithm);
	REQUIRE(strncmp(again, name, strlen("20261122T000000Z.")) == 0);
	REQUIRE(strlen(name) < LIMIT_FILE_NAME && strchr(name, '/') == NULL);
}

static void
run(const uint8_t *bytes, size_t size)
{
	char *name = fuzz_copy(bytes, size);

	check_token(name);
	check_key(name);
	free(name);
}

const struct fuzz_target fuzz_names = {.name = "names", .run = run};
