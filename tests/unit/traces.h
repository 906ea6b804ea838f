/* What is to be secret, and where the memory of another process holds a part of it. */
#ifndef TESTS_UNIT_TRACES_H
#define TESTS_UNIT_TRACES_H

#include <stddef.h>
#include <sys/types.h>

#include <openssl/bn.h>
#include <openssl/evp.h>

enum { TRACES_SECRETS = 256 };

struct traces_secret {
	char name[16];
	unsigned char *bytes;
	size_t length;
	/* Pieces that were found: in memory that is neither swapped nor dumped, and in other.
	 */
	unsigned int locked;
	unsigned int loose;
};

struct traces {
	struct traces_secret secrets[TRACES_SECRETS];
	size_t count;
};

/* Of at least 16 bytes. */
void traces_add(struct traces *t, const char *name, const void *bytes, size_t length);

/* A key's private numbers, each in both orders of bytes, under these names: "d", "p", "q",
 * "dp", "dq", "qi" of RSA; "d" of EC; "d" of Ed25519, which has one order. */
void traces_add_key(struct traces *t, const EVP_PKEY *pkey);

/* Each line of a PEM file under the name "PEM". */
void traces_add_pem(struct traces *t, const char *path);

void traces_free(struct traces *t);

/* Looks for them in all that the process has written to; the process is stopped. What is found
 * does not depend on what has been found before. */
void traces_look(struct traces *t, pid_t pid);

#endif
