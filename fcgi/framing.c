#include "fcgi/framing.h"

#include <fastcgi.h>

#include "base/limits.h"

/* A request as far as it was read. */
struct scan {
	unsigned int id;
	bool params_ended;
	bool stdin_ended;
	size_t params; /* bytes of content so far */
	size_t body;
	bool keep;
};

/* Whether a record may come now, by its header alone: what may not is not waited for. */
static enum framing
check_header(const struct scan *s, const FCGI_Header *h, size_t size)
{
	unsigned int id = (unsigned int)h->requestIdB1 << 8 | h->requestIdB0;

	if (h->version != FCGI_VERSION_1)
		return FRAMING_INVALID;
	if (h->type == FCGI_BEGIN_REQUEST)
		return s->id != 0 || id == 0 || size != sizeof(FCGI_BeginRequestBody)
			   ? FRAMING_INVALID
			   : FRAMING_INCOMPLETE;
	if (s->id == 0 || id != s->id || s->stdin_ended)
		return FRAMING_INVALID;
	if (h->type == FCGI_PARAMS && !s->params_ended)
		return s->params + size > LIMIT_PARAMS ? FRAMING_INVALID : FRAMING_INCOMPLETE;
	if (h->type == FCGI_STDIN && s->params_ended)
		return s->body + size > LIMIT_BODY ? FRAMING_OVERSIZE : FRAMING_INCOMPLETE;
	return FRAMING_INVALID;
}

static enum framing
take_begin(struct scan *s, const FCGI_Header *h, const unsigned char *body)
{
	unsigned int role = (unsigned int)body[0] << 8 | body[1];

	s->id = (unsigned int)h->requestIdB1 << 8 | h->requestIdB0;
	s->keep = (body[2] & FCGI_KEEP_CONN) != 0;
	return role == FCGI_RESPONDER ? FRAMING_INCOMPLETE : FRAMING_INVALID;
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
	} else {
		s->body += size;
		s->stdin_ended = size == 0;
	}
	return FRAMING_INCOMPLETE;
}

enum framing
framing_scan(const unsigned char *bytes, size_t length, bool *keep)
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
		*keep = s.keep;
		if (verdict != FRAMING_INCOMPLETE)
			return verdict;
		at += whole;
	}
	if (s.stdin_ended && at == length)
		return FRAMING_COMPLETE;
	return s.stdin_ended || length >= FRAMING_MAX ? FRAMING_INVALID : FRAMING_INCOMPLETE;
}
