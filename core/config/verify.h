/* What the configuration says of tokens that come in: whose keys are trusted, and for what. */
#ifndef CONFIG_VERIFY_H
#define CONFIG_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strings.h"

/* A party whose tokens are believed. Its keys are in public_key, for algorithm, in keys, or
 * where keys_url points. */
struct verify_section {
	char *name;
	char *where;      /* FILE:LINE, for what is found wrong later */
	char *public_key; /* a PEM file; or NULL */
	char *algorithm;  /* that of public_key; or NULL */
	char *keys;       /* a file with a JWK Set (RFC 7517, 5); or NULL */
	char *keys_url;   /* where one is published; or NULL */
	char *ca_file;    /* whom to trust for keys_url; NULL: the system's */
	bool insecure;    /* keys may come in the clear from another machine */
	int64_t timeout;  /* seconds for fetching them once */
	int64_t stale;    /* seconds that they are used while no newer ones are to be had */
	struct strings issuer;   /* "iss" is one of these; empty: any */
	struct strings audience; /* "aud" has one of these; empty: there must be none */
	char *user_claim;        /* which claim names the user */
	bool exchange;           /* its tokens may be exchanged for ours (RFC 8693) */
	char *groups_claim;      /* then: which claim has the user's groups */
	char *realm;             /* users are USER@REALM, and become USER; or NULL */
	struct strings exchange_audience; /* audiences that may be had; empty: the token's */
};

struct verify_sections {
	struct verify_section *items;
	size_t count;
};

/* Seconds after which a fetch of the keys of any section has certainly ended; 0: there is no
 * section that has a URL. */
int64_t verify_deadline(const struct verify_sections *sections);

#endif
