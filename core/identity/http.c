#define _GNU_SOURCE /* explicit_bzero */
#include "identity/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "identity/http_answer.h"

enum {
	LIMIT_BEARER = LIMIT_TOKEN,
	LIMIT_PEM = 1024 * 1024, /* the system's own list of authorities has 220 KiB */
};

struct http {
	CURL *curl; /* kept, and with it the connection */
	struct curl_slist *headers;
	struct buffer certificate, key, ca; /* libcurl reads these where they are */
	size_t limit;
	struct http_answer answer;
	char wrong[CURL_ERROR_SIZE];
};

/* --- one GET --- */

static int
fail(struct http *h, CURLcode code, struct error *e)
{
	if (h->answer.long_body)
		return error_set(
		    e, ERROR_UNAVAILABLE, "the answer is longer than %zu KiB", h->limit / 1024);
	if (h->answer.long_headers)
		return error_set(
		    e, ERROR_UNAVAILABLE, "the answer has more than 16 KiB of headers");
	text_plain(h->wrong);
	return error_set(e, ERROR_UNAVAILABLE, "%s",
	    *h->wrong != '\0' ? h->wrong : curl_easy_strerror(code));
}

int
http_get(
    struct http *h, const char *url, long *status, const struct buffer **body, struct error *e)
{
	const char *type = NULL;
	CURLcode code;

	http_forget(h);
	*h->wrong = '\0';
	code = curl_easy_setopt(h->curl, CURLOPT_URL, url);
	if (code == CURLE_OK)
		code = curl_easy_perform(h->curl);
	if (code != CURLE_OK)
		return fail(h, code, e);
	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, status);
	(void)curl_easy_getinfo(h->curl, CURLINFO_CONTENT_TYPE, &type);
	if (*status == 200 && !http_answer_is_json(type))
		return error_set(e, ERROR_UNAVAILABLE, "the answer is not application/json");
	if (buffer_append(&h->answer.body, "", 0) == -1) /* one that is empty ends, too */
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*body = &h->answer.body;
	return 0;
}

int
http_field(const struct http *h, const char *name, struct buffer *to)
{
	struct curl_header *found;
	size_t i = 0;

	for (; curl_easy_header(h->curl, name, i, CURLH_HEADER, -1, &found) == CURLHE_OK; i++)
		if (buffer_printf(to, "%s%s", i > 0 ? ", " : "", found->value) == -1)
			return -1;
	return 0;
}

void
http_forget(struct http *h)
{
	http_answer_clear(&h->answer, h->limit);
}

/* --- what is asked, and how --- */

static int
add_header(struct http *h, const char *line, struct error *e)
{
	struct curl_slist *more = curl_slist_append(h->headers, line);

	if (more == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	h->headers = more;
	return 0;
}

/* What nobody but us and root may know. */
static int
read_secret(const char *path, struct buffer *to, struct error *e)
{
	mode_t mode;

	if (file_read_trusted(path, to, &mode, e) == -1)
		return -1;
	if ((mode & 004) != 0)
		return error_set(e, ERROR_CONFIG,
		    "%s: others may read it (mode %04o): chmod o-r it", path,
		    (unsigned int)mode);
	return 0;
}

/* The first line of the file is a bearer token (RFC 6750, 2.1). */
static int
add_token(struct http *h, const char *path, struct error *e)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~+/=";
	struct buffer file, line;
	size_t length;
	int rc = -1;

	if (path == NULL)
		return 0;
	buffer_init(&file, LIMIT_BEARER);
	buffer_init(&line, LIMIT_BEARER + 32);
	if (read_secret(path, &file, e) == -1)
		goto out;
	length = file.data != NULL ? strcspn(file.data, "\r\n") : 0;
	if (length == 0 || strspn(file.data, letters) != length)
		error_set(e, ERROR_CONFIG, "%s: the first line is no bearer token", path);
	else if (buffer_printf(&line, "Authorization: Bearer %.*s", (int)length, file.data) ==
		 -1)
		error_set(e, ERROR_INTERNAL, "out of memory");
	else
		rc = add_header(h, line.data, e);
out:
	buffer_free(&file);
	buffer_free(&line);
	return rc;
}

/* Gives libcurl the bytes of the file at path; what is wrong in them it sees when it first
 * connects. */
static int
set_file(struct http *h, CURLoption option, struct buffer *b, const char *path, struct error *e)
{
	struct curl_blob blob = {.data = b->data, .len = b->length, .flags = CURL_BLOB_NOCOPY};

	if (b->length == 0 || strstr(b->data, "-----BEGIN ") == NULL)
		return error_set(e, ERROR_CONFIG, "%s: not a PEM file", path);
	if (curl_easy_setopt(h->curl, option, &blob) != CURLE_OK)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	return 0;
}

