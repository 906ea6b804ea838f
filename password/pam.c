#define _GNU_SOURCE /* explicit_bzero, strdup */
#include "password/pam.h"

#include <security/pam_appl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"

/* Modules own the answers; they overwrite and free them. */
static void
drop(struct pam_response *answers, int count)
{
	for (int i = 0; i < count; i++) {
		if (answers[i].resp != NULL)
			explicit_bzero(answers[i].resp, strlen(answers[i].resp));
		free(answers[i].resp);
	}
	free(answers);
}

/*
 * The password is the answer to what is asked for without an echo. Nobody is there to be asked
 * for more, such as a second factor: that has failed, then.
 */
static int
converse(
    int count, const struct pam_message **messages, struct pam_response **out, void *context)
{
	const char *password = context;
	struct pam_response *answers;
	int code = PAM_SUCCESS;

	if (count <= 0 || count > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	answers = calloc((size_t)count, sizeof(*answers));
	if (answers == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count && code == PAM_SUCCESS; i++) {
		switch (messages[i]->msg_style) {
		case PAM_PROMPT_ECHO_OFF:
			answers[i].resp = password != NULL ? strdup(password) : NULL;
			if (answers[i].resp == NULL)
				code = PAM_CONV_ERR;
			break;
		case PAM_ERROR_MSG:
		case PAM_TEXT_INFO:
			break;
		default:
			code = PAM_CONV_ERR;
		}
	}
	if (code == PAM_SUCCESS)
		*out = answers;
	else
		drop(answers, count);
	return code;
}

/* Instead of PAM's own pause after a failure: how long "wrong" takes is not for modules to
 * decide. */
static void
no_delay(int status, unsigned int microseconds, void *context)
{
	(void)status;
	(void)microseconds;
	(void)context;
}

/* What PAM's codes mean. Those that are about the modules or the system say nothing of the
 * user. */
static int
judge(pam_handle_t *h, int code, const char *step, struct error *e)
{
	switch (code) {
	case PAM_SUCCESS:
		return 0;
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_MAXTRIES:
	case PAM_PERM_DENIED:
	case PAM_ACCT_EXPIRED:
	case PAM_CRED_EXPIRED:
	case PAM_AUTHTOK_EXPIRED:
	case PAM_NEW_AUTHTOK_REQD:
		return error_set(e, ERROR_DENIED, "%s: %s", step, pam_strerror(h, code));
	default:
		return error_set(e, ERROR_UNAVAILABLE, "%s: %s", step, pam_strerror(h, code));
	}
}

/* Modules may decide that a name means another user, and sources of accounts find one by other
 * spellings of its name without a word. A token would be for the name. */
static int
check_same(pam_handle_t *h, const char *user, struct error *e)
{
	const void *now = NULL;
	int code = pam_get_item(h, PAM_USER, &now);

	if (code != PAM_SUCCESS || now == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "PAM does not say who the user is");
	if (strcmp(now, user) != 0)
		return error_set(e, ERROR_DENIED, "PAM takes the name for another user's");
	return account_check_name(user, e);
}

static int
ask(pam_handle_t *h, const struct password_question *q, struct error *e)
{
	const int flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;

	if (q->password != NULL &&
	    judge(h, pam_authenticate(h, flags), "pam_authenticate", e) == -1)
		return -1;
	if (judge(h, pam_acct_mgmt(h, flags), "pam_acct_mgmt", e) == -1)
		return -1;
	return check_same(h, q->user, e);
}

int
pam_check(const char *service, const struct password_question *q, struct error *e)
{
	/* It is not written to. */
	const struct pam_conv conversation = {
	    .conv = converse, .appdata_ptr = (void *)(uintptr_t)q->password};
	pam_handle_t *h = NULL;
	int code, rc;

	if (!password_is_askable(q))
		return error_set(e, ERROR_DENIED, "this is no name, or no password");
	code = pam_start(service, q->user, &conversation, &h);
	if (code != PAM_SUCCESS)
		return error_set(e, ERROR_UNAVAILABLE, "pam_start: %s", pam_strerror(h, code));
	code = pam_set_item(h, PAM_FAIL_DELAY, (const void *)(uintptr_t)no_delay);
	rc = code == PAM_SUCCESS
		 ? ask(h, q, e)
		 : error_set(e, ERROR_UNAVAILABLE, "pam_set_item: %s", pam_strerror(h, code));
	(void)pam_end(h, code);
	return rc;
}
