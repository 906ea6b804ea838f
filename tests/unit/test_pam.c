/* password: what is made of PAM, which here says what a test has it say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <security/pam_appl.h>
#include <stdlib.h>
#include <string.h>

#include "password/pam.h"
#include "tests/unit/failures.h"

/* What the modules do, and what they were given. */
static struct {
	struct pam_conv conversation;
	const char *user; /* whom PAM takes the name for; NULL: it does not say */
	int start, set, get, authenticate, account;
	int styles[3]; /* of messages, 0 at their end */
	int count;     /* of messages that is told; 0: how many there are */
	int conversed; /* what came of them */
	int answered;  /* with the password */
	int ended;
} pam;

int __wrap_pam_start(
    const char *service, const char *user, const struct pam_conv *c, pam_handle_t **h);
int __wrap_pam_end(pam_handle_t *h, int status);
int __wrap_pam_set_item(pam_handle_t *h, int item, const void *value);
int __wrap_pam_get_item(const pam_handle_t *h, int item, const void **value);
const char *__wrap_pam_strerror(pam_handle_t *h, int code);
int __wrap_pam_authenticate(pam_handle_t *h, int flags);
int __wrap_pam_acct_mgmt(pam_handle_t *h, int flags);

int
__wrap_pam_start(
    const char *service, const char *user, const struct pam_conv *c, pam_handle_t **h)
{
	(void)user;
	assert_string_equal(service, "authserver");
	pam.conversation = *c;
	*h = pam.start == PAM_SUCCESS ? (pam_handle_t *)&pam : NULL;
	return pam.start;
}

int
__wrap_pam_end(pam_handle_t *h, int status)
{
	(void)h;
	(void)status;
	pam.ended++;
	return PAM_SUCCESS;
}

int
__wrap_pam_set_item(pam_handle_t *h, int item, const void *value)
{
	void (*delay)(int, unsigned int, void *);

	(void)h;
	assert_int_equal(item, PAM_FAIL_DELAY);
	memcpy(&delay, &value, sizeof(delay));
	delay(PAM_AUTH_ERR, 60 * 1000 * 1000, NULL); /* which returns at once */
	return pam.set;
}

int
__wrap_pam_get_item(const pam_handle_t *h, int item, const void **value)
{
	(void)h;
	assert_int_equal(item, PAM_USER);
	*value = pam.user;
	return pam.get;
}

const char *
__wrap_pam_strerror(pam_handle_t *h, int code)
{
	(void)h;
	(void)code;
	return "why";
}

int
__wrap_pam_authenticate(pam_handle_t *h, int flags)
{
	struct pam_message messages[3] = {0};
	const struct pam_message *list[3];
	struct pam_response *answers = NULL;
	int count = 0;

	(void)h;
	assert_int_equal(flags, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	for (; count < 3 && pam.styles[count] != 0; count++) {
		messages[count].msg_style = pam.styles[count];
		list[count] = &messages[count];
	}
	if (count == 0)
		return pam.authenticate;
	pam.conversed = pam.conversation.conv(
	    pam.count != 0 ? pam.count : count, list, &answers, pam.conversation.appdata_ptr);
	if (pam.conversed != PAM_SUCCESS)
		return pam.conversed;
	for (int i = 0; i < count; i++) {
		if (answers[i].resp != NULL)
			pam.answered += strcmp(answers[i].resp, "secret") == 0;
		free(answers[i].resp);
	}
	free(answers);
	return pam.authenticate;
}

int
__wrap_pam_acct_mgmt(pam_handle_t *h, int flags)
{
	(void)h;
	(void)flags;
	return pam.account;
}

/* PAM that finds everything right. */
static int
reset(void **state)
{
	(void)state;
	(void)failures_set(NULL, 0, 0, 0);
	memset(&pam, 0, sizeof(pam));
	pam.user = "root";
	return 0;
}

/* 0, or the code of the error. */
static int
check(const char *user, const char *password)
{
	const struct password_question q = {.user = user, .password = password};
	struct error e = {0};

	return pam_check("authserver", &q, &e) == 0 ? 0 : (int)e.code;
}

static void
code_says_whether_the_user_or_the_system_is_wrong(void **state)
{
	static const struct {
		int code, error;
	} rows[] = {{PAM_SUCCESS, 0}, {PAM_AUTH_ERR, ERROR_DENIED},
	    {PAM_USER_UNKNOWN, ERROR_DENIED}, {PAM_MAXTRIES, ERROR_DENIED},
	    {PAM_PERM_DENIED, ERROR_DENIED}, {PAM_ACCT_EXPIRED, ERROR_DENIED},
	    {PAM_CRED_EXPIRED, ERROR_DENIED}, {PAM_AUTHTOK_EXPIRED, ERROR_DENIED},
	    {PAM_NEW_AUTHTOK_REQD, ERROR_DENIED}, {PAM_AUTHINFO_UNAVAIL, ERROR_UNAVAILABLE},
	    {PAM_SYSTEM_ERR, ERROR_UNAVAILABLE}, {PAM_ABORT, ERROR_UNAVAILABLE}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)reset(state);
		pam.authenticate = rows[i].code;
		assert_int_equal(check("root", "secret"), rows[i].error);
		/* Without a password nobody is asked for it. */
		assert_int_equal(check("root", NULL), 0);
		(void)reset(state);
		pam.account = rows[i].code;
		assert_int_equal(check("root", "secret"), rows[i].error);
		assert_int_equal(check("root", NULL), rows[i].error);
		assert_int_equal(pam.ended, 2);
	}
}

