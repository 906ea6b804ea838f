#define _GNU_SOURCE /* explicit_bzero */
#include "tools/authserver-keep/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/account.h"
#include "base/dump.h"
#include "base/json.h"
#include "jose/jws_verify.h"

/* A JSON object has some bytes more than the token in it. */
enum { FILE_BYTES = LIMIT_TOKEN + 1024 };

int
inspect_form(struct keep_form *form, const struct kept *k, struct error *e)
{
	const struct keep_section *s = k->section;
	const char *owner = s->owner;

	*form = (struct keep_form){.mode = s->mode, .owner = (uid_t)-1, .group = k->group};
	if (k->no_group)
		return error_set(e, ERROR_UNAVAILABLE, "%s: its group was not found", k->path);
	if (owner == NULL)
		return 0;
	return account_user(
	    strcmp(owner, KEEP_SUBJECT) == 0 ? k->subject : owner, &form->owner, e);
}

int
inspect_render(struct buffer *file, enum keep_format format, const struct signature *token)
{
	json_t *object;
	char *text;
	int rc;

	if (format == KEEP_JWT)
		return buffer_append(file, token->token, token->length);
	object = json_pack("{s:s, s:s, s:I}", "access_token", token->token, "token_type",
	    "Bearer", "expires_at", (json_int_t)token->expires);
	text = object == NULL ? NULL : dump_json(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
	rc = text == NULL ? -1 : buffer_append(file, text, strlen(text));
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
	json_decref(object);
	return rc;
}

/* The token in a file; an empty text when it is not of the format. Frees *object later. */
static const char *
find_token(const struct buffer *file, enum keep_format format, json_t **object)
{
	json_error_t wrong;
	const char *token;

	*object = NULL;
	if (file->length == 0 || memchr(file->data, '\0', file->length) != NULL)
		return "";
	if (format == KEEP_JWT)
		return file->data;
	*object = json_read(file->data, file->length, &wrong);
	token = json_string_value(json_object_get(*object, "access_token"));
	return token != NULL ? token : "";
}

/* Whether one of our keys made the signature. */
static bool
is_ours(const struct jws *j, const struct keychain *keys)
{
	bool known = keychain_has(keys, j->kid);
	struct error no;

	for (size_t i = 0; i < keychain_count(keys); i++) {
		const struct public_key *k = keychain_get(keys, i);
		const char *id = public_key_id(k);

		if ((!known || (id != NULL && strcmp(id, j->kid) == 0)) &&
		    jws_verify(j, k, &no) == 0)
			return true;
	}
	return false;
}

/* The claim that names the subject, under whatever name a profile gives it. */
static bool
is_for(const json_t *claims, const struct profile *p, const char *subject)
{
	const char *name = "sub";
	const char *value;

	for (size_t i = 0; p != NULL && i < p->rename.count; i++)
		if (strncmp(p->rename.items[i], "sub=", 4) == 0)
			name = p->rename.items[i] + 4;
	value = json_string_value(json_object_get(claims, name));
	return value != NULL && strcmp(value, subject) == 0;
}

/* What is wrong with a token, NULL when nothing is; *expires is its "exp". */
static const char *
judge_token(const struct kept *k, const struct issuer *i, const char *token, int64_t *expires)
{
	const struct profile *p =
	    k->section->profile == NULL
		? NULL
		: config_profile(&i->config.profiles, k->section->profile);
	const char *why = NULL;
	json_t *claims, *exp;
	struct error no;
	struct jws j;

	if (jws_parse(&j, token, strlen(token), &no) == -1)
		return "it holds no token";
	claims = jws_object(j.payload, j.payload_length, "payload", &no);
	exp = json_object_get(claims, "exp");
	if (!is_ours(&j, i->keys))
		why = "its token is by none of our keys";
	else if (!is_for(claims, p, k->subject))
		why = "its token is for another subject";
	else if (!json_is_integer(exp))
		why = "its token has no exp";
	else
		*expires = json_integer_value(exp);
	json_decref(claims);
	jws_close(&j);
	return why;
}

/* The same for what was read. */
static const char *
judge_file(struct kept *k, const struct issuer *i, const struct keep_form *form,
    const struct buffer *file)
{
	json_t *object;
	const char *why =
	    judge_token(k, i, find_token(file, k->section->format, &object), &k->expires);
	const json_t *end = json_object_get(object, "expires_at");

	if (why == NULL && object != NULL && json_integer_value(end) != k->expires)
		why = "its expires_at is not that of its token";
	json_decref(object);
	if (why == NULL && !keep_file_has_form(&k->mark, form))
		why = "its owner, group or mode is another";
	return why;
}

/* Whether the directory of the path is not there. */
static bool
is_nowhere(const char *path)
{
	char parent[LIMIT_PATH];
	struct stat st;

	(void)snprintf(
	    parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path + 1), path);
	return fstatat(AT_FDCWD, parent, &st, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT;
}

int
inspect_file(
    struct kept *k, const struct issuer *i, bool clear, const char **why, struct error *e)
{
	struct keep_form form;
	struct directory d;
	struct buffer file;
	const char *name;
	int found;

	*why = "there is none";
	k->expires = 0;
	k->mark = (struct stat){0};
	if (is_nowhere(k->path))
		return 0;
	if (inspect_form(&form, k, e) == -1 ||
	    kept_open_directory(&d, &name, k->path, false, e) == -1)
		return -1;
	buffer_init(&file, FILE_BYTES);
	found = clear ? keep_file_clear(&d, name, e) : 0;
	if (found == 0)
		found = keep_file_read(&d, name, &file, &k->mark, e);
	if (found == 1)
		*why = judge_file(k, i, &form, &file);
	buffer_free(&file);
	directory_close(&d);
	return found == -1 ? -1 : 0;
}

bool
inspect_is_token(
    const struct directory *d, const char *name, enum keep_format format, const char *subject)
{
	struct buffer file;
	struct stat st;
	struct error no;
	struct jws j = {0};
	json_t *object = NULL, *claims = NULL;
	const char *token = "";
	bool is = false;

	buffer_init(&file, FILE_BYTES);
	if (keep_file_read(d, name, &file, &st, &no) == 1 && st.st_nlink == 1)
		token = find_token(&file, format, &object);
	if (jws_parse(&j, token, strlen(token), &no) == 0) {
		claims = jws_object(j.payload, j.payload_length, "payload", &no);
		is = is_for(claims, NULL, subject);
	}
	jws_close(&j);
	json_decref(claims);
	json_decref(object);
	buffer_free(&file);
	return is;
}
