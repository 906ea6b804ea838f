/* The files of those who were members of a group. */
#ifndef AUTHSERVER_KEEP_GONE_H
#define AUTHSERVER_KEEP_GONE_H

#include "tools/authserver-keep/keeper.h"

/* Removes the files of a section with a group whose subjects are its members no more: who left
 * is not on its list, but may have a file. What is not a token for such a subject stays. */
void gone_remove(struct keeper *k, const struct keep_section *s);

#endif
