/*
 * The configuration: a file read by libconfuse, and the flags that override it, as
 * one plain struct. Every mistake is an error with FILE:LINE; an unknown key, a key
 * given twice and a value that does not parse are refused. Names no other folder's
 * types: what a value means (an algorithm, a group) is checked by its owner.
 * The keys are described in authserver.conf(5).
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strings.h"
#include "config/groups.h"
#include "config/keep.h"
#include "config/password.h"
#include "config/verify.h"

enum config_access { ACCESS_GROUP, ACCESS_SUBJECT };
enum config_log { LOG_TO_STDERR, LOG_TO_SYSLOG };
enum config_sandbox { SANDBOX_OFF, SANDBOX_ON, SANDBOX_REQUIRED };
enum config_kid { KID_UNSET, KID_THUMBPRINT, KID_NONE };

/* A named shape of token. What is not given is as for a token without a profile. */
struct profile {
	char *name;
	char *where;             /* FILE:LINE, for what is found wrong later */
	char *type;              /* "typ" (RFC 7519, 5.1) */
	char *algorithm;         /* NULL: the configuration's */
	enum config_kid kid;     /* KID_UNSET: the configuration's */
	int64_t lifetime;        /* seconds; 0: the configuration's */
	struct strings audience; /* what "aud" may be, and is when nobody asks */
	bool nbf;                /* whether there is an "nbf" */
	bool groups;             /* whether there are the subject's "groups" */
	char *claims;            /* a JSON object of claims to add; NULL: none */
	struct strings rename;   /* "FROM=TO" names of claims */
};

struct profiles {
	struct profile *items;
	size_t count;
};

struct config {
	/* token files */
	char *directory; /* absolute path of the token directory */
	char *group;     /* group of token files; NULL: that of the process */
	mode_t mode;     /* permission bits of token files */
	enum config_access access;
	int64_t max_age;        /* seconds a token file lives before the reaper deletes it */
	unsigned int max_files; /* most token files at once, and records of a kind in
				   state; 0: no limit */

	/* what is remembered of tokens */
	char *state; /* absolute path of the state directory; NULL: none */

	/* tokens */
	char *private_key;     /* PEM file, directory of them or URI; NULL when not given */
	char *passphrase_file; /* NULL: the key is not encrypted */
	char *algorithm;     /* a JWA name (RFC 7518, 3.1) or one of the original's spellings */
	enum config_kid kid; /* whether headers carry the key's identifier */
	char *issuer;        /* "iss"; NULL: the host's primary address */
	int64_t lifetime;    /* seconds; the default and the most a request gets */
	struct profiles profiles;
	char *attributes; /* file of subjects' e-mail addresses and namespaces; or NULL */
	struct groups_config groups;
	struct password_config password;

	/* tokens that come in */
	struct strings
	    jwt_public_key; /* PEM files, each with its algorithm at the same place */
	struct strings jwt_algorithm;
	char *user_claim;               /* which claim of their tokens names the user */
	struct strings verify_audience; /* whom we identify as; "*": anybody */
	int64_t skew;                   /* seconds that clocks may differ by; 0: none */
	char *verify_listen;            /* loopback ADDRESS:PORT to verify at; NULL: none */
	bool introspection; /* whether callers may ask what a token says (RFC 7662) */
	struct verify_sections verify;

	/* the token endpoint (RFC 6749, 3.2) */
	struct strings grants;            /* what it takes; see config_grants() */
	bool exchange_own;                /* our own tokens may be exchanged (RFC 8693) */
	struct strings exchange_audience; /* then: as that of a section verify */
	int64_t refresh_lifetime; /* seconds from the first token of a family to its end */
	int64_t refresh_idle;     /* seconds that one may go unused */
	bool revocation;          /* whether tokens may be revoked by a request (RFC 7009) */
	bool odas;                /* whether callers may ask as ODAS' clients do */
	unsigned int odas_reuse;  /* percent of its life that a token given again has left */

	struct keep_sections keeps; /* token files that are kept fresh */

	/* who may ask */
	char *policy;          /* file of rules; NULL: the built-in policy */
	bool permit_anonymous; /* permit anonymous as * */
	struct strings realms; /* realms that are cut from principals */
	struct strings hosts;  /* values of Host that are answered, without port */
	struct strings peers;  /* accounts that may speak FastCGI to us */
	char *subject_pattern; /* ERE that widens the grammar of subjects; NULL: default */

	/* processes */
	unsigned int workers;
	unsigned int signer_threads;  /* 0: one a processor */
	enum config_sandbox seccomp;  /* signer and workers get a filter of system calls */
	enum config_sandbox landlock; /* and workers get no files but those they need */
	enum config_log log;
	char *audit; /* where a JSON line a decision goes: none, stderr, syslog or a path */
};

/* Sets every field to its default. 0, or -1 and *e when memory is short; in either
 * case config_free() may be called. */
int config_init(struct config *c, struct error *e);

/* Frees what the fields own and zeroes the struct. */
void config_free(struct config *c);

/*
 * Reads the file at path over what c holds. The file must be regular and writable by
 * nobody but its owner, who must be root or the user of the process.
 * ERROR_NO_INPUT, ERROR_CONFIG; on failure c may hold some of the file's values.
 */
int config_read(struct config *c, const char *path, struct error *e);

/* The same from memory; name stands in errors as the file's name. */
int config_parse(
    struct config *c, const char *text, size_t length, const char *name, struct error *e);

/* Whether jwt-public-key and jwt-algorithm have as many items, once all keys are set.
 * ERROR_CONFIG says how many. */
int config_check_pairs(const struct config *c, struct error *e);

/* The names of grants in the configuration. */
#define GRANT_CLIENT "client_credentials"
#define GRANT_PASSWORD "password"
#define GRANT_REFRESH "refresh_token"
#define GRANT_EXCHANGE "token-exchange"

/* Whether the token endpoint takes the grant. */
bool config_grants(const struct config *c, const char *grant);

/* Whether what the grants need is configured, once all keys are set. ERROR_CONFIG. */
int config_check_grants(const struct config *c, struct error *e);

/* Seconds after which whatever the resolver was asked for has certainly been answered, unless
 * the host's own accounts hang. */
int64_t config_resolver_deadline(const struct config *c);

/* The signer's threads for each worker: signer-threads, or one for each processor. */
unsigned int config_signer_threads(const struct config *c);

/* The profile called name, NULL when there is none. */
const struct profile *config_profile(const struct profiles *profiles, const char *name);

/* Sets one key from text, a list as comma-separated items; where stands in errors. */
int config_set(
    struct config *c, const char *key, const char *value, const char *where, struct error *e);

#endif