static int
set_files(struct http *h, const struct http_config *c, struct error *e)
{
	if (c->ca_file != NULL) {
		if (file_read_trusted(c->ca_file, &h->ca, NULL, e) == -1 ||
		    set_file(h, CURLOPT_CAINFO_BLOB, &h->ca, c->ca_file, e) == -1)
			return -1;
		/* Else those in the system's directory would be trusted too. */
		if (curl_easy_setopt(h->curl, CURLOPT_CAPATH, NULL) != CURLE_OK)
			return error_set(e, ERROR_INTERNAL, "out of memory");
	}
	if (c->certificate == NULL)
		return 0;
	if (file_read_trusted(c->certificate, &h->certificate, NULL, e) == -1 ||
	    read_secret(c->key, &h->key, e) == -1 ||
	    set_file(h, CURLOPT_SSLCERT_BLOB, &h->certificate, c->certificate, e) == -1)
		return -1;
	return set_file(h, CURLOPT_SSLKEY_BLOB, &h->key, c->key, e);
}

/* One request is one request: to nobody else, of nothing else, and for so long. */
static int
set_numbers(struct http *h, int64_t timeout, struct error *e)
{
	const struct {
		CURLoption option;
		long value;
	} rows[] = {
	    {CURLOPT_TIMEOUT_MS, (long)timeout * 1000},
	    {CURLOPT_CONNECTTIMEOUT_MS, (long)timeout * 1000},
	    {CURLOPT_NOSIGNAL, 1},
	    /* A name server that hangs must not hold up what has timed out. */
	    {CURLOPT_QUICK_EXIT, 1},
	    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
	    {CURLOPT_HTTPGET, 1},
	    {CURLOPT_FOLLOWLOCATION, 0},
	    {CURLOPT_PATH_AS_IS, 1},
	    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
	    {CURLOPT_SSL_VERIFYPEER, 1},
	    {CURLOPT_SSL_VERIFYHOST, 2},
	    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && code == CURLE_OK; i++)
		code = curl_easy_setopt(h->curl, rows[i].option, rows[i].value);
	if (code != CURLE_OK)
		return error_set(e, ERROR_INTERNAL, "libcurl: %s", curl_easy_strerror(code));
	return 0;
}

static int
set_pointers(struct http *h, struct error *e)
{
	const struct {
		CURLoption option;
		void *value;
	} rows[] = {
	    {CURLOPT_PROTOCOLS_STR, "http,https"},
	    /* Not what the environment says. */
	    {CURLOPT_PROXY, ""},
	    {CURLOPT_NOPROXY, "*"},
	    {CURLOPT_USERAGENT, "authserver/" VERSION},
	    {CURLOPT_HTTPHEADER, h->headers},
	    {CURLOPT_ERRORBUFFER, h->wrong},
	    /* Else OpenSSL asks the terminal for it. */
	    {CURLOPT_KEYPASSWD, ""},
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && code == CURLE_OK; i++)
		code = curl_easy_setopt(h->curl, rows[i].option, rows[i].value);
	if (code == CURLE_OK)
		code = http_answer_attach(&h->answer, h->curl, h->limit);
	if (code != CURLE_OK)
		return error_set(e, ERROR_INTERNAL, "libcurl: %s", curl_easy_strerror(code));
	return 0;
}

/* --- what is kept --- */

void
http_close(struct http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	for (struct curl_slist *l = h->headers; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data)); /* one may be the token */
	curl_slist_free_all(h->headers);
	buffer_free(&h->certificate);
	buffer_free(&h->key);
	buffer_free(&h->ca);
	http_forget(h);
	free(h);
}

static void
init_library(void)
{
	/* When it fails, so does curl_easy_init(). */
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct http *
new_http(size_t limit)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	(void)pthread_once(&once, init_library);
	h->limit = limit;
	buffer_init(&h->certificate, LIMIT_KEY_FILE);
	buffer_init(&h->key, LIMIT_KEY_FILE);
	buffer_init(&h->ca, LIMIT_PEM);
	h->curl = curl_easy_init();
	return h;
}

static int
add_accept(struct http *h, const char *types, struct error *e)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "Accept: %s", types);
	return add_header(h, line, e);
}

int
http_open(struct http **out, const struct http_config *c, struct error *e)
{
	struct http *h = new_http(c->limit);

	*out = NULL;
	if (h == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	if (h->curl == NULL)
		error_set(e, ERROR_INTERNAL, "libcurl does not start");
	else if (add_accept(h, c->accept, e) == 0 && add_token(h, c->token_file, e) == 0 &&
		 set_files(h, c, e) == 0 && set_numbers(h, c->timeout, e) == 0 &&
		 set_pointers(h, e) == 0) {
		*out = h;
		return 0;
	}
	http_close(h);
	return -1;
}
