/* Many unit tests in one program: the main of each is called as its file is, and is run by a
 * link of that name to this program. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "";
	void *found = strncmp(name, "test_", 5) == 0 ? dlsym(RTLD_DEFAULT, name) : NULL;
	int (*run)(int, char **);

	if (found == NULL) {
		fprintf(
		    stderr, "%s: there is no such test: call this by the name of one\n", name);
		return EXIT_FAILURE;
	}
	memcpy(&run, &found, sizeof(run));
	return run(argc, argv);
}
