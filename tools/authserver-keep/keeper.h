/* The work: to look at the files, and to renew those that are due. */
#ifndef AUTHSERVER_KEEP_KEEPER_H
#define AUTHSERVER_KEEP_KEEPER_H

#include "store/keep_time.h"
#include "tools/authserver-keep/hooks.h"
#include "tools/authserver-keep/kept.h"

struct keeper_options {
	const struct flags *flags;
	char *const *names; /* of the sections, which NULL ends; none: all */
	int64_t every;      /* nanoseconds between two passes; 0: it is a service */
	bool force;         /* renew whatever is there */
	bool dry_run;
	bool quiet; /* say neither what was kept nor who was refused */
};

struct keeper {
	const struct keeper_options *options;
	const struct log *log;
	struct issuer *issuer;
	struct kept_list list;
	struct hooks *hooks;
	bool blind; /* it was said that shadow(5) cannot be read */
	/* How many files were, in the last pass, */
	size_t kept;
	size_t refused;
	size_t failed;
};

/* Loads everything and lists the files. *k is to be closed in any case. */
int keeper_open(struct keeper *k, const struct keeper_options *options, const struct log *log,
    struct error *e);
void keeper_close(struct keeper *k);

/* The same anew; on failure all stays as it was. */
int keeper_reload(struct keeper *k, struct error *e);

/* Lists the files anew, sees which of them somebody else has changed, and removes the files of
 * those who are no subjects any more where a section says so. */
int keeper_scan(struct keeper *k, struct error *e);

/* Looks at a file and renews it if it is due. */
void keeper_look(struct keeper *k, struct kept *f);

/* A moment by both clocks, in nanoseconds. */
struct moment {
	int64_t monotonic;
	int64_t realtime;
};

/* When that is to be done next, as it looks at this moment: monotonic nanoseconds. */
int64_t keeper_next(const struct kept *f, const struct moment *now);

/* How a section's files are timed. */
struct keep_terms keeper_terms(const struct keeper *k, const struct keep_section *s);

#endif
