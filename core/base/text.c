#include "base/text.h"

#include <jansson.h>

bool
text_clean(const char *text)
{
	json_t *string;

	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	string = json_string(text); /* NULL unless it is UTF-8 */
	json_decref(string);
	return string != NULL;
}

void
text_plain(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}
