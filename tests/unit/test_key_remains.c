/* jose: private keys lie in memory that is locked and not dumped, and when they are freed no
 * memory of the process holds a part of them. The process is a child, which stops at points,
 * and whose memory the test looks through: it has read the keys itself, and nothing else of
 * ours. */
#define _GNU_SOURCE /* waitpid's WUNTRACED, prctl */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "config/config.h"
#include "jose/generate.h"
#include "jose/key_memory.h"
#include "signer/signing.h"
#include "tests/unit/keys.h"
#include "tests/unit/traces.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char passphrase[] = "correct horse battery staple, and more of it";

/* --- the child ---------------------------------------------------------------------- */

/* Where the test looks. */
static void
stop(void)
{
	(void)raise(SIGSTOP);
}

static int
complain(const struct error *e)
{
	fprintf(stderr, "child: %s\n", e->text);
	return EXIT_FAILURE;
}

/* Last it signs: to verify would cover what a signature leaves on the stack. */
static int
sign(const struct key *k, struct error *e)
{
	struct buffer signature;
	int rc = key_test(k, e);

	buffer_init(&signature, LIMIT_TOKEN);
	if (rc == 0)
		rc = key_sign(k, "text", 4, &signature, e);
	buffer_free(&signature);
	return rc;
}

/* Stops with the key, with the key in use, and without it. */
static int
use_key(const struct key_source *source)
{
	struct key *k;
	struct error e = {0};

	if (key_load(&k, source, &e) == -1)
		return complain(&e);
	stop();
	if (sign(k, &e) == -1 || sign(k, &e) == -1)
		return complain(&e);
	stop();
	key_free(k);
	stop();
	return EXIT_SUCCESS;
}

static int
refuse_key(const struct key_source *source)
{
	struct key *k;
	struct error e = {0};

	if (key_load(&k, source, &e) == 0)
		return EXIT_FAILURE;
	stop();
	return EXIT_SUCCESS;
}

static int
mint(const struct signing *s, struct error *e)
{
	struct query q = {.caller = {.name = "alice", .scheme = "Basic"}, .subject = "alice"};
	struct signature made;
	struct buffer token;
	int rc;

	buffer_init(&token, LIMIT_TOKEN);
	rc = keyring_test(s->ring, e) == 0 ? signing_mint(s, &q, &token, &made, e) : -1;
	buffer_free(&token);
	return rc;
}

/* As the keeper does: stops with the keys of the directory in use, with those that are there
 * then in their place, and without any. */
static int
read_again(const struct config *c, const struct policy *p)
{
	struct signing first, second;
	struct error e = {0};

	if (signing_open(&first, c, p, &clock_system, &entropy_system, &e) == -1 ||
	    mint(&first, &e) == -1)
		return complain(&e);
	stop();
	if (signing_open(&second, c, p, &clock_system, &entropy_system, &e) == -1 ||
	    mint(&second, &e) == -1)
		return complain(&e);
	signing_close(&first);
	stop();
	signing_close(&second);
	stop();
	return EXIT_SUCCESS;
}

static int
use_directory(const struct key_source *source)
{
	struct config c;
	struct policy *p = NULL;
	struct error e = {0};
	int status;

	if (config_init(&c, &e) == -1 ||
	    config_set(&c, "private-key", source->path, "test", &e) == -1 ||
	    config_set(&c, "passphrase-file", source->passphrase_file, "test", &e) == -1 ||
	    config_set(&c, "issuer", "https://first.example", "test", &e) == -1 ||
	    policy_open(&p, &c, &e) == -1)
		return complain(&e);
	status = read_again(&c, p);
	policy_free(p);
	config_free(&c);
	return status;
}

