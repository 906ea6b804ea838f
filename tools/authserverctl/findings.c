#include "tools/authserverctl/findings.h"

#include <confuse.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/account.h"
#include "base/limits.h"
#include "base/parse.h"
#include "jose/library.h"

static const char *
plural(size_t count)
{
	return count == 1 ? "" : "s";
}

void
findings_print_policy(const struct findings *f)
{
	size_t count = policy_count(f->policy);

	printf("policy: %s, %zu rule%s\n",
	    f->config.policy != NULL ? f->config.policy : "built in", count, plural(count));
}

static void
print_keys(const struct findings *f)
{
	for (size_t i = 0; i < keyring_count(f->ring); i++) {
		struct keyring_entry entry = keyring_get(f->ring, i, f->now);

		printf("key: %s %s %s %s\n", key_state_name(entry.state),
		    key_algorithm(entry.key)->name, key_id(entry.key), entry.file);
	}
	for (size_t i = 0; i < keyring_count(f->ring); i++) {
		struct keyring_entry entry = keyring_get(f->ring, i, f->now);

		if (key_exposed(entry.key))
			printf("note: %s: every user can read the key: chmod o-r it\n",
			    entry.file);
	}
}

/* The party, and where its keys are or how many. */
static void
print_source(const struct party *p)
{
	size_t count = p->keys_url == NULL ? keychain_count(p->keys) : 0;

	if (p->keys_url != NULL)
		printf("verify: %s, keys at %s, ", p->name, p->keys_url);
	else
		printf("verify: %s, %zu key%s, ", p->name, count, plural(count));
}

/* Whose tokens are believed, beside our own. */
static void
print_parties(const struct findings *f)
{
	for (size_t i = 1; i < verifier_count(f->verifier); i++) {
		struct party p = verifier_get(f->verifier, i);

		print_source(&p);
		if (p.rules.issuer_count == 0)
			printf("any issuer\n");
		for (size_t n = 0; n < p.rules.issuer_count; n++)
			printf("%s%s%s", n == 0 ? "issuer " : " or ", p.rules.issuers[n],
			    n + 1 == p.rules.issuer_count ? "\n" : "");
	}
	if (f->notes.length > 0)
		(void)fputs(f->notes.data, stdout);
}

static void
print_list(const char *before, const struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		printf("%s%s", i == 0 ? before : ", ", list->items[i]);
}

static void
print_groups(const struct groups_config *g)
{
	print_list("groups: ", &g->resolvers);
	printf("%s", g->mode == GROUPS_MERGE && g->resolvers.count > 1 ? ", merged" : "");
	print_list("; required: ", &g->required);
	(void)putchar('\n');
}

static void
print_files(const struct findings *f)
{
	const struct config *c = &f->config;

	printf("token directory: %s%s%s\n", c->directory,
	    f->directory.missing ? ", which will be created" : "",
	    f->directory.acls ? "" : ", without POSIX ACLs");
	if (c->group != NULL)
		printf("group: %s (gid %u)\n", c->group, (unsigned int)f->group);
	else
		printf("group: that of the process (gid %u)\n", (unsigned int)getegid());
}

/* Whether there is more in a folder than a log and what has been rotated of it. */
static bool
is_shared(const char *folder, const char *log)
{
	DIR *stream = opendir(folder);
	bool shared = false;

	if (stream == NULL)
		return false;
	for (struct dirent *entry; !shared && (entry = readdir(stream)) != NULL;)
		shared = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 strncmp(entry->d_name, log, strlen(log)) != 0;
	closedir(stream);
	return shared;
}

/* The sandbox of the workers knows folders, not files that do not exist yet. */
static void
print_audit(const char *audit)
{
	const char *end = audit != NULL && *audit == '/' ? strrchr(audit, '/') : NULL;
	char folder[LIMIT_PATH];

	if (end == NULL)
		return;
	(void)snprintf(
	    folder, sizeof(folder), "%.*s", end == audit ? 1 : (int)(end - audit), audit);
	if (is_shared(folder, end + 1))
		printf("note: audit: workers may write to the other files of %s too, as far as "
		       "their account may: give the log a folder of its own\n",
		    folder);
}

static void
print_peers(const struct strings *peers)
{
	struct error absent;
	uint64_t number;
	uid_t uid;

	for (size_t i = 0; i < peers->count; i++)
		if (parse_number(peers->items[i], strlen(peers->items[i]), UINT32_MAX - 1,
			&number) == -1 &&
		    account_user(peers->items[i], &uid, &absent) == -1)
			printf("note: peers: %s\n", absent.text);
}

static void
print_built_in(void)
{
	const char *version = library_version();

	printf("built in: %.*s, jansson %s, libconfuse %s, POSIX ACLs, seccomp, Landlock; PKCS "
	       "#11 engine %s\n",
	    (int)(strcspn(version, " ") + 1 +
		  strcspn(version + strcspn(version, " ") + 1, " ")),
	    version, jansson_version_str(),
	    confuse_version + strcspn(confuse_version, "0123456789"),
	    library_has_scheme("pkcs11") ? "found" : "not found");
}

void
findings_print(const struct findings *f)
{
	size_t profiles = f->config.profiles.count;

	printf("configuration: %s, %zu profile%s\n",
	    f->config_file != NULL ? f->config_file : "flags and defaults", profiles,
	    plural(profiles));
	findings_print_policy(f);
	print_keys(f);
	print_parties(f);
	if (f->config.groups.where != NULL)
		print_groups(&f->config.groups);
	print_files(f);
	if (f->config.keeps.count > 0)
		printf("keep: %zu section%s\n", f->config.keeps.count,
		    plural(f->config.keeps.count));
	print_audit(f->config.audit);
	print_peers(&f->config.peers);
	if (geteuid() == 0)
		(void)puts("note: checked as root: another user may be let in to less");
	print_built_in();
}
