/*
 * How a token is refused: one message for whoever asked, whatever is wrong with it, so that
 * nobody learns by trying how far a forged token came; the reason is for the log. For the
 * files of this folder, and for what judges a token after them.
 */
#ifndef JOSE_REFUSE_H
#define JOSE_REFUSE_H

#include "base/error.h"

/* Sets *e to ERROR_UNAUTHENTICATED with that message, and the reason as its detail, in
 * printable ASCII. Returns -1. */
int refuse(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
