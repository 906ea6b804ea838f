#include "tools/authserver-token/place.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART = 16 }; /* of a key */

/* Not that of another account, as sudo(8) and su(1) may leave it. */
static bool
is_ours(const char *folder)
{
	struct stat st;

	return folder != NULL && *folder == '/' && stat(folder, &st) == 0 &&
	       S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

int
place_find(char path[LIMIT_PATH], const char *runtime, const char *home,
    const struct request *r, const char key[DIGEST_TEXT])
{
	const struct {
		const char *in;
		const char *folder;
	} places[] = {{runtime, "authserver"}, {home, ".authserver"}};
	bool plain = *r->subject == '\0' && r->query.length == 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int length;

		if (!is_ours(places[i].in))
			continue;
		length = snprintf(path, LIMIT_PATH, "%s/%s", places[i].in, places[i].folder);
		if (length >= LIMIT_PATH || (mkdir(path, 0700) == -1 && errno != EEXIST))
			continue;
		length = snprintf(path, LIMIT_PATH, "%s/%s/token%s%.*s", places[i].in,
		    places[i].folder, plain ? "" : "-", plain ? 0 : PART, key);
		if (length < LIMIT_PATH)
			return 1;
	}
	return 0;
}
