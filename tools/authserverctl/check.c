/* authserverctl check: whether a service would start, and what its policy decides. */
#define _GNU_SOURCE /* AT_EACCESS */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/account.h"
#include "base/file.h"
#include "base/owner.h"
#include "identity/attributes.h"
#include "identity/lookup_process.h"
#include "identity/policy_lint.h"
#include "jose/key_memory.h"
#include "service/service.h"
#include "signer/signing.h"
#include "tools/authserverctl/command.h"
#include "tools/authserverctl/findings.h"
#include "tools/authserverctl/question.h"

enum { FLAG_POLICY = 0x200 };

struct arguments {
	struct flags flags;
	size_t environment; /* how many of them nobody gave here */
	const char *policy_file;
	char **words; /* the query */
	size_t count;
};

static const struct argp_option options[] = {
    {"policy", FLAG_POLICY, "FILE", 0,
	"The policy in FILE instead of the configuration's; that alone is checked where no "
	"other "
	"flag is given",
	0},
    {0},
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case FLAG_POLICY:
		a->policy_file = value;
		return 0;
	case ARGP_KEY_ARGS:
		a->words = state->argv + state->next;
		a->count = (size_t)(state->argc - state->next);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- each part for itself --- */

static void
tell(void *context, const struct error *e)
{
	struct findings *f = context;

	/* Profiles share what they do not set, and so its faults. */
	if (f->problems > 0 && strcmp(f->last.text, e->text) == 0)
		return;
	command_complain(e);
	f->last = *e;
	f->problems++;
}

static void
check_policy(struct findings *f)
{
	struct error e = {0};

	if (f->config.policy != NULL && policy_lint(&f->config, tell, f) > 0)
		return;
	if (policy_open(&f->policy, &f->config, &e) == -1)
		tell(f, &e);
}

static void
check_grammar(struct findings *f)
{
	struct error e = {0};

	if (subject_grammar_new(&f->grammar, f->config.subject_pattern, &e) == -1)
		tell(f, &e);
}

static void
check_attributes(struct findings *f)
{
	struct attributes *attributes = NULL;
	struct error e = {0};

	if (f->config.attributes != NULL &&
	    attributes_read(&attributes, f->config.attributes, &e) == -1)
		tell(f, &e);
	attributes_free(attributes);
}

/* Without it no key opens, and each would say so. */
static int
check_passphrase(struct findings *f)
{
	struct buffer passphrase;
	struct error e = {0};
	int rc = 0;

	buffer_init(&passphrase, LIMIT_PASSPHRASE);
	if (f->config.passphrase_file != NULL)
		rc = file_read(f->config.passphrase_file, &passphrase, NULL, &e);
	buffer_free(&passphrase);
	if (rc == -1)
		tell(f, &e);
	return rc;
}

static void
check_keys(struct findings *f)
{
	struct keyring_source source = signing_keys(&f->config);
	struct error e = {0};

	(void)key_memory_lock(source.path);
	source.tell = tell;
	source.context = f;
	if (source.path != NULL && check_passphrase(f) == 0 &&
	    algorithm_find(source.algorithm) != NULL)
		(void)keyring_open(&f->ring, &source, &e);
	if (f->ring != NULL && keyring_test(f->ring, &e) == -1)
		tell(f, &e);
	signing_lint(&f->config, f->ring, f->now, tell, f);
}

static void
note(void *context, const struct error *e)
{
	struct findings *f = context;

	(void)buffer_printf(&f->notes, "note: %s\n", e->text);
}

/* The files of the sections verify and the keys in them. */
static void
check_verify(struct findings *f)
{
	const struct verifier_source source = {
	    .config = &f->config, .tell = tell, .note = note, .context = f};
	struct error e = {0};

	(void)verifier_open(&f->verifier, &source, &e);
}

/* Files can be given to a group by its members and by root. */
static void
check_group(struct findings *f)
{
	const char *name = f->config.group;
	struct error e = {0};

	if (name == NULL)
		return;
	if (account_group(name, &f->group, &e) == -1)
		error_prefix(&e, "group");
	else if (geteuid() == 0 || account_in_group(f->group))
		return;
	else
		error_set(&e, ERROR_CONFIG,
		    "group: files cannot be given to '%.64s': run as a member of it, or as "
		    "root",
		    name);
	tell(f, &e);
}

static void
check_directory(struct findings *f)
{
	const struct config *c = &f->config;
	struct error e = {0};

	if (directory_try(c->directory, &f->directory, &e) == 0 &&
	    (c->access != ACCESS_SUBJECT || f->directory.acls || geteuid() == 0))
		return;
	if (e.code == ERROR_NONE)
		error_set(&e, ERROR_CONFIG,
		    "%s: access = subject: the file system has no ACLs: mount one that has, or "
		    "run as root",
		    c->directory);
	tell(f, &e);
}

/* What authserver-keep would not start with. */
static void
check_keep(struct findings *f)
{
	struct error e = {0};

	if (keep_check_lifetimes(&f->config, &e) == -1)
		tell(f, &e);
}

/* The file of the audit log is there to be written, or can be made. */
static void
check_audit(struct findings *f)
{
	const char *path = f->config.audit;
	char parent[LIMIT_PATH];
	struct error e = {0};
	struct stat st;

	if (path == NULL || *path != '/')
		return;
	(void)snprintf(
	    parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path + 1), path);
	if (lstat(path, &st) == 0 && (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)))
		error_set(&e, ERROR_CONFIG, "audit: %s: a symbolic link or a directory", path);
	else if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == -1 &&
		 (errno != ENOENT ||
		     faccessat(AT_FDCWD, parent, W_OK | X_OK, AT_EACCESS) == -1))
		error_set(&e, ERROR_CONFIG, "audit: %s: cannot be written: %s", path,
		    strerror(errno));
	else
		return;
	tell(f, &e);
}

