/* Whether PAM takes a user's password. */
#ifndef PASSWORD_PAM_H
#define PASSWORD_PAM_H

#include "identity/password.h"

/*
 * Asks the PAM service of this name whether the password is the user's (pam_authenticate(3))
 * and, in any case, whether the account may be used (pam_acct_mgmt(3)). 0: right. -1:
 * ERROR_DENIED, it is wrong, and *e says why, for the log; ERROR_UNAVAILABLE, it cannot be
 * said. Takes as long as the modules take.
 */
int pam_check(const char *service, const struct password_question *q, struct error *e);

#endif