/* Stops when it has written a new key to the path. */
static int
make_key(const struct key_source *source)
{
	struct buffer pem;
	struct error e = {0};
	int fd = open(source->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc;

	buffer_init(&pem, LIMIT_KEY_FILE);
	rc = generate_key(
	    &pem, algorithm_find(source->algorithm), 2048, source->passphrase_file, &e);
	if (rc == -1)
		return complain(&e);
	if (write(fd, pem.data, pem.length) != (ssize_t)pem.length)
		return EXIT_FAILURE;
	close(fd);
	buffer_free(&pem);
	stop();
	return EXIT_SUCCESS;
}

/* Reads both files, as none of ours are read. */
static int
forget_files(const struct key_source *source)
{
	const char *const paths[] = {source->path, source->passphrase_file};

	for (size_t i = 0; i < COUNT(paths); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		char *bytes = malloc(8192);

		if (fd == -1 || bytes == NULL || read(fd, bytes, 8192) <= 0)
			return EXIT_FAILURE;
		close(fd);
		free(bytes);
	}
	stop();
	return EXIT_SUCCESS;
}

static const struct role {
	const char *name;
	int (*play)(const struct key_source *source);
} roles[] = {{"use", use_key}, {"refuse", refuse_key}, {"directory", use_directory},
    {"make", make_key}, {"forget", forget_files}};

/* ROLE PATH PASSPHRASE-FILE ALGORITHM */
static int
child(char **arguments)
{
	const struct key_source source = {.path = arguments[1],
	    .passphrase_file = *arguments[2] != '\0' ? arguments[2] : NULL,
	    .algorithm = arguments[3]};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!key_memory_cleanse() || !key_memory_lock(source.path)) {
		fprintf(stderr, "child: its memory is not cleansed, or not locked\n");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < COUNT(roles); i++)
		if (strcmp(arguments[0], roles[i].name) == 0)
			return roles[i].play(&source);
	return EXIT_FAILURE;
}

/* --- the test ----------------------------------------------------------------------- */

/* It has stopped, which a child that ended has not. */
static void
await_stop(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
}

/* Sanitizers have terabytes of memory of their own, and keep what is freed. */
static void
leave_out_sanitizers(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#endif
}

static pid_t
start(const char *role, const char *path, const char *passphrase_file, const char *algorithm)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* A program anew, so that nothing is in its memory that is in ours. */
		(void)execl("/proc/self/exe", "test_key_remains", role, path, passphrase_file,
		    algorithm, (char *)NULL);
		_exit(127);
	}
	await_stop(pid);
	return pid;
}

/* Lets it go on to where it stops next. */
static void
resume(pid_t pid)
{
	assert_int_equal(kill(pid, SIGCONT), 0);
	await_stop(pid);
}

static void
finish(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

/* OpenSSL has the primes of an RSA key that has signed once more, for Montgomery's form. */
static bool
is_prime(const struct traces_secret *s)
{
	return strcmp(s->name, "p") == 0 || strcmp(s->name, "q") == 0;
}

static void
assert_none_loose(const struct traces *t, bool primes_too)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct traces_secret *s = &t->secrets[i];

		if (s->loose > 0 && (primes_too || !is_prime(s)))
			fail_msg("%s: %u pieces in memory that can be swapped or dumped",
			    s->name, s->loose);
	}
}

static void
assert_nothing(const struct traces *t)
{
	assert_none_loose(t, true);
	for (size_t i = 0; i < t->count; i++)
		if (t->secrets[i].locked > 0)
			fail_msg("%s: %u pieces in locked memory", t->secrets[i].name,
			    t->secrets[i].locked);
}

/* Each number that a key has is there, in one order of its bytes: the search finds them. */
static void
assert_locked(const struct traces *t)
{
	size_t keys = 0, found = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct traces_secret *s = &t->secrets[i];
		bool again = i > 0 && strcmp(t->secrets[i - 1].name, s->name) == 0;

		if (strcmp(s->name, "PEM") == 0 || strcmp(s->name, "passphrase") == 0) {
			assert_int_equal(s->locked, 0);
			continue;
		}
		keys += !again;
		found += s->locked > 0;
	}
	assert_true(keys > 0);
	assert_int_equal(found, keys);
}

static void
add_file(struct traces *t, const EVP_PKEY *pkey, const char *path)
{
	traces_add_key(t, pkey);
	traces_add_pem(t, path);
	traces_add(t, "passphrase", passphrase, sizeof(passphrase) - 1);
}

