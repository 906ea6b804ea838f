#include "identity/source.h"

int
source_rest_open(struct source **out, const struct groups_config *c, struct error *e)
{
	(void)c;
	*out = NULL;
	return error_set(e, ERROR_CONFIG, "groups: rest: not in this build");
}
