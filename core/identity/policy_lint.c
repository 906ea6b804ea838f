#include "identity/policy_lint.h"

#include "base/file.h"
#include "identity/rule.h"

static int
check_line(const struct config *c, const char *line, size_t size, struct error *e)
{
	struct rule r;
	int found = rule_parse(&r, line, size, e);
	int rc = 0;

	if (found == -1)
		return -1;
	if (found == 1) {
		rc = rule_check_profiles(&r, &c->profiles, e);
		if (rc == 0)
			rc = rule_check_group(&r, &c->groups, e);
		rule_free(&r);
	}
	return rc;
}

unsigned int
policy_lint(const struct config *c, error_tell *tell, void *context)
{
	unsigned int number = 0;
	unsigned int faults = 0;
	struct buffer file;
	struct error e;
	const char *text, *line;
	size_t length, size;

	buffer_init(&file, LIMIT_POLICY_FILE);
	if (file_read_trusted(c->policy, &file, NULL, &e) == -1) {
		tell(context, &e);
		faults++;
	}
	text = file.data;
	length = faults == 0 ? file.length : 0;
	while (rule_next_line(&text, &length, &line, &size)) {
		number++;
		if (check_line(c, line, size, &e) == 0)
			continue;
		error_prefix(&e, "%s:%u", c->policy, number);
		tell(context, &e);
		faults++;
	}
	buffer_free(&file);
	return faults;
}
