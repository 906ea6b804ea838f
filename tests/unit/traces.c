#define _GNU_SOURCE /* O_CLOEXEC */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/traces.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>

#include "tests/unit/keys.h"

enum {
	PIECE = 16, /* bytes; a piece begins at each eighth one */
	STEP = 8,
	PIECES = 8192,
	HEADS = 65536, /* what the first two bytes of a piece can be */
};

struct piece {
	const unsigned char *bytes;
	struct traces_secret *of;
	int next; /* with the same two bytes, or -1 */
};

struct index {
	struct piece pieces[PIECES];
	int count;
	int first[HEADS]; /* -1: none */
};

void
traces_add(struct traces *t, const char *name, const void *bytes, size_t length)
{
	struct traces_secret *s = &t->secrets[t->count];

	assert_in_range(t->count, 0, TRACES_SECRETS - 1);
	assert_in_range(length, PIECE, 65536);
	*s = (struct traces_secret){.bytes = malloc(length), .length = length};
	assert_non_null(s->bytes);
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	memcpy(s->bytes, bytes, length);
	t->count++;
}

static void
add_number(struct traces *t, const char *name, const BIGNUM *number)
{
	unsigned char big[1024], little[1024];
	int length = BN_num_bytes(number);

	assert_in_range(length, PIECE, sizeof(big));
	assert_int_equal(BN_bn2binpad(number, big, length), length);
	assert_int_equal(BN_bn2lebinpad(number, little, length), length);
	traces_add(t, name, big, (size_t)length);
	traces_add(t, name, little, (size_t)length);
}

void
traces_add_key(struct traces *t, const EVP_PKEY *pkey)
{
	static const char *const names[KEYS_NUMBERS] = {
	    NULL, NULL, "d", "p", "q", "dp", "dq", "qi"};
	BIGNUM *numbers[KEYS_NUMBERS] = {0};
	unsigned char seed[64];
	size_t length = sizeof(seed);

	if (EVP_PKEY_is_a(pkey, "RSA")) {
		keys_take_numbers(pkey, numbers);
		for (int i = KEYS_D; i < KEYS_NUMBERS; i++)
			add_number(t, names[i], numbers[i]);
	} else if (EVP_PKEY_is_a(pkey, "EC")) {
		assert_int_equal(
		    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &numbers[0]), 1);
		add_number(t, "d", numbers[0]);
	} else {
		assert_int_equal(EVP_PKEY_get_raw_private_key(pkey, seed, &length), 1);
		traces_add(t, "d", seed, length);
	}
	keys_free_numbers(numbers);
}

void
traces_add_pem(struct traces *t, const char *path)
{
	char text[16384];
	size_t length;

	(void)keys_read_bytes(path, text, sizeof(text));
	for (const char *line = text; *line != '\0'; line += length + (line[length] == '\n')) {
		length = strcspn(line, "\n");
		/* Not the lines that say what it is, nor a rest that is too short. */
		if (length >= PIECE && *line != '-' && memchr(line, ':', length) == NULL)
			traces_add(t, "PEM", line, length);
	}
}

void
traces_free(struct traces *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->secrets[i].bytes);
	t->count = 0;
}

/* --- looking --- */

static int
head(const unsigned char *bytes)
{
	return bytes[0] << 8 | bytes[1];
}

static struct index *
build_index(struct traces *t)
{
	struct index *x = malloc(sizeof(*x));

	assert_non_null(x);
	x->count = 0;
	for (int i = 0; i < HEADS; i++)
		x->first[i] = -1;
	for (size_t i = 0; i < t->count; i++) {
		struct traces_secret *s = &t->secrets[i];

		s->locked = s->loose = 0;
		for (size_t at = 0; at + PIECE <= s->length; at += STEP) {
			int *first = &x->first[head(s->bytes + at)];

			assert_in_range(x->count, 0, PIECES - 1);
			x->pieces[x->count] = (struct piece){s->bytes + at, s, *first};
			*first = x->count++;
		}
	}
	return x;
}

/* One part of the process's memory. */
struct part {
	uintptr_t start, end;
	bool readable;
	bool written; /* it is not only what a file has */
	bool locked;  /* and not dumped */
};

static void
search(const struct index *x, const struct part *p, int memory)
{
	size_t size = p->end - p->start;
	unsigned char *bytes = malloc(size);
	size_t had = 0;

	assert_non_null(bytes);
	while (had < size) {
		ssize_t n = pread(memory, bytes + had, size - had, (off_t)(p->start + had));

		assert_true(n > 0);
		had += (size_t)n;
	}
	for (size_t at = 0; at + PIECE <= size; at++)
		for (int i = x->first[head(bytes + at)]; i != -1; i = x->pieces[i].next)
			if (memcmp(bytes + at, x->pieces[i].bytes, PIECE) == 0)
				*(p->locked ? &x->pieces[i].of->locked
					    : &x->pieces[i].of->loose) += 1;
	free(bytes);
}

/* What a line of proc(5)'s smaps says of the part, up to the last line about it. */
static bool
is_last(struct part *p, const char *line)
{
	char *end;

	if (strncmp(line, "VmFlags:", 8) == 0) {
		p->locked = strstr(line, " lo") != NULL && strstr(line, " dd") != NULL;
		return true;
	}
	if (strncmp(line, "Anonymous:", 10) == 0 || strncmp(line, "Swap:", 5) == 0) {
		p->written = p->written || strtoul(strchr(line, ':') + 1, NULL, 10) > 0;
	} else if (strchr(line, '-') != NULL && strchr("0123456789abcdef", *line) != NULL) {
		*p = (struct part){.start = strtoul(line, &end, 16)};
		p->end = strtoul(end + 1, &end, 16);
		p->readable = end[1] == 'r';
		/* The kernel's own pages cannot be read so. */
		p->written = end[4] == 's' && strstr(line, "[v") == NULL;
	}
	return false;
}

void
traces_look(struct traces *t, pid_t pid)
{
	struct index *x = build_index(t);
	struct part p = {0};
	char path[64], line[1024];
	FILE *parts;
	int memory;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(memory, -1);
	(void)snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	parts = fopen(path, "re");
	assert_non_null(parts);
	while (fgets(line, sizeof(line), parts) != NULL)
		if (is_last(&p, line) && p.readable && p.written)
			search(x, &p, memory);
	assert_int_equal(fclose(parts), 0);
	close(memory);
	free(x);
}
