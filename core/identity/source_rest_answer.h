/* What a service answers, bounded while it arrives. For source_rest.c. */
#ifndef IDENTITY_SOURCE_REST_ANSWER_H
#define IDENTITY_SOURCE_REST_ANSWER_H

#include <curl/curl.h>

#include "base/buffer.h"
#include "identity/membership.h"

struct rest_answer {
	struct buffer body;
	size_t headers;    /* bytes of them */
	const char *wrong; /* why the rest was not taken; NULL: it was */
};

/* Makes it an empty one, before a request and at the end; zeroes are one too. */
void rest_answer_clear(struct rest_answer *a);

/* Has curl put what arrives into *a, which must outlive it. */
CURLcode rest_answer_attach(struct rest_answer *a, CURL *curl);

/* Reads the answer that is there when curl is done. As lookup of struct source. */
int rest_answer_read(
    const struct rest_answer *a, CURL *curl, struct membership *m, struct error *e);

#endif
