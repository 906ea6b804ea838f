/* The host we run on. */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <stdbool.h>

enum { HOST_ADDRESS_MAX = 46, /* INET6_ADDRSTRLEN */ HOST_NAME_SIZE = 256 };

/*
 * The host's primary address as text: the one that a packet to the outside would carry
 * (none is sent), else the first of an interface that is up, else 127.0.0.1.
 */
void host_primary_address(char address[HOST_ADDRESS_MAX]);

/* The host's name as gethostname(2) has it, "localhost" when it has none. */
void host_name(char name[HOST_NAME_SIZE]);

/* Whether the host of a URL is this one whatever a name server says: an address of the loopback
 * device, or localhost (RFC 6761, 6.3), which libcurl resolves to nothing else. */
bool host_is_loopback(const char *host);

#endif
