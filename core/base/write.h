/* Bytes into a descriptor that waits for whoever takes them. */
#ifndef BASE_WRITE_H
#define BASE_WRITE_H

#include <stddef.h>

/* Writes all of them, however few are taken at once. 0, or -1 and errno; a part may then have
 * been written. */
int write_all(int fd, const void *bytes, size_t length);

#endif
