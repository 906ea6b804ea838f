#include "fcgi/framing.h"

#include <fastcgi.h>

#include "base/limits.h"

/*
 * The name-value pairs of the params (FastCGI specification, 3.4), which may run across
 * records. libfcgi adds up the two lengths of a pair without a look at what they are, so that
 * some of them end the process: it only gets pairs that fit.
 */
struct pairs {
	unsigned char prefix[8]; /* the lengths of a pair, as far as they have come */
	size_t have;
	size_t rest; /* bytes of a name and its value still to come */
};

/* A request as far as it was read. */
struct scan {
	struct pairs pairs;
	unsigned int id;
	bool params_ended;
	bool stdin_ended;
	size_t params; /* bytes of content so far */
	size_t body;
	struct framing_head head;
};

/*
 * Whether a record may come now, by its header alone: what may not is not waited for. libfcgi
 * does not pass over padding behind a record that begins a request or ends a stream: it would
 * take it for a record, or leave it before the next request. No web server sends any there.
 */
static enum framing
check_header(const struct scan *s, const FCGI_Header *h, size_t size)
{
	unsigned int id = (unsigned int)h->requestIdB1 << 8 | h->requestIdB0;

	if (h->version != FCGI_VERSION_1)
		return FRAMING_INVALID;
	if (h->paddingLength > 0 && (h->type == FCGI_BEGIN_REQUEST || size == 0))
		return FRAMING_INVALID;
	if (h->type == FCGI_BEGIN_REQUEST)
		return s->id != 0 || id == 0 || size != sizeof(FCGI_BeginRequestBody)
			   ? FRAMING_INVALID
			   : FRAMING_INCOMPLETE;
	if (s->id == 0 || id != s->id || s->stdin_ended)
		return FRAMING_INVALID;
	if (h->type == FCGI_PARAMS && !s->params_ended)
		return s->params + size > LIMIT_PARAMS ? FRAMING_INVALID : FRAMING_INCOMPLETE;
	if (h->type == FCGI_STDIN && s->head.authorizer && size > 0)
		return FRAMING_INVALID;
	if (h->type == FCGI_STDIN && s->params_ended)
		return s->body + size > LIMIT_BODY ? FRAMING_OVERSIZE : FRAMING_INCOMPLETE;
	return FRAMING_INVALID;
}

static enum framing
take_begin(struct scan *s, const FCGI_Header *h, const unsigned char *body)
{
	unsigned int role = (unsigned int)body[0] << 8 | body[1];

	s->id = (unsigned int)h->requestIdB1 << 8 | h->requestIdB0;
	s->head = (struct framing_head){
	    .keep = (body[2] & FCGI_KEEP_CONN) != 0, .authorizer = role == FCGI_AUTHORIZER};
	return role == FCGI_RESPONDER || role == FCGI_AUTHORIZER ? FRAMING_INCOMPLETE
								 : FRAMING_INVALID;
}

/* How many bytes the length at the start of the prefix takes, and what it is. */
static size_t
read_length(const unsigned char *at, size_t *value)
{
	if (*at < 0x80) {
		*value = *at;
		return 1;
	}
	*value = (size_t)(*at & 0x7f) << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	return 4;
}

/* Takes one byte of the prefix; the pair's length is known when both of its are there. */
static int
take_prefix(struct pairs *p, unsigned char byte)
{
	size_t name, value, first;

	p->prefix[p->have++] = byte;
	first = *p->prefix < 0x80 ? 1 : 4;
	if (p->have <= first || p->have < first + (p->prefix[first] < 0x80 ? 1U : 4U))
		return 0;
	first = read_length(p->prefix, &name);
	(void)read_length(p->prefix + first, &value);
	if (name > LIMIT_PARAMS || value > LIMIT_PARAMS)
		return -1;
	p->rest = name + value;
	p->have = 0;
	return 0;
}

static int
take_pairs(struct pairs *p, const unsigned char *bytes, size_t size)
{
	while (size > 0) {
		size_t step = p->rest < size ? p->rest : size;

		if (step == 0 && take_prefix(p, *bytes) == -1)
			return -1;
		if (step == 0)
			step = 1;
		else
			p->rest -= step;
		bytes += step;
		size -= step;
	}
	return 0;
}

/* One whole record of size content bytes, whose header was checked. */
static enum framing
take_record(struct scan *s, const FCGI_Header *h, const unsigned char *body, size_t size)
{
	if (h->type == FCGI_BEGIN_REQUEST)
		return take_begin(s, h, body);
	if (h->type == FCGI_PARAMS) {
		s->params += size;
		s->params_ended = size == 0;
		if (take_pairs(&s->pairs, body, size) == -1 ||
		    (s->params_ended && (s->pairs.have > 0 || s->pairs.rest > 0)))
			return FRAMING_INVALID;
	} else {
		s->body += size;
		s->stdin_ended = size == 0;
	}
	return FRAMING_INCOMPLETE;
}

enum framing
framing_scan(const unsigned char *bytes, size_t length, struct framing_head *head)
{
	struct scan s = {0};
	enum framing verdict;
	size_t at = 0;

	while (length - at >= FCGI_HEADER_LEN) {
		const FCGI_Header *h = (const FCGI_Header *)(bytes + at); /* bytes alone */
		size_t size = (size_t)h->contentLengthB1 << 8 | h->contentLengthB0;
		size_t whole = FCGI_HEADER_LEN + size + h->paddingLength;

		verdict = check_header(&s, h, size);
		if (verdict == FRAMING_INCOMPLETE && length - at < whole)
			break;
		if (verdict == FRAMING_INCOMPLETE)
			verdict = take_record(&s, h, bytes + at + FCGI_HEADER_LEN, size);
		*head = s.head;
		if (verdict != FRAMING_INCOMPLETE)
			return verdict;
		at += whole;
	}
	/* Some web servers end the body of a request for an authorizer, others have none. */
	if ((s.stdin_ended || (s.head.authorizer && s.params_ended)) && at == length)
		return FRAMING_COMPLETE;
	return s.stdin_ended || length >= FRAMING_MAX ? FRAMING_INVALID : FRAMING_INCOMPLETE;
}
