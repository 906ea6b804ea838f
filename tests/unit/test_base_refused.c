/* base and config: each call of the system and for memory fails in turn. What cannot be had is
 * refused and says why, and nothing of it is left. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/account.h"
#include "base/courier.h"
#include "base/file.h"
#include "base/file_write.h"
#include "base/host.h"
#include "base/program.h"
#include "config/flags.h"
#include "tests/unit/keys.h"
#include "tests/unit/refusals.h"

/* --- base --- */

static int
write_file(void *context, struct error *e)
{
	const struct keys_fixture *f = context;
	const struct file_form replace = {.mode = 0640, .group = getegid(), .replace = true};
	const struct file_form new = {.mode = 0600, .group = (gid_t)-1};
	char path[256], text[16];
	int rc;

	keys_path(f, "file", path);
	keys_write_text(path, "before");
	refusals_on();
	rc = file_write(path, "after", 5, &replace, e);
	refusals_off();
	(void)keys_read_bytes(path, text, sizeof(text));
	assert_string_equal(text, rc == 0 ? "after" : "before");
	assert_int_equal(unlink(path), 0);
	if (rc == -1)
		return -1;
	refusals_on();
	rc = file_write(path, "new", 3, &new, e);
	refusals_off();
	assert_int_equal(unlink(path), rc);
	return rc;
}

static int
read_file(void *context, struct error *e)
{
	const struct keys_fixture *f = context;
	struct buffer text;
	char path[256];
	mode_t mode;
	int rc;

	keys_path(f, "file", path);
	keys_write_text(path, "text");
	buffer_init(&text, 64);
	refusals_on();
	rc = file_read_trusted(path, &text, &mode, e);
	refusals_off();
	if (rc == 0)
		assert_string_equal(text.data, "text");
	buffer_free(&text);
	assert_int_equal(unlink(path), 0);
	return rc;
}

static void
file_is_read_and_written_whole_or_not_at_all(void **state)
{
	refusals_sweep(write_file, *state);
	refusals_sweep(read_file, *state);
}

/* A source that fails is not one that knows nobody. */
static int
look_up(void *context, struct error *e)
{
	char name[64];
	uid_t uid;
	gid_t gid;
	int rc;

	(void)context;
	refusals_on();
	rc = account_user("root", &uid, e) == 0 && account_group("root", &gid, e) == 0 &&
		     account_check_name("root", e) == 0 &&
		     account_name(0, name, sizeof(name), e) == 0
		 ? 0
		 : -1;
	refusals_off();
	if (rc == 0)
		assert_string_equal(name, "root");
	else
		assert_int_equal(e->code, ERROR_UNAVAILABLE);
	return rc;
}

static int
look_up_own_groups(void *context, struct error *e)
{
	bool in;

	(void)context;
	(void)e;
	refusals_on();
	in = account_in_group((gid_t)-2) || !account_in_group(getegid());
	refusals_off();
	assert_false(in);
	return 0;
}

static void
account_that_cannot_be_looked_up_is_not_called_absent(void **state)
{
	(void)state;
	refusals_sweep(look_up, NULL);
	refusals_sweep(look_up_own_groups, NULL);
}

/* Whatever is known of the host, there is something to say. */
static int
ask_for_host(void *context, struct error *e)
{
	char address[HOST_ADDRESS_MAX], name[HOST_NAME_SIZE];
	struct in6_addr parsed;

	(void)context;
	(void)e;
	refusals_on();
	host_primary_address(address);
	host_name(name);
	refusals_off();
	assert_true(inet_pton(AF_INET, address, &parsed) == 1 ||
		    inet_pton(AF_INET6, address, &parsed) == 1);
	assert_true(*name != '\0');
	return 0;
}

static void
host_has_a_name_and_an_address_whatever_fails(void **state)
{
	(void)state;
	refusals_sweep(ask_for_host, NULL);
	refusals_sweep_ever(ask_for_host, NULL);
}

