#define _GNU_SOURCE /* asprintf, mkdtemp */
#include "tests/unit/asking.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/failures.h"

int
asking_make(void **state)
{
	struct asking *f = calloc(1, sizeof(*f));
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);

	*state = f;
	if (f == NULL)
		return -1;
	memcpy(f->folder, "/tmp/test_ask.XXXXXX", 21);
	f->credentials.netrc = -1;
	buffer_init(&f->got, LIMIT_TOKEN);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (mkdtemp(f->folder) == NULL ||
	    asprintf(&f->file, "%s/" ASKING_NAME, f->folder) == -1 ||
	    asprintf(&f->socket, "%s/socket", f->folder) == -1 ||
	    bind(f->listener, (const struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(f->listener, 1) == -1 ||
	    getsockname(f->listener, (struct sockaddr *)&a, &size) == -1)
		return -1;
	(void)snprintf(
	    f->url, sizeof(f->url), "http://127.0.0.1:%u", (unsigned int)ntohs(a.sin_port));
	if (request_read(&f->request, &f->settings, "", &f->e) == -1)
		return -1;
	f->request.url = f->url;
	f->request.socket = f->socket;
	return 0;
}

int
asking_clean(void **state)
{
	struct asking *f = *state;

	(void)failures_set(NULL, 0, 0, 0);
	close(f->listener);
	(void)unlink(f->file);
	(void)unlink(f->socket);
	(void)rmdir(f->folder);
	request_free(&f->request);
	buffer_free(&f->got);
	free(f->file);
	free(f->socket);
	free(f);
	return 0;
}

void
asking_write(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

pid_t
asking_serve(int listener, const void *answer, size_t length)
{
	const pid_t parent = getpid();
	pid_t pid = fork();
	char request[8192];
	int fd;

	assert_int_not_equal(pid, -1);
	if (pid > 0)
		return pid;
	/* Should the test fail; and should it have ended before this. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
		_exit(1);
	fd = accept(listener, NULL, NULL);
	if (fd == -1 || recv(fd, request, sizeof(request), 0) <= 0 ||
	    send(fd, answer, length, MSG_NOSIGNAL) == -1)
		_exit(1);
	(void)shutdown(fd, SHUT_WR);
	_exit(0);
}

void
asking_end(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int
asking_ask(struct asking *f)
{
	buffer_free(&f->got);
	buffer_init(&f->got, LIMIT_TOKEN);
	f->e = (struct error){0};
	return ask_token(&f->got, &f->request, &f->credentials, &f->e);
}
