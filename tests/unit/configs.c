#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/configs.h"

#include <stdio.h>
#include <string.h>

struct config
configs_defaults(void)
{
	struct config c;
	struct error e = {0};

	if (config_init(&c, &e) == -1)
		fail_msg("%s", e.text);
	return c;
}

struct config
configs_parse(const char *text)
{
	struct config c = configs_defaults();
	struct error e = {0};

	if (config_parse(&c, text, strlen(text), "t.conf", &e) == -1)
		fail_msg("%s", e.text);
	return c;
}

static void
refused(const struct configs_mistake *m)
{
	struct config c = configs_defaults();
	struct error e = {0};

	if (config_parse(&c, m->text, strlen(m->text), "t.conf", &e) == 0)
		fail_msg("'%s' was accepted", m->text);
	assert_int_equal(e.code, ERROR_CONFIG);
	if (strncmp(e.text, m->where, strlen(m->where)) != 0 ||
	    strstr(e.text + strlen("t.conf:1: "), m->reason) == NULL ||
	    strchr(e.text, '\n') != NULL)
		fail_msg("'%s': %s", m->text, e.text);
	config_free(&c);
}

void
configs_refused(const struct configs_mistake *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		refused(&rows[i]);
}

void
configs_list(const struct strings *list, const char *items)
{
	char joined[256] = "";

	for (size_t i = 0; i < list->count; i++) {
		size_t used = strlen(joined);

		(void)snprintf(joined + used, sizeof(joined) - used, "%s%s", i > 0 ? "|" : "",
		    list->items[i]);
	}
	assert_string_equal(joined, items);
}
