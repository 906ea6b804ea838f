/* Names from outside that go into claims and logs. For the files of this folder. */
#ifndef IDENTITY_TEXT_H
#define IDENTITY_TEXT_H

#include <stdbool.h>

/* Whether text is UTF-8, as a claim must be (RFC 8259, 8.1), without control bytes. */
bool text_clean(const char *text);

#endif
