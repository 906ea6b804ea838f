/*
 * The small files of the state directory. A record appears under its name whole; what it says
 * changes by another one taking its place, so that whoever has it open has read one state of it
 * and no mixture. For the files of this folder.
 *
 * Its modification time is a time of its owner's choosing, so that a pass over many records
 * need not read each.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/directory.h"

/*
 * Opens the record called name, O_RDONLY or, to lock it, O_RDWR; appends its bytes, up to the
 * bound of the buffer, and returns its descriptor. -1 and *wrong NULL: errno says why, ENOENT
 * when there is none. -1 and *wrong: it is not one of ours, and this is why (a link, a fifo,
 * another owner, too large).
 */
int record_open(const struct directory *d, const char *name, int access, struct buffer *bytes,
    const char **wrong);

/* Whether the name leads to what fd has open: 1 or 0, or -1 and errno. Of use while a lock
 * keeps others from replacing it. */
int record_is_current(const struct directory *d, const char *name, int fd);

/*
 * A record has two locks, which are independent of each other. They belong to the open
 * descriptor, two in one process exclude each other as well, and they go with it, however the
 * process ends.
 */
enum record_lock { RECORD_USE, RECORD_DELIVERY };

/* Takes the lock. 0, or -1 and errno: EAGAIN when another one has it. */
int record_lock(int fd, enum record_lock lock);

/* The same, and waits for it. */
int record_lock_wait(int fd, enum record_lock lock);

/* Gives both back at once, even if a child that was forked has a copy of the descriptor, and
 * closes it. errno stays. */
void record_close(int fd);

/* A record that has no name yet but a temporary one. */
struct record_draft {
	int fd; /* -1: none */
	char temporary[LIMIT_FILE_NAME];
};

/*
 * Writes a draft with that modification time (seconds since 1970), mode 0600, and sees it on
 * the disk: after a loss of power a name must not lead to a file without its bytes. On failure
 * nothing is left. ERROR_UNAVAILABLE, ERROR_NO_PERMISSION.
 */
int record_draft(struct record_draft *f, const struct directory *d, const char *bytes,
    size_t length, int64_t time, struct error *e);

/* Gives the draft its name: a new one (-1 and EEXIST when it is taken), or that of a record
 * whose place it takes. The descriptor stays open. 0, or -1 and errno. */
int record_name(struct record_draft *f, const struct directory *d, const char *name);
int record_replace(struct record_draft *f, const struct directory *d, const char *name);

/* Says in *e why one of them failed, by errno. -1. */
int record_refused(const struct directory *d, struct error *e);

/* Changes one byte of a record in place, and sets its modification time again. */
void record_mark(int fd, int64_t at, char byte, int64_t time);

/* Removes what has not got a name and closes the descriptor. */
void record_draft_close(struct record_draft *f, const struct directory *d);

/* Sees names on the disk, as far as the file system can. */
void record_sync(const struct directory *d);

/* A pass over the records of a directory. */
struct record_sweep {
	const struct directory *directory;
	int64_t before; /* those with an earlier modification time are looked at */
	bool dry_run;
	size_t count; /* how many went */
	/* Whether the record with these bytes may go. */
	bool (*is_due)(void *context, const char *name, const struct buffer *bytes);
	void *context;
};

/*
 * Deletes the records that are due and that nobody holds locked, and drafts that were left
 * behind an hour before now (seconds since 1970). What is not a record of ours stays.
 * ERROR_UNAVAILABLE, ERROR_NO_PERMISSION; what can be deleted is, first.
 */
int record_sweep(struct record_sweep *sweep, int64_t now, struct error *e);

#endif
