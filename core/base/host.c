#define _GNU_SOURCE /* IFF_UP and getifaddrs */
#include "base/host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* The source address that the kernel's routes choose for an address far away. */
static bool
by_route(char *text)
{
	/* 192.0.2.1 is for documentation (RFC 5737); connecting a datagram socket asks the
	 * routing table and sends nothing. */
	struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in near = {0};
	socklen_t size = sizeof(near);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found = false;

	if (fd == -1)
		return false;
	(void)inet_pton(AF_INET, "192.0.2.1", &far.sin_addr);
	if (connect(fd, (const struct sockaddr *)&far, sizeof(far)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&near, &size) == 0)
		found = inet_ntop(AF_INET, &near.sin_addr, text, HOST_ADDRESS_MAX) != NULL;
	close(fd);
	return found;
}

static bool
by_interface(char *text, int family)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) == -1)
		return false;
	for (struct ifaddrs *i = all; i != NULL && !found; i = i->ifa_next) {
		const void *at;

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != family ||
		    (i->ifa_flags & IFF_UP) == 0 || (i->ifa_flags & IFF_LOOPBACK) != 0)
			continue;
		at =
		    family == AF_INET
			? (const void *)&((const struct sockaddr_in *)(const void *)i->ifa_addr)
			      ->sin_addr
			: (const void *)&(
			      (const struct sockaddr_in6 *)(const void *)i->ifa_addr)
			      ->sin6_addr;
		found = inet_ntop(family, at, text, HOST_ADDRESS_MAX) != NULL;
	}
	freeifaddrs(all);
	return found;
}

void
host_primary_address(char address[HOST_ADDRESS_MAX])
{
	if (!by_route(address) && !by_interface(address, AF_INET) &&
	    !by_interface(address, AF_INET6))
		(void)snprintf(address, HOST_ADDRESS_MAX, "127.0.0.1");
}

void
host_name(char name[HOST_NAME_SIZE])
{
	name[HOST_NAME_SIZE - 1] = '\0';
	if (gethostname(name, HOST_NAME_SIZE - 1) == -1 || *name == '\0')
		memcpy(name, "localhost", sizeof("localhost"));
}

bool
host_is_loopback(const char *host)
{
	struct in_addr address;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}
