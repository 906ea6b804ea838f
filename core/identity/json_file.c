#include "identity/json_file.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"

json_t *
json_file_read(const char *path, struct error *e)
{
	json_t *object = NULL;
	struct buffer text;
	json_error_t wrong;

	buffer_init(&text, LIMIT_ATTRIBUTES);
	if (file_read_trusted(path, &text, NULL, e) == 0) {
		object = json_read(text.data != NULL ? text.data : "", text.length, &wrong);
		if (object == NULL)
			error_set(e, ERROR_CONFIG, "%s:%d: %s", path, wrong.line, wrong.text);
	}
	buffer_free(&text);
	if (object != NULL && !json_is_object(object)) {
		error_set(e, ERROR_CONFIG, "%s: want one JSON object", path);
		json_decref(object);
		object = NULL;
	}
	return object;
}
