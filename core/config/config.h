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

struct strings {
	char **items;
	size_t count;
};

enum config_access { ACCESS_GROUP, ACCESS_SUBJECT };
enum config_log { LOG_TO_STDERR, LOG_TO_SYSLOG };

struct config {
	/* token files */
	char *directory; /* absolute path of the token directory */
	char *group;     /* group of token files; NULL: that of the process */
	mode_t mode;     /* permission bits of token files */
	enum config_access access;
	int64_t max_age; /* seconds a token file lives before the reaper deletes it */

	/* tokens */
	char *private_key;     /* PEM file; NULL when not given */
	char *passphrase_file; /* NULL: the key is not encrypted */
	char *algorithm;  /* a JWA name (RFC 7518, 3.1) or one of the original's spellings */
	bool kid;         /* whether headers carry the key's identifier */
	char *issuer;     /* "iss"; NULL: the host's primary address */
	int64_t lifetime; /* seconds; the default and the most a request gets */

	/* who may ask */
	char *policy;          /* file of rules; NULL: the built-in policy */
	bool permit_anonymous; /* permit anonymous as * */
	struct strings realms; /* realms that are cut from principals */
	struct strings hosts;  /* values of Host that are answered, without port */
	struct strings peers;  /* accounts that may speak FastCGI to us */
	char *subject_pattern; /* ERE that widens the grammar of subjects; NULL: default */

	/* processes */
	unsigned int workers;
	unsigned int signer_threads; /* 0: one a processor */
	enum config_log log;
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

/* Sets one key from text, a list as comma-separated items; where stands in errors. */
int config_set(
    struct config *c, const char *key, const char *value, const char *where, struct error *e);

#endif
