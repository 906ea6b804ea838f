#include "jose/algorithm.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct algorithm algorithms[] = {
    {.name = "RS256", .type = KEY_RSA, .digest = "SHA256"},
    {.name = "RS384", .type = KEY_RSA, .digest = "SHA384"},
    {.name = "RS512", .type = KEY_RSA, .digest = "SHA512"},
    {.name = "PS256", .type = KEY_RSA, .digest = "SHA256", .pss = true},
    {.name = "PS384", .type = KEY_RSA, .digest = "SHA384", .pss = true},
    {.name = "PS512", .type = KEY_RSA, .digest = "SHA512", .pss = true},
    {.name = "ES256",
	.type = KEY_EC,
	.digest = "SHA256",
	.curve = "prime256v1",
	.crv = "P-256",
	.size = 32},
    {.name = "ES384",
	.type = KEY_EC,
	.digest = "SHA384",
	.curve = "secp384r1",
	.crv = "P-384",
	.size = 48},
    {.name = "ES512",
	.type = KEY_EC,
	.digest = "SHA512",
	.curve = "secp521r1",
	.crv = "P-521",
	.size = 66},
    {.name = "EdDSA", .type = KEY_OKP, .curve = "ED25519", .crv = "Ed25519", .size = 32},
};

const struct algorithm *
algorithm_find(const char *name)
{
	char jwa[8];

	if (strncasecmp(name, "RSA", 3) == 0 && strlen(name) == 6) {
		(void)snprintf(jwa, sizeof(jwa), "RS%s", name + 3);
		name = jwa;
	}
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (strcasecmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

const struct algorithm *
algorithm_of(enum key_type type, const char *curve)
{
	if (type == KEY_RSA)
		return algorithm_find("RS512");
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].type == type &&
		    (type == KEY_OKP || strcmp(algorithms[i].curve, curve) == 0))
			return &algorithms[i];
	return NULL;
}
