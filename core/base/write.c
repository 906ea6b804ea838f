#include "base/write.h"

#include <errno.h>
#include <unistd.h>

int
write_all(int fd, const void *bytes, size_t length)
{
	const char *from = bytes;

	while (length > 0) {
		ssize_t n = write(fd, from, length);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		from += n;
		length -= (size_t)n;
	}
	return 0;
}
