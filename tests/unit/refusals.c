#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/refusals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <poll.h>
#include <pwd.h>
#include <seccomp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

static struct {
	bool on, hit, ever;
	int number;
	long at, seen;
} plan;

static bool
is_turn(void)
{
	if (!plan.on)
		return false;
	plan.seen++;
	if (plan.seen < plan.at || (plan.seen > plan.at && !plan.ever))
		return false;
	plan.hit = true;
	errno = plan.number;
	return true;
}

/* OpenSSL tells of short memory in the first or in the last of its errors. */
static bool
is_turn_of_openssl(void)
{
	if (!is_turn())
		return false;
	if (plan.number == EINTR)
		ERR_raise(ERR_LIB_EVP, ERR_R_INTERNAL_ERROR);
	ERR_raise(ERR_LIB_EVP, ERR_R_MALLOC_FAILURE);
	return true;
}

static bool
is_turn_of_jansson(json_error_t *wrong)
{
	if (!is_turn())
		return false;
	if (wrong != NULL) {
		*wrong = (json_error_t){.line = -1};
		wrong->text[sizeof(wrong->text) - 1] = json_error_out_of_memory;
	}
	return true;
}

/* --- calls that fail: RESULT NAME(PARAMETERS), called with the arguments --------------- */

#define WRAP(turn, result, refused, name, parameters, arguments) \
	result __real_##name parameters;                         \
	result __wrap_##name parameters;                         \
	result __wrap_##name parameters                          \
	{                                                        \
		if (turn)                                        \
			return refused;                          \
		return __real_##name arguments;                  \
	}
#define SYSTEM(result, refused, name, parameters, arguments) \
	WRAP(is_turn(), result, refused, name, parameters, arguments)
#define OPENSSL(result, refused, name, parameters, arguments) \
	WRAP(is_turn_of_openssl(), result, refused, name, parameters, arguments)
#define JANSSON(result, refused, name, parameters, arguments) \
	WRAP(is_turn(), result, refused, name, parameters, arguments)

