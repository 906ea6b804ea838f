/* All targets as one program of libFuzzer: FUZZ in the environment says which one runs. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct fuzz_target *target;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ");

	(void)argc;
	(void)argv;
	target = name != NULL ? fuzz_find(name) : NULL;
	if (target == NULL) {
		(void)fprintf(stderr, "fuzzer: FUZZ is to be the name of a target, one of:");
		for (size_t i = 0; fuzz_targets[i] != NULL; i++)
			(void)fprintf(stderr, " %s", fuzz_targets[i]->name);
		(void)fputs("\n", stderr);
		exit(64);
	}
	if (target->start != NULL)
		target->start();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	target->run(bytes, size);
	return 0;
}
