/*
 * What a program that was built with SAN= has of its sanitizers from the start, wherever it is
 * started from: web servers and tests give programs environments of their own, so that no
 * variable could tell it. REPORTS is a folder that tests/run makes and looks at in the end;
 * where there is none, reports are on standard error. Linked into nothing that is installed.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#define _GNU_SOURCE /* RTLD_NEXT, RTLD_DEEPBIND */
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/engine.h>

/* The sanitizers' own names, which they call before main. faketime and the like come before
 * them; a program that forks starts threads again. */
#define COMMON "verify_asan_link_order=0:die_after_fork=0:print_stacktrace=1"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__tsan_default_options(void);
const char *__lsan_default_options(void);
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));
ENGINE *__real_ENGINE_by_id(const char *id);
ENGINE *__wrap_ENGINE_by_id(const char *id);

/* By the kernel: the C library's functions are not theirs yet. */
static const char *
options(void)
{
	return syscall(SYS_faccessat, AT_FDCWD, REPORTS, W_OK) == 0 ? COMMON
		   ":log_path=" REPORTS "/report"
								    : COMMON;
}

const char *
__asan_default_options(void)
{
	return options();
}

const char *
__ubsan_default_options(void)
{
	return options();
}

const char *
__tsan_default_options(void)
{
	return options();
}

const char *
__lsan_default_options(void)
{
	return options();
}

/* PAM loads its modules so that they find their own symbols first, which AddressSanitizer,
 * whose malloc all must use, ends the process for. */
void *
dlopen(const char *file, int mode)
{
	void *(*next)(const char *, int);

	*(void **)&next = dlsym(RTLD_NEXT, "dlopen");
	return next(file, mode & ~RTLD_DEEPBIND);
}

/* The engine for PKCS #11 forgets what it has allocated: when it is loaded, and in the end,
 * when OpenSSL unloads it. */
ENGINE *
__wrap_ENGINE_by_id(const char *id)
{
	ENGINE *engine;

	if (__lsan_disable == NULL || __lsan_enable == NULL)
		return __real_ENGINE_by_id(id);
	__lsan_disable();
	engine = __real_ENGINE_by_id(id);
	__lsan_enable();
	(void)atexit(__lsan_disable);
	return engine;
}
