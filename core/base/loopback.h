/* Addresses that only processes of this host can reach. */
#ifndef BASE_LOOPBACK_H
#define BASE_LOOPBACK_H

#include <sys/socket.h>

/*
 * Reads "127.0.0.1:PORT", or another address of 127.0.0.0/8 (RFC 1122, 3.2.1.3), or
 * "[::1]:PORT" (RFC 4291, 2.5.3); no name is looked up. 0, or -1 when text is none of them.
 */
int loopback_parse(const char *text, struct sockaddr_storage *address, socklen_t *size);

#endif
