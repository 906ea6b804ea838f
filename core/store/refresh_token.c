#define _GNU_SOURCE /* explicit_bzero */
#include "store/refresh_token.h"

#include <errno.h>
#include <string.h>

#include "base/base64url.h"
#include "base/buffer.h"
#include "store/system_error.h"

enum { TOKEN_BYTES = (REFRESH_TOKEN - 1) / 4 * 3 };

int
refresh_token_draw(
    char token[REFRESH_TOKEN], size_t kept, const struct entropy *entropy, struct error *e)
{
	unsigned char random[TOKEN_BYTES];
	struct buffer text;
	int rc = -1;

	buffer_init(&text, REFRESH_TOKEN);
	if (entropy_fill(entropy, random, sizeof(random)) == -1)
		system_error(e, errno, "no random bytes");
	else if (base64url_append(&text, random, sizeof(random)) == -1)
		system_error(e, ENOMEM, "no refresh token");
	else
		rc = 0;
	if (rc == 0)
		memcpy(token + kept, text.data + kept, REFRESH_TOKEN - kept);
	buffer_free(&text);
	explicit_bzero(random, sizeof(random));
	return rc;
}

/* Its bytes are whole groups of three, so that any of these letters is right anywhere. Nothing
 * is decoded: short memory must not make a good token a malformed one. */
bool
refresh_token_is_one(const char *token)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_";

	return strspn(token, letters) == REFRESH_TOKEN - 1 && token[REFRESH_TOKEN - 1] == '\0';
}

int
refresh_token_proof(char digest[DIGEST_TEXT], const char *token, struct error *e)
{
	return digest_text(digest, token + REFRESH_NAME, REFRESH_PROOF, e);
}

int
refresh_token_secret(char digest[DIGEST_TEXT], const char *token, struct error *e)
{
	return digest_text(digest, token + REFRESH_NAME + REFRESH_PROOF, REFRESH_SECRET, e);
}
