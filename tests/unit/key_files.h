/* What tests of key files share: one file that is written anew, and one for its passphrase.
 * Goes with keys.h. */
#ifndef TESTS_UNIT_KEY_FILES_H
#define TESTS_UNIT_KEY_FILES_H

#include <openssl/evp.h>

#include "base/error.h"

struct key_files {
	char directory[64];
	char file[96];
	char passphrase_file[96];
	EVP_PKEY *rsa;
	EVP_PKEY *ec;
};

/* For cmocka: set-up and teardown of a group, and teardown of a test. */
int key_files_make(void **state);
int key_files_free(void **state);
int key_files_clean(void **state);

/* Writes the key; "correct horse" opens one that is encrypted. */
enum key_form { PKCS8, TRADITIONAL, PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED };
void key_files_write(const char *path, const EVP_PKEY *pkey, enum key_form form);

/* Asserts that the file is refused with code and, behind its name, a text with reason. */
void key_files_assert_refused(const struct key_files *f, const char *passphrase_file,
    enum error_code code, const char *reason);

#endif
