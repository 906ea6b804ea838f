/* store/refresh_*: the text of a refresh token, and the file of its family. Input: either. */
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "store/refresh_record.h"
#include "store/refresh_token.h"
#include "tests/fuzz/fuzz.h"

static void
check_token(const char *text)
{
	char proof[DIGEST_TEXT], secret[DIGEST_TEXT];
	struct error e;

	if (!refresh_token_is_one(text))
		return;
	REQUIRE(strlen(text) == REFRESH_TOKEN - 1 && strpbrk(text, "/. \n") == NULL);
	REQUIRE(refresh_token_proof(proof, text, &e) == 0);
	REQUIRE(refresh_token_secret(secret, text, &e) == 0);
	/* Nothing of it is what is kept. */
	REQUIRE(strstr(text, proof) == NULL && strstr(text, secret) == NULL);
}

static void
check_record(const struct refresh_record *r)
{
	struct refresh_record again;
	struct refresh_head head;
	struct buffer bytes;
	struct error e;

	buffer_init(&bytes, REFRESH_RECORD);
	REQUIRE(strlen(r->proof) == DIGEST_TEXT - 1 && strlen(r->current) == DIGEST_TEXT - 1);
	REQUIRE(r->used >= 0 && r->family.created >= 0 && r->family.lifetime >= 0);
	REQUIRE(r->limits.lifetime >= 0 && r->limits.idle >= 0 && refresh_record_due(r) >= 0);
	REQUIRE(refresh_record_write(r, &bytes, &e) == 0);
	REQUIRE(refresh_record_read(&again, &bytes) == 0);
	REQUIRE(memcmp(&again, r, sizeof(again)) == 0);
	REQUIRE(refresh_head_read(&head, &bytes) == 0);
	REQUIRE(head.confirmed == r->confirmed && head.due == refresh_record_due(r));
	buffer_free(&bytes);
}

static void
run(const uint8_t *bytes, size_t size)
{
	char text[REFRESH_HEAD + 1];
	struct refresh_record record;
	struct refresh_head head;
	struct buffer b;
	char *copy = fuzz_copy(bytes, size);

	check_token(copy);
	free(copy);
	if (size > REFRESH_RECORD)
		return;
	buffer_init(&b, REFRESH_RECORD);
	REQUIRE(buffer_append(&b, size > 0 ? (const char *)bytes : "", size) == 0);
	if (refresh_head_read(&head, &b) == 0) {
		REQUIRE(head.due >= 0);
		refresh_head_write(text, &head);
		REQUIRE(memcmp(text, b.data, REFRESH_HEAD) == 0);
	}
	if (refresh_record_read(&record, &b) == 0)
		check_record(&record);
	else
		REQUIRE(*record.current == '\0' && *record.family.subject == '\0');
	buffer_free(&b);
}

const struct fuzz_target fuzz_refresh = {.name = "refresh", .run = run};
