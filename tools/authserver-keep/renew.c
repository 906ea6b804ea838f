/* One file of the keeper: to look at it, and to renew it. */
#include <string.h>

#include "store/keep_file.h"
#include "tools/authserver-keep/inspect.h"
#include "tools/authserver-keep/keeper.h"

enum {
	RETRY_FIRST = 1,    /* seconds before what failed is tried again, and twice as many */
	RETRY_MAX = 60,     /* after each further failure, up to this */
	RETRY_DOUBLES = 6,  /* after which it is that */
	RETRY_REFUSED = 60, /* before one who was refused is asked about again */
};

/* Returns whether it was said now. */
static bool
say_failure(
    struct keeper *k, struct kept *f, const struct issue_result *r, const struct error *e)
{
	bool refused = e->code == ERROR_DENIED;
	const struct log *log = refused && k->options->quiet ? NULL : k->log;
	int64_t wait = RETRY_REFUSED;
	bool said = kept_say(&f->said, log, f->path, e);

	if (said && r != NULL)
		issuer_audit(k->issuer, r, f->path, e, k->log);
	k->refused += refused;
	k->failed += !refused;
	if (!refused) {
		wait = f->failed < RETRY_DOUBLES ? RETRY_FIRST << f->failed : RETRY_MAX;
		f->failed++;
	}
	f->retry = clock_monotonic(&clock_system) + wait * NANOSECONDS;
	return said;
}

/* The section has it so that who is refused has no file either. */
static void
remove_refused(struct keeper *k, struct kept *f, const struct error *why, bool say)
{
	struct directory d;
	struct error e = {0};
	const char *name;
	int removed = -1;

	if (k->options->dry_run || f->mark.st_nlink == 0 || !S_ISREG(f->mark.st_mode))
		return;
	if (kept_open_directory(&d, &name, f->path, false, &e) == 0) {
		removed = keep_file_remove(&d, name, &e);
		directory_close(&d);
	}
	if (removed == -1 && say)
		log_line(k->log, LOG_LEVEL_WARNING, "Not removed: %s", e.text);
	if (removed == -1)
		return;
	f->mark = (struct stat){0};
	f->expires = 0;
	if (removed == 1)
		log_line(k->log, LOG_LEVEL_INFO, "Removed token: %s: %s", f->path, why->text);
}

static int
write_file(struct kept *f, const struct buffer *file, struct error *e)
{
	struct keep_form form;
	struct directory d;
	const char *name;
	int rc;

	if (inspect_form(&form, f, e) == -1 ||
	    kept_open_directory(&d, &name, f->path, true, e) == -1)
		return -1;
	rc = keep_file_replace(&d, name, &form, file->data, file->length, &f->mark, e);
	directory_close(&d);
	return rc;
}

static int
issue(struct keeper *k, struct kept *f, struct issue_result *r, struct error *e)
{
	struct buffer token, file;
	int rc;

	buffer_init(&token, LIMIT_TOKEN);
	buffer_init(&file, 2 * LIMIT_TOKEN);
	rc = issuer_issue(k->issuer, f->section, f->subject, &token, r, e);
	if (rc == 0 && inspect_render(&file, f->section->format, &r->signature) == -1)
		rc = error_set(e, ERROR_UNAVAILABLE, "out of memory");
	if (rc == 0 && !k->options->dry_run)
		rc = write_file(f, &file, e);
	r->signature.token = NULL;
	buffer_free(&token);
	buffer_free(&file);
	return rc;
}

static void
say_blind(struct keeper *k)
{
	if (!k->blind)
		log_line(k->log, LOG_LEVEL_WARNING,
		    "/etc/shadow cannot be read: accounts that are locked or expired are taken "
		    "for good: run as root, or as a member of its group");
	k->blind = true;
}

static void
say_kept(struct keeper *k, const struct kept *f, const char *why)
{
	char until[CLOCK_UTC_SIZE];

	(void)clock_format_utc(until, f->expires);
	if (k->options->dry_run)
		log_line(k->log, LOG_LEVEL_INFO, "Would keep token: %s: %s", f->path,
		    why != NULL ? why : "it is due");
	else if (!k->options->quiet)
		log_line(k->log, LOG_LEVEL_INFO, "Kept token: %s (expires %s)", f->path, until);
}

/* Until then the file will do. */
static void
set_due(const struct keeper *k, struct kept *f)
{
	const struct keep_terms terms = keeper_terms(k, f->section);

	f->due = keep_time_due(
	    &terms, f->phase, f->expires * NANOSECONDS, clock_realtime(&clock_system));
}

static void
renew(struct keeper *k, struct kept *f, const char *why)
{
	struct issue_result r;
	struct error e = {0};

	if (issue(k, f, &r, &e) == -1) {
		bool said = say_failure(k, f, &r, &e);

		if (e.code == ERROR_DENIED && f->section->remove)
			remove_refused(k, f, &e, said);
		return;
	}
	if (r.blind)
		say_blind(k);
	f->expires = r.signature.expires;
	f->failed = 0;
	f->retry = 0;
	set_due(k, f);
	k->kept++;
	(void)kept_say(&f->said, k->log, f->path, NULL);
	say_kept(k, f, why);
	if (k->options->dry_run)
		return;
	issuer_audit(k->issuer, &r, f->path, NULL, k->log);
	hooks_add(k->hooks, f->section, f->path, f->subject);
}

void
keeper_look(struct keeper *k, struct kept *f)
{
	const char *why = NULL;
	struct error e = {0};

	if (!f->inspected && inspect_file(f, k->issuer, !k->options->dry_run, &why, &e) == -1) {
		(void)say_failure(k, f, NULL, &e);
		return;
	}
	if (!f->inspected) {
		f->inspected = true;
		f->due = why == NULL && !k->options->force ? 0 : INT64_MIN;
	}
	if (f->due > INT64_MIN) /* by the clock of now, which may have been set */
		set_due(k, f);
	if (f->due <= clock_realtime(&clock_system))
		renew(k, f, why);
	else
		(void)kept_say(&f->said, k->log, f->path, NULL);
}

int64_t
keeper_next(const struct kept *f, const struct moment *now)
{
	int64_t due = now->monotonic;

	if (f->inspected && f->due > INT64_MIN &&
	    !keep_time_is_future(
		f->section->lifetime * NANOSECONDS, f->expires * NANOSECONDS, now->realtime))
		due += f->due - now->realtime;
	return due > f->retry ? due : f->retry;
}
