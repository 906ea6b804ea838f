#include "base/parse.h"

int
parse_number(const char *text, size_t length, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (length == 0)
		return -1;
	for (size_t i = 0; i < length; i++) {
		unsigned int digit = (unsigned int)(unsigned char)text[i] - '0';

		if (digit > 9 || digit > max || n > (max - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	*value = n;
	return 0;
}

int
parse_duration(const char *text, size_t length, int64_t *seconds)
{
	static const uint64_t longest = 3653ULL * 24 * 60 * 60;
	uint64_t unit = 1;
	uint64_t n;

	if (length == 0)
		return -1;
	switch (text[length - 1]) {
	case 'd':
		unit = 24 * 60 * 60;
		length--;
		break;
	case 'h':
		unit = 60 * 60;
		length--;
		break;
	case 'm':
		unit = 60;
		length--;
		break;
	case 's':
		length--;
		break;
	default:
		break;
	}
	if (parse_number(text, length, longest / unit, &n) == -1 || n == 0)
		return -1;
	*seconds = (int64_t)(n * unit);
	return 0;
}

int
parse_mode(const char *text, size_t length, mode_t *mode)
{
	mode_t m = 0;

	if (length < 3 || length > 4 || (length == 4 && text[0] != '0'))
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '7')
			return -1;
		m = m << 3 | (mode_t)(text[i] - '0');
	}
	*mode = m;
	return 0;
}
