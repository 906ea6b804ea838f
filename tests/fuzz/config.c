/* config/: the configuration file, all of its sections. Input: the file. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/source.h"
#include "tests/fuzz/fuzz.h"

static const int64_t longest = 3653LL * 24 * 60 * 60;

static void
check_list(const struct strings *list)
{
	REQUIRE(list->count <= LIMIT_LIST);
	for (size_t i = 0; i < list->count; i++)
		REQUIRE(list->items[i] != NULL);
}

static void
check_sections(const struct config *c)
{
	REQUIRE(c->profiles.count <= LIMIT_PROFILES && c->verify.count <= LIMIT_VERIFY);
	REQUIRE(c->keeps.count <= LIMIT_KEEP);
	for (size_t i = 0; i < c->profiles.count; i++) {
		const struct profile *p = &c->profiles.items[i];

		REQUIRE(strlen(p->name) < LIMIT_PROFILE && strncmp(p->where, "conf:", 5) == 0);
		REQUIRE(p->lifetime >= 0 && p->lifetime <= longest);
		REQUIRE(config_profile(&c->profiles, p->name) == p);
		check_list(&p->audience);
		check_list(&p->rename);
	}
	for (size_t i = 0; i < c->verify.count; i++) {
		const struct verify_section *v = &c->verify.items[i];

		/* Keys come from one place. */
		REQUIRE(
		    (v->public_key != NULL) + (v->keys != NULL) + (v->keys_url != NULL) == 1);
		REQUIRE((v->public_key != NULL) == (v->algorithm != NULL));
		REQUIRE(strncmp(v->where, "conf:", 5) == 0);
	}
	for (size_t i = 0; i < c->keeps.count; i++) {
		const struct keep_section *k = &c->keeps.items[i];
		char path[LIMIT_PATH];

		REQUIRE(k->file != NULL && *k->file == '/' && k->mode <= 0777);
		REQUIRE(k->at_least < k->lifetime);
		if (keep_expand(path, sizeof(path), k->file, "janedoe") == 0)
			REQUIRE(strstr(path, KEEP_SUBJECT) == NULL);
	}
}

static void
check_accepted(const struct config *c)
{
	struct error e = {0};

	REQUIRE(c->directory != NULL && *c->directory == '/' && c->mode <= 0777);
	REQUIRE(c->lifetime >= 1 && c->lifetime <= longest && c->max_age >= 1);
	REQUIRE(c->workers >= 1 && c->workers <= LIMIT_WORKERS);
	REQUIRE(c->signer_threads <= LIMIT_SIGNER_THREADS && c->odas_reuse <= 100);
	REQUIRE(c->skew >= 0 && c->skew <= LIMIT_SKEW && c->max_files <= LIMIT_FILES);
	check_list(&c->hosts);
	check_list(&c->realms);
	check_list(&c->grants);
	check_sections(c);
	REQUIRE(config_resolver_deadline(c) >= 0);
	if (config_check_pairs(c, &e) == 0)
		REQUIRE(c->jwt_public_key.count == c->jwt_algorithm.count);
	if (config_check_grants(c, &e) == -1)
		fuzz_require_error(&e);
	if (keep_check_lifetimes(c, &e) == -1)
		fuzz_require_error(&e);
}

/* Cleaned text has as many bytes and lines, and cleaning it again changes nothing. */
static void
check_source(const char *text, size_t size)
{
	struct buffer clean, again;
	struct error e = {0};

	buffer_init(&clean, LIMIT_CONFIG_FILE);
	buffer_init(&again, LIMIT_CONFIG_FILE);
	if (source_clean(&clean, text, size, "conf", &e) == 0) {
		REQUIRE(clean.length == size);
		for (size_t i = 0; i < size; i++)
			REQUIRE((clean.data[i] == '\n') == (text[i] == '\n'));
		/* Behind a backslash, libconfuse takes it for itself. */
		for (const char *c = clean.data; (c = strstr(c, "${")) != NULL; c++)
			REQUIRE(c > clean.data && c[-1] == '\\');
		source_show(clean.data);
		REQUIRE(source_clean(&again, clean.data, size, "conf", &e) == 0);
	}
	buffer_free(&clean);
	buffer_free(&again);
}

static void
run(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_copy(bytes, size);
	struct config c;
	struct error e = {0};

	REQUIRE(config_init(&c, &e) == 0);
	if (config_parse(&c, text, size, "conf", &e) == 0) {
		check_accepted(&c);
	} else {
		REQUIRE(e.code == ERROR_CONFIG && strncmp(e.text, "conf:", 5) == 0);
		fuzz_require_error(&e);
	}
	config_free(&c);
	check_source(text, size);
	free(text);
}

const struct fuzz_target fuzz_config = {.name = "config", .run = run};
