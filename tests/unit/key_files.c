#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/key_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/keys.h"

static const char passphrase[] = "correct horse";

static struct key_files fixture;

int
key_files_make(void **state)
{
	struct key_files *f = &fixture;

	*state = f;
	umask(077);
	f->rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	f->ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test_key_file.XXXXXX");
	if (f->rsa == NULL || f->ec == NULL || mkdtemp(f->directory) == NULL)
		return -1;
	(void)snprintf(f->file, sizeof(f->file), "%.63s/key.pem", f->directory);
	(void)snprintf(
	    f->passphrase_file, sizeof(f->passphrase_file), "%.63s/passphrase", f->directory);
	return 0;
}

int
key_files_free(void **state)
{
	struct key_files *f = *state;

	EVP_PKEY_free(f->rsa);
	EVP_PKEY_free(f->ec);
	return rmdir(f->directory);
}

int
key_files_clean(void **state)
{
	struct key_files *f = *state;

	(void)rmdir(f->file);
	(void)unlink(f->file);
	(void)unlink(f->passphrase_file);
	return 0;
}

void
key_files_write(const char *path, const EVP_PKEY *pkey, enum key_form form)
{
	bool traditional = form == TRADITIONAL || form == TRADITIONAL_ENCRYPTED;
	bool encrypted = form == PKCS8_ENCRYPTED || form == TRADITIONAL_ENCRYPTED;

	keys_write_as(path, pkey, traditional, encrypted ? passphrase : NULL);
}

void
key_files_assert_refused(const struct key_files *f, const char *passphrase_file,
    enum error_code code, const char *reason)
{
	struct key *k = NULL;
	struct error e = {0};
	size_t name = strlen(f->file);

	assert_int_equal(keys_load(&k, f->file, passphrase_file, "RS256", &e), -1);
	assert_null(k);
	assert_int_equal(e.code, code);
	assert_memory_equal(e.text, f->file, name);
	assert_memory_equal(e.text + name, ": ", 2);
	if (strstr(e.text + name, reason) == NULL)
		fail_msg("%s", e.text);
	assert_null(strstr(e.text, passphrase));
}
