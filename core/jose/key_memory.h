/*
 * Where private keys lie in memory, and that nothing of them stays there. What belongs to the
 * whole process is set once by its main.
 */
#ifndef JOSE_KEY_MEMORY_H
#define JOSE_KEY_MEMORY_H

#include <stdbool.h>

/*
 * From here on OpenSSL cleanses all memory that it frees: else parts of what it reads a key
 * from stay there. Called by a main before anything of OpenSSL; later it has no effect. Returns
 * whether it has one.
 */
bool key_memory_cleanse(void);

/*
 * Puts private numbers on pages that are locked and left out of core dumps, for the
 * whole process; called once before the first key is loaded. path is where the keys are: a
 * directory of them gets more room. Returns whether the kernel let us lock them
 * (RLIMIT_MEMLOCK).
 */
bool key_memory_lock(const char *path);

/* Cleanses the stack below the caller, as far as OpenSSL's functions that it has called reach.
 */
void key_memory_wipe_stack(void);

#endif
