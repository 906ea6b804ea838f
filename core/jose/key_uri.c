/* Keys that no file of ours holds: OpenSSL's store reads what its providers know, and the
 * engine interface, deprecated as it is, is how Debian 12 reaches PKCS #11. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "jose/key_read.h"

#include <string.h>

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/store.h>
#include <openssl/ui.h>

static int
give_pin(char *to, int size, int writing, void *context)
{
	const struct buffer *pin = context;

	(void)writing;
	if (pin->length == 0 || pin->length > (size_t)size)
		return -1;
	memcpy(to, pin->data, pin->length);
	return (int)pin->length;
}

/* The first private key of what the store shows. */
static EVP_PKEY *
from_store(const char *uri, struct buffer *pin)
{
	UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
	OSSL_STORE_CTX *store = OSSL_STORE_open(uri, ui, pin, NULL, NULL);
	EVP_PKEY *pkey = NULL;

	while (store != NULL && pkey == NULL && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info == NULL)
			break;
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			pkey = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	if (store != NULL)
		(void)OSSL_STORE_close(store);
	UI_destroy_method(ui);
	return pkey;
}

/* The engine stays in use for as long as the key, which holds a reference of its own. */
static EVP_PKEY *
from_engine(const char *uri, const struct buffer *pin)
{
	char name[32] = "";
	EVP_PKEY *pkey = NULL;
	ENGINE *engine;

	memcpy(
	    name, uri, strcspn(uri, ":") < sizeof(name) ? strcspn(uri, ":") : sizeof(name) - 1);
	ENGINE_load_dynamic();
	engine = ENGINE_by_id(name);
	if (engine == NULL)
		return NULL;
	if (ENGINE_init(engine) == 1) {
		if (pin->length == 0 ||
		    ENGINE_ctrl_cmd_string(engine, "PIN", pin->data, 0) == 1)
			pkey = ENGINE_load_private_key(engine, uri, NULL, NULL);
		ENGINE_finish(engine);
	}
	ENGINE_free(engine);
	return pkey;
}

int
key_read_uri(EVP_PKEY **out, const struct key_source *source, struct error *e)
{
	struct buffer pin;
	const char *reason;

	*out = NULL;
	/* It would stand in logs and in the list of processes. */
	if (strstr(source->path, "pin-value=") != NULL)
		return error_set(e, ERROR_CONFIG,
		    "private-key holds a PIN: put it into a file, and name that in "
		    "passphrase-file");
	buffer_init(&pin, LIMIT_PASSPHRASE);
	if (key_read_passphrase(source->passphrase_file, &pin, e) == -1) {
		buffer_free(&pin);
		return -1;
	}
	if (pin.length > 0)
		pin.data[pin.length] = '\0'; /* the line's end was there */
	*out = from_store(source->path, &pin);
	if (*out == NULL)
		*out = from_engine(source->path, &pin);
	reason = ERR_reason_error_string(ERR_peek_last_error());
	if (*out == NULL)
		error_set(e, ERROR_CONFIG, "%s: no private key to be had there: %s",
		    source->path, reason != NULL ? reason : "nothing found");
	ERR_clear_error();
	buffer_free(&pin);
	return *out == NULL ? -1 : 0;
}
