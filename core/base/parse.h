/*
 * Numbers, durations and modes from text. The whole text must be the value: no
 * leading blank or sign, no trailing byte, no overflow. The only user of strtol's kin.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A decimal number from 0 to max. 0 and *value, or -1 and *value untouched. */
int parse_number(const char *text, size_t length, uint64_t max, uint64_t *value);

/* Seconds: "90", "90s", "15m", "24h", "7d"; at least 1 second, at most 10 years. */
int parse_duration(const char *text, size_t length, int64_t *seconds);

/* Permission bits as an octal string of three or four digits: "640", "0640". */
int parse_mode(const char *text, size_t length, mode_t *mode);

#endif
