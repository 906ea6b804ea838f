#define _GNU_SOURCE /* SOCK_CLOEXEC and friends */
#include "fcgi/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/account.h"
#include "base/loopback.h"
#include "base/parse.h"

enum { SYSTEMD_FIRST = 3, BACKLOG = 1024 };

/* Refuses a path where a server listens; what a dead one left there is taken away. */
static int
remove_stale(const struct sockaddr_un *address, struct error *e)
{
	struct stat st;
	bool refused;
	int probe, rc;

	if (lstat(address->sun_path, &st) == -1)
		return errno == ENOENT ? 0
				       : error_set(e, ERROR_CONFIG, "%s: %s", address->sun_path,
					     strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return error_set(
		    e, ERROR_CONFIG, "%s: exists and is not a socket", address->sun_path);
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = probe == -1 ? -1
			 : connect(probe, (const struct sockaddr *)address, sizeof(*address));
	refused = rc == -1 && errno == ECONNREFUSED;
	if (probe != -1)
		close(probe);
	if (!refused) /* it answers, is busy, or is not for us to try */
		return error_set(
		    e, ERROR_CONFIG, "%s: another server listens there", address->sun_path);
	if (unlink(address->sun_path) == -1)
		return error_set(e, ERROR_CONFIG, "%s: %s", address->sun_path, strerror(errno));
	return 0;
}

/* Lets a group connect; nobody can yet, since nothing listens. */
static int
give_to_group(const char *path, const char *name, struct error *e)
{
	gid_t gid;

	if (name == NULL)
		return 0;
	if (account_group(name, &gid, e) == -1)
		return error_prefix(e, "--socket-group");
	if (chown(path, (uid_t)-1, gid) == -1)
		return error_set(e, ERROR_NO_PERMISSION,
		    "%s: cannot be given to group '%.64s': %s", path, name, strerror(errno));
	return 0;
}

static int
listen_at(const char *path, mode_t mode, const char *group, struct error *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t umask_before;
	int fd, rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(e, ERROR_CONFIG,
		    "%s: longer than a socket's path may be (%zu)", path,
		    sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (remove_stale(&address, e) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	umask_before = umask(0777 & ~mode); /* of this mode from the first moment */
	rc = fd == -1 ? -1 : bind(fd, (const struct sockaddr *)&address, sizeof(address));
	(void)umask(umask_before);
	if (rc == -1) {
		error_set(e, ERROR_CONFIG, "%s: %s", path, strerror(errno));
	} else if (give_to_group(path, group, e) == 0) {
		if (listen(fd, BACKLOG) == 0)
			return fd;
		error_set(e, ERROR_CONFIG, "%s: %s", path, strerror(errno));
	}
	if (rc == 0)
		(void)unlink(path);
	if (fd != -1)
		close(fd);
	return -1;
}

/* systemd's protocol, sd_listen_fds(3): one socket from descriptor 3 on. */
static bool
passed_by_systemd(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	uint64_t n;

	return pid != NULL && count != NULL && strcmp(count, "1") == 0 &&
	       parse_number(pid, strlen(pid), INT32_MAX, &n) == 0 && (pid_t)n == getpid();
}

int
listener_open(const char *path, const char *group, bool tcp, struct error *e)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	int listening = 0;
	socklen_t listening_size = sizeof(listening);
	int fd;

	if (path != NULL)
		return listen_at(path, 0660, group, e);
	fd = passed_by_systemd() ? SYSTEMD_FIRST : STDIN_FILENO;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) == -1 ||
	    listening == 0 || getsockname(fd, (struct sockaddr *)&address, &size) == -1)
		return error_set(e, ERROR_CONFIG,
		    "no listening socket on descriptor %d: give --socket PATH, or start it by "
		    "spawn-fcgi, systemd or mod_fcgid",
		    fd);
	if (address.ss_family != AF_UNIX && !tcp)
		return error_set(e, ERROR_CONFIG,
		    "the FastCGI socket is not a Unix socket, so anyone who reaches it could "
		    "claim to "
		    "be anyone: use a Unix socket, or --allow-tcp");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		return error_set(e, ERROR_CONFIG, "descriptor %d: %s", fd, strerror(errno));
	return fd;
}

int
listener_open_peer(const char *path, struct error *e)
{
	return listen_at(path, 0666, NULL, e);
}

int
listener_open_verification(const char *address, struct error *e)
{
	const int on = 1; /* or the port is taken for a minute after a restart */
	struct sockaddr_storage to;
	socklen_t size;
	int fd;

	if (loopback_parse(address, &to, &size) == -1)
		return error_set(e, ERROR_CONFIG, "%s: no loopback address and port", address);
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, (const struct sockaddr *)&to, size) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	error_set(e, ERROR_CONFIG, "verify-listen: %s: %s", address, strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

bool
listener_is_tcp(int fd)
{
	int family = AF_UNSPEC;
	socklen_t size = sizeof(family);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family != AF_UNIX;
}
