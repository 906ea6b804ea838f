/*
 * Preloaded into authserver.fcgi, with the heap that fails (heap.h): which of its allocations
 * do is said while it runs, in a file that HEAP_ORDERS names, of which both have the pages in
 * memory. Those of the process that read HEAP_ORDERS count, and those of the first children
 * that it forks in a round: who reads the configuration first, and the signer. Who serves is
 * left alone.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/torture/heap.h"

static struct orders {
	_Atomic int64_t round;
	_Atomic int64_t only; /* the one that fails, counted from 1; 0: none does */
	_Atomic int64_t ever; /* not 0: and all after it */
	_Atomic int64_t seen, failed;
	_Atomic int64_t births; /* in this round */
} * orders;
static int64_t born; /* the round in which we were forked */
static bool forked, serves;

enum { BEFORE_WORKERS = 2 };

/* Spared are libconfuse, which need not survive it and is tried in a child with the limits that
 * there are; libcrypto, which waits for a lock of its own as long as the monitor lets it; and
 * libseccomp, which makes a filter then that ends the signer's first thread and no other. */
static bool
choose(bool spared)
{
	int64_t only = orders->only, seen;

	if (only == 0 || spared || serves || (forked && born != orders->round))
		return false;
	seen = ++orders->seen;
	if (seen != only && (orders->ever == 0 || seen < only))
		return false;
	orders->failed++;
	return true;
}

static void
note_birth(void)
{
	forked = true;
	born = orders->round;
	serves = ++orders->births > BEFORE_WORKERS;
}

__attribute__((constructor)) static void
take_orders(void)
{
	const struct heap_plan plan = {
	    .choose = choose, .spare = "libconfuse,libcrypto,libseccomp"};
	const char *path = getenv("HEAP_ORDERS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd == -1)
		return;
	orders = mmap(NULL, sizeof(*orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (orders == MAP_FAILED || pthread_atfork(NULL, NULL, note_birth) != 0)
		abort();
	heap_split(&plan);
}
