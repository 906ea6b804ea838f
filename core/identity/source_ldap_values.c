#include "identity/source_ldap_values.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Whether the entry has the attribute under a name that says it is a part of it. */
static bool
is_part(const struct attribute *a)
{
	size_t length = strcspn(a->name, ";");
	BerElement *position = NULL;
	bool found = false;
	char *name;

	for (name = ldap_first_attribute(a->ld, a->entry, &position); name != NULL;
	     name = ldap_next_attribute(a->ld, a->entry, position)) {
		if (strncasecmp(name, a->name, length) == 0 &&
		    strncasecmp(name + length, ";range=", 7) == 0)
			found = true;
		ldap_memfree(name);
	}
	ber_free(position, 0);
	return found;
}

int
values_each(const struct attribute *a, values_visit *visit, void *context, size_t *count,
    struct error *e)
{
	struct berval **values = NULL;
	size_t i = 0;
	int rc = 0;

	if (a->name != NULL && is_part(a))
		return error_set(e, ERROR_UNAVAILABLE,
		    "the server gives but a part of the values of '%.64s': use group-base",
		    a->name);
	if (a->name != NULL)
		values = ldap_get_values_len(a->ld, a->entry, a->name);
	for (; rc == 0 && values != NULL && values[i] != NULL; i++)
		rc = visit(context, values[i], e);
	ldap_value_free_len(values);
	if (count != NULL)
		*count = i;
	return rc;
}

static int
add_name(void *context, const struct berval *value, struct error *e)
{
	return membership_add(context, value->bv_val, value->bv_len, e);
}

int
values_add_names(
    const struct attribute *a, struct membership *m, size_t *count, struct error *e)
{
	return values_each(a, add_name, m, count, e);
}

static int
add_first_rdn(void *context, const struct berval *value, struct error *e)
{
	const struct berval *name = value;
	LDAPDN dn = NULL;
	int rc;

	/* What has a NUL in it is not what it seems, and is refused as a name. */
	if (memchr(value->bv_val, '\0', value->bv_len) == NULL &&
	    strchr(value->bv_val, '=') != NULL &&
	    ldap_str2dn(value->bv_val, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS &&
	    dn != NULL && dn[0] != NULL && dn[0][0] != NULL)
		name = &dn[0][0]->la_value;
	rc = add_name(context, name, e);
	ldap_dnfree(dn);
	return rc;
}

int
values_add_first_rdn(const struct attribute *a, struct membership *m, struct error *e)
{
	return values_each(a, add_first_rdn, m, NULL, e);
}

struct first {
	char *to;
	size_t size;
	const char *name;
};

static int
take_first(void *context, const struct berval *value, struct error *e)
{
	const struct first *f = context;

	if (*f->to != '\0')
		return 0;
	if (value->bv_len >= f->size)
		return error_set(e, ERROR_UNAVAILABLE, "'%.64s' is longer than %zu bytes",
		    f->name, f->size - 1);
	if (strlen(value->bv_val) != value->bv_len || !text_clean(value->bv_val))
		return error_set(e, ERROR_UNAVAILABLE,
		    "'%.64s' is not UTF-8 or has control characters", f->name);
	memcpy(f->to, value->bv_val, value->bv_len + 1);
	return 0;
}

int
values_first(const struct attribute *a, char *to, size_t size, struct error *e)
{
	struct first f = {.to = to, .size = size, .name = a->name};

	*to = '\0';
	return values_each(a, take_first, &f, NULL, e);
}

struct wanted {
	const char *text;
	bool found;
};

static int
compare(void *context, const struct berval *value, struct error *e)
{
	struct wanted *w = context;

	(void)e;
	if (value->bv_len == strlen(w->text) &&
	    memcmp(value->bv_val, w->text, value->bv_len) == 0)
		w->found = true;
	return 0;
}

int
values_have(const struct attribute *a, const char *text, bool *found, struct error *e)
{
	struct wanted w = {.text = text};
	int rc = values_each(a, compare, &w, NULL, e);

	*found = w.found;
	return rc;
}
