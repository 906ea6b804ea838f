/* The section groups and the sections in it. */
#include <stdlib.h>
#include <string.h>

#include "config/section.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define FIELD(name) offsetof(struct groups_config, name)
#define LDAP_FIELD(name) offsetof(struct ldap_config, name)

static const struct key_row groups_rows[] = {
    {"resolvers", "unix", key_set_resolver, FIELD(resolvers)},
    {"mode", "first", key_set_order, FIELD(mode)},
    {"cache", "60s", key_set_duration, FIELD(cache)},
    {"stale", NULL, key_set_duration, FIELD(stale)},
    {"retry", "5s", key_set_duration, FIELD(retry)},
    {"allow", NULL, key_set_some, FIELD(allow)},
    {"required", NULL, key_set_some, FIELD(required)},
    {"exempt", NULL, key_set_item, FIELD(exempt)},
    {"optional", NULL, key_set_resolver, FIELD(optional)},
    {"most", "1000", key_set_most, FIELD(most)},
    {"claim", "false", key_set_bool, FIELD(claim)},
};

/* First what a section password has too: who may be asked, and where a user's entry is. */
static const struct key_row ldap_rows[] = {
    {"uri", NULL, key_set_item, LDAP_FIELD(uri)},
    {"start-tls", "false", key_set_bool, LDAP_FIELD(start_tls)},
    {"ca-file", NULL, key_set_path, LDAP_FIELD(ca_file)},
    {"bind-dn", NULL, key_set_string, LDAP_FIELD(bind_dn)},
    {"password-file", NULL, key_set_path, LDAP_FIELD(password_file)},
    {"base", NULL, key_set_string, LDAP_FIELD(base)},
    {"filter", "(uid={0})", key_set_string, LDAP_FIELD(filter)},
    {"name", NULL, key_set_string, LDAP_FIELD(name_attribute)},
    {"timeout", "2s", key_set_timeout, LDAP_FIELD(timeout)},
    {"insecure", "false", key_set_bool, LDAP_FIELD(insecure)},
    {"attribute", NULL, key_set_string, LDAP_FIELD(attribute)},
    {"group-base", NULL, key_set_string, LDAP_FIELD(group_base)},
    {"group-filter", "(member={1})", key_set_string, LDAP_FIELD(group_filter)},
    {"group-name", "cn", key_set_string, LDAP_FIELD(group_name)},
    {"nested", "false", key_set_bool, LDAP_FIELD(nested)},
    {"email", NULL, key_set_string, LDAP_FIELD(email_attribute)},
    {"namespace", NULL, key_set_string, LDAP_FIELD(namespace_attribute)},
};

enum { LDAP_USER_ROWS = 9 };

static const struct key_row rest_rows[] = {
    {"url", NULL, key_set_string, FIELD(rest.url)},
    {"insecure", "false", key_set_bool, FIELD(rest.insecure)},
    {"token-file", NULL, key_set_path, FIELD(rest.token_file)},
    {"certificate", NULL, key_set_path, FIELD(rest.certificate)},
    {"key", NULL, key_set_path, FIELD(rest.key)},
    {"ca-file", NULL, key_set_path, FIELD(rest.ca_file)},
    {"timeout", "2s", key_set_timeout, FIELD(rest.timeout)},
};

static const struct key_row script_rows[] = {
    {"directory", "/opt/scripts", key_set_path, FIELD(script.directory)},
    {"files", NULL, key_set_item, FIELD(script.files)},
    {"timeout", "2s", key_set_timeout, FIELD(script.timeout)},
};

static const struct key_row static_rows[] = {
    {"file", NULL, key_set_path, FIELD(static_file)},
};

const struct table groups_keys = {groups_rows, COUNT(groups_rows)};
const struct table ldap_user_keys = {ldap_rows, LDAP_USER_ROWS};

const struct groups_source groups_sources[GROUPS_SOURCES] = {
    {"ldap", {ldap_rows, COUNT(ldap_rows)}, FIELD(ldap)},
    {"rest", {rest_rows, COUNT(rest_rows)}, 0},
    {"script", {script_rows, COUNT(script_rows)}, 0},
    {"static", {static_rows, COUNT(static_rows)}, 0},
};

void *
groups_source_base(const struct groups_source *s, struct groups_config *g)
{
	return (char *)g + s->offset;
}

int
groups_init(struct groups_config *g, struct error *e)
{
	if (key_set_initial(groups_keys.rows, groups_keys.count, g, e) == -1)
		return -1;
	for (size_t i = 0; i < GROUPS_SOURCES; i++) {
		const struct groups_source *s = &groups_sources[i];

		if (key_set_initial(s->keys.rows, s->keys.count, groups_source_base(s, g), e) ==
		    -1)
			return -1;
	}
	return 0;
}

