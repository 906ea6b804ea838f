/* For LD_PRELOAD: uses OpenSSL before the program's main. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <dlfcn.h>
#include <stdlib.h>

__attribute__((constructor)) static void
use_openssl(void)
{
	void *(*allocate)(size_t, const char *, int);

	*(void **)&allocate = dlsym(RTLD_DEFAULT, "CRYPTO_malloc");
	if (allocate != NULL)
		free(allocate(1, __FILE__, __LINE__));
}
