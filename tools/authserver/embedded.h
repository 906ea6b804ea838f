/* Files that are part of the program: read them in the source tree, not here. */
#ifndef AUTHSERVER_EMBEDDED_H
#define AUTHSERVER_EMBEDDED_H

#include <stddef.h>

struct embedded {
	const char *text; /* no NUL behind it */
	size_t length;
};

/* man/authserver.1 */
struct embedded embedded_manual(void);

/* tools/authserver/nginx.conf.in */
struct embedded embedded_nginx(void);

#endif
