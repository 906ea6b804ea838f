/*
 * A heap that fails, at each of its allocations: linked into a program, or preloaded into one,
 * it stands before the C library's, or before that of AddressSanitizer, which then finds what
 * is leaked or misused on the way out. What the libraries allocate counts and fails as well.
 *
 * At each allocation the process splits: in a child it fails, and the child goes on with that;
 * in the parent, which waits for the child's end, it succeeds. So one run passes through all of
 * them, and what led to an allocation need not be done again for the next.
 *
 * Preloaded, it reads the environment:
 *   HEAP_OUT    a folder: what child N says is in N.out and N.err. It gets as well, in the end,
 * a file "result" with one line: how many allocations there were, and how many children were
 * killed by a signal; those are named in "killed". HEAP_EVER   if set, all later allocations of
 * a child fail, too HEAP_SPARE  parts of libraries' names, with commas between: what these
 * libraries themselves allocate does not fail HEAP_STEP, HEAP_FROM   only each STEP-th
 * allocation, from the FROM-th on
 */
#ifndef TESTS_TORTURE_HEAP_H
#define TESTS_TORTURE_HEAP_H

#include <stdbool.h>

struct heap_plan {
	bool ever;           /* all later ones fail, too */
	long from, step;     /* which ones; 0: from the first on, each */
	const char *spare;   /* parts of libraries' names, whose own ones succeed; NULL: none */
	void (*begin)(void); /* called in each child first; NULL: nothing is */
	const char *out;     /* a folder for what the children say; NULL: nothing changes */
	bool (*choose)(bool spared); /* says each time whether it fails; NULL: the rest does */
	long only; /* nothing splits, and this one fails, from 1 on, or with ever the later ones
		      too; 0: it is as above */
};

/* From here on the process splits at each allocation, or one of them fails in it. */
void heap_split(const struct heap_plan *plan);

/* None fails any more. In a child the number of the allocation that did; in the parent 0. */
long heap_join(void);

/* In the parent: how many allocations there were, how many failed, and how many children ended
 * by a signal or with an exit status that is not 0. */
struct heap_result {
	long seen, failed, bad;
};
struct heap_result heap_result(void);

#endif
