#define _GNU_SOURCE /* st_mtim */
#include "config/watch.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/limits.h"

/* FNV-1a, which mixes well enough to see a change. */
static uint64_t
mix(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
		hash = (hash ^ at[i]) * 0x100000001b3;
	return hash;
}

static uint64_t
of_file(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325;
	struct stat st;
	int64_t facts[7];

	if (path == NULL)
		return 0;
	if (stat(path, &st) == -1) {
		facts[0] = errno;
		return mix(hash, facts, sizeof(facts[0]));
	}
	facts[0] = (int64_t)st.st_dev;
	facts[1] = (int64_t)st.st_ino;
	facts[2] = st.st_size;
	facts[3] = st.st_mtim.tv_sec;
	facts[4] = st.st_mtim.tv_nsec;
	facts[5] = st.st_ctim.tv_sec;
	facts[6] = st.st_ctim.tv_nsec;
	return mix(hash, facts, sizeof(facts));
}

/* The keys that tokens are verified with. */
static uint64_t
of_verify(const struct config *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->verify.count; i++)
		sum += of_file(c->verify.items[i].public_key) +
		       of_file(c->verify.items[i].keys) + of_file(c->verify.items[i].ca_file);
	for (size_t i = 0; i < c->jwt_public_key.count; i++)
		sum += of_file(c->jwt_public_key.items[i]);
	return sum;
}

/* A file, or a directory with all that is in it, in whatever order. */
static uint64_t
of_keys(const char *path)
{
	uint64_t sum = of_file(path);
	char file[LIMIT_PATH];
	struct dirent *entry;
	DIR *directory;

	directory = path == NULL ? NULL : opendir(path);
	while (directory != NULL && (entry = readdir(directory)) != NULL)
		if (*entry->d_name != '.' && snprintf(file, sizeof(file), "%s/%s", path,
						 entry->d_name) < (int)sizeof(file))
			sum += of_file(file);
	if (directory != NULL)
		closedir(directory);
	return sum;
}

uint64_t
watch_configuration(const struct flags *flags)
{
	return of_file(flags->config_file);
}

uint64_t
watch_named(const struct config *c)
{
	const struct groups_config *g = &c->groups;
	const uint64_t parts[] = {
	    of_file(c->policy),
	    of_file(c->attributes),
	    of_file(c->passphrase_file),
	    of_keys(c->private_key),
	    of_file(g->static_file),
	    of_file(g->ldap.password_file),
	    of_file(g->ldap.ca_file),
	    of_file(g->rest.token_file),
	    of_file(g->rest.certificate),
	    of_file(g->rest.key),
	    of_file(g->rest.ca_file),
	    of_verify(c),
	};

	return mix(0, parts, sizeof(parts));
}