/* What the service writes; for root as the account that the token directory belongs to, since
 * no other one can serve from it. */
static void
check_written(struct findings *f)
{
	struct error e = {0};

	if (owner_enter(f->config.directory, &e) == -1) {
		tell(f, &e);
		return;
	}
	check_directory(f);
	check_audit(f);
	owner_leave();
}

/* What the resolver needs for groups, passwords and keys is there; nobody is asked. */
static void
check_resolver(struct findings *f, const struct flags *flags)
{
	struct error e = {0};

	if ((f->config.groups.where != NULL || f->config.password.where != NULL ||
		verify_deadline(&f->config.verify) > 0 ||
		(f->policy != NULL && service_needs_resolver(&f->config, f->policy))) &&
	    lookup_process_check(flags, &e) == -1)
		tell(f, &e);
}

/* --- all of them --- */

static int
decide(const struct findings *f, const struct flags *flags, const struct question *asked)
{
	struct lookup_process lookup;
	const struct question_parts parts = {.config = &f->config,
	    .policy = f->policy,
	    .grammar = f->grammar,
	    .lookup = &lookup.lookup};
	struct error e = {0};
	int rc;

	lookup_process_init(&lookup, flags, &f->config);
	rc = question_decide(asked, &parts, &e);
	lookup_process_end(&lookup);
	return rc == -1 ? command_fail(&e) : rc;
}

/* With a query, only what it takes to answer it. */
static int
check(struct findings *f, const struct arguments *a, const struct question *asked)
{
	bool policy_alone = a->policy_file != NULL && a->flags.config_file == NULL &&
			    a->flags.count == a->environment;

	check_policy(f);
	check_grammar(f);
	if (a->count == 0 && !policy_alone) {
		check_attributes(f);
		check_resolver(f, &a->flags);
		check_keys(f);
		check_verify(f);
		check_group(f);
		check_keep(f);
		check_written(f);
	}
	if (f->problems > 0)
		return 1;
	if (a->count > 0)
		return decide(f, &a->flags, asked);
	if (policy_alone)
		findings_print_policy(f);
	else
		findings_print(f);
	return EX_OK;
}

static int
load(struct findings *f, const struct arguments *a, struct error *e)
{
	f->config_file = a->flags.config_file;
	f->now = clock_realtime(&clock_system) / NANOSECONDS;
	if (flags_load(&a->flags, &f->config, e) == -1)
		return -1;
	if (a->policy_file == NULL)
		return 0;
	free(f->config.policy); /* not by its key, which wants an absolute path */
	f->config.policy = strdup(a->policy_file);
	return f->config.policy != NULL ? 0 : error_set(e, ERROR_INTERNAL, "out of memory");
}

int
command_check(int argc, char **argv)
{
	static const struct argp_child children[] = {
	    {&flags_argp, 0, COMMAND_FLAGS_HEADER, 1}, {0}};
	static const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .args_doc = "[QUERY]",
	    .doc = "Say what is wrong with a configuration and all that it names, or what its "
		   "policy makes of QUERY.\v"
		   "QUERY is 'CALLER [via SCHEME] as SUBJECT [ttl DURATION] [profile NAME] "
		   "[audience NAME] [group NAME]...', or with 'groups-of USER' in place of "
		   "'as SUBJECT'. Nothing is created or changed. Exit "
		   "status: 0 well formed or permitted, 1 not so, 64 usage.",
	    .children = children};
	struct arguments a = {0};
	struct findings f = {0};
	struct question asked = {0};
	struct error e = {0};
	int status;

	buffer_init(&f.notes, LIMIT_RESPONSE);
	flags_take_environment(&a.flags, getenv);
	a.environment = a.flags.count;
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (a.count > 0 && question_read(&asked, a.words, a.count, &e) == -1) {
		status = command_fail(&e);
	} else if (load(&f, &a, &e) == -1) {
		command_complain(&e);
		status = 1;
	} else {
		status = check(&f, &a, &asked);
	}
	question_free(&asked);
	policy_free(f.policy);
	subject_grammar_free(f.grammar);
	keyring_free(f.ring);
	verifier_free(f.verifier);
	buffer_free(&f.notes);
	config_free(&f.config);
	return status;
}
