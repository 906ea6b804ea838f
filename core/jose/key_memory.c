#define _GNU_SOURCE /* explicit_bzero */
#include "jose/key_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

enum {
	ONE_HEAP = 64 * 1024,    /* bytes for one key */
	RING_HEAP = 1024 * 1024, /* for LIMIT_KEYS keys of RSA of 16,384 bits */
	STACK = 32 * 1024,       /* OpenSSL 3.0 takes 6 KiB of it to load a key */
};

/* With the file and the line of OpenSSL that call. */
static void
cleanse_and_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	if (block == NULL)
		return;
	explicit_bzero(block, malloc_usable_size(block));
	free(block);
}

/* Not realloc, which would leave a copy behind. Zeroed, so that the call of malloc is
 * libcrypto's and no jump to it from here: the torture spares libcrypto by who calls. */
static void *
move(void *block, size_t size, const char *file, int line)
{
	size_t had = block != NULL ? malloc_usable_size(block) : 0;
	void *moved = NULL;

	if (size > 0) {
		moved = CRYPTO_zalloc(size, file, line);
		if (moved == NULL)
			return NULL;
		if (block != NULL)
			memcpy(moved, block, had < size ? had : size);
	}
	cleanse_and_free(block, file, line);
	return moved;
}

bool
key_memory_cleanse(void)
{
	return CRYPTO_set_mem_functions(NULL, move, cleanse_and_free) == 1;
}

bool
key_memory_lock(const char *path)
{
	struct stat st;
	bool ring = path != NULL && stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	/* 1: reserved and locked; 2: reserved, but the kernel refused to lock. */
	return CRYPTO_secure_malloc_init(ring ? RING_HEAP : ONE_HEAP, 16) == 1;
}

__attribute__((noinline)) void
key_memory_wipe_stack(void)
{
	char below[STACK];

	explicit_bzero(below, sizeof(below));
}
