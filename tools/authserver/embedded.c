#include "tools/authserver/embedded.h"

/* The assembler finds the files from the folder that make runs in; the Makefile knows
 * that this object depends on them. */
__asm__(".section .rodata\n"
	"manual_start: .incbin \"man/authserver.1\"\n"
	"manual_end:\n"
	"nginx_start: .incbin \"tools/authserver/nginx.conf.in\"\n"
	"nginx_end:\n"
	".previous\n");

/* Each pair is of one object, which the assembler has. */
extern const char manual_start[], manual_end[];
extern const char nginx_start[], nginx_end[];

struct embedded
embedded_manual(void)
{
	/* cppcheck-suppress comparePointers */
	return (struct embedded){manual_start, (size_t)(manual_end - manual_start)};
}

struct embedded
embedded_nginx(void)
{
	/* cppcheck-suppress comparePointers */
	return (struct embedded){nginx_start, (size_t)(nginx_end - nginx_start)};
}
