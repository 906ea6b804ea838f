/* Refresh tokens beside tokens: how a grant adds the first of a family to its answer. For the
 * files of this folder. */
#ifndef SERVICE_REFRESH_H
#define SERVICE_REFRESH_H

#include "service/token.h"

/* Begins a family for what the query asks for and puts its token into the answer: see complete
 * of struct token_request. */
int refresh_add(struct token_request *t, json_t *answer, struct error *e);

#endif
