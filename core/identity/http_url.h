/* What a configured URL is, before anything is asked of it. */
#ifndef IDENTITY_HTTP_URL_H
#define IDENTITY_HTTP_URL_H

#include <stdbool.h>

struct http_url {
	bool open; /* what is sent could be read and changed on the way: it goes to another
		      machine, and not over https */
	bool user; /* it has a user name or a password */
	bool fragment;
};

/* NULL, or what is wrong with text, which is then no URL with a host. */
const char *http_url_read(struct http_url *u, const char *text);

#endif
