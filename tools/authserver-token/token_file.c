#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/token_name.h"
#include "tools/authserver-token/ask.h"

int
token_file_read(struct buffer *token, const char *path, struct error *e)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	int64_t made;
	int rc = -1;
	int fd;

	/* Whatever answers could name any file that this account may read. */
	if (slash == NULL || token_name_parse(slash + 1, &made) == -1)
		return error_set(
		    e, ERROR_UNAVAILABLE, "%s: not the name of a token file", path);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return error_set(e, ERROR_UNAVAILABLE,
		    "%s: there is no such file here: where the server has other files than "
		    "this host, ask with --direct",
		    path);
	if (fd == -1)
		return error_set(e, ERROR_NO_PERMISSION,
		    "%s: %s: this account may not read its token's file: ask with --direct",
		    path, strerror(errno));
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || (st.st_mode & 002) != 0)
		error_set(e, ERROR_UNAVAILABLE,
		    "%s: not a regular file, or anybody may write it", path);
	else
		rc = file_read_open(fd, path, token, e);
	close(fd);
	return rc == -1 && e->code == ERROR_CONFIG
		   ? error_set(e, ERROR_UNAVAILABLE, "%s: too large for a token", path)
		   : rc;
}
