/* base/base64url: what is taken is what would be written, and nothing is lost either way. */
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "tests/fuzz/fuzz.h"

static void
run(const uint8_t *bytes, size_t size)
{
	struct buffer decoded, text, again;
	char *exact = fuzz_copy(bytes, size);

	buffer_init(&decoded, size);
	buffer_init(&text, 2 * size + 4);
	buffer_init(&again, size);
	if (base64url_decode(&decoded, exact, size) == 0) {
		REQUIRE(base64url_append(&text, decoded.data, decoded.length) == 0);
		REQUIRE(text.length == size && memcmp(text.data, exact, size) == 0);
		buffer_free(&text);
	} else {
		REQUIRE(decoded.length == 0);
	}
	REQUIRE(base64url_append(&text, exact, size) == 0);
	REQUIRE(text.length == BASE64URL_LENGTH(size));
	REQUIRE(base64url_decode(&again, text.data, text.length) == 0);
	REQUIRE(again.length == size && memcmp(again.data, exact, size) == 0);
	/* One byte of room less is refused, and leaves nothing. */
	if (size > 0) {
		buffer_free(&again);
		again.limit = size - 1;
		REQUIRE(base64url_decode(&again, text.data, text.length) == -1);
		REQUIRE(again.length == 0);
	}
	buffer_free(&decoded);
	buffer_free(&text);
	buffer_free(&again);
	free(exact);
}

const struct fuzz_target fuzz_base64url = {.name = "base64url", .run = run};