static const struct form {
	const char *name;
	enum keys_kind kind;
	bool traditional;
	bool encrypted;
	const char *algorithm;
} forms[] = {
    {"RSA, PKCS #1", RSA_KEY, true, false, "RS256"},
    {"RSA, PKCS #1, encrypted", RSA_KEY, true, true, "RS512"},
    {"RSA, PKCS #8", RSA_KEY, false, false, "PS256"},
    {"RSA, PKCS #8, encrypted", RSA_KEY, false, true, "RS256"},
    {"EC, SEC 1", P256, true, false, "ES256"},
    {"EC, PKCS #8", P384, false, false, "ES384"},
    {"EC, PKCS #8, encrypted", P521, false, true, "ES512"},
    {"Ed25519", ED25519, false, false, "EdDSA"},
    {"Ed25519, encrypted", ED25519, false, true, "EdDSA"},
};

/* Writes the key and, in any case, a passphrase; what of them is secret gets into t. */
static void
put_form(const struct keys_fixture *f, const struct form *form, struct traces *t)
{
	char path[256];

	keys_path(f, "passphrase", path);
	keys_write_text(path, passphrase);
	keys_path(f, "key", path);
	keys_write_as(
	    path, f->keys[form->kind], form->traditional, form->encrypted ? passphrase : NULL);
	add_file(t, f->keys[form->kind], path);
}

static pid_t
start_form(const struct keys_fixture *f, const struct form *form, const char *role)
{
	char path[256], passphrase_file[256];

	keys_path(f, "key", path);
	keys_path(f, "passphrase", passphrase_file);
	return start(role, path, passphrase_file, form->algorithm);
}

/* OpenSSL's code for this processor, and that for any, which keeps other things elsewhere. */
static void
choose_processor(bool any)
{
	if (any)
		(void)setenv("OPENSSL_ia32cap", "0x0:0x0", 1);
	else
		(void)unsetenv("OPENSSL_ia32cap");
}

static void
look_at_a_use(const struct keys_fixture *f, const struct form *form)
{
	struct traces t = {0};
	pid_t pid;

	put_form(f, form, &t);
	pid = start_form(f, form, "use");
	traces_look(&t, pid);
	assert_locked(&t);
	assert_none_loose(&t, true);
	resume(pid);
	traces_look(&t, pid);
	assert_locked(&t);
	assert_none_loose(&t, false);
	resume(pid);
	traces_look(&t, pid);
	assert_nothing(&t);
	finish(pid);
	traces_free(&t);
}

static void
keys_are_locked_while_they_are_used_and_gone_when_they_are_freed(void **state)
{
	leave_out_sanitizers();
	for (size_t i = 0; i < 2 * COUNT(forms); i++) {
		print_message("# %s\n", forms[i / 2].name);
		choose_processor(i % 2 == 1);
		look_at_a_use(*state, &forms[i / 2]);
	}
}

static void
nothing_remains_of_a_key_that_is_refused(void **state)
{
	leave_out_sanitizers();
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct form form = forms[i];
		struct traces t = {0};
		pid_t pid;

		print_message("# %s\n", form.name);
		put_form(*state, &form, &t);
		form.algorithm = form.kind == P256 ? "ES384" : "ES256";
		pid = start_form(*state, &form, "refuse");
		traces_look(&t, pid);
		assert_nothing(&t);
		finish(pid);
		traces_free(&t);
	}
}

/* Three keys of the directory, and what of them is secret. */
static void
put_keys(const struct keys_fixture *f, EVP_PKEY *const keys[3], struct traces *t)
{
	static const char *const names[] = {"20261122T000000Z.RS512.pem",
	    "20261122T000000Z.ES256.pem", "20261122T000000Z.EdDSA.pem"};
	char path[256];

	for (size_t i = 0; i < COUNT(names); i++) {
		keys_path(f, names[i], path);
		keys_write_as(path, keys[i], false, i == 1 ? NULL : passphrase);
		add_file(t, keys[i], path);
	}
}

