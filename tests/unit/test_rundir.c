/* authserver: the private directory of a run, the parts it is made of, the port, the children.
 */
#define _GNU_SOURCE /* asprintf, mkdtemp */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "tests/unit/failures.h"
#include "tools/authserver/child.h"
#include "tools/authserver/nginx_conf.h"
#include "tools/authserver/parts.h"
#include "tools/authserver/port.h"
#include "tools/authserver/rundir.h"

struct fixture {
	char folder[32];
	struct account own;
	struct rundir run;
};

static int
make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error e;

	*state = f;
	if (f == NULL)
		return -1;
	memcpy(f->folder, "/tmp/test_rundir.XXXXXX", 24);
	if (mkdtemp(f->folder) == NULL || setenv("XDG_RUNTIME_DIR", f->folder, 1) == -1)
		return -1;
	f->own = (struct account){.uid = geteuid(), .gid = getegid()};
	return rundir_open(&f->run, &f->own, &e);
}

static int
clean(void **state)
{
	struct fixture *f = *state;

	(void)failures_set(NULL, 0, 0, 0);
	rundir_remove(&f->run);
	/* Nothing but this is left. */
	if (rmdir(f->folder) == -1)
		return -1;
	free(f);
	return 0;
}

/* --- the directory --- */

static void
directory_is_in_the_first_place_that_will_do(void **state)
{
	static const char *const unsuitable[] = {"", "relative", "/tmp/a b", "/tmp/a;b",
	    "/tmp/0123456789012345678901234567890123456789012345678901234567890123456789"
	    "0123456789"};
	const struct fixture *f = *state;
	struct rundir r;
	struct error e;
	struct stat st;

	assert_memory_equal(f->run.path, f->folder, strlen(f->folder));
	assert_int_equal(fstat(f->run.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (size_t i = 0; i < sizeof(unsuitable) / sizeof(unsuitable[0]); i++) {
		assert_int_equal(setenv("XDG_RUNTIME_DIR", unsuitable[i], 1), 0);
		/* Nor may it be in /run. */
		assert_int_equal(setenv("TMPDIR", f->folder, 1), 0);
		(void)failures_set("mkdtemp", 0, 1, EACCES);
		assert_int_equal(rundir_open(&r, &f->own, &e), 0);
		assert_memory_equal(r.path, f->folder, strlen(f->folder));
		rundir_remove(&r);
	}
	rundir_remove(&r); /* what is closed is left */
	assert_int_equal(unsetenv("TMPDIR"), 0);
}

static void
directory_that_cannot_be_made_is_an_error(void **state)
{
	const struct fixture *f = *state;
	struct rundir r;
	struct error e;

	(void)failures_set("mkdtemp", 0, 4, EROFS);
	assert_int_equal(rundir_open(&r, &f->own, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "Read-only file system"));
	(void)failures_set("memory", 0, 1, ENOMEM);
	assert_int_equal(rundir_open(&r, &f->own, &e), -1);
	assert_string_equal(e.text, "out of memory");
}

static void
workers_of_another_account_are_let_in(void **state)
{
	static const char *const calls[] = {"fchown", "fchmod"};
	char name[] = "www-data";
	const struct account workers = {.name = name, .group = name, .gid = getegid()};
	struct rundir r;
	struct error e;
	struct stat st;

	(void)state;
	assert_int_equal(rundir_open(&r, &workers, &e), 0);
	assert_int_equal(fstat(r.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0710);
	rundir_remove(&r);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		(void)failures_set(calls[i], 0, 1, EPERM);
		assert_int_equal(rundir_open(&r, &workers, &e), -1);
		assert_int_equal(e.code, ERROR_NO_PERMISSION);
		assert_int_equal(r.fd, -1);
	}
}

static struct rundir
open_again(const struct fixture *f)
{
	return (struct rundir){.fd = open(f->run.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	    .path = strdup(f->run.path)};
}

static void
directory_goes_with_two_levels_and_no_link_is_followed(void **state)
{
	struct fixture *f = *state;
	struct rundir again;
	struct error e;
	struct stat st;
	char kept[64];

	(void)snprintf(kept, sizeof(kept), "%s/kept", f->folder);
	assert_int_equal(mkdir(kept, 0700), 0);
	assert_int_equal(rundir_write(&f->run, "file", "x", 1, &e), 0);
	assert_int_equal(mkdirat(f->run.fd, "deep", 0700), 0);
	assert_int_equal(mkdirat(f->run.fd, "deep/deeper", 0700), 0);
	assert_int_equal(mkdirat(f->run.fd, "deep/deeper/deepest", 0700), 0);
	assert_int_equal(symlinkat(kept, f->run.fd, "link"), 0);
	assert_int_equal(mkdirat(f->run.fd, "other", 0700), 0);
	again = open_again(f);
	(void)failures_set("fdopendir", 0, 1, ENOMEM);
	rundir_remove(&again);
	assert_int_equal(fstatat(f->run.fd, "file", &st, 0), 0);
	again = open_again(f);
	rundir_remove(&again);
	/* Two levels are all there is: what is below stays. */
	assert_int_equal(fstatat(f->run.fd, "file", &st, 0), -1);
	assert_int_equal(fstatat(f->run.fd, "other", &st, 0), -1);
	assert_int_equal(fstatat(f->run.fd, "deep/deeper/deepest", &st, 0), 0);
	assert_int_equal(unlinkat(f->run.fd, "deep/deeper/deepest", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(kept), 0);
}

static void
file_is_written_once(void **state)
{
	struct fixture *f = *state;
	struct error e;
	struct stat st;

	assert_int_equal(rundir_write(&f->run, "conf", "text", 4, &e), 0);
	assert_int_equal(fstatat(f->run.fd, "conf", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(rundir_write(&f->run, "conf", "text", 4, &e), -1);
	assert_non_null(strstr(e.text, "/conf: File exists"));
	(void)failures_set("write", 0, 1, ENOSPC);
	assert_int_equal(rundir_write(&f->run, "more", "text", 4, &e), -1);
	assert_non_null(strstr(e.text, "/more: No space left on device"));
}

static void
configuration_of_nginx_is_filled_in(void **state)
{
	char name[] = "an-account", group[] = "some-group", text[16384];
	const struct account workers = {.name = name, .group = group};
	struct fixture *f = *state;
	struct error e;
	ssize_t n;
	int fd;

	for (int root = 0; root < 2; root++) {
		(void)failures_set("memory", 0, 1, ENOMEM);
		assert_int_equal(nginx_conf_write(&f->run, &f->own, 5001, true, &e), -1);
		assert_int_equal(e.code, ERROR_INTERNAL);
		(void)failures_set(NULL, 0, 0, 0);
		assert_int_equal(
		    nginx_conf_write(&f->run, root ? &workers : &f->own, 5001, root, &e), 0);
		fd = openat(f->run.fd, RUNDIR_CONFIG, O_RDONLY | O_CLOEXEC);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		assert_in_range(n, 1, sizeof(text) - 2);
		text[n] = '\0';
		assert_non_null(strstr(text, "127.0.0.1:5001"));
		assert_non_null(strstr(text, f->run.path));
		assert_true((strstr(text, name) != NULL) == root);
		assert_true((strstr(text, group) != NULL) == root);
		assert_null(strstr(text, "@PORT@"));
		assert_int_equal(unlinkat(f->run.fd, RUNDIR_CONFIG, 0), 0);
	}
}

static void
socket_is_for_us_and_the_workers(void **state)
{
	static const char *const calls[] = {"socket", "bind", "fchownat", "fchmodat", "listen"};
	struct fixture *f = *state;
	struct error e;
	struct stat st;
	int fd;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		(void)failures_set(calls[i], 0, 1, ENOBUFS);
		assert_int_equal(rundir_listen(&f->run, &f->own, &fd, &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		assert_non_null(strstr(e.text, "No buffer space available"));
		assert_int_equal(fd, -1);
		(void)unlinkat(f->run.fd, RUNDIR_SOCKET, 0);
	}
	assert_int_equal(rundir_listen(&f->run, &f->own, &fd, &e), 0);
	assert_int_equal(fstatat(f->run.fd, RUNDIR_SOCKET, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	close(fd);
}

static void
users_are_those_of_a_file_that_can_be_read(void **state)
{
	struct fixture *f = *state;
	struct error e;
	char path[80], target[80];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/htpasswd", f->run.path);
	assert_int_equal(rundir_link_users(&f->run, &f->own, path, &e), -1);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	assert_non_null(strstr(e.text, "No such file"));
	assert_int_equal(rundir_link_users(&f->run, &f->own, f->folder, &e), -1);
	assert_non_null(strstr(e.text, "not a regular file"));
	assert_int_equal(rundir_write(&f->run, "htpasswd", "", 0, &e), 0);
	(void)failures_set("fork", 0, 1, EAGAIN);
	assert_int_equal(rundir_link_users(&f->run, &f->own, path, &e), -1);
	(void)failures_set("memory", 0, 1, ENOMEM);
	assert_int_equal(rundir_link_users(&f->run, &f->own, path, &e), -1);
	(void)failures_set("getcwd", 0, 1, ENOENT);
	assert_int_equal(rundir_link_users(&f->run, &f->own, path, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_int_equal(rundir_link_users(&f->run, &f->own, path, &e), 0);
	n = readlinkat(f->run.fd, RUNDIR_USERS, target, sizeof(target));
	assert_int_equal(n, strlen(path));
	assert_memory_equal(target, path, strlen(path));
	assert_int_equal(rundir_link_users(&f->run, &f->own, path, &e), -1);
	assert_non_null(strstr(e.text, "File exists"));
	/* A path is one from here. */
	assert_int_equal(unlinkat(f->run.fd, RUNDIR_USERS, 0), 0);
	assert_int_equal(chdir(f->run.path), 0);
	assert_int_equal(rundir_link_users(&f->run, &f->own, "htpasswd", &e), 0);
	assert_int_equal(chdir("/"), 0);
	n = readlinkat(f->run.fd, RUNDIR_USERS, target, sizeof(target));
	assert_int_equal(n, strlen(path));
	assert_memory_equal(target, path, strlen(path));
}

/* --- who the workers are --- */

static void
workers_are_of_an_account_that_is_there(void **state)
{
	struct account a;
	struct error e;
	int turn;

	(void)state;
	if (geteuid() != 0) {
		assert_int_equal(account_find(&a, &e), 0);
		assert_null(a.name);
		assert_int_equal(a.uid, geteuid());
		return;
	}
	(void)failures_set("getpwnam", 0, 1, 0);
	assert_int_equal(account_find(&a, &e), 0);
	assert_string_equal(a.name, "nobody");
	account_free(&a);
	(void)failures_set("getpwnam", 0, 2, 0);
	assert_int_equal(account_find(&a, &e), -1);
	assert_non_null(strstr(e.text, "neither www-data nor nobody exists"));
	(void)failures_set("getgrgid", 0, 1, 0);
	assert_int_equal(account_find(&a, &e), -1);
	for (turn = 0; turn < 2; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		assert_int_equal(account_find(&a, &e), -1);
		assert_string_equal(e.text, "out of memory");
		account_free(&a);
	}
}

static void
file_that_the_workers_cannot_read_is_refused(void **state)
{
	struct fixture *f = *state;
	struct account a;
	struct error e;
	char path[80];

	if (geteuid() != 0)
		skip();
	(void)snprintf(path, sizeof(path), "%s/htpasswd", f->run.path);
	assert_int_equal(account_find(&a, &e), 0);
	assert_int_equal(rundir_write(&f->run, "htpasswd", "", 0, &e), 0);
	assert_int_equal(rundir_link_users(&f->run, &a, path, &e), -1);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	assert_non_null(strstr(e.text, "cannot read it: chgrp"));
	account_free(&a);
}

/* --- the parts --- */

/* What our executable is said to be; NULL: what it is. */
static const char *executable;

ssize_t __real_readlink(const char *path, char *to, size_t size);
ssize_t __wrap_readlink(const char *path, char *to, size_t size);

ssize_t
__wrap_readlink(const char *path, char *to, size_t size)
{
	size_t length = executable == NULL ? 0 : strlen(executable);

	if (failures_hit("readlink"))
		return -1;
	if (executable == NULL)
		return __real_readlink(path, to, size);
	memcpy(to, executable, length < size ? length : size);
	return (ssize_t)(length < size ? length : size);
}

static void
part_is_looked_for_beside_us_and_in_the_path(void **state)
{
	static const char *const names[] = {"authserver.fcgi", "authserver-reap", "nginx"};
	struct fixture *f = *state;
	char self[64], list[128], missing[32];
	char *before = strdup(getenv("PATH"));
	struct parts p;
	struct error e;
	int turn;

	(void)snprintf(self, sizeof(self), "%s/authserver", f->run.path);
	(void)snprintf(list, sizeof(list), ":relative:/nowhere:%s", f->run.path);
	executable = self;
	assert_int_equal(setenv("PATH", list, 1), 0);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(missing, sizeof(missing), "%s is missing", names[i]);
		assert_int_equal(parts_find(&p, &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		assert_memory_equal(e.text, missing, strlen(missing));
		parts_free(&p);
		/* Neither what may not be run, nor what is no file. */
		assert_int_equal(rundir_write(&f->run, names[i], "", 0, &e), 0);
		assert_int_equal(parts_find(&p, &e), -1);
		parts_free(&p);
		assert_int_equal(unlinkat(f->run.fd, names[i], 0), 0);
		assert_int_equal(mkdirat(f->run.fd, names[i], 0700), 0);
		assert_int_equal(parts_find(&p, &e), -1);
		parts_free(&p);
		assert_int_equal(unlinkat(f->run.fd, names[i], AT_REMOVEDIR), 0);
		assert_int_equal(rundir_write(&f->run, names[i], "", 0, &e), 0);
		assert_int_equal(fchmodat(f->run.fd, names[i], 0700, 0), 0);
	}
	assert_int_equal(rundir_write(&f->run, "nginx", "", 0, &e), 0);
	assert_int_equal(fchmodat(f->run.fd, "nginx", 0700, 0), 0);
	for (turn = 0; turn < 20; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		if (parts_find(&p, &e) == 0)
			break;
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		parts_free(&p);
	}
	assert_int_equal(turn, 5);
	assert_int_equal(strlen(p.nginx), strlen(f->run.path) + 6);
	assert_memory_equal(p.nginx, f->run.path, strlen(f->run.path));
	parts_free(&p);
	assert_int_equal(setenv("PATH", before, 1), 0);
	free(before);
	executable = "authserver";
	assert_int_equal(parts_find(&p, &e), -1);
	executable = NULL;
	(void)failures_set("readlink", 0, 1, ENOENT);
	assert_int_equal(parts_find(&p, &e), -1);
	assert_non_null(strstr(e.text, "mount /proc"));
}

/* --- the port --- */

/* A socket that is bound to a port, and listens. */
static int
take_port(uint16_t *port)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void
port_that_cannot_be_had_is_told_why(void **state)
{
	static const struct {
		const char *call;
		int number;
		enum error_code code;
		const char *text;
	} rows[] = {{"bind", EACCES, ERROR_NO_PERMISSION, "ports below 1024 are root's"},
	    {"bind", EADDRNOTAVAIL, ERROR_UNAVAILABLE, "Cannot assign requested address"},
	    {"socket", EMFILE, ERROR_UNAVAILABLE, "Too many open files"},
	    {"setsockopt", ENOBUFS, ERROR_UNAVAILABLE, "No buffer space"}};
	struct error e;
	uint16_t port;
	int fd = take_port(&port);

	(void)state;
	assert_int_equal(port_check(port, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "is taken"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)failures_set(rows[i].call, 0, 1, rows[i].number);
		assert_int_equal(port_check(port, &e), -1);
		assert_int_equal(e.code, rows[i].code);
		assert_non_null(strstr(e.text, rows[i].text));
	}
	(void)failures_set(NULL, 0, 0, 0);
	assert_int_equal(port_check(0, &e), 0);
	close(fd);
}

static void
service_is_up_when_it_answers_for_itself(void **state)
{
	static const struct {
		const char *answer;
		int up;
	} rows[] = {{"HTTP/1.1 200 OK\r\n\r\n", 1}, {"HTTP/1.1 421 No\r\n\r\n", 1},
	    {"HTTP/1.1 502 No\r\n\r\n", 0}, {"HTTP", 0}, {"", 0}};
	static const char *const calls[] = {"socket", "send"};
	struct port_probe p = {.host = "localhost", .fd = -1};
	int fd = take_port(&p.port);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char request[512];
		int c;

		/* Asked, and nothing is waited for. */
		assert_int_equal(port_probe_step(&p), 0);
		assert_int_not_equal(p.fd, -1);
		c = accept(fd, NULL, NULL);
		assert_true(recv(c, request, sizeof(request), 0) > 0);
		assert_memory_equal(request, "GET /-/healthy ", 15);
		assert_int_equal(
		    write(c, rows[i].answer, strlen(rows[i].answer)), strlen(rows[i].answer));
		close(c);
		assert_int_equal(poll(&(struct pollfd){p.fd, POLLIN, 0}, 1, 10000), 1);
		assert_int_equal(port_probe_step(&p), rows[i].up);
		assert_int_equal(p.fd, -1);
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		(void)failures_set(calls[i], 0, 1, ENOBUFS);
		assert_int_equal(port_probe_step(&p), 0);
		assert_int_equal(p.fd, -1);
	}
	close(fd);
	assert_int_equal(port_probe_step(&p), 0);
	assert_int_equal(p.fd, -1);
	port_probe_end(&p);
}

/* --- children --- */

static void
how_a_child_ended_becomes_our_exit_status(void **state)
{
	static const struct {
		int status, ours;
	} rows[] = {{0, EX_UNAVAILABLE}, {1 << 8, EX_UNAVAILABLE}, {EX_USAGE << 8, EX_USAGE},
	    {EX_CONFIG << 8, EX_CONFIG}, {79 << 8, EX_UNAVAILABLE}, {SIGKILL, EX_SOFTWARE}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    child_exit_status(&(struct child){.status = rows[i].status}), rows[i].ours);
}

static void
child_runs_until_it_ends_or_is_killed(void **state)
{
	char sh[] = "/bin/sh", flag[] = "-c", script[] = "exec sleep 60";
	char *const argv[] = {sh, flag, script, NULL};
	struct child c = {.name = "sh", .argv = argv, .input = -1, .batch = true};
	struct error e;
	sigset_t set;

	(void)state;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	/* One that does not run is left, and has ended. */
	child_signal(&c, SIGTERM);
	child_kill(&c);
	assert_true(child_ended(&c));
	(void)failures_set("fork", 0, 1, EAGAIN);
	assert_int_equal(child_start(&c, &e), -1);
	assert_string_equal(e.text, "cannot start sh: Resource temporarily unavailable");
	assert_int_equal(child_start(&c, &e), 0);
	assert_false(child_wait(&c, 200));
	child_kill(&c);
	assert_true(child_ended(&c));
	assert_int_equal(child_exit_status(&c), EX_SOFTWARE);
	assert_int_equal(child_start(&c, &e), 0);
	child_signal(&c, SIGTERM);
	assert_true(child_wait(&c, 10000));
	assert_true(WIFSIGNALED(c.status));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		directory_is_in_the_first_place_that_will_do, make, clean),
	    cmocka_unit_test_setup_teardown(
		directory_that_cannot_be_made_is_an_error, make, clean),
	    cmocka_unit_test_setup_teardown(workers_of_another_account_are_let_in, make, clean),
	    cmocka_unit_test_setup_teardown(
		directory_goes_with_two_levels_and_no_link_is_followed, make, clean),
	    cmocka_unit_test_setup_teardown(file_is_written_once, make, clean),
	    cmocka_unit_test_setup_teardown(configuration_of_nginx_is_filled_in, make, clean),
	    cmocka_unit_test_setup_teardown(socket_is_for_us_and_the_workers, make, clean),
	    cmocka_unit_test_setup_teardown(
		users_are_those_of_a_file_that_can_be_read, make, clean),
	    cmocka_unit_test_setup_teardown(
		workers_are_of_an_account_that_is_there, make, clean),
	    cmocka_unit_test_setup_teardown(
		file_that_the_workers_cannot_read_is_refused, make, clean),
	    cmocka_unit_test_setup_teardown(
		part_is_looked_for_beside_us_and_in_the_path, make, clean),
	    cmocka_unit_test(port_that_cannot_be_had_is_told_why),
	    cmocka_unit_test(service_is_up_when_it_answers_for_itself),
	    cmocka_unit_test(how_a_child_ended_becomes_our_exit_status),
	    cmocka_unit_test(child_runs_until_it_ends_or_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
