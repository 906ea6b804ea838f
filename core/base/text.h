/* Names from outside that go into claims and logs. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>

/* Whether text is UTF-8, as a claim must be (RFC 8259, 8.1), without control bytes. */
bool text_clean(const char *text);

/* Makes a question mark of every byte that is not printable ASCII: for what others wrote and
 * a message quotes. */
void text_plain(char *text);

#endif