static int
find_program(void *context, struct error *e)
{
	char path[LIMIT_PATH];
	int rc;

	(void)context;
	refusals_on();
	rc = program_find(path, "test_base_refused", e);
	refusals_off();
	return rc;
}

static void
program_that_cannot_be_looked_for_is_not_run(void **state)
{
	char path[LIMIT_PATH];
	struct error e = {0};

	(void)state;
	refusals_sweep(find_program, NULL);
	assert_int_equal(program_find(path, "none-of-ours", &e), -1);
	assert_non_null(strstr(e.text, "none-of-ours is neither in "));
}

static void
deliver(courier_call *done, void *context, const void *answer, const struct error *e)
{
	(void)done;
	(void)answer;
	(void)e;
	(*(int *)context)++;
}

static int
check(void *answer, size_t size)
{
	(void)answer;
	(void)size;
	return 0;
}

static void
nothing(void)
{
}

/* Each request that was taken is answered, if only by that the other is gone. */
static int
send_request(void *context, struct error *e)
{
	struct courier_parts parts = {.clock = &clock_system,
	    .entropy = &entropy_system,
	    .peer = "the other",
	    .magic = 1,
	    .most = 1,
	    .few = 1,
	    .answer_size = 64,
	    .check = check,
	    .deliver = deliver};
	const struct courier_head question = {.magic = 2, .kind = 1};
	struct courier_head asked = {0};
	struct courier *c;
	int ends[2], answers = 0, taken = 0;
	int rc;

	(void)context;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	parts.fd = ends[0];
	refusals_on();
	rc = courier_new(&c, &parts, e);
	if (rc == 0)
		rc = courier_submit(c, &question, sizeof(question), nothing, &answers, e);
	refusals_off();
	if (rc == 0) {
		taken = 1;
		assert_int_equal(
		    recv(ends[1], &asked, sizeof(asked), MSG_DONTWAIT), sizeof(asked));
		courier_hello(ends[1], 1);
		refusals_on();
		(void)courier_receive(c); /* and is asked again */
		refusals_off();
	}
	close(ends[1]);
	if (c != NULL)
		(void)courier_receive(c);
	assert_int_equal(answers, taken);
	courier_free(c);
	close(ends[0]);
	return rc;
}

static void
request_is_answered_once_or_refused(void **state)
{
	(void)state;
	refusals_sweep(send_request, NULL);
}

/* --- config --- */

static int
read_configuration(void *context, struct error *e)
{
	const struct keys_fixture *f = context;
	static const char *const extra[] = {"--x", NULL};
	char path[256], **command = NULL;
	struct config c = {0};
	struct flags flags = {.config_file = path, .count = 1};
	int rc;

	keys_path(f, "conf", path);
	keys_write_text(path, "issuer = \"https://a.example\"\n"
			      "profile \"p\" {\n    audience = \"a\"\n}\n"
			      "verify \"v\" {\n    keys = \"/k\"\n}\n"
			      "keep \"k\" {\n    file = \"/f\"\n}\n");
	flags.items[0].key = "lifetime";
	flags.items[0].value = "1h";
	refusals_on();
	rc = flags_load(&flags, &c, e);
	if (rc == 0) {
		command = flags_command(&flags, "/program", extra);
		if (command == NULL)
			rc = error_set(e, ERROR_UNAVAILABLE, "out of memory");
	}
	refusals_off();
	if (command != NULL) {
		assert_string_equal(command[0], "/program");
		assert_string_equal(command[2], "--set=lifetime=1h");
		assert_string_equal(command[3], "--x");
		assert_null(command[4]);
	}
	flags_command_free(command);
	config_free(&c);
	return rc;
}

static void
configuration_is_read_whole_or_not_at_all(void **state)
{
	refusals_sweep(read_configuration, *state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(file_is_read_and_written_whole_or_not_at_all),
	    TEST(account_that_cannot_be_looked_up_is_not_called_absent),
	    TEST(host_has_a_name_and_an_address_whatever_fails),
	    TEST(program_that_cannot_be_looked_for_is_not_run),
	    TEST(request_is_answered_once_or_refused),
	    TEST(configuration_is_read_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
