#include "store/revocation_name.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

enum { KEY_BYTES = 64 * 1024 };

/* What a name stands for. No text holds a NUL, so that no other ones are the same bytes. */
struct key {
	const char *prefix;
	const char *first;
	const char *second;
	size_t second_length;
	const char *party; /* NULL: none */
};

static int
make(char name[REVOCATION_NAME], const struct key *k, struct error *e)
{
	char digest[DIGEST_TEXT];
	struct buffer bytes;
	int rc = -1;

	buffer_init(&bytes, KEY_BYTES);
	if (buffer_append(&bytes, k->first, strlen(k->first) + 1) == -1 ||
	    buffer_append(&bytes, k->second, k->second_length) == -1 ||
	    (k->party != NULL && (buffer_append(&bytes, "", 1) == -1 ||
				     buffer_append(&bytes, k->party, strlen(k->party)) == -1)))
		error_set(e, ERROR_UNAVAILABLE, "too long, or out of memory");
	else
		rc = digest_text(digest, bytes.data, bytes.length, e);
	buffer_free(&bytes);
	if (rc == 0)
		(void)snprintf(name, REVOCATION_NAME, "%s%s", k->prefix, digest);
	return rc;
}

int
revocation_name_token(char names[REVOCATION_NAMES][REVOCATION_NAME], size_t *count,
    const struct revocation_subject *t, struct error *e)
{
	struct key keys[REVOCATION_NAMES / 2];
	size_t n = 0;

	*count = 0;
	if (t->jti != NULL)
		keys[n++] =
		    (struct key){REVOCATION_TOKEN, t->issuer, t->jti, strlen(t->jti), t->party};
	if (t->signed_part != NULL)
		keys[n++] = (struct key){
		    REVOCATION_SIGNED, "", t->signed_part, t->signed_length, t->party};
	for (size_t i = 0; i < n; i++) {
		if (make(names[(*count)++], &keys[i], e) == -1)
			return -1;
		keys[i].party = NULL;
		if (t->party != NULL && make(names[(*count)++], &keys[i], e) == -1)
			return -1;
	}
	return 0;
}

int
revocation_name_subject(
    char name[REVOCATION_NAME], const char *issuer, const char *subject, struct error *e)
{
	const struct key k = {REVOCATION_SUBJECT, issuer, subject, strlen(subject), NULL};

	return make(name, &k, e);
}

struct revocation_subject
revocation_subject_of(
    const json_t *claims, const char *user, const char *token, const char *party)
{
	const char *issuer = json_string_value(json_object_get(claims, "iss"));

	return (struct revocation_subject){
	    .party = party,
	    .issuer = issuer != NULL ? issuer : "",
	    .jti = json_string_value(json_object_get(claims, "jti")),
	    .subject = user,
	    .issued = json_integer_value(json_object_get(claims, "iat")),
	    .signed_part = token,
	    .signed_length = (size_t)(strrchr(token, '.') - token),
	};
}
