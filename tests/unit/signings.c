#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/signings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t signings_now;

static int64_t
tell_time(void *state)
{
	(void)state;
	return signings_now * NANOSECONDS + 999999999;
}

const struct clock signings_clock = {.realtime = tell_time, .monotonic = tell_time};

static const char profiles[] =
    "issuer = \"192.0.2.7\"\n"
    "lifetime = 1h\n"
    "profile access {\n type = \"at+jwt\"\n algorithm = ES256\n audience = okera\n}\n"
    "profile bare {\n kid = none\n lifetime = 1m\n"
    " claims = \"{ \\\"email\\\": \\\"${email}\\\", \\\"namespace\\\": \\\"${namespace}\\\" "
    "}\"\n"
    "}\n";

void
signings_configure(const struct keys_fixture *f, struct signings_service *s, const char *more)
{
	static const char attributes[] =
	    "{\"alice\":{\"email\":\"a@b.c\",\"namespace\":\"ns\"}}";
	char path[256];
	struct error e = {0};

	*s = (struct signings_service){0};
	signings_now = SIGNINGS_T0 + 60;
	keys_path(f, "attributes", path);
	keys_write_bytes(path, attributes, sizeof(attributes) - 1);
	assert_int_equal(config_init(&s->config, &e), 0);
	assert_int_equal(config_set(&s->config, "private-key", f->directory, "test", &e), 0);
	assert_int_equal(config_set(&s->config, "attributes", path, "test", &e), 0);
	if (config_parse(&s->config, profiles, sizeof(profiles) - 1, "t.conf", &e) == -1 ||
	    config_parse(&s->config, more, strlen(more), "more.conf", &e) == -1 ||
	    policy_open(&s->policy, &s->config, &e) == -1)
		fail_msg("%s", e.text);
}

void
signings_start_with(const struct keys_fixture *f, struct signings_service *s, const char *more)
{
	struct error e = {0};

	keys_put(f, "20261122T000000Z.RS512.pem", RSA_KEY);
	keys_put(f, "20261122T010000Z.RS512.pem", RSA_KEY);
	keys_put(f, "20261122T000000Z.ES256.pem", P256);
	signings_configure(f, s, more);
	if (signing_open(
		&s->signing, &s->config, s->policy, &signings_clock, &entropy_system, &e) == -1)
		fail_msg("%s", e.text);
}

void
signings_start(const struct keys_fixture *f, struct signings_service *s)
{
	signings_start_with(f, s, "");
}

void
signings_stop(struct signings_service *s)
{
	signing_close(&s->signing);
	policy_free(s->policy);
	config_free(&s->config);
}

/* The JSON of the i-th part of a token. */
static json_t *
part(const char *token, int i)
{
	char text[4096] = "";
	unsigned char bytes[4096];
	const char *end;
	size_t length;
	int n;

	for (; i > 0; i--)
		token = strchr(token, '.') + 1;
	end = strchr(token, '.');
	length = end != NULL ? (size_t)(end - token) : strlen(token);
	assert_in_range(length, 1, sizeof(text) - 4);
	memcpy(text, token, length);
	for (size_t j = 0; j < length; j++)
		text[j] = text[j] == '-' ? '+' : text[j] == '_' ? '/' : text[j];
	while (length % 4 != 0)
		text[length++] = '=';
	n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
	assert_in_range(n, 2, sizeof(bytes));
	n -= (int)(strlen(text) - strcspn(text, "="));
	return json_loadb((const char *)bytes, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
}

struct query
signings_ask(const char *profile)
{
	struct query q = {.caller = {.name = "alice", .scheme = "Basic"}, .subject = "alice"};

	(void)snprintf(q.profile, sizeof(q.profile), "%s", profile);
	return q;
}

json_t *
signings_mint_query(struct signings_service *s, const struct query *q, const char *header,
    struct signature *made)
{
	struct buffer token;
	struct error e = {0};
	json_t *want = json_loads(header, 0, NULL);
	json_t *got, *claims;

	buffer_init(&token, LIMIT_TOKEN);
	if (signing_mint(&s->signing, q, &token, made, &e) == -1)
		fail_msg("%s", e.text);
	got = part(token.data, 0);
	claims = part(token.data, 1);
	if (strstr(header, "kid") != NULL)
		json_object_set_new(want, "kid", json_string(made->kid));
	if (!json_equal(got, want))
		fail_msg("%s", token.data);
	json_decref(got);
	json_decref(want);
	buffer_free(&token);
	return claims;
}

json_t *
signings_mint(
    struct signings_service *s, const char *profile, const char *header, struct signature *made)
{
	const struct query q = signings_ask(profile);

	return signings_mint_query(s, &q, header, made);
}

void
signings_assert_not_minted(
    struct signings_service *s, const struct query *q, enum error_code code, const char *text)
{
	struct signature made;
	struct buffer token;
	struct error e = {0};

	buffer_init(&token, LIMIT_TOKEN);
	assert_int_equal(signing_mint(&s->signing, q, &token, &made, &e), -1);
	assert_int_equal(e.code, code);
	assert_string_equal(e.text, text);
	assert_int_equal(token.length, 0);
	buffer_free(&token);
}

const char *
signings_text_of(const json_t *claims, const char *name)
{
	return json_string_value(json_object_get(claims, name));
}
