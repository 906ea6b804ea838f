/* OpenSSL as a whole: what this program has of it, and when it starts. */
#ifndef JOSE_LIBRARY_H
#define JOSE_LIBRARY_H

#include <stdbool.h>

/* "OpenSSL 3.0.17 1 Jul 2025", of the library that is loaded. */
const char *library_version(void);

/* Whether a key can be behind a URI of the scheme, such as "pkcs11". */
bool library_has_scheme(const char *scheme);

/* Has OpenSSL read and load now what it would when it is first needed. */
void library_settle(void);

#endif
