#include "tools/authserverctl/token_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int
read_stream(FILE *file, const char *name, struct buffer *text, struct error *e)
{
	char bytes[4096];
	size_t n;

	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		if (buffer_append(text, bytes, n) == -1)
			return error_set(e, ERROR_DENIED,
			    "%s: longer than %d bytes: not a token of authserver's", name,
			    LIMIT_TOKEN);
	if (ferror(file))
		return error_set(e, ERROR_NO_INPUT, "%s: %s", name, strerror(errno));
	return 0;
}

static int
read_source(const char *source, struct buffer *text, struct error *e)
{
	FILE *file;
	int rc;

	if (source == NULL || strcmp(source, "-") == 0)
		return read_stream(stdin, "stdin", text, e);
	file = fopen(source, "re");
	if (file == NULL && (errno == ENOENT || errno == ENAMETOOLONG) &&
	    strncmp(source, "eyJ", 3) == 0)
		return buffer_append(text, source, strlen(source)) == 0
			   ? 0
			   : error_set(e, ERROR_DENIED, "longer than %d bytes", LIMIT_TOKEN);
	if (file == NULL)
		return error_set(e, ERROR_NO_INPUT, "%.256s: %s", source, strerror(errno));
	rc = read_stream(file, source, text, e);
	(void)fclose(file);
	return rc;
}

/* One, as an editor and echo add it. */
static void
cut_line_end(struct buffer *text)
{
	size_t length = text->length;

	if (length > 0 && text->data[length - 1] == '\n')
		length--;
	if (length > 0 && length < text->length && text->data[length - 1] == '\r')
		length--;
	text->length = length;
	text->data[length] = '\0';
}

int
token_read(const char *source, struct buffer *text, struct error *e)
{
	if (read_source(source, text, e) == -1)
		return -1;
	/* Nothing read is no data yet. */
	if (buffer_append(text, "", 0) == -1)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	cut_line_end(text);
	return 0;
}
