/* Where tokens are kept when nobody says where. */
#ifndef TOOLS_AUTHSERVER_TOKEN_PLACE_H
#define TOOLS_AUTHSERVER_TOKEN_PLACE_H

#include "jose/digest.h"
#include "tools/authserver-token/request.h"

/*
 * Writes the path: authserver/token in the folder runtime ($XDG_RUNTIME_DIR), or
 * .authserver/token in home, whichever is an absolute path of a folder of our own, with a part
 * of key behind the name where r asks for other than any token of whoever asks. The folder
 * is made, 0700. 1, or 0 when there is no place.
 */
int place_find(char path[LIMIT_PATH], const char *runtime, const char *home,
    const struct request *r, const char key[DIGEST_TEXT]);

#endif
