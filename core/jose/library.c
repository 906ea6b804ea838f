/* The engine interface is deprecated, but how Debian 12 reaches PKCS #11 (key_uri.c). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "jose/library.h"

#include <openssl/crypto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/store.h>

const char *
library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

bool
library_has_scheme(const char *scheme)
{
	OSSL_STORE_LOADER *loader = OSSL_STORE_LOADER_fetch(NULL, scheme, NULL);
	ENGINE *engine = NULL;
	bool has = loader != NULL;

	if (!has) {
		ENGINE_load_dynamic();
		engine = ENGINE_by_id(scheme);
		has = engine != NULL;
	}
	OSSL_STORE_LOADER_free(loader);
	ENGINE_free(engine);
	ERR_clear_error();
	return has;
}

void
library_settle(void)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
}
