#include "fcgi/sandbox.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <time.h>

#include <jansson.h>

#include "fcgi/landlock.h"
#include "fcgi/syscalls.h"
#include "jose/key.h"
#include "jose/library.h"

/* Where the C library and the modules that nsswitch.conf(5) names look for accounts: files that
 * are replaced by others of their names, so that their directories must be open to who looks.
 */
static const char *const account_places[] = {
    "/etc", "/lib", "/lib64", "/run", "/usr", "/var/db", "/var/lib/extrausers", "/var/lib/sss"};

enum {
	ACCOUNT_PLACES = sizeof(account_places) / sizeof(account_places[0]),
	PLACES = SERVICE_DESCRIPTORS, /* the audit log by its directory */
};

/* --- what there is to be --- */

static unsigned int
uses_of_worker(const struct config *c)
{
	unsigned int uses = FOR_WORKER;

	if (c->log == LOG_TO_SYSLOG || (c->audit != NULL && strcmp(c->audit, "syslog") == 0))
		uses |= FOR_SYSLOG;
	if (c->access == ACCESS_SUBJECT)
		uses |= FOR_ACLS;
	return uses;
}

/* A module that holds a key may want anything; what OpenSSL reads by itself is read by now. */
static unsigned int
uses_of_signer(const struct config *c)
{
	const char *key = c->private_key;

	return key_is_uri(key) && strncmp(key, "file:", 5) != 0 ? FOR_MODULE : FOR_SIGNER;
}

static const char forbidden[] = "not in this kernel, or forbidden from outside";

/* Why one of both is not to be there, in *why, which is why it cannot; NULL when it is. */
static int
decide(const char *name, enum config_sandbox wanted, const char **why, struct error *e)
{
	if (SANDBOX_SANITIZER)
		*why = "not in a build with sanitizers";
	if (wanted == SANDBOX_OFF)
		*why = "turned off";
	if (wanted != SANDBOX_REQUIRED || *why == NULL)
		return 0;
	return error_set(e, ERROR_CONFIG, "%s = required, but it is %s", name, *why);
}

static bool
runs_privileged(const struct config *c)
{
	return c->password.source == PASSWORD_PAM ||
	       strings_have(&c->groups.resolvers, "script");
}

int
sandbox_plan(struct sandbox *s, const struct config *c, bool accounts, struct error *e)
{
	int version = landlock_version();
	const char *no_landlock = version > 0 ? NULL : forbidden;
	const char *no_seccomp = syscalls_available() ? NULL : forbidden;
	char shown[16];

	*s = (struct sandbox){.signer = uses_of_signer(c),
	    .worker = uses_of_worker(c),
	    .accounts = accounts || c->access == ACCESS_SUBJECT,
	    .audit = c->audit != NULL && *c->audit == '/' ? c->audit : NULL,
	    .resolver_unprivileged = !runs_privileged(c)};
	if (decide("seccomp", c->seccomp, &no_seccomp, e) == -1 ||
	    decide("landlock", c->landlock, &no_landlock, e) == -1)
		return -1;
	s->seccomp = no_seccomp == NULL;
	s->landlock = no_landlock == NULL;
	(void)snprintf(shown, sizeof(shown), "version %d", version);
	(void)snprintf(s->text, sizeof(s->text), "seccomp: %s; Landlock: %s%s",
	    s->seccomp ? "on" : no_seccomp, s->landlock ? shown : no_landlock,
	    s->signer == FOR_MODULE ? "; less for the signer, as its key is behind a URI" : "");
	return 0;
}

/* --- to enter it --- */

/* What libraries open when they first need it, they are to open now: later they would go on
 * without, by other times or by numbers that can be guessed. */
static void
settle(void)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	tzset();
	json_object_seed(0);
	library_settle();
}

int
sandbox_leave_files(const struct sandbox *s, struct error *e)
{
	settle();
	return s->landlock && s->signer != FOR_MODULE ? landlock_confine(NULL, 0, e) : 0;
}

int
sandbox_enter_signer(const struct sandbox *s, struct error *e)
{
	return s->seccomp ? syscalls_confine(s->signer, e) : 0;
}

/* The directory that the audit log is made in when it is opened again. */
static struct place
audit_place(const char *audit, char folder[LIMIT_PATH])
{
	const char *end = audit != NULL ? strrchr(audit, '/') : NULL;
	size_t length = end == NULL || end == audit ? 1 : (size_t)(end - audit);

	if (end == NULL || length >= LIMIT_PATH)
		return (struct place){.fd = -1};
	memcpy(folder, audit, length);
	folder[length] = '\0';
	return (struct place){.fd = -1, .path = folder, .may = MAY_CREATE};
}

/* Tokens are made and counted here, and read by others. */
static int
leave_other_files(const struct sandbox *s, const struct service *service, struct error *e)
{
	const unsigned int token = MAY_CREATE | MAY_REMOVE | MAY_LIST;
	const unsigned int state = token | MAY_READ | MAY_WRITE;
	struct place places[PLACES];
	int fds[SERVICE_DESCRIPTORS];
	char folder[LIMIT_PATH];
	size_t count = 0;

	service_descriptors(service, fds);
	places[count++] = audit_place(s->audit, folder);
	places[count++] = (struct place){.fd = fds[SERVICE_TOKENS], .may = token};
	for (size_t i = SERVICE_STATE; i < SERVICE_DESCRIPTORS; i++)
		places[count++] = (struct place){.fd = fds[i], .may = state};
	return landlock_confine(places, count, e);
}

int
sandbox_enter_worker(const struct sandbox *s, const struct service *service, struct error *e)
{
	settle();
	if ((s->worker & FOR_SYSLOG) != 0)
		openlog("authserver.fcgi", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	if (s->landlock && leave_other_files(s, service, e) == -1)
		return -1;
	return s->seccomp ? syscalls_confine(s->worker, e) : 0;
}

int
sandbox_leave_for_accounts(const struct sandbox *s, struct error *e)
{
	struct place places[ACCOUNT_PLACES];

	settle();
	for (size_t i = 0; i < ACCOUNT_PLACES; i++)
		places[i] = (struct place){
		    .fd = -1, .path = account_places[i], .may = MAY_READ | MAY_LIST};
	return s->landlock ? landlock_confine(places, ACCOUNT_PLACES, e) : 0;
}

int
sandbox_enter_accounts(const struct sandbox *s, struct error *e)
{
	return s->seccomp ? syscalls_confine(FOR_ACCOUNTS, e) : 0;
}
