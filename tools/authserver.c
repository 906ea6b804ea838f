/*
 * The drop-in for the Okera Auth Server: one foreground process with its flags and log
 * lines, below which a private nginx on loopback, authserver.fcgi and authserver-reap
 * run. See authserver(1).
 */
#define _GNU_SOURCE /* asprintf */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tools/authserver/complain.h"
#include "tools/authserver/nginx_conf.h"
#include "tools/authserver/options.h"
#include "tools/authserver/parts.h"
#include "tools/authserver/port.h"
#include "tools/authserver/rundir.h"
#include "tools/authserver/supervise.h"

static const char no_users[] =
    "Without --users=FILE nobody is asked for a password: any process on this machine can "
    "get a token for any subject";

/* Arguments that are made; freed with their list. */
struct arguments {
	char *items[FLAGS_MAX + 16];
	size_t count;
	bool failed; /* memory was short */
};

static void add(struct arguments *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct arguments *a, const char *format, ...)
{
	va_list list;

	if (a->count + 1 >= sizeof(a->items) / sizeof(a->items[0])) {
		a->failed = true;
		return;
	}
	va_start(list, format);
	if (vasprintf(&a->items[a->count], format, list) == -1) {
		a->items[a->count] = NULL;
		a->failed = true;
	} else {
		a->count++;
	}
	va_end(list);
}

static void
free_arguments(struct arguments *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->items[i]);
	*a = (struct arguments){0};
}

/* What runs: the plan and all that it points into. */
struct job {
	struct options options;
	struct parts parts;
	struct account workers;
	struct rundir run;
	int listener; /* the FastCGI socket */
	struct arguments fcgi, nginx, reaper, delete_all;
	char *announce;
	struct plan plan;
};

static void
make_fcgi_arguments(struct job *j)
{
	const struct flags *f = &j->options.flags;

	add(&j->fcgi, "%s", j->parts.fcgi);
	if (f->config_file != NULL)
		add(&j->fcgi, "--config=%s", f->config_file);
	for (size_t i = 0; i < f->count; i++)
		add(&j->fcgi, "--set=%s=%s", f->items[i].key, f->items[i].value);
	/* What the reaper and nginx were started with must not change with a reload. */
	add(&j->fcgi, "--set=group=%s", j->options.config.group);
	add(&j->fcgi, "--set=directory=%s", j->options.config.directory);
	add(&j->fcgi, "--set=max-age=%llds", (long long)j->options.config.max_age);
	if (j->options.config.state != NULL)
		add(&j->fcgi, "--set=state=%s", j->options.config.state);
	/* The socket is private: whoever else may connect elsewhere, here it is nginx. */
	add(&j->fcgi, "--set=peers=%s", j->workers.name != NULL ? j->workers.name : "");
	if (j->options.users == NULL)
		add(&j->fcgi, "--permit-anonymous");
}

static void
make_arguments(struct job *j)
{
	const struct config *c = &j->options.config;

	make_fcgi_arguments(j);
	add(&j->nginx, "%s", j->parts.nginx);
	add(&j->nginx, "-p");
	add(&j->nginx, "%s/", j->run.path);
	add(&j->nginx, "-e");
	add(&j->nginx, "stderr");
	add(&j->nginx, "-c");
	add(&j->nginx, "%s/" RUNDIR_CONFIG, j->run.path);
	add(&j->reaper, "%s", j->parts.reap);
	add(&j->reaper, "--watch");
	add(&j->reaper, "--directory=%s", c->directory);
	add(&j->reaper, "--max-age=%llds", (long long)c->max_age);
	if (c->state != NULL)
		add(&j->reaper, "--state=%s", c->state);
	add(&j->delete_all, "%s", j->parts.reap);
	add(&j->delete_all, "--all");
	add(&j->delete_all, "--directory=%s", c->directory);
}

static int
make_plan(struct job *j)
{
	const struct config *c = &j->options.config;

	make_arguments(j);
	if (asprintf(&j->announce, "Listening on 127.0.0.1:%u - writing to '%s'",
		(unsigned int)j->options.port, c->directory) == -1)
		j->announce = NULL;
	if (j->fcgi.failed || j->nginx.failed || j->reaper.failed || j->delete_all.failed ||
	    j->announce == NULL)
		return complain(EX_OSERR, "out of memory");
	j->plan = (struct plan){
	    .parts[PART_FCGI] = {.name = "authserver.fcgi",
		.argv = j->fcgi.items,
		.input = j->listener},
	    .parts[PART_NGINX] = {.name = "nginx",
		.argv = j->nginx.items,
		.input = -1,
		.batch = true},
	    .parts[PART_REAPER] = {.name = "authserver-reap",
		.argv = j->options.keep ? NULL : j->reaper.items,
		.input = -1},
	    .delete_all = j->delete_all.items,
	    .run = &j->run,
	    .port = j->options.port,
	    .host = c->hosts.count > 0 ? c->hosts.items[0] : "localhost",
	    .announce = j->announce,
	    .warning = j->options.users == NULL ? no_users : NULL,
	};
	return 0;
}

/* Everything that has to be there before the parts can be started. */
static int
prepare(struct job *j)
{
	const struct options *o = &j->options;
	struct error e;

	if (parts_find(&j->parts, &e) == -1 || port_check(o->port, &e) == -1 ||
	    account_find(&j->workers, &e) == -1)
		return complain_error(&e);
	supervise_prepare();
	if (rundir_open(&j->run, &j->workers, &e) == -1 ||
	    (o->users != NULL && rundir_link_users(&j->run, &j->workers, o->users, &e) == -1) ||
	    rundir_listen(&j->run, &j->workers, &j->listener, &e) == -1 ||
	    nginx_conf_write(&j->run, &j->workers, o->port, o->users != NULL, &e) == -1)
		return complain_error(&e);
	return make_plan(j);
}

/* Descriptors 0 to 2 must be open, or a socket of ours would become standard error. */
static void
open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

int
main(int argc, char **argv)
{
	static const struct log log = {.fd = STDERR_FILENO, .clock = &clock_system};
	struct job j = {.run.fd = -1, .listener = -1};
	int status;

	open_standard_descriptors();
	status = options_parse(&j.options, argc, argv);
	if (status == 0)
		status = prepare(&j);
	if (status == 0)
		status = supervise(&j.plan, &log);
	if (j.listener != -1)
		close(j.listener);
	rundir_remove(&j.run);
	account_free(&j.workers);
	parts_free(&j.parts);
	free_arguments(&j.fcgi);
	free_arguments(&j.nginx);
	free_arguments(&j.reaper);
	free_arguments(&j.delete_all);
	free(j.announce);
	options_free(&j.options);
	return status;
}
