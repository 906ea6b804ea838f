/* base/parse, clock_parse_utc(), loopback_parse(), text_clean(), keyring and algorithm names:
 * small texts that are one value or none. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/loopback.h"
#include "base/parse.h"
#include "base/text.h"
#include "jose/algorithm.h"
#include "tests/fuzz/fuzz.h"

static void
check_numbers(const char *text, size_t size)
{
	uint64_t number = 0, larger;
	int64_t seconds;
	mode_t mode;
	char again[32];

	if (parse_number(text, size, INT64_MAX, &number) == 0) {
		REQUIRE(number <= INT64_MAX);
		(void)snprintf(again, sizeof(again), "%" PRIu64, number);
		/* But for zeroes in front it is the number's own text. */
		REQUIRE(strlen(again) <= size &&
			memcmp(text + size - strlen(again), again, strlen(again)) == 0);
		REQUIRE(strspn(text, "0") >= size - strlen(again));
		REQUIRE(parse_number(text, size, number, &larger) == 0 && larger == number);
		REQUIRE(number == 0 || parse_number(text, size, number - 1, &larger) == -1);
	}
	if (parse_duration(text, size, &seconds) == 0)
		REQUIRE(seconds >= 1 && seconds <= 3653LL * 24 * 60 * 60);
	if (parse_mode(text, size, &mode) == 0) {
		REQUIRE(mode <= 0777);
		(void)snprintf(again, sizeof(again), "%04o", (unsigned int)mode);
		REQUIRE(memcmp(again + 4 - size, text, size) == 0);
	}
}

static void
check_time(const char *text)
{
	char again[CLOCK_UTC_SIZE];
	int64_t seconds;

	if (clock_parse_utc(text, &seconds) == 0) {
		REQUIRE(clock_format_utc(again, seconds) == 0);
		REQUIRE(strcmp(again, text) == 0);
	}
}

static void
check_address(const char *text)
{
	struct sockaddr_storage address;
	socklen_t size;

	if (loopback_parse(text, &address, &size) == -1)
		return;
	if (address.ss_family == AF_INET) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)&address;

		REQUIRE(size == sizeof(*four) && four->sin_port != 0);
		REQUIRE(ntohl(four->sin_addr.s_addr) >> 24 == 127);
	} else {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;

		REQUIRE(address.ss_family == AF_INET6 && size == sizeof(*six));
		REQUIRE(six->sin6_port != 0 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr));
	}
}

/* The one who makes claims of it must agree on what UTF-8 is. */
static void
check_clean(const char *text)
{
	json_t *string = json_string(text);
	bool control = false;

	for (const char *c = text; *c != '\0'; c++)
		control = control || (unsigned char)*c < ' ' || *c == 0x7f;
	if (text_clean(text))
		REQUIRE(string != NULL && !control);
	json_decref(string);
}

static void
run(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_copy(bytes, size);

	check_numbers(text, size);
	check_time(text);
	check_address(text);
	check_clean(text);
	if (algorithm_find(text) != NULL)
		REQUIRE(strstr(ALGORITHM_NAMES, algorithm_find(text)->name) != NULL);
	text_plain(text);
	REQUIRE(text_clean(text));
	free(text);
}

const struct fuzz_target fuzz_values = {.name = "values", .run = run};
