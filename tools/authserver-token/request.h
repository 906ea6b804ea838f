/* What is asked for, and of whom. */
#ifndef TOOLS_AUTHSERVER_TOKEN_REQUEST_H
#define TOOLS_AUTHSERVER_TOKEN_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "tools/authserver-token/settings.h"

/* The texts belong to whoever made it. */
struct request {
	const char *url;    /* of the web server, without a slash at its end; or NULL and */
	const char *socket; /* the local socket */
	const char *user;   /* NULL: none was named */
	const char *password_file;
	const char *netrc_file;
	bool negotiate;
	const char *ca_file; /* NULL: the system's authorities */
	bool insecure;       /* http:// to another host is accepted */
	bool direct;         /* the token itself is wanted as the answer, and no file of it */
	bool file;           /* the path of the file is all that is wanted */
	int timeout;         /* seconds */
	int64_t min_life;    /* seconds that a kept token must have left; 0: see life.h */
	const char *subject; /* "": whoever asks */
	struct buffer path;  /* /SUBJECT, in percent-encoding */
	struct buffer query; /* ttl, audience and profile, the same; "" */
};

/* Makes *r of what s says, which must outlive it; to be freed with request_free(). 0, or -1:
 * ERROR_CONFIG for what does not fit together, ERROR_MALFORMED for what is too long. */
int request_read(
    struct request *r, const struct settings *s, const char *subject, struct error *e);
void request_free(struct request *r);

#endif
