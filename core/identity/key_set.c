#include "identity/key_set.h"

#include <string.h>

size_t
key_set_size(const struct key_set *k)
{
	return offsetof(struct key_set, json) + strlen(k->json) + 1;
}
