#define _GNU_SOURCE /* strdup */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/section.h"

#define FIELD(name) offsetof(struct config, name)

static const struct key_row rows[] = {
    {"directory", "/tmp/tokens", key_set_path, FIELD(directory)},
    {"group", NULL, key_set_string, FIELD(group)},
    {"mode", "0640", key_set_mode, FIELD(mode)},
    {"access", "group", key_set_access, FIELD(access)},
    {"max-age", "10s", key_set_duration, FIELD(max_age)},
    {"max-files", "1000000", key_set_files, FIELD(max_files)},
    {"state", NULL, key_set_path, FIELD(state)},
    {"private-key", NULL, key_set_string, FIELD(private_key)},
    {"passphrase-file", NULL, key_set_string, FIELD(passphrase_file)},
    {"algorithm", "RS512", key_set_string, FIELD(algorithm)},
    {"kid", "thumbprint", key_set_kid, FIELD(kid)},
    {"issuer", NULL, key_set_string, FIELD(issuer)},
    {"lifetime", "24h", key_set_duration, FIELD(lifetime)},
    {"attributes", NULL, key_set_path, FIELD(attributes)},
    {"jwt-public-key", NULL, key_set_item, FIELD(jwt_public_key)},
    {"jwt-algorithm", NULL, key_set_item, FIELD(jwt_algorithm)},
    {"user-claim", "sub", key_set_string, FIELD(user_claim)},
    {"verify-audience", NULL, key_set_item, FIELD(verify_audience)},
    {"skew", "60s", key_set_skew, FIELD(skew)},
    {"verify-listen", NULL, key_set_loopback, FIELD(verify_listen)},
    {"introspection", "false", key_set_bool, FIELD(introspection)},
    {"grants", NULL, key_set_grant, FIELD(grants)},
    {"exchange-own", "false", key_set_bool, FIELD(exchange_own)},
    {"exchange-audience", NULL, key_set_item, FIELD(exchange_audience)},
    {"refresh-lifetime", "720h", key_set_duration, FIELD(refresh_lifetime)},
    {"refresh-idle", "168h", key_set_duration, FIELD(refresh_idle)},
    {"revocation", "false", key_set_bool, FIELD(revocation)},
    {"odas", "false", key_set_bool, FIELD(odas)},
    {"odas-reuse", "50", key_set_percent, FIELD(odas_reuse)},
    {"policy", NULL, key_set_path, FIELD(policy)},
    {"permit-anonymous", "false", key_set_bool, FIELD(permit_anonymous)},
    {"realms", NULL, key_set_item, FIELD(realms)},
    {"hosts", "localhost,127.0.0.1,[::1]", key_set_item, FIELD(hosts)},
    {"peers", "www-data", key_set_item, FIELD(peers)},
    {"subject-pattern", NULL, key_set_string, FIELD(subject_pattern)},
    {"workers", "1", key_set_workers, FIELD(workers)},
    {"signer-threads", "0", key_set_count, FIELD(signer_threads)},
    {"seccomp", "on", key_set_sandbox, FIELD(seccomp)},
    {"landlock", "on", key_set_sandbox, FIELD(landlock)},
    {"log", "stderr", key_set_log, FIELD(log)},
    {"audit", "none", key_set_audit, FIELD(audit)},
};

const struct table config_keys = {rows, sizeof(rows) / sizeof(rows[0])};

int
config_set(struct config *c, const char *key_name, const char *value, const char *where,
    struct error *e)
{
	const struct key_row *key = key_find(config_keys.rows, config_keys.count, key_name);
	char *copy, *item, *next;
	int rc = 0;

	if (key == NULL)
		return error_set(e, ERROR_CONFIG, "%s: unknown key '%.64s'", where, key_name);
	if (!key_is_list(key))
		return key_set(key, c, value, where, e);
	key_list_empty(key_list(key, c));
	copy = strdup(value);
	if (copy == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	for (item = copy; item != NULL && *copy != '\0' && rc == 0; item = next) {
		next = strchr(item, ',');
		if (next != NULL)
			*next++ = '\0';
		rc = key_set(key, c, item, where, e);
	}
	free(copy);
	return rc;
}

int
config_init(struct config *c, struct error *e)
{
	*c = (struct config){0};
	for (size_t i = 0; i < config_keys.count; i++)
		if (rows[i].initial != NULL &&
		    config_set(c, rows[i].name, rows[i].initial, "default", e) == -1)
			return -1;
	return groups_init(&c->groups, e) == -1 ? -1 : password_init(&c->password, e);
}

int64_t
config_resolver_deadline(const struct config *c)
{
	int64_t groups = groups_deadline(&c->groups);
	int64_t password = password_deadline(&c->password);
	int64_t keys = verify_deadline(&c->verify);
	int64_t most = groups > password ? groups : password;

	return most > keys ? most : keys;
}

unsigned int
config_signer_threads(const struct config *c)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->signer_threads != 0)
		return c->signer_threads;
	if (processors < 1)
		return 1;
	return processors < LIMIT_SIGNER_THREADS ? (unsigned int)processors
						 : LIMIT_SIGNER_THREADS;
}

void
config_free(struct config *c)
{
	key_free_fields(config_keys.rows, config_keys.count, c);
	profiles_free(&c->profiles);
	groups_free(&c->groups);
	password_free(&c->password);
	verify_free(&c->verify);
	keep_free(&c->keeps);
	*c = (struct config){0};
}
