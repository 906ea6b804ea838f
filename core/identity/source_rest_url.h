/* The URL at which a service is asked for a user's groups. For source_rest.c. */
#ifndef IDENTITY_SOURCE_REST_URL_H
#define IDENTITY_SOURCE_REST_URL_H

#include "base/buffer.h"
#include "base/error.h"
#include "config/groups.h"

/*
 * Whether the configured URL is one: http or https, without a user name, a password or a
 * fragment, and with {0}, if it has it, behind the host. A token or a client certificate goes
 * over http:// to the host itself alone. ERROR_CONFIG.
 */
int rest_url_check(const struct rest_config *c, struct error *e);

/*
 * Puts the user, percent-encoded as one segment of a path (RFC 3986, 2.3), where the first
 * {0} of url stands, or behind it. What was in *to goes. ERROR_UNAVAILABLE for a name that no
 * segment can have, "", "." and "..", and for a URL that is too long.
 */
int rest_url_of(struct buffer *to, const char *url, const char *user, struct error *e);

#endif
