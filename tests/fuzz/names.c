/* store/token_name and the names of keys: a name that is taken is the one that would be given.
 */
#include <stdlib.h>
#include <string.h>

#include "jose/keyring.h"
#include "store/token_name.h"
#include "tests/fuzz/fuzz.h"

static unsigned char
digit(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* The subject that the part of a name before its tail stands for. */
static void
decode(char *to, const char *stem, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (stem[i] == '%') {
			*to++ = (char)(digit(stem[i + 1]) << 4 | digit(stem[i + 2]));
			i += 2;
		} else {
			*to++ = stem[i];
		}
	}
	*to = '\0';
}

static void
check_token(const char *name)
{
	char subject[LIMIT_FILE_NAME], again[LIMIT_FILE_NAME];
	int64_t time = 0;

	if (token_name_parse(name, &time) == -1)
		return;
	REQUIRE(!token_name_is_temporary(name));
	REQUIRE(strlen(name) > TOKEN_NAME_TAIL && strlen(name) < LIMIT_FILE_NAME);
	REQUIRE(strchr(name, '/') == NULL && *name != '.' && *name != '-');
	REQUIRE(time >= NANOSECONDS * NANOSECONDS);
	/* Of one subject alone, and the one that it has. */
	decode(subject, name, strlen(name) - TOKEN_NAME_TAIL);
	REQUIRE(token_name_format(again, subject, time) == 0 && strcmp(again, name) == 0);
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