static void
nothing_remains_of_keys_that_others_have_replaced(void **state)
{
	const struct keys_fixture *f = *state;
	EVP_PKEY *const old[] = {f->keys[RSA_KEY], f->keys[P256], f->keys[ED25519]};
	EVP_PKEY *new[3];
	struct traces olds = {0}, news = {0};
	char passphrase_file[256];
	pid_t pid;

	leave_out_sanitizers();
	new[0] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	new[1] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	new[2] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	keys_path(f, "passphrase", passphrase_file);
	keys_write_text(passphrase_file, passphrase);
	put_keys(f, old, &olds);
	pid = start("directory", f->directory, passphrase_file, "");
	traces_look(&olds, pid);
	assert_locked(&olds);
	assert_none_loose(&olds, false);
	put_keys(f, new, &news);
	resume(pid);
	traces_look(&olds, pid);
	assert_nothing(&olds);
	traces_look(&news, pid);
	assert_locked(&news);
	assert_none_loose(&news, false);
	resume(pid);
	traces_look(&news, pid);
	assert_nothing(&news);
	finish(pid);
	traces_free(&olds);
	traces_free(&news);
	for (size_t i = 0; i < COUNT(new); i++)
		EVP_PKEY_free(new[i]);
}

static int
give_passphrase(char *to, int size, int writing, void *context)
{
	(void)writing;
	(void)context;
	return snprintf(to, (size_t)size, "%s", passphrase);
}

static EVP_PKEY *
read_key(const char *path)
{
	BIO *bio = BIO_new_file(path, "r");
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, NULL);

	assert_non_null(pkey);
	BIO_free(bio);
	return pkey;
}

static void
look_at_what_was_made(const struct keys_fixture *f, const char *algorithm, bool encrypted)
{
	struct traces t = {0};
	char path[256], passphrase_file[256];
	EVP_PKEY *pkey;
	pid_t pid;

	keys_path(f, "key", path);
	keys_path(f, "passphrase", passphrase_file);
	keys_write_text(passphrase_file, passphrase);
	pid = start("make", path, encrypted ? passphrase_file : "", algorithm);
	pkey = read_key(path);
	add_file(&t, pkey, path);
	traces_look(&t, pid);
	assert_nothing(&t);
	finish(pid);
	traces_free(&t);
	EVP_PKEY_free(pkey);
}

static void
nothing_remains_of_a_key_that_was_made(void **state)
{
	static const char *const algorithms[] = {"RS256", "ES256", "EdDSA"};

	leave_out_sanitizers();
	for (size_t i = 0; i < 4 * COUNT(algorithms); i++) {
		print_message("# %s\n", algorithms[i / 4]);
		choose_processor(i % 2 == 1);
		look_at_what_was_made(*state, algorithms[i / 4], i % 4 < 2);
	}
}

/* Files that were read and freed as they were: what finds nothing above finds these. */
static void
what_is_freed_without_care_is_found(void **state)
{
	struct traces t = {0};
	pid_t pid;

	leave_out_sanitizers();
	put_form(*state, &forms[0], &t);
	pid = start_form(*state, &forms[0], "forget");
	traces_look(&t, pid);
	for (size_t i = 0; i < t.count; i++)
		if (strcmp(t.secrets[i].name, "PEM") == 0 ||
		    strcmp(t.secrets[i].name, "passphrase") == 0)
			assert_true(t.secrets[i].loose > 0);
	finish(pid);
	traces_free(&t);
}

int
main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)
	const struct CMUnitTest tests[] = {
	    TEST(keys_are_locked_while_they_are_used_and_gone_when_they_are_freed),
	    TEST(nothing_remains_of_a_key_that_is_refused),
	    TEST(nothing_remains_of_keys_that_others_have_replaced),
	    TEST(nothing_remains_of_a_key_that_was_made),
	    TEST(what_is_freed_without_care_is_found),
	};

	if (argc == 5)
		return child(argv + 1);
	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
