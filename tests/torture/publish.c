/* publish DIRECTORY NUMBER COUNT: as many token files of one subject, as fast as it goes; each
 * holds "NUMBER I". Prints how many got another name than the time's: somebody else had it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/publish.h"
#include "store/token_name.h"

int
main(int argc, char **argv)
{
	const struct publish_options plain = {.mode = 0640, .group = (gid_t)-1};
	struct directory d;
	char path[LIMIT_PATH], text[64];
	struct error e;
	long moved = 0;

	if (argc != 4)
		return 64;
	if (directory_open(&d, argv[1], 0, (gid_t)-1, &e) == -1)
		goto fail;
	for (long i = 0, count = strtol(argv[3], NULL, 10); i < count; i++) {
		int64_t now = clock_realtime(&clock_system), named;
		int n = snprintf(text, sizeof(text), "%s %ld", argv[2], i);

		if (publish_token(&d, &plain, "foo", now, text, (size_t)n, path, &e) == -1)
			goto fail;
		if (token_name_parse(strrchr(path, '/') + 1, &named) == -1)
			return 1;
		moved += named != now;
	}
	printf("%ld\n", moved);
	directory_close(&d);
	return 0;
fail:
	(void)fprintf(stderr, "publish: %s\n", e.text);
	return 1;
}
