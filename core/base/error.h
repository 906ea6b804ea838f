/*
 * What went wrong, as a value: a code that maps to one HTTP status and one exit
 * status, and one line that says what to do about it. Never prints, never exits.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/limits.h"

enum error_code {
	ERROR_NONE,
	ERROR_MALFORMED,       /* the request is not well formed: 400 */
	ERROR_GRANT,           /* what is to be exchanged for a token is not good: 400 */
	ERROR_GRANT_TYPE,      /* such a grant is not taken (RFC 6749, 5.2): 400 */
	ERROR_SCOPE,           /* there is no such scope (RFC 6749, 5.2): 400 */
	ERROR_TARGET,          /* no token for this audience (RFC 8693, 2.2.2): 400 */
	ERROR_UNAUTHENTICATED, /* the web server authenticated nobody: 401 */
	ERROR_DENIED,          /* policy, host or origin refuse: 403 */
	ERROR_NOT_FOUND,       /* no such resource: 404 */
	ERROR_METHOD,          /* the resource has other methods: 405 */
	ERROR_TOO_LARGE,       /* the body is over its bound: 413 */
	ERROR_MEDIA_TYPE,      /* the body is of a type that is not taken: 415 */
	ERROR_LIMITED,         /* over a limit of ours for now: 429 */
	ERROR_INTERNAL,        /* a defect of ours: 500 */
	ERROR_UNAVAILABLE,     /* the system cannot serve now: 503 */
	ERROR_CONFIG,          /* the configuration is wrong: start or reload refused */
	ERROR_NO_INPUT,        /* a file that the configuration names cannot be read */
	ERROR_NO_PERMISSION,   /* the system does not let us do what we are told to */
};

/*
 * text is for whoever asked. For ERROR_INTERNAL and after it names files and
 * causes, so it is for the log alone and a client gets the status's own words.
 */
struct error {
	enum error_code code;
	char text[LIMIT_ERROR_TEXT];
	char detail[LIMIT_ERROR_DETAIL]; /* why, for the log alone, whatever the code; or "" */
};

/* Sets *e and returns -1, so that a failing function ends in one statement.
 * errno is left as it was; pass strerror(saved) where it matters. */
int error_set(struct error *e, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " before the text that is there; the code stays. Returns -1. */
int error_prefix(struct error *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets what the log gets besides the text; cut where it is too long. Returns -1. */
int error_detail(struct error *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For an analyser that sees one source at a time, and would follow the paths on which these
 * return something else. */
#ifdef __clang_analyzer__
#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_prefix(...) (error_prefix(__VA_ARGS__), -1)
#define error_detail(...) (error_detail(__VA_ARGS__), -1)
#endif

/* Called with each of several errors. */
typedef void error_tell(void *context, const struct error *e);

/* The exit status of sysexits(3) for a program that stops because of *e. */
int error_exit_status(const struct error *e);

#endif
