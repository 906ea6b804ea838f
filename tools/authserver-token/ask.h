/* The ways to ask for a token. */
#ifndef TOOLS_AUTHSERVER_TOKEN_ASK_H
#define TOOLS_AUTHSERVER_TOKEN_ASK_H

#include "tools/authserver-token/credentials.h"
#include "tools/authserver-token/request.h"

/*
 * Appends to *to, which is empty, what r asks for: a token in the form of one that has not
 * ended, or the path of its file. 0, or -1: ERROR_NO_PERMISSION when it is refused,
 * ERROR_UNAVAILABLE when there is no answer or no good one, ERROR_CONFIG when r cannot be asked
 * like this, ERROR_DENIED for the rest.
 */
int ask_token(
    struct buffer *to, const struct request *r, const struct credentials *c, struct error *e);

/* --- for the files that do it --- */

/* What was answered, before it is looked at. Bodies are NUL-terminated. */
int ask_peer(struct buffer *body, const struct request *r, struct error *e);

/* The same of a web server; *is_path says that it is the path of a token file. */
int ask_http(struct buffer *body, bool *is_path, const struct request *r,
    const struct credentials *c, struct error *e);

/* Sets *e to what an answer of this status, and not 200, means; reason is a line of the
 * server's, or NULL. Returns -1. */
int ask_refused(int status, const char *reason, struct error *e);

/* Appends the token of the file at path, which a server on this host wrote: no other file than
 * one of a token's name, and nothing that a link leads to. */
int token_file_read(struct buffer *token, const char *path, struct error *e);

#endif
