/* The client's side of FastCGI: what is answered at the local socket. Input: the bytes of the
 * connection. */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/fuzz/fuzz.h"
#include "tools/authserver-token/fastcgi.h"

static void
run(const uint8_t *bytes, size_t size)
{
	struct answer a = {0};
	struct error e = {0};
	int ends[2];

	/* What fits into the socket without anybody who reads. */
	if (size > 64 * 1024)
		return;
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	REQUIRE(send(ends[1], bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
	(void)close(ends[1]);
	if (fastcgi_receive(&a, ends[0], &e) == 0) {
		REQUIRE(a.status >= 0 && a.status <= 999);
		REQUIRE(a.output.length <= LIMIT_RESPONSE + LIMIT_ERROR_TEXT);
		REQUIRE(a.body > a.output.data && a.body <= a.output.data + a.output.length);
		REQUIRE(memcmp(a.body - 4, "\r\n\r\n", 4) == 0);
		fastcgi_free(&a);
	} else {
		REQUIRE(e.code == ERROR_UNAVAILABLE && a.output.data == NULL);
		fuzz_require_error(&e);
	}
	(void)close(ends[0]);
}

const struct fuzz_target fuzz_fastcgi_answer = {.name = "fastcgi_answer", .run = run};
