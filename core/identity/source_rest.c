/* A service that answers GET URL with {"groups": [...]}: libcurl, told to do just that. */
#define _GNU_SOURCE /* explicit_bzero */
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "identity/source.h"
#include "identity/source_rest_answer.h"
#include "identity/source_rest_url.h"

enum {
	LIMIT_URL = LIMIT_PATH + 3 * LIMIT_PRINCIPAL,
	LIMIT_BEARER = LIMIT_TOKEN,
	LIMIT_PEM = 1024 * 1024, /* the system's own list of authorities has 220 KiB */
};

struct rest_source {
	struct source source; /* first, so that the one leads to the other */
	const struct rest_config *config;
	CURL *curl; /* kept, and with it the connection */
	struct curl_slist *headers;
	struct buffer certificate, key, ca; /* libcurl reads these where they are */
	struct buffer url;
	struct rest_answer answer;
	char wrong[CURL_ERROR_SIZE];
};

static int
rest_lookup(struct source *self, const char *user, struct membership *m, struct error *e)
{
	struct rest_source *s = (struct rest_source *)self;
	CURLcode code;
	int rc;

	if (rest_url_of(&s->url, s->config->url, user, e) == -1)
		return -1;
	rest_answer_clear(&s->answer);
	*s->wrong = '\0';
	code = curl_easy_setopt(s->curl, CURLOPT_URL, s->url.data);
	if (code == CURLE_OK)
		code = curl_easy_perform(s->curl);
	if (code == CURLE_OK) {
		rc = rest_answer_read(&s->answer, s->curl, m, e);
	} else {
		text_plain(s->wrong);
		rc = error_set(e, ERROR_UNAVAILABLE, "%s",
		    s->answer.wrong != NULL ? s->answer.wrong
		    : *s->wrong != '\0'     ? s->wrong
					    : curl_easy_strerror(code));
	}
	rest_answer_clear(&s->answer);
	return rc;
}

/* --- what is asked, and how --- */

static int
add_header(struct rest_source *s, const char *line, struct error *e)
{
	struct curl_slist *more = curl_slist_append(s->headers, line);

	if (more == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	s->headers = more;
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
add_token(struct rest_source *s, struct error *e)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~+/=";
	const char *path = s->config->token_file;
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
		rc = add_header(s, line.data, e);
out:
	buffer_free(&file);
	buffer_free(&line);
	return rc;
}

/* Gives libcurl the bytes of the file at path; what is wrong in them it sees when it first
 * connects. */
static int
set_file(struct rest_source *s, CURLoption option, struct buffer *b, const char *path,
    struct error *e)
{
	struct curl_blob blob = {.data = b->data, .len = b->length, .flags = CURL_BLOB_NOCOPY};

	if (b->length == 0 || strstr(b->data, "-----BEGIN ") == NULL)
		return error_set(e, ERROR_CONFIG, "%s: not a PEM file", path);
	if (curl_easy_setopt(s->curl, option, &blob) != CURLE_OK)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	return 0;
}

static int
set_files(struct rest_source *s, struct error *e)
{
	const struct rest_config *c = s->config;

	if (c->ca_file != NULL) {
		if (file_read_trusted(c->ca_file, &s->ca, NULL, e) == -1 ||
		    set_file(s, CURLOPT_CAINFO_BLOB, &s->ca, c->ca_file, e) == -1)
			return -1;
		/* Else those in the system's directory would be trusted too. */
		if (curl_easy_setopt(s->curl, CURLOPT_CAPATH, NULL) != CURLE_OK)
			return error_set(e, ERROR_INTERNAL, "out of memory");
	}
	if (c->certificate == NULL)
		return 0;
	if (file_read_trusted(c->certificate, &s->certificate, NULL, e) == -1 ||
	    read_secret(c->key, &s->key, e) == -1 ||
	    set_file(s, CURLOPT_SSLCERT_BLOB, &s->certificate, c->certificate, e) == -1)
		return -1;
	return set_file(s, CURLOPT_SSLKEY_BLOB, &s->key, c->key, e);
}

/* One request is one request: to nobody else, of nothing else, and for so long. */
static int
set_numbers(struct rest_source *s, struct error *e)
{
	const struct {
		CURLoption option;
		long value;
	} rows[] = {
	    {CURLOPT_TIMEOUT_MS, (long)s->config->timeout * 1000},
	    {CURLOPT_CONNECTTIMEOUT_MS, (long)s->config->timeout * 1000},
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
		code = curl_easy_setopt(s->curl, rows[i].option, rows[i].value);
	if (code != CURLE_OK)
		return error_set(e, ERROR_INTERNAL, "libcurl: %s", curl_easy_strerror(code));
	return 0;
}

static int
set_pointers(struct rest_source *s, struct error *e)
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
	    {CURLOPT_HTTPHEADER, s->headers},
	    {CURLOPT_ERRORBUFFER, s->wrong},
	    /* Else OpenSSL asks the terminal for it. */
	    {CURLOPT_KEYPASSWD, ""},
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && code == CURLE_OK; i++)
		code = curl_easy_setopt(s->curl, rows[i].option, rows[i].value);
	if (code == CURLE_OK)
		code = rest_answer_attach(&s->answer, s->curl);
	if (code != CURLE_OK)
		return error_set(e, ERROR_INTERNAL, "libcurl: %s", curl_easy_strerror(code));
	return 0;
}

/* --- the source --- */

static void
rest_close(struct source *self)
{
	struct rest_source *s = (struct rest_source *)self;

	curl_easy_cleanup(s->curl);
	for (struct curl_slist *h = s->headers; h != NULL; h = h->next)
		explicit_bzero(h->data, strlen(h->data)); /* one may be the token */
	curl_slist_free_all(s->headers);
	buffer_free(&s->certificate);
	buffer_free(&s->key);
	buffer_free(&s->ca);
	buffer_free(&s->url);
	rest_answer_clear(&s->answer);
	free(s);
}

static void
init_library(void)
{
	/* When it fails, so does curl_easy_init(). */
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct rest_source *
new_source(const struct rest_config *c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct rest_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	(void)pthread_once(&once, init_library);
	s->source = (struct source){.lookup = rest_lookup, .close = rest_close};
	s->config = c;
	buffer_init(&s->certificate, LIMIT_KEY_FILE);
	buffer_init(&s->key, LIMIT_KEY_FILE);
	buffer_init(&s->ca, LIMIT_PEM);
	buffer_init(&s->url, LIMIT_URL);
	s->curl = curl_easy_init();
	return s;
}

int
source_rest_open(struct source **out, const struct groups_config *c, struct error *e)
{
	struct rest_source *s = new_source(&c->rest);

	*out = NULL;
	if (s == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	if (s->curl == NULL)
		error_set(e, ERROR_INTERNAL, "libcurl does not start");
	else if (rest_url_check(&c->rest, e) == 0 &&
		 add_header(s, "Accept: application/json", e) == 0 && add_token(s, e) == 0 &&
		 set_files(s, e) == 0 && set_numbers(s, e) == 0 && set_pointers(s, e) == 0) {
		*out = &s->source;
		return 0;
	}
	rest_close(&s->source);
	return error_prefix(e, "%s: groups: rest", c->where);
}