void
groups_free(struct groups_config *g)
{
	key_free_fields(groups_keys.rows, groups_keys.count, g);
	for (size_t i = 0; i < GROUPS_SOURCES; i++) {
		const struct groups_source *s = &groups_sources[i];

		key_free_fields(s->keys.rows, s->keys.count, groups_source_base(s, g));
	}
	free(g->where);
	*g = (struct groups_config){0};
}

static bool
has_twice(const struct strings *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct strings before = {.items = list->items, .count = i};

		if (strings_have(&before, list->items[i]))
			return true;
	}
	return false;
}

const char *
ldap_user_wrong(const struct ldap_config *l)
{
	if (l->uri.count == 0)
		return "ldap: uri is missing, such as \"ldaps://ldap.example.com\"";
	if (l->base == NULL)
		return "ldap: base is missing, the DN below which users are";
	if (strstr(l->filter, "{0}") == NULL)
		return "ldap: filter does not have {0}, the user's name";
	if ((l->bind_dn == NULL) != (l->password_file == NULL))
		return "ldap: bind-dn and password-file go together";
	return NULL;
}

/* What is wrong, NULL when nothing is. */
static const char *
wrong_ldap(const struct ldap_config *l)
{
	const char *wrong = ldap_user_wrong(l);

	if (wrong != NULL)
		return wrong;
	if (l->attribute == NULL && l->group_base == NULL)
		return "ldap: give attribute, which names the groups in a user's entry, or "
		       "group-base, below which groups are";
	if (strstr(l->group_filter, "{0}") == NULL && strstr(l->group_filter, "{1}") == NULL)
		return "ldap: group-filter has neither {0}, the user's name, nor {1}, the "
		       "entry's DN";
	if (l->nested && (l->group_base == NULL || strstr(l->group_filter, "{1}") == NULL))
		return "ldap: nested wants group-base and a group-filter with {1}";
	return NULL;
}

static const char *
wrong_rest(const struct rest_config *r)
{
	if (r->url == NULL)
		return "rest: url is missing";
	if (strncmp(r->url, "http://", 7) != 0 && strncmp(r->url, "https://", 8) != 0)
		return "rest: url is none of http or https";
	if ((r->certificate == NULL) != (r->key == NULL))
		return "rest: certificate and key go together";
	return NULL;
}

bool
groups_never(const struct groups_config *g, const char *name)
{
	return g->where != NULL && !strings_have(&g->resolvers, "unix") &&
	       strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

static bool
has_capital(const struct groups_config *g, const struct strings *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (groups_never(g, names->items[i]))
			return true;
	return false;
}

static const char *
find_wrong(const struct groups_config *g)
{
	const char *wrong = NULL;

	if (g->resolvers.count == 0)
		return "resolvers is empty";
	if (has_twice(&g->resolvers))
		return "resolvers has a name twice";
	for (size_t i = 0; i < g->optional.count; i++)
		if (!strings_have(&g->resolvers, g->optional.items[i]))
			return "optional names a source that is not among resolvers";
	if (has_capital(g, &g->required) || has_capital(g, &g->allow))
		return "a name in required or allow has a capital letter, and names of groups "
		       "are lower case: all sources but unix make them so";
	if (strings_have(&g->resolvers, "ldap"))
		wrong = wrong_ldap(&g->ldap);
	if (wrong == NULL && strings_have(&g->resolvers, "rest"))
		wrong = wrong_rest(&g->rest);
	if (wrong == NULL && strings_have(&g->resolvers, "script") &&
	    g->script.files.count == 0)
		wrong = "script: files is missing";
	if (wrong == NULL && strings_have(&g->resolvers, "static") && g->static_file == NULL)
		wrong = "static: file is missing";
	return wrong;
}

int
groups_check(const struct groups_config *g, struct error *e)
{
	const char *wrong = find_wrong(g);

	return wrong == NULL ? 0
			     : error_set(e, ERROR_CONFIG, "%s: groups: %s", g->where, wrong);
}

int64_t
groups_timeout(const struct groups_config *g, const char *source)
{
	enum { ACCOUNTS = 2 }; /* which have no timeout of ours */

	if (strcmp(source, "ldap") == 0)
		return g->ldap.timeout;
	if (strcmp(source, "rest") == 0)
		return g->rest.timeout;
	if (strcmp(source, "script") == 0)
		return g->script.timeout;
	return strcmp(source, "unix") == 0 ? ACCOUNTS : 0;
}

int64_t
groups_deadline(const struct groups_config *g)
{
	enum { LEAST = 2 }; /* for a host that is busy */
	int64_t sum = 0;

	for (size_t i = 0; i < g->resolvers.count; i++)
		sum += groups_timeout(g, g->resolvers.items[i]);
	return sum > LEAST ? sum : LEAST;
}
