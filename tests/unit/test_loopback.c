/* base: which addresses only this host can reach. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/loopback.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
addresses_of_127_are_loopback(void **state)
{
	static const struct {
		const char *text;
		uint32_t address;
		in_port_t port;
	} rows[] = {
	    {"127.0.0.1:9005", 0x7f000001, 9005},
	    {"127.0.0.1:1", 0x7f000001, 1},
	    {"127.255.0.9:65535", 0x7fff0009, 65535},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sockaddr_storage at;
		const struct sockaddr_in *in = (const struct sockaddr_in *)&at;
		socklen_t size = 0;

		assert_int_equal(loopback_parse(rows[i].text, &at, &size), 0);
		assert_int_equal(size, sizeof(*in));
		assert_int_equal(in->sin_family, AF_INET);
		assert_int_equal(ntohl(in->sin_addr.s_addr), rows[i].address);
		assert_int_equal(ntohs(in->sin_port), rows[i].port);
	}
}

static void
one_address_of_ipv6_is(void **state)
{
	struct sockaddr_storage at;
	const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&at;
	socklen_t size = 0;

	(void)state;
	assert_int_equal(loopback_parse("[::1]:9005", &at, &size), 0);
	assert_int_equal(size, sizeof(*in));
	assert_int_equal(in->sin6_family, AF_INET6);
	assert_memory_equal(&in->sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback));
	assert_int_equal(ntohs(in->sin6_port), 9005);
}

static void
nothing_else_is(void **state)
{
	static const char *const rows[] = {"", ":", ":9005", "9005", "0.0.0.0:9005",
	    "192.0.2.1:9005", "128.0.0.1:9005", "126.255.255.255:9005", "1.0.0.127:9005",
	    "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1",
	    "127.0.0.1:+1", "127.0.0.1: 1", "127.0.0.1:9005x", "127.0.0.1:9005,127.0.0.1:1",
	    "127.1:9005", "127.0.0.256:9005", "2130706433:9005", "0x7f.0.0.1:9005",
	    " 127.0.0.1:9005", "[127.0.0.1]:9005", "localhost:9005", "::1:9005", "[::1]",
	    "[::1]9005", "[::1]:", "[::1]:0", "[::1]:65536", "[::]:9005", "[2001:db8::1]:9005",
	    "[::ffff:127.0.0.1]:9005", "[::1%lo]:9005", "/run/authserver/verify",
	    "127.0.0.1111111111111111111111111:9005"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sockaddr_storage at;
		socklen_t size;

		if (loopback_parse(rows[i], &at, &size) != -1)
			fail_msg("%s", rows[i]);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_of_127_are_loopback),
	    cmocka_unit_test(one_address_of_ipv6_is),
	    cmocka_unit_test(nothing_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
