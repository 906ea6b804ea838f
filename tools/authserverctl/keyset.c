#include "tools/authserverctl/keyset.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "jose/key_memory.h"
#include "signer/signing.h"
#include "tools/authserverctl/command.h"
#include "base/owner.h"

static int
load(struct keyset *k, bool may_be_empty, struct error *e)
{
	struct keyring_source source = signing_keys(&k->config);
	int rc;

	source.may_be_empty = may_be_empty;
	if (owner_enter(source.path, e) == -1)
		return -1;
	rc = keyring_open(&k->ring, &source, e);
	owner_leave();
	return rc;
}

int
keyset_open(struct keyset *k, const struct flags *flags, bool may_be_empty, struct error *e)
{
	const char *path;
	struct stat st;

	*k = (struct keyset){.now = clock_realtime(&clock_system) / NANOSECONDS};
	if (flags_load(flags, &k->config, e) == -1 || signing_check(&k->config, e) == -1)
		return -1;
	(void)key_memory_lock(k->config.private_key);
	path = k->config.private_key;
	k->directory = !key_is_uri(path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	return load(k, may_be_empty, e);
}

void
keyset_close(struct keyset *k)
{
	keyring_free(k->ring);
	config_free(&k->config);
	*k = (struct keyset){0};
}

int
keyset_reload(struct keyset *k, struct error *e)
{
	keyring_free(k->ring);
	k->ring = NULL;
	return load(k, false, e);
}

int
keyset_wants_directory(const struct keyset *k, const char *command, struct error *e)
{
	if (k->directory)
		return 0;
	return error_set(e, ERROR_DENIED,
	    "%s: is one key, for which there is nothing to %s: make a directory (mode 0700), "
	    "put the key into it as 20261122T000000Z.pem, after the time from which it signs, "
	    "and let private-key name the directory",
	    k->config.private_key, command);
}

int
keyset_path(const struct keyset *k, const char *file, char path[LIMIT_PATH], struct error *e)
{
	int n = k->directory ? snprintf(path, LIMIT_PATH, "%s/%s", k->config.private_key, file)
			     : snprintf(path, LIMIT_PATH, "%s", file);

	if (n >= 0 && n < LIMIT_PATH)
		return 0;
	return error_set(
	    e, ERROR_CONFIG, "%.256s: the path is too long", k->config.private_key);
}

int
keyset_row(const struct keyset *k, size_t i, struct keyset_row *row, struct error *e)
{
	struct keyring_entry entry = keyring_get(k->ring, i, k->now);

	*row = (struct keyset_row){.state = key_state_name(entry.state),
	    .algorithm = key_algorithm(entry.key)->name,
	    .kid = key_id(entry.key),
	    .from = "-",
	    .end = "-"};
	if (k->directory)
		(void)clock_format_utc(row->from, entry.from);
	if (entry.end != INT64_MAX)
		(void)clock_format_utc(row->end, entry.end);
	return keyset_path(k, entry.file, row->path, e);
}

int
keyset_print(const struct keyset *k, size_t i, struct error *e)
{
	struct keyset_row row;

	if (keyset_row(k, i, &row, e) == -1)
		return -1;
	printf("%-7s  %-20s  %-20s  %-5s  %s  %s\n", row.state, row.from, row.end,
	    row.algorithm, row.kid, row.path);
	return 0;
}

int
keyset_command(int argc, char **argv, const struct keyset_command *c, void *arguments)
{
	struct flags_few few;
	const struct argp argp = {.options = c->options,
	    .parser = c->parse,
	    .doc = c->doc,
	    .children = command_flags(&few, false)};
	struct keyset k;
	struct error e = {0};
	int status = EX_OK;

	(void)argp_parse(&argp, argc, argv, 0, NULL, arguments);
	if (keyset_open(&k, arguments, c->may_be_empty, &e) == -1 ||
	    c->run(&k, arguments, &e) == -1)
		status = command_fail(&e);
	keyset_close(&k);
	return status;
}
