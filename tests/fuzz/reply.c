/* What sources of groups answer, and what the program that checks passwords says. Input: a byte
 * for its exit status, and the answer. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "identity/groups_json.h"
#include "identity/password.h"
#include "identity/source.h"
#include "tests/fuzz/fuzz.h"

/* Groups that were taken are plain names, each once, and go out as they came in. */
static void
check_membership(const struct membership *m)
{
	struct membership again = {0}, copy = {0};
	json_t *object = json_pack("{s:o, s:s, s:s}", "groups", groups_json(m->groups), "email",
	    m->email, "namespace", m->space);
	char *text = json_dumps(object, 0);
	size_t count = membership_count(m);
	struct error e;

	REQUIRE(m->known && text != NULL);
	REQUIRE(text_clean(m->email) && text_clean(m->space));
	REQUIRE(json_array_size(json_object_get(object, "groups")) == count);
	REQUIRE(source_reply(&again, text, strlen(text), &e) == 0);
	REQUIRE(membership_size(&again) == membership_size(m));
	REQUIRE(memcmp(again.groups, m->groups, strlen(m->groups) + 1) == 0);
	REQUIRE(strcmp(again.email, m->email) == 0 && strcmp(again.space, m->space) == 0);
	REQUIRE(membership_merge(&again, m, &e) == 0 && membership_count(&again) == count);
	membership_copy(&copy, m);
	membership_fold(&copy);
	REQUIRE(membership_count(&copy) <= count);
	free(text);
	json_decref(object);
}

static void
check_password(const char *text, size_t size, int status)
{
	char again[PASSWORD_ANSWER];
	struct error e = {0}, same = {0};
	int rc = password_answer_read(text, size, status, &e);
	int exit;

	REQUIRE(rc == 0 ? status == PASSWORD_EXIT_RIGHT
			: e.code == ERROR_DENIED || e.code == ERROR_UNAVAILABLE);
	REQUIRE(rc == 0 || e.code != ERROR_DENIED || status == PASSWORD_EXIT_WRONG);
	exit = password_answer_write(again, rc, &e);
	REQUIRE(password_answer_read(again, strlen(again), exit, &same) == rc);
	REQUIRE(rc == 0 || (same.code == e.code && strcmp(same.text, e.text) == 0));
}

static void
run(const uint8_t *bytes, size_t size)
{
	static const int statuses[] = {
	    PASSWORD_EXIT_RIGHT, PASSWORD_EXIT_WRONG, PASSWORD_EXIT_UNSURE, 2};
	struct fuzz_input in = {bytes, size};
	int status = statuses[fuzz_byte(&in) % 4];
	char *text = fuzz_rest(&in, &size);
	struct membership m = {0};
	struct error e = {0};

	if (source_reply(&m, text, size, &e) == 0) {
		check_membership(&m);
	} else {
		REQUIRE(!m.known && e.code == ERROR_UNAVAILABLE);
		fuzz_require_error(&e);
	}
	check_password(text, size, status);
	free(text);
}

const struct fuzz_target fuzz_reply = {.name = "reply", .run = run};
