#include "base/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/parse.h"

static int
parse_port(const char *text, in_port_t *port)
{
	uint64_t number;

	if (parse_number(text, strlen(text), UINT16_MAX, &number) == -1 || number == 0)
		return -1;
	*port = htons((uint16_t)number);
	return 0;
}

int
loopback_parse(const char *text, struct sockaddr_storage *address, socklen_t *size)
{
	static const char six[] = "[::1]:";
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	const char *colon = strchr(text, ':');
	char number[INET_ADDRSTRLEN] = "";

	*address = (struct sockaddr_storage){0};
	if (strncmp(text, six, strlen(six)) == 0) {
		if (parse_port(text + strlen(six), &v6.sin6_port) == -1)
			return -1;
		*size = sizeof(v6);
		memcpy(address, &v6, sizeof(v6));
		return 0;
	}
	if (colon == NULL || (size_t)(colon - text) >= sizeof(number))
		return -1;
	memcpy(number, text, (size_t)(colon - text));
	if (inet_pton(AF_INET, number, &v4.sin_addr) != 1 ||
	    ntohl(v4.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET ||
	    parse_port(colon + 1, &v4.sin_port) == -1)
		return -1;
	*size = sizeof(v4);
	memcpy(address, &v4, sizeof(v4));
	return 0;
}
