#include "store/refresh_record.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include "base/dump.h"
#include "base/json.h"
#include "base/text.h"

/* Longer than anybody's, and no sum of two overflows. */
#define LONGEST (1000LL * 366 * 24 * 60 * 60)

/* Whether jansson takes each of the texts, unless memory ends. */
static bool
is_text(const struct refresh_family *f)
{
	return text_clean(f->caller) && text_clean(f->scheme) && text_clean(f->subject) &&
	       text_clean(f->profile) && text_clean(f->audience) && text_clean(f->client);
}

int
refresh_record_write(const struct refresh_record *r, struct buffer *bytes, struct error *e)
{
	const struct refresh_family *f = &r->family;
	json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:s,"
				   " s:s, s:I, s:s}",
	    "proof", r->proof, "current", r->current, "previous", r->previous, "created",
	    (json_int_t)f->created, "used", (json_int_t)r->used, "lifetime",
	    (json_int_t)r->limits.lifetime, "idle", (json_int_t)r->limits.idle, "caller",
	    f->caller, "scheme", f->scheme, "subject", f->subject, "profile", f->profile,
	    "audience", f->audience, "ttl", (json_int_t)f->lifetime, "client", f->client);
	char head[REFRESH_HEAD + 1];
	char *text;
	int rc = -1;

	if (object == NULL && is_text(f))
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	if (object == NULL)
		return error_set(e, ERROR_MALFORMED,
		    "no refresh token: a name of those that it is for is not UTF-8");
	text = dump_json(object, JSON_COMPACT);
	json_decref(object);
	refresh_head_write(head,
	    &(struct refresh_head){.confirmed = r->confirmed, .due = refresh_record_due(r)});
	if (text != NULL && buffer_append(bytes, head, REFRESH_HEAD) == 0)
		rc = buffer_append(bytes, text, strlen(text));
	free(text);
	return rc == 0 ? 0 : error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

static int
copy(char *to, size_t size, const char *from)
{
	size_t length = strlen(from);

	if (length >= size)
		return -1;
	memcpy(to, from, length + 1);
	return 0;
}

#define COPY(field, text) copy(field, sizeof(field), text)

static bool
is_digest(const char *text)
{
	return strlen(text) == DIGEST_TEXT - 1;
}

/* Whether the numbers can be added up. */
static bool
is_sane(const struct refresh_record *r)
{
	const int64_t numbers[] = {
	    r->used, r->limits.lifetime, r->limits.idle, r->family.created, r->family.lifetime};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i] < 0 || numbers[i] > LONGEST)
			return false;
	return true;
}

/* As refresh_record_read(). Jansson's own "nothing more" ("!") takes a name that memory was too
 * short to note for one that is too many. */
static int
read_object(struct refresh_record *r, json_t *object)
{
	enum { MEMBERS = 14 };
	struct refresh_family *f = &r->family;
	const char *proof, *current, *previous, *caller, *scheme, *subject, *profile, *audience,
	    *client;
	json_int_t created, used, lifetime, idle, ttl;
	json_error_t wrong;

	if (json_unpack_ex(object, &wrong, 0,
		"{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:s}",
		"proof", &proof, "current", &current, "previous", &previous, "created",
		&created, "used", &used, "lifetime", &lifetime, "idle", &idle, "caller",
		&caller, "scheme", &scheme, "subject", &subject, "profile", &profile,
		"audience", &audience, "ttl", &ttl, "client", &client) == -1)
		return json_read_short(&wrong) ? 1 : -1;
	if (json_object_size(object) != MEMBERS || !is_digest(proof) || !is_digest(current) ||
	    (*previous != '\0' && !is_digest(previous)))
		return -1;
	if (COPY(r->proof, proof) == -1 || COPY(r->current, current) == -1 ||
	    COPY(r->previous, previous) == -1 || COPY(f->caller, caller) == -1 ||
	    COPY(f->scheme, scheme) == -1 || COPY(f->subject, subject) == -1 ||
	    COPY(f->profile, profile) == -1 || COPY(f->audience, audience) == -1 ||
	    COPY(f->client, client) == -1)
		return -1;
	r->used = used;
	r->limits = (struct refresh_limits){.lifetime = lifetime, .idle = idle};
	f->created = created;
	f->lifetime = ttl;
	return is_sane(r) ? 0 : -1;
}

int
refresh_record_read(struct refresh_record *r, const struct buffer *bytes)
{
	struct refresh_head head;
	json_error_t wrong;
	json_t *object;
	int rc = -1;

	*r = (struct refresh_record){0};
	if (refresh_head_read(&head, bytes) == -1)
		return -1;
	object = json_read(bytes->data + REFRESH_HEAD, bytes->length - REFRESH_HEAD, &wrong);
	if (object != NULL)
		rc = read_object(r, object);
	else if (json_read_short(&wrong))
		rc = 1;
	json_decref(object);
	if (rc != 0)
		*r = (struct refresh_record){0};
	r->confirmed = head.confirmed;
	return rc;
}

int64_t
refresh_record_due(const struct refresh_record *r)
{
	int64_t by_age = r->family.created + r->limits.lifetime;
	int64_t by_idleness = r->used + r->limits.idle;

	return by_age < by_idleness ? by_age : by_idleness;
}
