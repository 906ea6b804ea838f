/* authserverctl rotate: makes the next key. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file_write.h"
#include "base/parse.h"
#include "jose/generate.h"
#include "tools/authserverctl/command.h"
#include "tools/authserverctl/keyset.h"
#include "base/owner.h"

enum {
	FLAG_IN = 0x200,
	FLAG_BITS,
	FLAG_FORCE,
	LEAD = 24 * 60 * 60,
	/* Until then a verifier may have the public keys from before this one was there. */
	LEAD_MIN = TIMELINE_MARGIN + KEYRING_FRESH,
};

struct arguments {
	struct flags flags;
	int64_t in;            /* seconds; -1: not given */
	const char *algorithm; /* NULL: the configuration's */
	uint64_t bits;         /* 0: not given */
	bool force;
};

static const struct argp_option options[] = {
    {"in", FLAG_IN, "DURATION", 0, "The key signs from then on (24h; the first one at once)",
	0},
    {"algorithm", 'a', "NAME", 0, "Of the new key (the configuration's)", 0},
    {"bits", FLAG_BITS, "NUMBER", 0, "Size of an RSA key (2048)", 0},
    {"force", FLAG_FORCE, NULL, 0,
	"Sooner than verifiers can all know the key: they may refuse its tokens", 0},
    {0},
};

/* A duration, or none at all. */
static void
read_in(struct arguments *a, const char *value, struct argp_state *state)
{
	a->in = 0;
	if (strcmp(value, "0") != 0 && strcmp(value, "0s") != 0 &&
	    parse_duration(value, strlen(value), &a->in) == -1)
		argp_error(state, "--in %s: want a duration such as 24h", value);
}

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case FLAG_IN:
		read_in(a, value, state);
		return 0;
	case 'a':
		if (algorithm_find(value) == NULL)
			argp_error(state, "--algorithm %s: one of " ALGORITHM_NAMES, value);
		a->algorithm = value;
		return 0;
	case FLAG_BITS:
		if (parse_number(value, strlen(value), GENERATE_BITS_MAX, &a->bits) == -1 ||
		    a->bits < GENERATE_BITS_MIN)
			argp_error(state, "--bits %s: a number from %d to %d", value,
			    GENERATE_BITS_MIN, GENERATE_BITS_MAX);
		return 0;
	case FLAG_FORCE:
		a->force = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Whether the ring would still be one with a key of the algorithm from then on. */
static int
check_place(const struct keyset *k, const struct algorithm *algorithm, int64_t from, bool force,
    struct error *e)
{
	size_t count = keyring_count(k->ring);
	char time[CLOCK_UTC_SIZE];

	if (count >= LIMIT_KEYS)
		return error_set(e, ERROR_DENIED,
		    "%s: has %d keys, the most there can be: prune those that have expired",
		    k->config.private_key, LIMIT_KEYS);
	if (count > 0 && from - k->now < LEAD_MIN && !force)
		return error_set(e, ERROR_DENIED,
		    "--in: verifiers keep the public keys they have for up to %d minutes: give "
		    "--in %dm or more, or --force",
		    LEAD_MIN / 60, LEAD_MIN / 60);
	for (size_t i = 0; i < count; i++) {
		struct keyring_entry entry = keyring_get(k->ring, i, k->now);

		if (key_algorithm(entry.key) != algorithm || entry.from < from)
			continue;
		(void)clock_format_utc(time, entry.from);
		return error_set(e, ERROR_DENIED,
		    "%s/%s: signs from %s on, and the new key has to come after it: give a "
		    "longer --in",
		    k->config.private_key, entry.file, time);
	}
	return 0;
}

/*
 * A key is its owner's alone. In a directory of root's that a group may enter, it is that
 * group, the service's, which has to read it.
 */
static int
choose_form(struct file_form *form, const char *path, struct error *e)
{
	struct stat st;

	*form = (struct file_form){.mode = 0600, .group = (gid_t)-1};
	if (stat(path, &st) == -1)
		return error_set(e, ERROR_NO_INPUT, "%s: %s", path, strerror(errno));
	if (st.st_uid == 0 && st.st_gid != 0 && (st.st_mode & 050) == 050) {
		form->mode = 0640;
		form->group = st.st_gid;
	}
	return 0;
}

static int
write_key(const struct keyset *k, const struct algorithm *algorithm, int64_t from,
    unsigned int bits, struct error *e)
{
	const char *directory = k->config.private_key;
	char name[LIMIT_FILE_NAME], path[LIMIT_PATH];
	struct file_form form;
	struct buffer pem;
	int rc = -1;

	keyring_format_name(name, from, algorithm);
	if (keyset_path(k, name, path, e) == -1 || choose_form(&form, directory, e) == -1 ||
	    owner_enter(directory, e) == -1)
		return -1;
	buffer_init(&pem, LIMIT_KEY_FILE);
	if (generate_key(&pem, algorithm, bits, k->config.passphrase_file, e) == 0)
		rc = file_write(path, pem.data, pem.length, &form, e);
	buffer_free(&pem);
	owner_leave();
	return rc;
}

/* Prints the key as it was read back. */
static int
show(struct keyset *k, const struct algorithm *algorithm, int64_t from, struct error *e)
{
	if (keyset_reload(k, e) == -1)
		return error_prefix(e, "the key was written, but");
	for (size_t i = 0; i < keyring_count(k->ring); i++) {
		struct keyring_entry entry = keyring_get(k->ring, i, k->now);

		if (entry.from == from && key_algorithm(entry.key) == algorithm)
			return keyset_print(k, i, e);
	}
	return error_set(e, ERROR_UNAVAILABLE, "the key was written, but is not there");
}

static int
rotate(struct keyset *k, const void *arguments, struct error *e)
{
	const struct arguments *a = arguments;
	const char *name = a->algorithm != NULL ? a->algorithm : k->config.algorithm;
	const struct algorithm *algorithm = algorithm_find(name);
	int64_t in = a->in;
	int64_t from;

	if (keyset_wants_directory(k, "rotate", e) == -1)
		return -1;
	if (a->bits != 0 && algorithm->type != KEY_RSA)
		return error_set(e, ERROR_MALFORMED, "--bits: %s has keys of one size alone",
		    algorithm->name);
	if (in == -1)
		in = keyring_count(k->ring) == 0 ? 0 : LEAD;
	from = k->now + in;
	if (check_place(k, algorithm, from, a->force, e) == -1 ||
	    write_key(k, algorithm, from,
		a->bits != 0 ? (unsigned int)a->bits : GENERATE_BITS_MIN, e) == -1)
		return -1;
	return show(k, algorithm, from, e);
}

int
command_rotate(int argc, char **argv)
{
	static const struct keyset_command command = {.options = options,
	    .parse = parse_flag,
	    .doc = "Make the next key in the directory that private-key names.\v"
		   "The services that share the directory publish the key when they see it "
		   "and sign with it from its time on. Prints the line that keys has for it.",
	    .may_be_empty = true,
	    .run = rotate};
	struct arguments a = {.in = -1};

	return keyset_command(argc, argv, &command, &a);
}