static void
pam_that_does_not_start_says_nothing_of_the_user(void **state)
{
	(void)state;
	pam.start = PAM_SYSTEM_ERR;
	assert_int_equal(check("root", "secret"), ERROR_UNAVAILABLE);
	pam.start = PAM_SUCCESS;
	pam.set = PAM_BAD_ITEM;
	assert_int_equal(check("root", "secret"), ERROR_UNAVAILABLE);
	assert_int_equal(pam.ended, 1);
}

static void
name_must_be_the_one_that_was_asked_for(void **state)
{
	(void)state;
	pam.user = "daemon";
	assert_int_equal(check("root", "secret"), ERROR_DENIED);
	pam.user = NULL;
	assert_int_equal(check("root", "secret"), ERROR_UNAVAILABLE);
	pam.user = "root";
	pam.get = PAM_SYSTEM_ERR;
	assert_int_equal(check("root", "secret"), ERROR_UNAVAILABLE);
}

static void
what_is_no_question_is_not_asked(void **state)
{
	(void)state;
	assert_int_equal(check("", "secret"), ERROR_DENIED);
	assert_int_equal(check("root", ""), ERROR_DENIED);
	assert_int_equal(pam.ended, 0);
}

static void
password_answers_one_question_alone(void **state)
{
	static const struct {
		int styles[3];
		int count, code, answered;
	} rows[] = {
	    {{PAM_PROMPT_ECHO_OFF}, 0, PAM_SUCCESS, 1},
	    {{PAM_TEXT_INFO, PAM_ERROR_MSG, PAM_PROMPT_ECHO_OFF}, 0, PAM_SUCCESS, 1},
	    {{PAM_TEXT_INFO}, 0, PAM_SUCCESS, 0},
	    /* A second factor, of which nobody knows, and a name. */
	    {{PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON}, 0, PAM_CONV_ERR, 0},
	    {{PAM_PROMPT_ECHO_ON, PAM_PROMPT_ECHO_OFF}, 0, PAM_CONV_ERR, 0},
	    {{PAM_PROMPT_ECHO_OFF}, -1, PAM_CONV_ERR, 0},
	    {{PAM_PROMPT_ECHO_OFF}, PAM_MAX_NUM_MSG + 1, PAM_CONV_ERR, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)reset(state);
		memcpy(pam.styles, rows[i].styles, sizeof(pam.styles));
		pam.count = rows[i].count;
		assert_int_equal(check("root", "secret"),
		    rows[i].code == PAM_SUCCESS ? 0 : ERROR_UNAVAILABLE);
		assert_int_equal(pam.conversed, rows[i].code);
		assert_int_equal(pam.answered, rows[i].answered);
	}
}

static void
short_memory_says_nothing_of_the_user(void **state)
{
	static const int codes[] = {PAM_BUF_ERR, PAM_CONV_ERR};

	(void)state;
	pam.styles[0] = PAM_PROMPT_ECHO_OFF;
	for (int turn = 0; turn < 2; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		assert_int_equal(check("root", "secret"), ERROR_UNAVAILABLE);
		assert_int_equal(failures_count(), 1);
		assert_int_equal(pam.conversed, codes[turn]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(code_says_whether_the_user_or_the_system_is_wrong, reset),
	    cmocka_unit_test_setup(pam_that_does_not_start_says_nothing_of_the_user, reset),
	    cmocka_unit_test_setup(name_must_be_the_one_that_was_asked_for, reset),
	    cmocka_unit_test_setup(what_is_no_question_is_not_asked, reset),
	    cmocka_unit_test_setup(password_answers_one_question_alone, reset),
	    cmocka_unit_test_setup(short_memory_says_nothing_of_the_user, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
