/* The section password. */
#include <stdlib.h>
#include <string.h>

#include "config/section.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define FIELD(name) offsetof(struct password_config, name)

static const struct key_row password_rows[] = {
    {"tries", "5", key_set_tries, FIELD(tries)},
    {"window", "15m", key_set_duration, FIELD(window)},
    {"delay", "2s", key_set_delay, FIELD(delay)},
};

static const struct key_row pam_rows[] = {
    {"service", "authserver", key_set_string, FIELD(service)},
    {"timeout", "10s", key_set_timeout, FIELD(pam_timeout)},
};

const struct table password_keys = {password_rows, COUNT(password_rows)};
const struct table pam_keys = {pam_rows, COUNT(pam_rows)};

int
password_init(struct password_config *p, struct error *e)
{
	if (key_set_initial(password_rows, COUNT(password_rows), p, e) == -1 ||
	    key_set_initial(pam_rows, COUNT(pam_rows), p, e) == -1)
		return -1;
	/* Users' passwords are sent there. */
	p->ldap.sends_passwords = true;
	if (key_set_initial(ldap_user_keys.rows, ldap_user_keys.count, &p->ldap, e) == -1)
		return -1;
	/* Most directories take ALICE for alice, and there would be a token for ALICE. */
	return key_set(key_find(ldap_user_keys.rows, ldap_user_keys.count, "name"), &p->ldap,
	    "uid", "default", e);
}

void
password_free(struct password_config *p)
{
	key_free_fields(password_rows, COUNT(password_rows), p);
	key_free_fields(pam_rows, COUNT(pam_rows), p);
	key_free_fields(ldap_user_keys.rows, ldap_user_keys.count, &p->ldap);
	free(p->where);
	*p = (struct password_config){0};
}

int
password_set_source(struct password_config *p, const char *title, struct error *e)
{
	if (strcmp(title, "ldap") == 0)
		p->source = PASSWORD_LDAP;
	else if (strcmp(title, "pam") == 0)
		p->source = PASSWORD_PAM;
	else
		return error_set(e, ERROR_CONFIG,
		    "%s: password '%.64s': want password \"ldap\" or password \"pam\"",
		    p->where, title);
	return 0;
}

void *
password_source(struct password_config *p, const struct table **keys)
{
	*keys = p->source == PASSWORD_LDAP ? &ldap_user_keys : &pam_keys;
	return p->source == PASSWORD_LDAP ? (void *)&p->ldap : (void *)p;
}

bool
password_has_key(const struct password_config *p, const char *key)
{
	const struct table *keys = p->source == PASSWORD_LDAP ? &ldap_user_keys : &pam_keys;

	return key_find(keys->rows, keys->count, key) != NULL;
}

int
password_check(const struct password_config *p, struct error *e)
{
	const char *wrong = NULL;

	if (p->source == PASSWORD_LDAP)
		wrong = ldap_user_wrong(&p->ldap);
	else if (!section_name_is_plain(p->service))
		wrong = "service is the name of a file in /etc/pam.d, of letters, digits and "
			"._-";
	return wrong == NULL ? 0
			     : error_set(e, ERROR_CONFIG, "%s: password: %s", p->where, wrong);
}

int64_t
password_timeout(const struct password_config *p)
{
	return p->source == PASSWORD_LDAP ? p->ldap.timeout : p->pam_timeout;
}

/* What took as long as it may is said to be wrong at the end of the delay that it is in. */
int64_t
password_deadline(const struct password_config *p)
{
	return p->source == PASSWORD_NONE ? 0 : password_timeout(p) + 1 + p->delay;
}
