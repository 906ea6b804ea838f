/* JSON from bytes. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * As json_loadb(3) with JSON_REJECT_DUPLICATES, but never with less than the bytes say: where a
 * string cannot grow, jansson 2.14 leaves a letter out and goes on, and "alice1" is "alice".
 * NULL then, and whenever else memory ended; json_read_short() tells that from bytes that are
 * wrong. What is returned is the caller's, to be given back by json_decref(3).
 */
json_t *json_read(const char *text, size_t length, json_error_t *wrong);

/* Whether it was memory that json_read() failed for: the bytes may be right. */
bool json_read_short(const json_error_t *wrong);

#endif
