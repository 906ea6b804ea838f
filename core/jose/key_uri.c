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
from_store(const char *uri, UI_METHOD *ui, struct buffer *pin)
{
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
	return pkey;
}

/* The engine that is called as the scheme is; NULL when there is none. */
static ENGINE *
find_engine(const char *uri)
{
	char name[32] = "";
	size_t length = strcspn(uri, ":");

	memcpy(name, uri, length < sizeof(name) ? length : sizeof(name) - 1);
	ENGINE_load_dynamic();
	return ENGINE_by_id(name);
}

/* The engine stays in use for as long as the key, which holds a reference of its own. */
static EVP_PKEY *
from_engine(ENGINE *engine, const char *uri, UI_METHOD *ui, struct buffer *pin)
{
	EVP_PKEY *pkey = NULL;

	if (ENGINE_init(engine) == 1) {
		/* It would tell standard error of each step that fails. */
		(void)ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 1);
		pkey = ENGINE_load_private_key(engine, uri, ui, pin);
		ENGINE_finish(engine);
	}
	ENGINE_free(engine);
	return pkey;
}

static EVP_PKEY *
from_anywhere(const char *uri, UI_METHOD *ui, struct buffer *pin)
{
	EVP_PKEY *pkey = from_store(uri, ui, pin);
	ENGINE *engine;

	if (pkey != NULL)
		return pkey;
	engine = find_engine(uri);
	if (engine == NULL)
		return NULL;
	ERR_clear_error(); /* the store knows no such scheme */
	return from_engine(engine, uri, ui, pin);
}

static void
explain(const struct key_source *source, struct error *e)
{
	/* The first error is the cause; after it comes whose call failed for it. */
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	error_set(e, ERROR_CONFIG, "%s: no private key to be had there: %s%s", source->path,
	    reason != NULL ? reason : "nothing found",
	    source->passphrase_file == NULL ? " (and passphrase-file names no PIN)" : "");
}

int
key_read_uri(EVP_PKEY **out, const struct key_source *source, struct error *e)
{
	UI_METHOD *ui;
	struct buffer pin;

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
	/* With one of our own nobody is asked at a terminal. */
	ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
	if (ui != NULL)
		*out = from_anywhere(source->path, ui, &pin);
	if (*out == NULL)
		explain(source, e);
	ERR_clear_error();
	UI_destroy_method(ui);
	buffer_free(&pin);
	return *out == NULL ? -1 : 0;
}
