#include "identity/groups_json.h"

#include <string.h>

json_t *
groups_json(const char *groups)
{
	json_t *list = json_array();

	while (*groups != '\0') {
		size_t length = strcspn(groups, "\n");

		if (json_array_append_new(list, json_stringn(groups, length)) == -1) {
			json_decref(list);
			return NULL;
		}
		groups += length + (groups[length] == '\n');
	}
	return list;
}