/* clang-format off */
SYSTEM(void *, NULL, calloc, (size_t n, size_t size), (n, size))
SYSTEM(void *, NULL, malloc, (size_t size), (size))
SYSTEM(void *, NULL, realloc, (void *from, size_t size), (from, size))
SYSTEM(char *, NULL, strdup, (const char *text), (text))
SYSTEM(int, -1, bind, (int fd, const struct sockaddr *a, socklen_t size), (fd, a, size))
SYSTEM(int, -1, chown, (const char *path, uid_t u, gid_t g), (path, u, g))
SYSTEM(int, -1, connect, (int fd, const struct sockaddr *a, socklen_t size), (fd, a, size))
SYSTEM(int, -1, epoll_create1, (int flags), (flags))
SYSTEM(int, -1, epoll_ctl, (int at, int what, int fd, struct epoll_event *event), (at, what, fd, event))
SYSTEM(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
SYSTEM(int, -1, fchown, (int fd, uid_t u, gid_t g), (fd, u, g))
SYSTEM(pid_t, -1, fork, (void), ())
SYSTEM(int, -1, fstat, (int fd, struct stat *st), (fd, st))
SYSTEM(int, -1, fsync, (int fd), (fd))
SYSTEM(int, -1, getgroups, (int n, gid_t groups[]), (n, groups))
/* What objects with _FORTIFY_SOURCE call instead. */
SYSTEM(int, -1, __getgroups_chk, (int n, gid_t groups[], size_t size), (n, groups, size))
SYSTEM(int, -1, gethostname, (char *name, size_t size), (name, size))
SYSTEM(int, -1, getifaddrs, (struct ifaddrs **all), (all))
SYSTEM(int, -1, getsockname, (int fd, struct sockaddr *a, socklen_t *size), (fd, a, size))
SYSTEM(int, -1, getsockopt, (int fd, int level, int name, void *to, socklen_t *size), (fd, level, name, to, size))
SYSTEM(int, -1, linkat, (int from, const char *old, int to, const char *new, int flags), (from, old, to, new, flags))
SYSTEM(int, -1, listen, (int fd, int backlog), (fd, backlog))
SYSTEM(int, -1, lstat, (const char *path, struct stat *st), (path, st))
SYSTEM(int, -1, memfd_create, (const char *name, unsigned int flags), (name, flags))
SYSTEM(int, -1, pidfd_open, (pid_t pid, unsigned int flags), (pid, flags))
SYSTEM(int, -1, pipe2, (int ends[2], int flags), (ends, flags))
SYSTEM(int, -1, poll, (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout))
SYSTEM(ssize_t, -1, read, (int fd, void *to, size_t size), (fd, to, size))
SYSTEM(ssize_t, -1, readlink, (const char *path, char *to, size_t size), (path, to, size))
SYSTEM(ssize_t, -1, recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))
SYSTEM(int, -1, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new))
SYSTEM(ssize_t, -1, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
SYSTEM(int, -1, setsockopt, (int fd, int level, int name, const void *from, socklen_t size), (fd, level, name, from, size))
SYSTEM(int, -1, socket, (int family, int type, int protocol), (family, type, protocol))
SYSTEM(int, -1, socketpair, (int family, int type, int protocol, int ends[2]), (family, type, protocol, ends))
SYSTEM(int, -1, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
SYSTEM(int, -1, stat, (const char *path, struct stat *st), (path, st))
SYSTEM(int, -1, unlink, (const char *path), (path))
SYSTEM(ssize_t, -1, write, (int fd, const void *from, size_t size), (fd, from, size))
SYSTEM(int, plan.number, getgrnam_r, (const char *name, struct group *entry, char *space, size_t size, struct group **found), (name, entry, space, size, found))
SYSTEM(int, plan.number, getpwnam_r, (const char *name, struct passwd *entry, char *space, size_t size, struct passwd **found), (name, entry, space, size, found))
SYSTEM(int, plan.number, getpwuid_r, (uid_t uid, struct passwd *entry, char *space, size_t size, struct passwd **found), (uid, entry, space, size, found))
SYSTEM(int, ENOMEM, posix_spawn, (pid_t *pid, const char *path, const posix_spawn_file_actions_t *f, const posix_spawnattr_t *a, char *const argv[], char *const envp[]), (pid, path, f, a, argv, envp))
SYSTEM(int, ENOMEM, posix_spawn_file_actions_addclosefrom_np, (posix_spawn_file_actions_t *f, int from), (f, from))
SYSTEM(int, ENOMEM, posix_spawn_file_actions_adddup2, (posix_spawn_file_actions_t *f, int from, int to), (f, from, to))
SYSTEM(int, ENOMEM, posix_spawn_file_actions_addopen, (posix_spawn_file_actions_t *f, int fd, const char *path, int flags, mode_t mode), (f, fd, path, flags, mode))
SYSTEM(int, ENOMEM, posix_spawn_file_actions_init, (posix_spawn_file_actions_t *f), (f))
SYSTEM(int, ENOMEM, posix_spawnattr_init, (posix_spawnattr_t *a), (a))
SYSTEM(int, ENOMEM, posix_spawnattr_setflags, (posix_spawnattr_t *a, short flags), (a, flags))
SYSTEM(int, ENOMEM, posix_spawnattr_setpgroup, (posix_spawnattr_t *a, pid_t group), (a, group))
SYSTEM(int, ENOMEM, posix_spawnattr_setsigdefault, (posix_spawnattr_t *a, const sigset_t *set), (a, set))
SYSTEM(int, ENOMEM, posix_spawnattr_setsigmask, (posix_spawnattr_t *a, const sigset_t *set), (a, set))
SYSTEM(scmp_filter_ctx, NULL, seccomp_init, (uint32_t action), (action))
SYSTEM(int, -ENOMEM, seccomp_attr_set, (scmp_filter_ctx f, enum scmp_filter_attr name, uint32_t value), (f, name, value))
SYSTEM(int, -ENOMEM, seccomp_rule_add_array, (scmp_filter_ctx f, uint32_t action, int number, unsigned int count, const struct scmp_arg_cmp *conditions), (f, action, number, count, conditions))

JANSSON(json_t *, NULL, json_array, (void), ())
JANSSON(json_t *, NULL, json_object, (void), ())
WRAP(is_turn_of_jansson(wrong), json_t *, NULL, json_loadb, (const char *text, size_t size, size_t flags, json_error_t *wrong), (text, size, flags, wrong))

OPENSSL(BIGNUM *, NULL, BN_bin2bn, (const unsigned char *from, int size, BIGNUM *to), (from, size, to))
OPENSSL(int, -1, BN_bn2binpad, (const BIGNUM *n, unsigned char *to, int size), (n, to, size))
OPENSSL(BIO *, NULL, BIO_new, (const BIO_METHOD *method), (method))
OPENSSL(BIO *, NULL, BIO_new_mem_buf, (const void *from, int size), (from, size))
OPENSSL(ECDSA_SIG *, NULL, ECDSA_SIG_new, (void), ())
OPENSSL(int, 0, ECDSA_SIG_set0, (ECDSA_SIG *pair, BIGNUM *r, BIGNUM *s), (pair, r, s))
OPENSSL(int, 0, EVP_Digest, (const void *from, size_t size, unsigned char *to, unsigned int *length, const EVP_MD *type, ENGINE *engine), (from, size, to, length, type, engine))
OPENSSL(int, 0, EVP_DigestSign, (EVP_MD_CTX *c, unsigned char *to, size_t *length, const unsigned char *from, size_t size), (c, to, length, from, size))
OPENSSL(int, 0, EVP_DigestSignInit_ex, (EVP_MD_CTX *c, EVP_PKEY_CTX **options, const char *digest, OSSL_LIB_CTX *library, const char *query, EVP_PKEY *k, const OSSL_PARAM *params), (c, options, digest, library, query, k, params))
OPENSSL(int, 0, EVP_DigestVerify, (EVP_MD_CTX *c, const unsigned char *made, size_t length, const unsigned char *from, size_t size), (c, made, length, from, size))
OPENSSL(int, 0, EVP_DigestVerifyInit_ex, (EVP_MD_CTX *c, EVP_PKEY_CTX **options, const char *digest, OSSL_LIB_CTX *library, const char *query, EVP_PKEY *k, const OSSL_PARAM *params), (c, options, digest, library, query, k, params))
OPENSSL(int, 0, EVP_MD_CTX_copy_ex, (EVP_MD_CTX *to, const EVP_MD_CTX *from), (to, from))
OPENSSL(EVP_MD_CTX *, NULL, EVP_MD_CTX_new, (void), ())
OPENSSL(EVP_PKEY_CTX *, NULL, EVP_PKEY_CTX_new_from_name, (OSSL_LIB_CTX *library, const char *name, const char *query), (library, name, query))
OPENSSL(int, 0, EVP_PKEY_CTX_set_rsa_padding, (EVP_PKEY_CTX *c, int padding), (c, padding))
OPENSSL(int, 0, EVP_PKEY_CTX_set_rsa_pss_saltlen, (EVP_PKEY_CTX *c, int length), (c, length))
OPENSSL(int, 0, EVP_PKEY_fromdata, (EVP_PKEY_CTX *c, EVP_PKEY **k, int selection, OSSL_PARAM *params), (c, k, selection, params))
OPENSSL(int, 0, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX *c), (c))
OPENSSL(size_t, 0, EVP_PKEY_get1_encoded_public_key, (EVP_PKEY *k, unsigned char **to), (k, to))
OPENSSL(int, 0, EVP_PKEY_get_bn_param, (const EVP_PKEY *k, const char *name, BIGNUM **n), (k, name, n))
OPENSSL(int, 0, EVP_PKEY_get_group_name, (const EVP_PKEY *k, char *name, size_t size, size_t *length), (k, name, size, length))
OPENSSL(int, 0, EVP_PKEY_get_raw_public_key, (const EVP_PKEY *k, unsigned char *to, size_t *length), (k, to, length))
OPENSSL(EVP_PKEY *, NULL, EVP_PKEY_new_raw_public_key_ex, (OSSL_LIB_CTX *library, const char *type, const char *query, const unsigned char *from, size_t size), (library, type, query, from, size))
OPENSSL(int, 0, OSSL_PARAM_BLD_push_BN, (OSSL_PARAM_BLD *b, const char *name, const BIGNUM *n), (b, name, n))
OPENSSL(int, 0, OSSL_PARAM_BLD_push_octet_string, (OSSL_PARAM_BLD *b, const char *name, const void *from, size_t size), (b, name, from, size))
OPENSSL(int, 0, OSSL_PARAM_BLD_push_utf8_string, (OSSL_PARAM_BLD *b, const char *name, const char *from, size_t size), (b, name, from, size))
OPENSSL(OSSL_PARAM_BLD *, NULL, OSSL_PARAM_BLD_new, (void), ())
OPENSSL(OSSL_PARAM *, NULL, OSSL_PARAM_BLD_to_param, (OSSL_PARAM_BLD *b), (b))
OPENSSL(EVP_PKEY *, NULL, PEM_read_bio_PUBKEY, (BIO *bio, EVP_PKEY **k, pem_password_cb *ask, void *context), (bio, k, ask, context))
OPENSSL(EVP_PKEY *, NULL, PEM_read_bio_PrivateKey, (BIO *bio, EVP_PKEY **k, pem_password_cb *ask, void *context), (bio, k, ask, context))
OPENSSL(int, 0, PEM_write_bio_PKCS8PrivateKey, (BIO *bio, const EVP_PKEY *k, const EVP_CIPHER *cipher, const char *secret, int length, pem_password_cb *ask, void *context), (bio, k, cipher, secret, length, ask, context))
OPENSSL(UI_METHOD *, NULL, UI_UTIL_wrap_read_pem_callback, (pem_password_cb *ask, int writing), (ask, writing))
OPENSSL(ECDSA_SIG *, NULL, d2i_ECDSA_SIG, (ECDSA_SIG **pair, const unsigned char **from, long size), (pair, from, size))
OPENSSL(int, -1, i2d_ECDSA_SIG, (const ECDSA_SIG *pair, unsigned char **to), (pair, to))
OPENSSL(int, -1, i2d_PUBKEY, (const EVP_PKEY *k, unsigned char **to), (k, to))
/* clang-format on */

/* These take over the value, whatever comes of it. */
int __real_json_array_append_new(json_t *array, json_t *value);
int __wrap_json_array_append_new(json_t *array, json_t *value);
int __real_json_object_set_new(json_t *object, const char *name, json_t *value);
int __wrap_json_object_set_new(json_t *object, const char *name, json_t *value);

int
__wrap_json_array_append_new(json_t *array, json_t *value)
{
	if (!is_turn())
		return __real_json_array_append_new(array, value);
	json_decref(value);
	return -1;
}

int
__wrap_json_object_set_new(json_t *object, const char *name, json_t *value)
{
	if (!is_turn())
		return __real_json_object_set_new(object, name, value);
	json_decref(value);
	return -1;
}

/* Nothing is confined while calls fail: the same process does it again. */
int __real_seccomp_load(scmp_filter_ctx f);
int __wrap_seccomp_load(scmp_filter_ctx f);

int
__wrap_seccomp_load(scmp_filter_ctx f)
{
	if (is_turn())
		return -ENOMEM;
	return plan.on ? 0 : __real_seccomp_load(f);
}

int __wrap_asprintf(char **to, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_vasprintf(char **to, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
int __real_vasprintf(char **to, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

int
__wrap_vasprintf(char **to, const char *format, va_list args)
{
	return is_turn() ? -1 : __real_vasprintf(to, format, args);
}

int
__wrap_asprintf(char **to, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = __wrap_vasprintf(to, format, args);
	va_end(args);
	return n;
}

/* What objects with _FORTIFY_SOURCE call instead. */
int __wrap___vasprintf_chk(char **to, int flag, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
int __wrap___asprintf_chk(char **to, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int
__wrap___vasprintf_chk(char **to, int flag, const char *format, va_list args)
{
	(void)flag;
	return __wrap_vasprintf(to, format, args);
}

int
__wrap___asprintf_chk(char **to, int flag, const char *format, ...)
{
	va_list args;
	int n;

	(void)flag;
	va_start(args, format);
	n = __wrap_vasprintf(to, format, args);
	va_end(args);
	return n;
}

/* None of ours that is done here takes a pointer. */
int
__wrap_fcntl(int fd, int command, ...)
{
	va_list more;
	int value;

	va_start(more, command);
	value = va_arg(more, int);
	va_end(more);
	return is_turn() ? -1 : __real_fcntl(fd, command, value);
}

/* --- one after the other ------------------------------------------------------------ */

static int
count_descriptors(void)
{
	DIR *entries = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(entries);
	while (readdir(entries) != NULL)
		n++;
	closedir(entries);
	return n;
}

static void
sweep(int number, bool ever, refusals_work *work, void *context)
{
	plan.number = number;
	plan.ever = ever;
	plan.hit = true;
	for (plan.at = 1; plan.hit; plan.at++) {
		int before = count_descriptors();
		struct error e = {0};
		int rc;

		plan.seen = 0;
		plan.hit = false;
		rc = work(context, &e);
		refusals_off();
		if (rc == -1 && (!plan.hit || e.code == ERROR_NONE || *e.text == '\0'))
			fail_msg("errno %d of call %ld: code %d: %s", number, plan.at,
			    (int)e.code, e.text);
		if (count_descriptors() != before)
			fail_msg("errno %d of call %ld: a descriptor leaks", number, plan.at);
	}
	/* Or it would have swept nothing. */
	assert_true(plan.at > 2);
}

void
refusals_sweep(refusals_work *work, void *context)
{
	sweep(ENOMEM, false, work, context);
	sweep(EINTR, false, work, context);
}

void
refusals_sweep_ever(refusals_work *work, void *context)
{
	sweep(ENOMEM, true, work, context);
}

void
refusals_on(void)
{
	plan.on = true;
}

void
refusals_off(void)
{
	plan.on = false;
}

bool
refusals_hit(void)
{
	return plan.hit;
}
